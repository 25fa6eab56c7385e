"""The whole service as a process of its own, as `make run` starts it."""

import sqlite3
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from gas_project.environment import BASE_DIR


@dataclass
class Service:
    process: subprocess.Popen[str]
    environment: dict[str, str]
    state_dir: Path
    lines: list[str] = field(default_factory=list)

    def read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def said(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def start(environment: dict[str, str]) -> Service:
    process = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), "runservice"],
        env=environment,
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = Service(process, environment, Path(environment["GAS_STATE_DIR"]))
    threading.Thread(target=service.read_output, daemon=True).start()
    return service


def query(service: Service, sql: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(service.state_dir / "database.sqlite3", timeout=20)
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def submit_demo(service: Service) -> str:
    """What the upload page does, by the project's own code in a process of its own."""
    code = """
import django; django.setup()
from django.conf import settings
from annotations.engine.demo import sample_of
from annotations.models import new_job_id
from annotations.storage import object_store
from annotations.uploads import submit
from gas_project.accounts.models import User
user = User.objects.get(email="demo@localhost")
key = f"{user.pk}/{new_job_id()}~demo.vcf"
object_store().publish(sample_of(settings.REFERENCES_DIR), key)
print(submit(user, key, "demo/1", haplotype_aware=False).job_id)
"""
    environment = service.environment | {"DJANGO_SETTINGS_MODULE": "gas_project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def mails(service: Service) -> str:
    return "".join(path.read_text() for path in (service.state_dir / "mail").glob("*"))
