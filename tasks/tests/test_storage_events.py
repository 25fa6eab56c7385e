"""Cold storage's events come from a real SQS queue, whoever has written to it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.conf import settings as django_settings
from kombu import Connection

from annotations.models import Job, ResultState
from annotations.tests.fakes import MemoryStore
from annotations.tests.waiting import wait_until
from archival import archiving, moves, restoring, thawing
from archival.storage.s3 import S3Archive
from archival.tests import clouds
from archival.tests.world import World
from tasks import storage_events
from tasks.storage_events import handle, receive, receive_forever

QUEUE = "storage-events"


@pytest.fixture(scope="module")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clouds.ministack(tmp_path_factory.mktemp("ministack"), "s3,sqs,sns") as url:
        yield url


@pytest.fixture
def queue_url(endpoint_url: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    clouds.speak_to(monkeypatch, endpoint_url)
    settings.STORAGE_EVENTS_QUEUE = QUEUE
    url: str = boto3.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
    boto3.client("sqs").purge_queue(QueueUrl=url)
    return url


@pytest.fixture
def cold(queue_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> S3Archive:
    """Tells the queue of every restore that is complete."""
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    settings.ARCHIVE_BUCKET = "archives"
    s3.create_bucket(Bucket="archives")
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    wanted = {"QueueArn": arn, "Events": ["s3:ObjectRestore:Completed"]}
    s3.put_bucket_notification_configuration(
        Bucket="archives", NotificationConfiguration={"QueueConfigurations": [wanted]}
    )
    storage = S3Archive()
    for place in (archiving, restoring, moves, thawing):
        monkeypatch.setattr(place, "cold_storage", lambda: storage)
    return storage


@pytest.fixture
def world(sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(sent_tasks)
    for place in (archiving, restoring, moves):
        monkeypatch.setattr(place, "object_store", lambda: world.store)
    return world


def connection(endpoint_url: str) -> Connection:
    options = {"is_secure": False, "region": "us-east-1"}
    return Connection(f"sqs://nobody:nothing@{endpoint_url.split('//')[1]}", transport_options=options)


@pytest.mark.django_db
def test_a_result_comes_back_over_s3_when_its_event_does(
    cold: S3Archive, world: World, endpoint_url: str, sent_tasks: list[Any], user: Any
) -> None:
    store: MemoryStore = world.store
    job = world.job(user)
    before = {key.rsplit("/", 1)[-1]: body for key, body in store.objects.items()}
    archiving.archive(job.job_id, "1", retry_seconds=1)
    assert list(store.objects) == [job.log_key]
    thawing.bring_back(job.job_id)
    thawing.request(job.job_id, "2", retry_seconds=1)
    sent_tasks.clear()

    stopped = threading.Event()
    thread = threading.Thread(target=receive_forever, args=(connection(endpoint_url), stopped))
    thread.start()
    try:
        wait_until(lambda: any(task.name == "tasks.restore" for task in sent_tasks))
    finally:
        stopped.set()
        thread.join(timeout=20)
    assert [task.args for task in sent_tasks] == [(job.job_id,)]
    restoring.restore(job.job_id, "3", attempt=0, retry_seconds=1)
    back = Job.objects.get(pk=job.pk)
    assert (back.result_state, back.archive_id) == (ResultState.AVAILABLE, None)
    assert {key.rsplit("/", 1)[-1]: body for key, body in store.objects.items()} == before
    assert list(cold.inventory().archives) == []


def test_a_vaults_event_arrives_by_its_topic(queue_url: str, sent_tasks: list[Any]) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="retrievals")["TopicArn"]
    queue = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["QueueArn"])
    # https://docs.aws.amazon.com/amazonglacier/latest/dev/configuring-notifications-sdk.html
    completed = {
        "Action": "ArchiveRetrieval",
        "ArchiveId": "UMVFRbLqLEbGGWK-ArchiveId",
        "ArchiveSizeInBytes": 38034480,
        "Completed": True,
        "CompletionDate": "2026-08-21T03:55:35.022Z",
        "CreationDate": "2026-08-20T22:12:47.962Z",
        "InventorySizeInBytes": None,
        "JobDescription": "u/3f2c8a10-0f0e-4c43-9a5e-2f8f0d7f6c11/",
        "JobId": "HkF9p6o7yjhFx-JobId",
        "SHA256TreeHash": "22c66e9aa1bb2b2b3d9d7e2ee0aec6c63b8d3d0f2c4a7d8b9cba0d5b1a8f3c11",
        "SNSTopic": topic,
        "StatusCode": "Succeeded",
        "StatusMessage": "Succeeded",
        "VaultARN": "arn:aws:glacier:us-east-1:000000000000:vaults/results",
    }
    sns.publish(TopicArn=topic, Message=json.dumps(completed))

    def it_is_received() -> bool:
        receive(sqs, queue_url)
        return bool(sent_tasks)

    wait_until(it_is_received)
    assert [(task.name, task.args) for task in sent_tasks] == [
        ("tasks.restore", ("3f2c8a10-0f0e-4c43-9a5e-2f8f0d7f6c11",))
    ]


def test_garbage_is_taken_from_the_queue_and_keeps_nothing_behind_it(
    queue_url: str, sent_tasks: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    sqs = boto3.client("sqs")
    ready = {"Action": "ArchiveRetrieval", "Completed": True}
    ready |= {"JobDescription": "u/3f2c8a10-0f0e-4c43-9a5e-2f8f0d7f6c11/"}
    for body in ("garbage", "{}", json.dumps({"Type": "Notification", "Message": json.dumps(ready)})):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    received: list[int] = []

    def all_are_received() -> bool:
        receive(sqs, queue_url)
        received.append(caplog.text.count("storage_event_not_understood"))
        return received[-1] >= 2 and len(sent_tasks) == 1

    wait_until(all_are_received)
    left = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_an_event_that_can_not_be_handed_on_stays_in_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_events, "enqueue", lambda *_: False)
    body = {"Action": "ArchiveRetrieval", "Completed": True}
    body |= {"JobDescription": "u/3f2c8a10-0f0e-4c43-9a5e-2f8f0d7f6c11/"}
    assert handle(json.dumps(body)) is False


def test_a_queue_that_is_away_is_asked_again_later(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STORAGE_EVENTS_QUEUE = QUEUE

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    receive_forever(connection("http://127.0.0.1:1"), Stopped())
    assert "storage_events_not_received" in caplog.text


def test_without_a_queue_nobody_listens() -> None:
    assert django_settings.STORAGE_EVENTS_QUEUE == ""
    step = storage_events.StorageEvents.__new__(storage_events.StorageEvents)
    assert step.include_if(None) is False  # type: ignore[arg-type]
