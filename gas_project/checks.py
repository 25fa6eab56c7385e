"""System checks: a wrong setting stops the start and names its remedy."""

import os
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from gas_project.environment import Problem

OURS = "gas"  # the tag by which a process that has no pages runs these, and none of Django's


@register(OURS)
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


@register(OURS)
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


@register(OURS)
def payments_are_configured(**_: Any) -> list[CheckMessage]:
    """gas.E005 to E006: payments that could not work, or would not be payments."""
    environment = settings.ENVIRONMENT
    found: list[CheckMessage] = []
    if environment.stripe_api_key and not (environment.stripe_webhook_secrets and environment.stripe_price):
        found.append(
            Error(
                "GAS_STRIPE_API_KEY is set, but not all that payments need.",
                hint="Set GAS_STRIPE_PRICE and GAS_STRIPE_WEBHOOK_SECRETS, too: see docs/billing.md.",
                id="gas.E005",
            )
        )
    if environment.stripe_standin and "_live_" in environment.stripe_api_key:
        found.append(
            Error(
                "GAS_STRIPE_STANDIN is on, and GAS_STRIPE_API_KEY is a live key.",
                hint="A live key belongs to Stripe alone: take GAS_STRIPE_STANDIN away.",
                id="gas.E006",
            )
        )
    if environment.stripe_standin and not is_loopback(settings.SITE_URL):
        found.append(
            Error(
                f"The site is {settings.SITE_URL}, and premium would be given for the stand-in's test cards.",
                hint="Take GAS_STRIPE_STANDIN away, and set GAS_STRIPE_API_KEY to use Stripe.",
                id="gas.E007",
            )
        )
    return found


@register(OURS, deploy=True)
def standin_is_not_deployed(**_: Any) -> list[CheckMessage]:
    """gas.E008: premium for nothing."""
    if not settings.ENVIRONMENT.stripe_standin:
        return []
    return [
        Error(
            "Payments go to the stand-in for Stripe, which takes every test card.",
            hint="Take GAS_STRIPE_STANDIN away, and set GAS_STRIPE_API_KEY to use Stripe.",
            id="gas.E008",
        )
    ]


@register(OURS, deploy=True)
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


def is_loopback(url: str) -> bool:
    """Whether only this machine can mean this address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@register(OURS)
def files_have_both_buckets(**_: Any) -> list[CheckMessage]:
    """gas.E009: uploads in S3 and results elsewhere, or the other way round."""
    environment = settings.ENVIRONMENT
    if bool(environment.inputs_bucket) == bool(environment.results_bucket):
        return []
    return [
        Error(
            "Only one of GAS_INPUTS_BUCKET and GAS_RESULTS_BUCKET is set.",
            hint="Set both to keep files in S3, or none to keep them in the state folder.",
            id="gas.E009",
        )
    ]


@register(OURS)
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
