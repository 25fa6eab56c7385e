"""The way into a Glacier vault and back, for accounts that have one: moto has the vault.

A worker whose settings name it takes the place of those that archive into a bucket. What AWS says on a topic
when a retrieval is ready, the rehearsal says: moto's vault knows no topics of another emulator.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

from annotations.tests.waiting import free_port, wait_until
from benchmarks.moto_server import completion
from deploy.tests.rehearse.account import REGION, VAULT
from deploy.tests.rehearse.scene import Scene
from deploy.tests.rehearse.units import DEPLOY
from deploy.tests.rehearse.visitor import Visitor

START_SECONDS = 60


def archive_in_a_vault(scene: Scene, sample: bytes) -> None:
    stage = scene.stage
    with _vault() as url:
        glacier = _client(url)
        glacier.create_vault(accountId="-", vaultName=VAULT)
        for worker in stage.workers:
            worker.stop(finish_seconds=10)
        settings = {
            "GAS_ARCHIVE_BUCKET": "",
            "GAS_GLACIER_VAULT": VAULT,
            "GAS_GLACIER_TOPIC": stage.aws.outputs["RetrievalsTopic"],
            "AWS_ENDPOINT_URL_GLACIER": url,
        }
        worker = stage.host("vault", "Worker", **settings).start("gas-worker.service")
        scene.wait("a worker that archives in a vault is ready", worker.is_ready)
        bea = Visitor(stage.site_url, "bea@example.org")
        bea.sign_up()
        job = bea.annotate("sample.vcf", sample)
        result = scene.wait("a result is there", partial(bea.result, job))
        scene.wait("its archive is in the vault, and it is no longer at hand", lambda: not bea.result(job))
        assert bea.log_of(job)
        bea.subscribe()
        ready = scene.wait("the vault has retrieved it", partial(_retrieval, glacier))
        topic = settings["GAS_GLACIER_TOPIC"]
        asked = {"ArchiveId": ready["ArchiveId"], "Description": f"bea/{job}/0", "SNSTopic": topic}
        stage.aws.client("sns").publish(TopicArn=topic, Message=completion(asked, ready["JobId"]))
        assert scene.wait("it is restored", partial(bea.result, job)) == result
        worker.stop(finish_seconds=10)


def _retrieval(glacier: Any) -> dict[str, Any] | None:
    jobs = glacier.list_jobs(accountId="-", vaultName=VAULT)["JobList"]
    ready = [job for job in jobs if job["Completed"]]
    return glacier.describe_job(accountId="-", vaultName=VAULT, jobId=ready[0]["JobId"]) if ready else None


def _client(url: str) -> Any:
    return boto3.client(
        "glacier", endpoint_url=url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
    )


@contextmanager
def _vault() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.moto_server", str(port)], cwd=DEPLOY.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: _answers(url), timeout_seconds=START_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        _client(url).list_vaults(accountId="-")
    except BotoCoreError:
        return False
    return True
