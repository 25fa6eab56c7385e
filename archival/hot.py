"""The hot copy of a result: which objects it consists of."""

import secrets
from collections.abc import Iterable

import structlog

from annotations.models import Job
from annotations.storage import ObjectMissing, ObjectStore, StorageError

log = structlog.get_logger(__name__)

# What goes into the archive, in this order; the log stays. The kinds name the fields of the record.
KINDS = ("result", "index", "table")


def keys_of(job: Job) -> dict[str, str]:
    """The objects that are archived, by kind."""
    keys = {kind: getattr(job, f"{kind}_key") for kind in KINDS}
    return {kind: key for kind, key in keys.items() if key}


def fields_of(keys: dict[str, str]) -> dict[str, str]:
    """The record's fields for objects by kind."""
    return {f"{kind}_key": keys.get(kind, "") for kind in KINDS}


def new_prefix(job: Job) -> str:
    """A place that no other run, before or after, has written or will write to.

    So that a run which has lost can remove all it made, whatever the winner does at the same time.
    """
    return f"{job.user_id}/{job.job_id}/{secrets.token_hex(8)}"


def is_whole(store: ObjectStore, job: Job) -> bool:
    """Every object of the hot copy is there. Raises StorageError."""
    keys = keys_of(job)
    return bool(keys) and all(exists(store, key) for key in keys.values())


def exists(store: ObjectStore, key: str) -> bool:
    try:
        store.size_bytes(key)
    except ObjectMissing:
        return False
    return True


def remove(store: ObjectStore, keys: Iterable[str]) -> None:
    """Remove what a run has made in vain; what stays, an audit finds."""
    for key in keys:
        try:
            store.delete(key)
        except StorageError as error:
            log.warning("file_not_removed", key=key, error=str(error))
