"""Which database a model lives in, where jobs and accounts live apart."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS

JOBS_DATABASE = "jobs"


class JobsApart:
    """The app `annotations` on the database `jobs`, everything else on the default one."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        """Never None: Django would then look for a job's user in the database of the job."""
        return JOBS_DATABASE if model._meta.app_label == "annotations" else DEFAULT_DB_ALIAS

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_: Any) -> bool | None:
        """A job points to its user by id alone: no database is asked to check."""
        return True if "annotations" in {one._meta.app_label, other._meta.app_label} else None

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return (db == JOBS_DATABASE) == (app_label == "annotations")
