"""Databases that the tests start themselves, on free ports of this machine, and stop by process id."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DYNALITE = Path(__file__).parent / "emulators" / "node_modules" / "dynalite" / "cli.js"
START_SECONDS = 30
REQUEST_OPTIONS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "emulator",
    "aws_secret_access_key": "emulator",  # it lets everybody in
}


class NotInstalled(Exception):
    """The message says what is missing and how to get it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dynalite() -> Iterator[dict[str, Any]]:
    """The emulator that validates most strictly, and pages at 1 MB."""
    node = shutil.which("node")
    if node is None or not DYNALITE.exists():
        raise NotInstalled("dynalite is not installed: `make emulators`, which needs npm")
    port = free_port()
    delays = [f"--{verb}TableMs=0" for verb in ("create", "delete", "update")]
    with running([node, str(DYNALITE), "--host=127.0.0.1", f"--port={port}", *delays], port):
        yield dynamodb_settings(port)


@contextmanager
def ministack() -> Iterator[dict[str, Any]]:
    """The emulator that knows backups, expiry and deletion protection."""
    with ministack_with("dynamodb") as port:
        yield dynamodb_settings(port)


@contextmanager
def ministack_with(services: str, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    """The emulator with these services of AWS, separated by commas. Its port.

    `variables` may have AWS's credentials, by which it checks what others have signed.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gas-ministack-") as folder:
        environment = os.environ | {
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": services,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "0",
            "STATE_DIR": folder,
            "TMPDIR": folder,
            "LOG_LEVEL": "ERROR",
            **(variables or {}),
        }
        with running([sys.executable, "-m", "ministack"], port, env=environment):
            yield port


def dynamodb_settings(port: int, **options: Any) -> dict[str, Any]:
    """An entry of DATABASES."""
    return {
        "ENGINE": "annotations.dynamodb",
        "NAME": "test-",
        "OPTIONS": {"endpoint_url": f"http://127.0.0.1:{port}", **REQUEST_OPTIONS, **options},
    }


@contextmanager
def postgresql() -> Iterator[dict[str, Any]]:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise NotInstalled("psycopg is not installed") from None
    folders = [Path("/usr/lib/postgresql"), Path("/usr/local/pgsql")]
    found = sorted(path for folder in folders for path in folder.glob("**/bin/initdb"))
    if not found:
        raise NotInstalled("PostgreSQL's server is not installed: `apt-get install postgresql`")
    binaries = found[-1].parent
    port = free_port()
    # PostgreSQL refuses to be run by root.
    user: Any = {"user": _unprivileged()} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="gas-postgresql-") as folder:
        if user:
            shutil.chown(folder, user["user"])
        data = str(Path(folder) / "data")
        initdb = [
            str(binaries / "initdb"),
            "-D",
            data,
            "-U",
            "gas",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]
        subprocess.run(initdb, check=True, capture_output=True, timeout=120, cwd=folder, **user)
        serve = [
            str(binaries / "postgres"),
            "-D",
            data,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            folder,
            "-F",
        ]
        with running(serve, port, cwd=folder, **user):
            _wait_for_postgresql(port)
            yield {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres",
                "USER": "gas",
                "HOST": "127.0.0.1",
                "PORT": str(port),
            }


def _unprivileged() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait_for_postgresql(port: int) -> None:
    """It listens before it lets anybody in."""
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(
                host="127.0.0.1", port=port, user="gas", dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def running(command: list[str], port: int, **options: Any) -> Iterator[None]:
    """A server, from the moment it listens until it is gone."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise RuntimeError(f"{command} did not start: {output.read().decode()[-2000:]}")
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
