"""Which database a model lives in, where jobs and accounts live apart."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS

JOBS_DATABASE = "jobs"


WITH_ACCOUNTS = frozenset({"submission"})  # of the app `annotations`: limits are counted under a user's lock


class JobsApart:
    """Jobs and their shards on the database `jobs`, everything else on the default one."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        """Never None: Django would then look for a job's user in the database of the job."""
        is_apart = _is_apart(model._meta.app_label, model._meta.model_name)
        return JOBS_DATABASE if is_apart else DEFAULT_DB_ALIAS

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_: Any) -> bool | None:
        """A job points to its user by id alone: no database is asked to check."""
        return True if "annotations" in {one._meta.app_label, other._meta.app_label} else None

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: Any) -> bool:
        return (db == JOBS_DATABASE) == _is_apart(app_label, model_name)


def _is_apart(app_label: str, model_name: str | None) -> bool:
    return app_label == "annotations" and model_name not in WITH_ACCOUNTS
