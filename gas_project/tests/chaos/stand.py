"""A whole pipeline of real processes, on a broker that can be hurt, and the audit of what it left."""

import http.client
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotations.tests.fakes import REFERENCE, write_reference
from annotations.tests.waiting import slowness, wait_until
from tasks.tests.faulty import FaultyProxy, start_broker
from tasks.tests.workers import PROJECT, Site, Worker

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "gas_project.tests.chaos.settings",
    "GAS_LEASE_SECONDS": "10",
    "GAS_RESEND_AFTER_SECONDS": "5",
    # One user submits all jobs.
    "GAS_FREE_JOBS_AT_ONCE": "1000",
    "GAS_FREE_JOBS_A_DAY": "1000",
}
FILES_OF_A_JOB = 5  # the upload, the result, its index, the table and the log
FILES_OF_AN_ARCHIVED_JOB = 2  # the upload and the log
SUBMIT = """
import sys
import django; django.setup()
from pathlib import Path
from django.conf import settings
from annotations.models import new_job_id
from annotations.storage import object_store
from annotations import references, uploads
from gas_project.accounts.models import User
references.find = lambda reference: reference
user, _ = User.objects.get_or_create(email="ada@example.org")
source = Path(settings.STATE_DIR) / "patient.vcf"
source.write_text("##fileformat=VCFv4.2\\n")
for _ in range(int(sys.argv[1])):
    key = f"{user.pk}/{new_job_id()}~patient.vcf"
    object_store().publish(source, key)
    print(uploads.submit(user, key, sys.argv[2], haplotype_aware=False).job_id)
"""


class Stand:
    """One site: broker, proxy, database, object store, workers and beat."""

    def __init__(self, folder: Path, *, visibility_timeout_seconds: int = 5) -> None:
        self.folder = folder
        self.broker, self.broker_port = start_broker(folder)
        self.proxy = FaultyProxy(self.broker_port)
        self.site = Site(folder, self.proxy.url, visibility_timeout_seconds, SETTINGS)
        self._others: list[subprocess.Popen[bytes]] = []
        write_reference(folder / "references")
        self.run("-m", "django", "migrate", "--verbosity=0")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.site.environment(),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=120 * slowness(),
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def submit(self, count: int) -> list[str]:
        """Jobs as users submit them, whatever state the broker is in."""
        return self.run("-c", SUBMIT, str(count), REFERENCE).split()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Another process of the project, ended with the stand."""
        with (self.folder / f"{len(self._others)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=self.site.environment(),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._others.append(process)
        return process

    def start_beat(self) -> None:
        self.start("-m", "celery", "--quiet", "--app", "gas_project", "beat", "--pidfile=")

    def start_broker_again(self) -> None:
        self.broker, _ = start_broker(self.folder, self.broker_port)

    def stop_broker(self) -> None:
        self.broker.kill()
        self.broker.wait(timeout=10)

    def forget_all_messages(self) -> None:
        """The broker loses queues, messages and subscriptions while it runs."""
        connection = http.client.HTTPConnection("127.0.0.1", self.broker_port, timeout=10)
        connection.request("POST", "/_ministack/reset")
        assert connection.getresponse().status == 200
        connection.close()

    def close(self) -> None:
        for process in self._others:
            process.kill()
            process.wait(timeout=10)
        self.proxy.close()
        self.stop_broker()

    # What is left

    def query(self, sql: str) -> list[tuple[str, ...]]:
        connection = sqlite3.connect(self.folder / "database.sqlite3", timeout=20)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def unfinished(self) -> int:
        sql = "SELECT COUNT(*) FROM annotations_job WHERE job_status != 'COMPLETED' OR notified_at IS NULL"
        return int(self.query(sql)[0][0])

    def wait_until_all_is_archived(self, timeout_seconds: float) -> None:
        sql = (
            "SELECT COUNT(*) FROM annotations_job "
            "WHERE result_state != 'ARCHIVED' OR archive_next_at IS NOT NULL"
        )
        wait_until(lambda: self.query(sql) == [(0,)], timeout_seconds=timeout_seconds)

    def wait_until_all_is_done(self, timeout_seconds: float) -> None:
        try:
            wait_until(lambda: self.unfinished() == 0, timeout_seconds=timeout_seconds)
        except AssertionError:
            states = Counter(
                self.query("SELECT job_status, failure_reason, attempts, notified_at FROM annotations_job")
            )
            raise AssertionError(f"jobs are not done: {states}") from None

    def mails(self) -> Counter[str]:
        texts = [path.read_text() for path in (self.folder / "mail").glob("*")]
        return Counter(job_id for text in texts for job_id in re.findall(r"/jobs/([0-9a-f-]{36})/", text))

    def files(self) -> list[str]:
        root = self.folder / "objects"
        found = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
        # Those on their way in are removed by the next writer, when their own is dead.
        return [path for path in found if not path.startswith(".incoming/")]

    def scratch_folders(self) -> list[Path]:
        return [path for path in (self.folder / "work").iterdir() if path.is_dir()]

    def audit(self, jobs: list[str], *, files_each: int = FILES_OF_A_JOB) -> None:
        """Every job done, told of once, with its files and no other; nothing temporary is left."""
        done = self.query("SELECT job_id FROM annotations_job WHERE job_status = 'COMPLETED'")
        assert {job_id for (job_id,) in done} == set(jobs)
        assert self.mails() == Counter(jobs)
        assert Counter(path.split("/")[1].split("~")[0] for path in self.files()) == Counter(
            dict.fromkeys(jobs, files_each)
        )
        # The service's own audit: no object or archive that no record names, none that is missing.
        assert "clean" in self.run("manage.py", "vault-audit")
        wait_until(lambda: not self.scratch_folders())


@contextmanager
def workers(stand: Stand, *names: str) -> Iterator[dict[str, Worker]]:
    running = {name: stand.site.start_worker(name) for name in names}
    try:
        for worker in running.values():
            wait_until(worker.is_ready, timeout_seconds=60)
        yield running
    finally:
        for worker in running.values():
            worker.kill()


def kill_parent(worker: Worker) -> None:
    """The parent alone; its children find out by themselves."""
    os.kill(worker.process.pid, 9)
    worker.process.wait(timeout=10)
