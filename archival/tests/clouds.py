"""AWS on this machine: moto in this process, ministack in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from annotations.tests.waiting import free_port, wait_until
from archival.storage import aws, glacier, s3

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
# Its retrievals take two seconds; a test need not wait for that long.
QUICKER = """
import runpy
from ministack.services import s3
s3._RESTORE_DELAY_SECONDS = 0.4
runpy.run_module("ministack", run_name="__main__")
"""


@contextmanager
def ministack(folder: Path, services: str) -> Iterator[str]:
    """Its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", QUICKER],
        env={key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "GAS_"))}
        | {
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "SERVICES": services,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "0",
            "STATE_DIR": str(folder),
            "TMPDIR": str(folder),
            "LOG_LEVEL": "ERROR",
        },
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(timeout=10)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def speak_to(patch: pytest.MonkeyPatch, endpoint_url: str | None) -> None:
    """Let boto3 find credentials that are good for nothing, and the endpoint or, for moto, none."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in CREDENTIALS.items():
        patch.setenv(name, value)
    if endpoint_url:
        patch.setenv("AWS_ENDPOINT_URL", endpoint_url)
    for adapter in (s3, glacier):
        patch.setattr(adapter, "client", partial(_client, endpoint_url))


@cache
def _client(endpoint_url: str | None, service: str, *, attempts: int) -> Any:
    """Made once: it takes a good part of a second each time."""
    return aws.client(service, attempts=attempts)


def mend_moto_vault(patch: pytest.MonkeyPatch) -> Callable[[], None]:
    """moto's vault knows no sizes, no ranges, and breaks on jobs that are not there.

    Its jobs are ready when the function that this returns is called.
    """
    from moto.core.exceptions import JsonRESTError
    from moto.glacier import models, responses

    described: Any = models.ArchiveJob.to_dict
    put_out: Any = responses.GlacierResponse.get_job_output

    def vaults() -> list[Any]:
        backends = [backend for regions in models.glacier_backends.values() for backend in regions.values()]
        return [vault for backend in backends for vault in backend.vaults.values()]

    def finish() -> None:
        for job in (job for vault in vaults() for job in vault.jobs.values()):
            job.et = job.st

    def describe(job: Any) -> dict[str, Any]:
        sizes = [v.archives[job.archive_id]["size"] for v in vaults() if job.archive_id in v.archives]
        facts: dict[str, Any] = described(job)
        return facts | {"ArchiveSizeInBytes": sizes[0]}

    def get_range(response: Any) -> Any:
        status, headers, body = put_out(response)
        wanted = response.headers.get("Range")
        if status == 200 and wanted and isinstance(body, bytes):
            first, last = (int(part) for part in wanted.removeprefix("bytes=").split("-"))
            return 206, headers, body[first : last + 1]
        return status, headers, body

    def begin(job: Any, tier: str) -> None:
        job.st = datetime.now()
        job.et = datetime.max

    def job_of(vault: Any, job_id: str) -> Any:
        if job_id not in vault.jobs:
            raise JsonRESTError("ResourceNotFoundException", "no such job")
        return vault.jobs[job_id]

    patch.setattr(models.Job, "__init__", begin)
    patch.setattr(models.Vault, "describe_job", job_of)
    patch.setattr(models.ArchiveJob, "to_dict", describe)
    patch.setattr(responses.GlacierResponse, "get_job_output", get_range)
    return finish
