"""Stand-ins for what a job needs; the store implements the port."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from annotations.engine.annotate import result_name
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.gather import Summary
from annotations.models import Job
from annotations.storage import ObjectMissing, StorageError, UploadForm

REFERENCE = "tiny/1"


class MemoryStore:
    """Objects in a dict; `broken` makes every verb fail as a store does that can't be reached."""

    origins: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written_at: dict[str, datetime] = {}
        self.broken = False

    def _bytes(self, key: str) -> bytes:
        self._check()
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectMissing(key) from None

    def _check(self) -> None:
        if self.broken:
            raise StorageError("the store is away")

    def upload_form(
        self, key: str, *, max_bytes: int, redirect_url: str | None, expires_seconds: int
    ) -> UploadForm:
        return UploadForm(url="/upload", fields={"key": key})

    def size_bytes(self, key: str) -> int:
        return len(self._bytes(key))

    def modified_at(self, key: str) -> datetime:
        self._bytes(key)
        return self.written_at.get(key, datetime.now(UTC))

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        return io.BytesIO(self._bytes(key))

    def fetch(self, key: str, path: Path) -> None:
        path.write_bytes(self._bytes(key))

    def local_path(self, key: str) -> None:
        self._bytes(key)

    def local_root(self) -> None:
        return None

    def publish(self, path: Path, key: str) -> None:
        self._check()
        self.objects[key] = path.read_bytes()

    def copy(self, key: str, to_key: str) -> None:
        self.objects[to_key] = self._bytes(key)

    def delete(self, key: str) -> None:
        self._check()
        self.objects.pop(key, None)

    def keys(self, prefix: str) -> Iterator[str]:
        self._check()
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def download_url(self, key: str, *, file_name: str, expires_seconds: int) -> str:
        return f"/download/{key}"


ENDINGS = {"vcf": ".annot.vcf.gz", "index": ".annot.vcf.gz.tbi", "table": ".parquet", "log": ".vcf.count.log"}


@dataclass
class FakeEngine:
    """Writes the four files of a result; `during` is called with the reporter in the midst of the work."""

    during: Callable[[Callable[[str, int, int], None]], None] = lambda progress: None
    inputs: list[Path] = field(default_factory=list)

    def __call__(
        self,
        source: Path,
        bundle: ReferenceBundle,
        output: Path,
        *,
        progress: Callable[[str, int, int], None],
        **options: Any,
    ) -> Summary:
        self.inputs.append(source)
        progress("annotate", 1, 1)
        self.during(progress)
        output.mkdir()
        files: dict[str, str] = {}
        for kind, ending in ENDINGS.items():
            path = output / f"{result_name(source)}{ending}"
            path.write_bytes(source.read_bytes() + ending.encode())
            files[kind] = str(path)
        return Summary(
            name="patient",
            reference="tiny 1",
            records_in=1,
            records_out=1,
            alleles=1,
            known={},
            consequences={},
            impacts={},
            left_out={},
            notes=[],
            files=files,
        )


def write_reference(references: Path) -> None:
    """A manifest, which is all that opening a bundle reads."""
    folder = references / REFERENCE
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "format": 1,
        "name": "tiny",
        "version": "1",
        "created_at": "2025-01-01T00:00:00Z",
        "description": "for tests",
        "contigs": [],
        "genes": {"source": "none", "transcripts": 0, "genes": 0},
        "known": [],
        "files": {},
        "tools": {},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def submit(user: Any, store: MemoryStore, **fields: Any) -> Job:
    """A PENDING job with its input in the store."""
    job = Job(user=user, **{"input_file_name": "patient.vcf", "reference": REFERENCE, **fields})
    job.inputs_bucket = "inputs"
    job.input_key = f"{user.pk}/{job.job_id}/input/{job.input_file_name}"
    job.input_bytes = 3
    store.objects[job.input_key] = b"vcf"
    job.save(force_insert=True)
    return job


@dataclass
class FakeLimits:
    """Implements `limits.Limits`."""

    label: str = "Generous"
    upload_max_bytes: int = 10**9
    retention: timedelta | None = None
    jobs_at_once: int = 100
    jobs_a_day: int = 100
    haplotype_aware: bool = True
    sharding_priority: int = 0
    requests_a_minute: int = 10_000
    upgrade_url: str | None = "/more/"


def limits_of(user: Any) -> FakeLimits:
    """What the setting JOB_LIMITS names; the test's fixture `limits` puts them here."""
    return limits  # type: ignore[name-defined]  # noqa: F821
