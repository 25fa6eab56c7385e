"""Events and remote control over SNS and SQS, with real workers, leave nothing behind."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.events import EventReceiver

from annotations.tests.waiting import wait_until
from tasks.fanout import ABANDONED_AFTER_SECONDS, REPLIES, is_control_queue, remove_abandoned
from tasks.tests.faulty import FaultyProxy
from tasks.tests.workers import Site, Worker

pytestmark = [pytest.mark.broker, pytest.mark.journey]


@pytest.fixture(scope="module")
def site(proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("state"), proxy.url)


@pytest.fixture(scope="module")
def worker(site: Site) -> Iterator[Worker]:
    with site.worker("w1") as worker:
        yield worker


def control_queues(site: Site) -> set[str]:
    """But for the one for replies to this process, which has it until its end."""
    return {name for name in site.queue_names() if is_control_queue(name) and f"-{REPLIES}-" not in name}


def subscriptions(site: Site) -> set[str]:
    found = site.sns.list_subscriptions()["Subscriptions"]
    return {subscription["Endpoint"].rsplit(":", 1)[1] for subscription in found}


def celery(site: Site, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "celery", "--app", "gas_project", *arguments],
        env=site.environment(),
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_command_inspect_hears_from_the_worker_and_leaves_no_queue(site: Site, worker: Worker) -> None:
    before = control_queues(site)
    assert "pong" in celery(site, "inspect", "ping")
    assert control_queues(site) == before
    assert len(before) == 1


@pytest.mark.parametrize("question", ["ping", "active", "stats", "registered"])
def test_a_process_may_ask_again_and_again(site: Site, worker: Worker, question: str) -> None:
    answer = getattr(site.app.control.inspect(timeout=3, limit=1), question)()
    assert answer is not None and list(answer) == ["w1@test"]


def test_events_of_workers_and_tasks_arrive_though_the_task_does_not_wait_for_them(
    site: Site, worker: Worker
) -> None:
    seen: list[dict[str, Any]] = []
    with site.app.connection_for_read() as connection:
        receiver = EventReceiver(connection, handlers={"*": seen.append}, app=site.app)
        thread = threading.Thread(
            target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True
        )
        thread.start()
        wait_until(lambda: any("celeryev" in name for name in subscriptions(site)))
        site.send("run", "seen by events")
        kinds = {"task-received", "task-started", "task-succeeded", "worker-heartbeat"}
        wait_until(lambda: kinds <= {event["type"] for event in seen})
        receiver.should_stop = True
        thread.join(timeout=10)
    wait_until(lambda: not any("celeryev" in name for name in control_queues(site) | subscriptions(site)))


@pytest.mark.chaos
def test_a_worker_that_is_told_to_shut_down_does_and_removes_its_queue_and_subscription(site: Site) -> None:
    with site.worker("w2") as other:
        wait_until(lambda: any("w2" in name for name in subscriptions(site)))
        site.app.control.shutdown(destination=["w2@test"])
        assert other.process.wait(timeout=30) == 0
    assert not any("w2" in name for name in control_queues(site) | subscriptions(site))


@pytest.mark.chaos
def test_a_worker_is_not_ended_by_what_was_said_before_it_began(site: Site) -> None:
    with site.worker("w3") as killed:
        killed.kill()
    site.app.control.shutdown(destination=["w3@test"])
    before = control_queues(site) | subscriptions(site)
    with site.worker("w3") as worker:
        answer = site.app.control.inspect(timeout=3, destination=["w3@test"]).ping()
        assert answer and worker.is_running()
        assert worker.stop(signal.SIGTERM) == 0
    assert control_queues(site) | subscriptions(site) == before, "what it had made it has removed"


@pytest.mark.chaos
def test_what_a_killed_worker_leaves_is_removed_when_it_has_been_silent_for_long(site: Site) -> None:
    with site.worker("w4") as worker:
        worker.kill()
    assert remove_abandoned(site.sqs, "gas-") == 0, "it might still live"
    later = time.time() + ABANDONED_AFTER_SECONDS + 1
    assert remove_abandoned(site.sqs, "gas-", later) >= 1
    assert not any("w4" in name for name in control_queues(site))
