"""Real worker processes, for tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from celery import Celery

from annotations.tests.waiting import slowness, wait_until
from tasks.queues import QUEUE_NAMES
from tasks.sqs import make_queue

PROJECT = Path(__file__).resolve().parents[2]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Site:
    """A state folder and a broker, and what sends tasks to it."""

    folder: Path
    url: str
    visibility_timeout_seconds: int = 4
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sqs = boto3.client("sqs", endpoint_url=self.url, region_name="us-east-1", **_keys())
        self.sns = boto3.client("sns", endpoint_url=self.url, region_name="us-east-1", **_keys())
        for queue in QUEUE_NAMES:
            make_queue(self.sqs, "gas-", queue, self.visibility_timeout_seconds)
        self.app = Celery(
            broker=f"sqs://x:y@{self.url.split('//')[1]}",
            control="tasks.fanout:Control",
            set_as_current=False,
        )
        self.app.conf.update(
            broker_transport="tasks.transport:Transport",
            broker_transport_options={
                "is_secure": False,
                "region": "us-east-1",
                "queue_name_prefix": "gas-",
                "visibility_timeout": self.visibility_timeout_seconds,
                "wait_time_seconds": 1,
                "supports_fanout": True,
            },
            task_default_queue="default",
        )

    def send(self, task: str, *args: object) -> None:
        self.app.send_task(f"probe.{task}", args=args)

    def notes(self) -> list[str]:
        """What tasks have written down."""
        return [note for note in self._all_notes() if not note.startswith("ready ")]

    def notes_of(self, name: str) -> list[str]:
        return [note for note in self.notes() if note.startswith(name)]

    def is_ready(self, process_id: int) -> bool:
        return f"ready {process_id}" in self._all_notes()

    def _all_notes(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def environment(self) -> dict[str, str]:
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("GAS_", "AWS_", "DJANGO_"))
        }
        return (
            clean
            | CREDENTIALS
            | {
                "GAS_STATE_DIR": str(self.folder),
                "GAS_BROKER_URL": self.url,
                "GAS_VISIBILITY_TIMEOUT_SECONDS": str(self.visibility_timeout_seconds),
                "GAS_WORKER_CONCURRENCY": "1",
                "PYTHONPATH": str(PROJECT),
            }
            | self.settings
        )

    def start_worker(self, name: str = "w1", *arguments: str) -> "Worker":
        """A worker, of which only its process is known to have begun."""
        log_path = self.folder / f"{name}.log"
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "--quiet", "--app", "gas_project", "worker"),
                    *("--include", "tasks.tests.probe", "--hostname", f"{name}@test"),
                    *("--without-mingle", "--without-gossip", "--heartbeat-interval", "5", *arguments),
                ],
                env=self.environment(),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Worker(process, log_path, self)

    @contextmanager
    def worker(self, name: str = "w1", *arguments: str) -> Iterator["Worker"]:
        """A worker that is ready; killed at the end, unless it has ended by itself."""
        worker = self.start_worker(name, *arguments)
        try:
            wait_until(lambda: worker.is_ready() or not worker.is_running())
            assert worker.is_running(), worker.log()
            yield worker
        finally:
            worker.kill()

    def messages(self, queue: str) -> int:
        """About how many there are, those that are worked on included."""
        url = self.sqs.get_queue_url(QueueName=f"gas-{queue}")["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def queue_names(self) -> set[str]:
        return {url.rsplit("/", 1)[1] for url in self.sqs.list_queues().get("QueueUrls", [])}


@dataclass
class Worker:
    process: subprocess.Popen[bytes]
    log_path: Path
    site: Site

    def is_ready(self) -> bool:
        return self.site.is_ready(self.process.pid)

    def log(self) -> str:
        return self.log_path.read_text()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40 * slowness())

    def kill(self) -> None:
        """The whole group, children included."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)


def _keys() -> dict[str, str]:
    return {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
