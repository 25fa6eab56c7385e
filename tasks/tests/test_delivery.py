"""What becomes of a message while its task runs long, breaks down, or loses its worker."""

import signal

import pytest

from annotations.tests.waiting import wait_until
from tasks.queues import TRIES
from tasks.tests.faulty import FaultyProxy
from tasks.tests.workers import Site

pytestmark = [pytest.mark.broker, pytest.mark.chaos]


def test_a_task_longer_than_the_visibility_timeout_runs_once_even_when_its_worker_is_told_to_stop(
    proxy: FaultyProxy, tmp_path: object
) -> None:
    site = Site(tmp_path, proxy.url, visibility_timeout_seconds=3)  # type: ignore[arg-type]
    with site.worker("first") as first, site.worker("second"):
        site.send("work", "long", 8)
        wait_until(lambda: "long begins" in site.notes())
        first.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "long ends" in site.notes())
        wait_until(lambda: not first.is_running() and site.messages("default") == 0)
    assert site.notes() == ["long begins", "long ends"]


def test_a_message_is_visible_at_once_when_its_worker_is_stopped_in_the_midst(
    proxy: FaultyProxy, tmp_path: object
) -> None:
    site = Site(tmp_path, proxy.url, visibility_timeout_seconds=600)  # type: ignore[arg-type]
    with site.worker() as worker:
        site.send("work", "cut short", 60)
        wait_until(lambda: "cut short begins" in site.notes())
        worker.stop(signal.SIGQUIT)
    url = site.sqs.get_queue_url(QueueName="gas-default")["QueueUrl"]
    assert site.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"), worker.log()
    site.sqs.purge_queue(QueueUrl=url)


def test_a_task_that_breaks_down_each_time_ends_in_the_dead_letter_queue(
    proxy: FaultyProxy, tmp_path: object
) -> None:
    site = Site(tmp_path, proxy.url, visibility_timeout_seconds=3)  # type: ignore[arg-type]
    with site.worker():
        site.send("break_down", "poison")
        wait_until(lambda: site.messages("default-dead") == 1)
        site.send("run", "after it")
        wait_until(lambda: "after it" in site.notes())
    assert site.notes().count("poison") == TRIES
