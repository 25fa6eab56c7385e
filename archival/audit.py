"""Compare the records of jobs with what hot and cold storage hold.

The order of looking makes it safe beside a running service. First a store is listed, then the record is read:
what was listed, and is named by a record in which nothing is under way, is in use; what is not, belongs to a
run that is over or can't win any more, since names are never used twice. Where something is under way,
nothing is said and nothing done.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from annotations.models import Job, ResultState, Status
from annotations.storage import ObjectStore, object_store
from archival import hot
from archival.storage import ColdStorage, StoredArchive, cold_storage

# What a vault's inventory may not know yet.
INVENTORY_LAG = timedelta(days=1)
LONGEST_UPLOAD = timedelta(days=1)
TELL = "none: tell the user"
SETTLED = (ResultState.AVAILABLE, ResultState.ARCHIVED)


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "lost"  # no whole copy anywhere
    ARCHIVE_GONE = "archive gone"  # the hot copy is whole
    HOT_COPY_GONE = "hot copy gone"  # an archive is there
    HOT_LEFTOVER = "hot leftover"  # an object that no record names
    ORPHAN_ARCHIVE = "orphan archive"  # an archive that no record names
    UNFINISHED_UPLOAD = "unfinished upload"  # parts of an archive that nobody makes any more


@dataclass(frozen=True)
class Finding:
    """What is wrong with a job, or with an object or archive of none."""

    kind: Kind
    job_id: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Audit:
    """What was looked at and found."""

    jobs: int
    under_way: int
    findings: list[Finding]


def audit(*, fix: bool = False) -> Audit:
    """Look at every job, and mend what can be mended.

    Raises `storage.InventoryNotReady`, and what the stores raise when they are away.
    """
    return _Audit(object_store(), cold_storage(), fix=fix).run()


class _Audit:
    def __init__(self, store: ObjectStore, cold: ColdStorage, *, fix: bool) -> None:
        self._store, self._cold, self._fix = store, cold, fix
        self._jobs = self._under_way = 0

    def run(self) -> Audit:
        inventory = self._cold.inventory()
        self._known_until = inventory.taken_at
        archives: dict[str, list[StoredArchive]] = defaultdict(list)
        for stored in inventory.archives:
            archives[_job_id_of(stored.token)].append(stored)
        objects: dict[str, list[str]] = defaultdict(list)
        for key in self._store.keys(""):
            objects[_job_id_of(key)].append(key)

        findings: list[Finding] = []
        for job_id in _all_job_ids():
            findings += self._job(job_id, objects.pop(job_id, []), archives.pop(job_id, []))
        # What is left belongs to jobs that were not there; a job made since has its input only.
        for job_id in sorted(objects.keys() | archives.keys()):
            findings += self._no_job(job_id, objects.get(job_id, []), archives.get(job_id, []))
        findings += self._unfinished()
        return Audit(self._jobs, self._under_way, findings)

    def _job(self, job_id: str, objects: list[str], archives: list[StoredArchive]) -> Iterator[Finding]:
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            return  # deleted while we looked
        self._jobs += 1
        if not job.is_finished or job.archive_task or job.result_state not in {*SETTLED, ResultState.NONE}:
            self._under_way += 1
            return
        if job.result_state == ResultState.NONE:
            yield from self._leftovers(job, objects)
            return
        is_hot = hot.is_whole(self._store, job)
        named = next((stored for stored in archives if stored.ref == job.archive_id), None)
        others = [stored for stored in archives if stored is not named]
        if job.result_state == ResultState.AVAILABLE:
            if not is_hot:
                yield self._hot_copy_gone(job, named, others)
                return  # of what may hold the last copy nothing is deleted
        elif named is None and not self._too_young(job):
            yield self._archive_gone(job, others, is_hot=is_hot)
            return
        yield from self._leftovers(job, objects)
        yield from self._orphans(job, others)

    def _hot_copy_gone(self, job: Job, named: StoredArchive | None, others: list[StoredArchive]) -> Finding:
        found = named or next(iter(others), None)
        if found is None:
            return Finding(
                Kind.LOST,
                job.job_id,
                f"{job.result_key} is not there, and no archive.",
                TELL,
            )
        if self._fix:
            Job.objects.adopt_archive(job.job_id, job.archive_id, found.ref)
        return Finding(
            Kind.HOT_COPY_GONE, job.job_id, f"{job.result_key} is not there.", f"take archive {found.ref}"
        )

    def _archive_gone(self, job: Job, others: list[StoredArchive], *, is_hot: bool) -> Finding:
        if is_hot:
            if self._fix:
                Job.objects.take_back(job.job_id, job.archive_id)
            return Finding(
                Kind.ARCHIVE_GONE, job.job_id, f"Archive {job.archive_id} is not there.", "use the hot copy"
            )
        if others:
            if self._fix:
                Job.objects.adopt_archive(job.job_id, job.archive_id, others[0].ref)
            return Finding(
                Kind.ARCHIVE_GONE,
                job.job_id,
                f"Archive {job.archive_id} is not there.",
                f"take archive {others[0].ref}",
            )
        return Finding(
            Kind.LOST,
            job.job_id,
            f"Archive {job.archive_id} is not there, nor a hot copy.",
            TELL,
        )

    def _leftovers(self, job: Job, objects: list[str]) -> Iterator[Finding]:
        used = {job.input_key, job.log_key}
        if job.result_state == ResultState.AVAILABLE:
            used |= set(hot.keys_of(job).values())
        elif job.archive_next_at is not None:
            return  # archived just now: its hot copy is about to be removed
        for key in sorted(set(objects) - used):
            yield self._leftover(job.job_id, key)

    def _orphans(self, job: Job, others: list[StoredArchive]) -> Iterator[Finding]:
        for stored in others:
            yield self._orphan(job.job_id, stored)

    def _no_job(self, job_id: str, objects: list[str], archives: list[StoredArchive]) -> Iterator[Finding]:
        # An upload that nobody has submitted yet is no job's, and no leftover either.
        if not job_id or Job.objects.filter(pk=job_id).exists():
            return
        for key in objects:
            if "~" not in key.rsplit("/", 1)[-1]:
                yield self._leftover(job_id, key)
        for stored in archives:
            yield self._orphan(job_id, stored)

    def _unfinished(self) -> Iterator[Finding]:
        for abandoned in self._cold.abandoned(LONGEST_UPLOAD):
            if self._fix:
                abandoned.remove()
            yield Finding(
                Kind.UNFINISHED_UPLOAD, _job_id_of(abandoned.token), abandoned.token, "end it, with its parts"
            )

    def _leftover(self, job_id: str, key: str) -> Finding:
        if self._fix:
            self._store.delete(key)
        return Finding(Kind.HOT_LEFTOVER, job_id, key, "delete it")

    def _orphan(self, job_id: str, stored: StoredArchive) -> Finding:
        if self._fix:
            self._cold.delete(stored.ref)
        return Finding(Kind.ORPHAN_ARCHIVE, job_id, stored.ref, "delete it")

    def _too_young(self, job: Job) -> bool:
        """Archived after the inventory was taken, as far as clocks and a vault's own delays let us say."""
        lag = INVENTORY_LAG if timezone.now() - self._known_until > timedelta(minutes=5) else timedelta()
        return job.archived_at is not None and job.archived_at > self._known_until - lag


def _all_job_ids() -> set[str]:
    """By the index of statuses: on DynamoDB a query for all jobs would read the whole table.

    A job that changes its status meanwhile may be left out, and is then left alone.
    """
    return {
        job_id
        for status in Status.values
        for job_id in Job.objects.filter(status=status).values_list("pk", flat=True).iterator()
    }


def _job_id_of(name: str) -> str:
    """Of a key or token, `USER/JOB/…` or, for an upload, `USER/JOB~NAME`; empty for what is neither."""
    parts = name.split("/")
    return parts[1].split("~", 1)[0] if len(parts) > 1 else ""
