"""Hot and cold storage in memory, which can be made to fail, to die, or to let somebody in between calls."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from unittest import mock

from django.utils import timezone

from annotations.job_queries import JobQuerySet
from annotations.models import Job, ResultState, Status, new_job_id
from annotations.tests.factories import make_job
from annotations.tests.fakes import MemoryStore
from archival import archiving, discarding, hot, mover, planning, restoring, returning, thawing
from archival.in_hand import TryLater
from archival.packing import SUMS_NAME
from archival.storage import (
    Abandoned,
    ArchiveMissing,
    CapacityUnavailable,
    ColdStorageError,
    Inventory,
    NotThawed,
    Progress,
    Retrieval,
    RetrievalOption,
    StoredArchive,
)
from billing.models import Customer

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=30)


class Death(BaseException):
    """The process is killed: nothing of it runs any more, no handler and no tidying up."""


class Wire:
    """Every remote call of a run passes here first."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_dead = False
        self._at: dict[int, Callable[[], None]] = {}
        self.watch: Callable[[], None] = lambda: None

    def between(self, number: int, action: Callable[[], None]) -> None:
        """Let `action` happen just before the call of that number, counted from 0 and from now."""
        self._at[len(self.calls) + number] = action

    def die_at(self, number: int) -> None:
        def die() -> None:
            self.is_dead = True

        self.between(number, die)

    def reset(self) -> None:
        self._at.clear()
        self.is_dead = False

    def call(self, verb: str) -> None:
        self.alive()
        number = len(self.calls)
        self.calls.append(verb)
        if action := self._at.pop(number, None):
            action()
        self.alive()
        self.watch()

    def alive(self) -> None:
        if self.is_dead:
            raise Death


class WatchedStore(MemoryStore):
    """`annotations.storage.ObjectStore`, over a wire."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def size_bytes(self, key: str) -> int:
        self.wire.call(f"size {key}")
        return super().size_bytes(key)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        self.wire.call(f"open {key}")
        return super().open(key)

    def publish(self, path: Path, key: str) -> None:
        self.wire.call(f"publish {key}")
        super().publish(path, key)

    def delete(self, key: str) -> None:
        self.wire.call(f"delete {key}")
        super().delete(key)


@dataclass
class MemoryVault:
    """`storage.ColdStorage` in memory; a retrieval is ready once `finish` was called."""

    wire: Wire
    archives: dict[str, bytes] = field(default_factory=dict)
    tickets: dict[str, tuple[str, bool]] = field(default_factory=dict)
    asked: list[RetrievalOption] = field(default_factory=list)
    capacity: set[RetrievalOption] = field(default_factory=lambda: set(RetrievalOption))
    unfinished: list[str] = field(default_factory=list)
    broken: bool = False
    expected_in: timedelta = HOUR

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)

    def finish(self) -> None:
        self.tickets = {ticket: (ref, True) for ticket, (ref, _) in self.tickets.items()}

    def expire(self) -> None:
        self.tickets.clear()

    def archive(self, content: BinaryIO, size_bytes: int, token: str) -> str:
        self._call("archive")
        body = content.read()
        assert len(body) == size_bytes
        self.archives[f"{token}.tar"] = body
        self._call("archived")
        return f"{token}.tar"

    def request_thaw(self, ref: str, option: RetrievalOption, token: str) -> Retrieval:
        self._call("request_thaw")
        self.asked.append(option)
        if ref not in self.archives:
            raise ArchiveMissing(ref)
        if option not in self.capacity:
            raise CapacityUnavailable(option)
        ticket = f"ticket-{next(self._ids)}"
        self.tickets[ticket] = (ref, False)
        self._call("requested")
        return Retrieval(ticket, timezone.now() + self.expected_in)

    def poll(self, ref: str, ticket: str) -> Progress:
        self._call("poll")
        if ref not in self.archives:
            raise ArchiveMissing(ref)
        if self.tickets.get(ticket, ("", False))[0] != ref:
            return Progress.EXPIRED
        return Progress.READY if self.tickets[ticket][1] else Progress.PENDING

    def restore(self, ref: str, ticket: str) -> Iterator[bytes]:
        if self.poll(ref, ticket) is not Progress.READY:
            raise NotThawed(ref)
        self._call("restore")
        if ref not in self.archives:
            raise ArchiveMissing(ref)
        yield self.archives[ref]

    def delete(self, ref: str) -> None:
        self._call("delete")
        self.archives.pop(ref, None)

    def inventory(self) -> Inventory:
        stored = [StoredArchive(ref, ref.removesuffix(".tar")) for ref in self.archives]
        return Inventory(timezone.now(), stored)

    def abandoned(self, older_than: timedelta) -> list[Abandoned]:
        return [Abandoned(token, partial(self.unfinished.remove, token)) for token in self.unfinished]

    def _call(self, verb: str) -> None:
        self.wire.call(verb)
        if self.broken:
            raise ColdStorageError("the vault is away")


@dataclass
class World:
    """Everything that a result's life needs."""

    sent: list[Any]
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        self.store, self.vault = WatchedStore(self.wire), MemoryVault(self.wire)
        self._ids = itertools.count(1)
        self.tasks: dict[str, Callable[..., Any]] = {
            "tasks.schedule_archive": planning.schedule,
            "tasks.restart_retention": planning.restart_retention,
            "tasks.archive": self._with_id(archiving.archive),
            "tasks.thaw": thawing.thaw,
            "tasks.thaw_job": self._with_id(thawing.request),
            "tasks.restore": self._with_id(restoring.restore, attempt=0),
            "tasks.notify_returned": self._with_id(returning.notify),
            "tasks.discard": discarding.discard,
        }

    def _with_id(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        def run(job_id: str, task_id: str = "") -> None:
            function(job_id, task_id or f"task-{next(self._ids)}", retry_seconds=10, **options)

        return run

    @contextmanager
    def in_place(self) -> Iterator[World]:
        places = ("archiving", "restoring", "moves", "audit", "discarding")
        patches: list[Any] = [
            mock.patch(f"archival.{place}.object_store", lambda: self.store) for place in places
        ]
        patches += [
            mock.patch(f"archival.{place}.cold_storage", lambda: self.vault) for place in (*places, "thawing")
        ]
        patches.append(mock.patch("archival.moving.in_own_process", self._in_no_process))
        update = JobQuerySet.update

        def update_if_alive(query: JobQuerySet, **fields: Any) -> int:
            self.wire.alive()
            return update(query, **fields)

        patches.append(mock.patch.object(JobQuerySet, "update", update_if_alive))
        for patch in patches:
            patch.start()
        try:
            yield self
        finally:
            for patch in reversed(patches):
                patch.stop()

    def _in_no_process(self, verb: str, arguments: dict[str, Any], _: Path) -> Any:
        """Another process would know nothing of this memory."""
        return mover.VERBS[verb](**json.loads(json.dumps(arguments)))

    def job(self, user: Any, **fields: Any) -> Job:
        """A completed job with its files at hand, due long ago unless its fields say otherwise."""
        job_id = new_job_id()
        prefix = f"{user.pk}/{job_id}/first"
        files = {
            "result": "a.annot.vcf.gz",
            "index": "a.annot.vcf.gz.tbi",
            "table": "a.parquet",
            "log": "a.log",
        }
        for kind, name in files.items():
            self.store.objects[f"{prefix}/{name}"] = f"{kind} of {job_id}".encode()
        due_at = timezone.now() - HOUR
        values = {
            "status": Status.COMPLETED,
            "result_state": ResultState.AVAILABLE,
            "completed_at": timezone.now() - LONG_AGO,
            "archive_due_at": due_at,
            "archive_next_at": due_at,
            "archive_shard": 0,
            **{f"{kind}_key": f"{prefix}/{name}" for kind, name in files.items()},
        }
        return make_job(user, job_id=job_id, **(values | fields))

    def set_tier(self, user: Any, tier: str) -> None:
        Customer.objects.update_or_create(user=user, defaults={"tier": tier})

    def run(self, task: str, *args: Any) -> None:
        """Once; a death in it, or a store that is away, ends it and nothing else."""
        try:
            self.tasks[f"tasks.{task}"](*args)
        except (Death, TryLater):
            pass
        finally:
            self.wire.reset()

    def run_sent(self, *, also_delayed: bool = False) -> None:
        """Every task that was sent, and those that they send, in their order."""
        while self.sent:
            task = self.sent.pop(0)
            if task.name in self.tasks and (also_delayed or not task.options.get("delay_seconds")):
                self.run(task.name.removeprefix("tasks."), *task.args)

    def time_passes(self) -> None:
        """Long enough for every lease, plan and poll to have come."""
        past = timezone.now() - HOUR
        Job.objects.filter(status="COMPLETED", archive_next_at__isnull=False).update(archive_next_at=past)
        Job.objects.filter(status="COMPLETED", archive_due_at__isnull=False).update(archive_due_at=past)
        Job.objects.filter(status="COMPLETED", returned_at__isnull=False).update(returned_at=past)

    def bytes_at_hand(self, job: Job) -> dict[str, bytes | None]:
        return {kind: self.store.objects.get(key) for kind, key in hot.keys_of(job).items()}

    def bytes_in_archive(self, ref: str | None) -> set[bytes]:
        """The result's files in an archive, by Python's own reader of whole archives."""
        if ref not in self.vault.archives:
            return set()
        with tarfile.open(fileobj=io.BytesIO(self.vault.archives[ref])) as archive:
            files = [(entry.name, archive.extractfile(entry)) for entry in archive]
            return {file.read() for name, file in files if file and name != SUMS_NAME}

    def assert_has_its_result(self, job_id: str) -> None:
        """Where the record says that the result is, it is, whole and unchanged."""
        job = Job.objects.filter(pk=job_id).first()
        if job is None:
            return
        good = {f"{kind} of {job.job_id}".encode() for kind in hot.KINDS}
        if job.result_state in {ResultState.AVAILABLE, ResultState.ARCHIVING}:
            assert set(self.bytes_at_hand(job).values()) == good, (job.result_state, self.wire.calls)
        else:
            assert self.bytes_in_archive(job.archive_id) == good, (job.result_state, self.wire.calls)
