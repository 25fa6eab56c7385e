"""System checks: a wrong setting stops the start and names its remedy."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from gas_project.environment import Problem


@register
def environment_is_right(**_: Any) -> list[CheckMessage]:
    """gas.E001: a variable's value does not fit. gas.W001: a variable that no setting reads."""
    return [
        *(
            Error(_sentence(problem), hint=problem.hint, id="gas.E001")
            for problem in settings.ENVIRONMENT_PROBLEMS
        ),
        *(
            Warning(_sentence(problem), hint=problem.hint, id="gas.W001")
            for problem in settings.ENVIRONMENT_UNKNOWN
        ),
    ]


@register
def state_folder_is_writable(**_: Any) -> list[CheckMessage]:
    """gas.E002: nothing can be kept."""
    if os.access(settings.STATE_DIR, os.W_OK):
        return []
    return [
        Error(
            f"The state folder {settings.STATE_DIR} can't be written to.",
            hint="Make it writable for this user, or name another one with GAS_STATE_DIR.",
            id="gas.E002",
        )
    ]


@register(deploy=True)
def local_parts_stay_local(**_: Any) -> list[CheckMessage]:
    """gas.E003: a public site with parts that are meant for one machine."""
    if "secret_key" in settings.ENVIRONMENT.model_fields_set:
        return []
    return [
        Error(
            "SECRET_KEY was made on this machine and would differ from host to host.",
            hint="Set GAS_SECRET_KEY to the same long random text on every host.",
            id="gas.E003",
        )
    ]


@register
def one_cold_storage(**_: Any) -> list[CheckMessage]:
    """gas.E004: archives can't be in two places."""
    if not (settings.ARCHIVE_BUCKET and settings.GLACIER_VAULT):
        return []
    return [
        Error(
            f"Archives are to be both in the bucket {settings.ARCHIVE_BUCKET} "
            f"and in the Glacier vault {settings.GLACIER_VAULT}.",
            hint="Unset GAS_ARCHIVE_BUCKET or GAS_GLACIER_VAULT.",
            id="gas.E004",
        )
    ]


def _sentence(problem: Problem) -> str:
    return f"{problem.variable} is {problem.found}: {problem.expected}."
