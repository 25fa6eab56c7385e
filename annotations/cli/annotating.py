"""One file's way: send it, submit it, wait for the job, fetch what it made. Any step can be gone on with."""

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from annotations.cli.client import Client, Patience
from annotations.cli.credentials import Credentials
from annotations.cli.display import Board
from annotations.cli.errors import CommandError, Stopped
from annotations.cli.memory import Forgetful, Memory
from annotations.cli.sending import send

STDIN = STDOUT = "-"
POLL_SECONDS = (0.5, 1.0, 2.0, 3.0, 5.0)
OVER = {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass(frozen=True)
class Options:
    """What is to be done with each file."""

    reference: str
    haplotype_aware: bool
    kinds: tuple[str, ...]
    output: str
    stdin_name: str = "stdin.vcf"


@dataclass
class Outcome:
    """What became of one file."""

    file: str
    job: dict[str, Any] | None = None
    saved: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def is_good(self) -> bool:
        return not self.error


@dataclass
class Worker:
    """Does files one after another; each thread has its own."""

    credentials: Credentials
    options: Options
    board: Board
    stop: threading.Event
    patience_seconds: float

    def __post_init__(self) -> None:
        self._name = ""
        self.client = Client(
            self.credentials,
            Patience(self.patience_seconds, lambda message: self.board.say(self._name, message), self.stop),
        )

    def submitted(self, source: str) -> tuple[dict[str, Any], Memory]:
        """The job of a file: the one that it has already, or a new one."""
        self._name = name_of(source, self.options)
        if source.startswith("https://"):
            return self._submit(self._fetched(source), Forgetful()), Forgetful()
        with _on_disk(source) as path:
            memory = Forgetful() if source == STDIN else self._memory(path)
            job_id = memory.recall().get("job_id")
            if job_id and (job := self._job_that_stands(job_id)):
                return job, memory
            upload_id = send(
                self.client,
                path,
                self._name,
                memory,
                stop=self.stop,
                progress=lambda done, total: self.board.step(self._name, "uploading", done, total),
            )
        return self._submit(upload_id, memory), memory

    def annotated(self, source: str) -> Outcome:
        """From the file to its result. Raises CommandError, Stopped."""
        job, memory = self.submitted(source)
        job = self.waited(job)
        outcome = Outcome(source, job)
        if job["status"] != "COMPLETED":
            memory.forget()
            reason = job["failure"]["message"] if job["failure"] else "The job was cancelled."
            outcome.error = reason
            return outcome
        outcome.saved = self.saved(job, self.options.kinds, self.options.output)
        memory.forget()
        self.board.step(self._name, "done", 1, 1)
        return outcome

    def waited(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job when it is over."""
        self._name = self._name or job["file_name"]
        polls = 0
        while job["status"] not in OVER:
            step = job["stage"] or "waiting in the queue"
            self.board.step(self._name, step, job["variants_done"], job["variants_total"])
            if self.stop.wait(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)]):
                raise Stopped
            polls += 1
            job = self.client.get(f"/jobs/{job['id']}")
        return job

    def saved(self, job: dict[str, Any], kinds: Sequence[str], output: str) -> list[str]:
        """Fetch the job's files of these kinds; where they are. Raises CommandError."""
        self._name = self._name or job["file_name"]
        files = {file["kind"]: file for file in job["files"]}
        if missing := [kind for kind in kinds if kind not in files]:
            raise CommandError(
                f"{job['file_name']} has no {', '.join(missing)} at hand; its result is {job['result_state']}"
            )
        if output == STDOUT:
            for kind in kinds:
                self._fetch(job, files[kind], None)
            return []
        folder = Path(output)
        folder.mkdir(parents=True, exist_ok=True)
        return [str(self._fetch(job, files[kind], folder)) for kind in kinds]

    def _fetch(self, job: dict[str, Any], file: dict[str, Any], folder: Path | None) -> Path | None:
        """To a file that has its name only once it is whole; to stdout without a folder."""
        path = f"/jobs/{job['id']}/files/{file['kind']}"
        with tempfile.TemporaryDirectory() as scratch:
            target = (folder or Path(scratch)) / Path(file["name"]).name
            part = target.with_name(f".{target.name}.{job['id'][:8]}.part")
            _in_pieces(
                lambda offset, etag: self.client.download(path, offset, etag),
                part,
                lambda done, total: self.board.step(self._name, "downloading", done, total),
                lambda why: self.client._patience.pause(2.0, why),
            )
            if folder is not None:
                part.replace(target)
                return target
            with part.open("rb") as whole:
                shutil.copyfileobj(whole, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return None

    def _memory(self, path: Path) -> Memory:
        options = (self.options.reference, self.options.haplotype_aware)
        return Memory(self.credentials.url, path, options)

    def _job_that_stands(self, job_id: str) -> dict[str, Any] | None:
        try:
            job: dict[str, Any] = self.client.get(f"/jobs/{job_id}")
        except CommandError as error:
            if getattr(error, "status", None) == 404:
                return None
            raise
        return job if job["status"] not in {"FAILED", "CANCELLED"} else None

    def _submit(self, upload_id: str, memory: Memory) -> dict[str, Any]:
        body = {
            "upload_id": upload_id,
            "reference": self.options.reference,
            "haplotype_aware": self.options.haplotype_aware,
        }
        job: dict[str, Any] = self.client.post("/jobs", body)
        memory.note(job_id=job["id"])
        return job

    def _fetched(self, url: str) -> str:
        upload = self.client.post("/uploads/from-url", {"url": url})
        polls = 0
        while upload["state"] == "FETCHING":
            self.board.step(
                self._name, "fetched by the service", upload["received_bytes"], upload["size_bytes"]
            )
            if self.stop.wait(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)]):
                raise Stopped
            polls += 1
            upload = self.client.get(f"/uploads/{upload['id']}")
        if upload["state"] == "FAILED":
            raise CommandError(f"{url}: {upload['failure']}")
        return str(upload["id"])


def name_of(source: str, options: Options) -> str:
    """What the service calls the file."""
    if source == STDIN:
        return options.stdin_name
    if source.startswith("https://"):
        return urlsplit(source).path.rpartition("/")[2] or "download.vcf"
    return Path(source).name


@contextmanager
def _on_disk(source: str) -> Iterator[Path]:
    """Standard input has to be read to its end before its size is known."""
    if source != STDIN:
        path = Path(source)
        if not path.is_file():
            raise CommandError(f"There is no file {source}.")
        yield path
        return
    with tempfile.NamedTemporaryFile() as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Path(spool.name)


def _in_pieces(
    download: Callable[[int, str], tuple[Iterator[bytes], int, int, str]],
    part: Path,
    progress: Callable[[int, int], None],
    pause: Callable[[str], None],
    most_cuts: int = 20,
) -> None:
    """Fetch into `part`, going on behind what is there when the connection breaks."""
    part.unlink(missing_ok=True)
    part.touch()
    etag, cuts = "", 0
    while True:
        blocks, begins, size, etag = download(part.stat().st_size, etag)
        with part.open("r+b") as file:
            file.truncate(begins)
            file.seek(begins)
            try:
                for block in blocks:
                    file.write(block)
                    progress(file.tell(), size)
            except requests.RequestException as error:
                cuts += 1
                if cuts > most_cuts:
                    raise CommandError(
                        "The download broke off too often. Run the same command again."
                    ) from error
                pause("the download broke off")
                continue
            if not size or file.tell() >= size:
                return
