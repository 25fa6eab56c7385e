"""`make bench-life`: the whole service with a retention of 30 s, over each cold storage, from end to end.

Results are made, archived when they are due, looked for where they must not be any more, and brought back by
an upgrade; their SHA-256 are compared. Printed: how late archivals began to hold, how long all were on their
way back. `s3-ministack` and `s3-moto` are the GLACIER class with its events on a queue; `vault-moto` is a
Glacier vault with an SNS topic that this queue is subscribed to.
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from annotations.tests.waiting import free_port, wait_until
from archival.tests.clouds import CREDENTIALS, ministack
from gas_project.environment import BASE_DIR
from gas_project.tests.onemachine.service import Service, query, start

RETENTION_SECONDS = 30
BUCKET, QUEUE, VAULT = "archives", "storage-events", "results"
SUBMIT = """
import sys
import django; django.setup()
from django.conf import settings
from annotations.engine.demo import sample_of
from annotations.models import new_job_id
from annotations.storage import object_store
from annotations.uploads import submit
from gas_project.accounts.models import User
from pathlib import Path
user = User.objects.get(email="demo@localhost")
header, rest = sample_of(settings.REFERENCES_DIR).read_text().split("\\n", 1)
source = Path(settings.STATE_DIR) / "demo.vcf"
for number in range(int(sys.argv[1])):
    # moto's vault tells archives by their bytes
    source.write_text(f"{header}\\n##number={number}\\n{rest}")
    key = f"{user.pk}/{new_job_id()}~demo.vcf"
    object_store().publish(source, key)
    submit(user, key, "demo/1", haplotype_aware=False)
"""
UPGRADE = """
import django; django.setup()
from annotations.enqueue import enqueue
from billing.models import Customer
from gas_project.accounts.models import User
user = User.objects.get(email="demo@localhost")
Customer.objects.update_or_create(user=user, defaults={"tier": "premium"})
enqueue("thaw", user.pk)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", choices=COLD, nargs="+", default=list(COLD))
    parser.add_argument("--results", type=int, default=20)
    options = parser.parse_args()
    for name in options.cold:
        with tempfile.TemporaryDirectory(prefix="gas-bench-") as folder, COLD[name](Path(folder)) as world:
            report = life(Path(folder), world, options.results)
        print(f"{name:13} {report}", flush=True)


def life(folder: Path, world: dict[str, str], results: int) -> str:
    service = start(environment(folder, world))
    try:
        wait_until(
            lambda: bool(service.said("ready: open")) or service.process.poll() is not None,
            timeout_seconds=120,
        )
        if not service.said("ready: open"):
            raise SystemExit("\n".join(service.lines))
        run(service, SUBMIT, str(results))
        wait_for(service, "job_status = 'COMPLETED'", results)
        before = digests(service)
        if len(before) != 3 * results:
            raise SystemExit(f"Results were archived before all {results} were made: take fewer.")
        wait_for(service, "result_state = 'ARCHIVED' AND archive_next_at IS NULL", results)
        rows = query(
            service, "SELECT archive_due_at, archived_at, results_file_archive_id FROM annotations_job"
        )
        late = sorted(seconds_between(due_at, at) for due_at, at, _ in rows)
        check_archived(service, results, [str(ref) for *_, ref in rows])
        began = time.monotonic()
        run(service, UPGRADE)
        wait_for(service, "result_state = 'AVAILABLE' AND results_file_archive_id IS NULL", results)
        back_seconds = time.monotonic() - began
        if digests(service) != before:
            raise SystemExit("What came back is not what was archived.")
        options = Counter(
            option for (option,) in query(service, "SELECT retrieval_option FROM annotations_job")
        )
        events = sum("storage_event " in line or '"storage_event"' in line for line in service.lines)
    finally:
        service.stop(15)
    p95 = late[round(0.95 * (len(late) - 1))]
    return (
        f"{results} results: archived {statistics.median(late):.2f} s (median), {p95:.2f} s (95 %),"
        f" {late[-1]:.2f} s (most) after they were due; back in {back_seconds:.0f} s"
        f" {dict(options)}, {events} events, SHA-256 equal"
    )


def environment(folder: Path, world: dict[str, str]) -> dict[str, str]:
    (folder / "var").mkdir()
    ports = ("GAS_PORT", "GAS_BROKER_PORT", "GAS_STRIPE_STANDIN_PORT", "GAS_FLOWER_PORT")
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GAS_", "AWS_", "DJANGO_"))
    }
    return (
        kept
        | {
            "GAS_STATE_DIR": str(folder / "var"),
            "GAS_FREE_RETENTION_SECONDS": str(RETENTION_SECONDS),
            "GAS_FREE_JOBS_AT_ONCE": "1000",
            "GAS_FREE_JOBS_A_DAY": "1000",
        }
        | {name: str(free_port()) for name in ports}
        | world
    )


def run(service: Service, code: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=service.environment | {"DJANGO_SETTINGS_MODULE": "gas_project.settings"},
        cwd=BASE_DIR,
        timeout=120,
        check=True,
    )


def wait_for(service: Service, where: str, results: int) -> None:
    sql = f"SELECT COUNT(*) FROM annotations_job WHERE {where}"  # noqa: S608  ours alone

    def all_are() -> bool:
        time.sleep(0.2)  # the service needs the processor
        return query(service, sql) == [(results,)]

    wait_until(all_are, timeout_seconds=900)  # where no event comes, at the expected time


def digests(service: Service) -> dict[tuple[object, str], str]:
    """The SHA-256 of each file of a result that is at hand, by job and kind."""
    rows = query(service, "SELECT job_id, s3_key_result_file, index_key, table_key FROM annotations_job")
    paths = {
        (job_id, kind): service.state_dir / "objects" / str(key)
        for job_id, *keys in rows
        for kind, key in zip(("result", "index", "table"), keys, strict=True)
    }
    return {of: hashlib.sha256(path.read_bytes()).hexdigest() for of, path in paths.items() if path.is_file()}


def check_archived(service: Service, results: int, refs: list[str]) -> None:
    """No hot copy, but the logs; and in S3, none that could be read."""
    logs = query(service, "SELECT s3_key_log_file FROM annotations_job")
    there = [(service.state_dir / "objects" / str(key)).is_file() for (key,) in logs]
    if digests(service) or sum(there) != results:
        raise SystemExit("A result that was archived is still at hand, or a log is not.")
    if "GAS_ARCHIVE_BUCKET" not in service.environment:
        return
    try:
        at(service.environment["AWS_ENDPOINT_URL"], "s3").get_object(Bucket=BUCKET, Key=refs[0])
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidObjectState":
            return
    raise SystemExit("An archive could be read before it was asked for.")


def seconds_between(due_at: object, at: object) -> float:
    return (datetime.fromisoformat(str(at)) - datetime.fromisoformat(str(due_at))).total_seconds()


@contextmanager
def local(folder: Path) -> Iterator[dict[str, str]]:
    yield {"GAS_VAULT_EXPEDITED_SECONDS": "2", "GAS_VAULT_STANDARD_SECONDS": "5"}


@contextmanager
def s3_ministack(folder: Path) -> Iterator[dict[str, str]]:
    emulated = folder / "aws"
    emulated.mkdir()
    with ministack(emulated, "s3,sqs,sns") as url:
        yield s3(url)


@contextmanager
def s3_moto(folder: Path) -> Iterator[dict[str, str]]:
    with moto() as url:
        yield s3(url)


@contextmanager
def vault_moto(folder: Path) -> Iterator[dict[str, str]]:
    with moto() as url:
        at(url, "glacier").create_vault(accountId="-", vaultName=VAULT)
        topic = at(url, "sns").create_topic(Name="retrievals")["TopicArn"]
        at(url, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=make_queue(url))
        yield aws(url) | {"GAS_GLACIER_VAULT": VAULT, "GAS_GLACIER_TOPIC": topic}


@contextmanager
def moto() -> Iterator[str]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.moto_server", str(port)],
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url))
            yield url
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        at(url, "sqs").list_queues()
    except BotoCoreError:
        return False
    return True


def s3(url: str) -> dict[str, str]:
    client = at(url, "s3")
    client.create_bucket(Bucket=BUCKET)
    wanted = {"QueueArn": make_queue(url), "Events": ["s3:ObjectRestore:Completed"]}
    client.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [wanted]}
    )
    return aws(url) | {"GAS_ARCHIVE_BUCKET": BUCKET}


def make_queue(url: str) -> str:
    """Its ARN."""
    sqs = at(url, "sqs")
    queue = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def aws(url: str) -> dict[str, str]:
    """The emulator is the broker too: the queue of events is looked for there."""
    return CREDENTIALS | {"AWS_ENDPOINT_URL": url, "GAS_BROKER_URL": url, "GAS_STORAGE_EVENTS_QUEUE": QUEUE}


def at(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


COLD: dict[str, Callable[[Path], AbstractContextManager[dict[str, str]]]] = {
    "local": local,
    "s3-ministack": s3_ministack,
    "s3-moto": s3_moto,
    "vault-moto": vault_moto,
}


if __name__ == "__main__":
    main()
