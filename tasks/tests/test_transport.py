"""A broker in trouble takes no worker down: shown with a real worker and a proxy that fails like SQS."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from kombu.transport import SQS

from annotations.tests.waiting import wait_until
from tasks.queues import QUEUE_NAMES
from tasks.tests.faulty import FAULTS, FaultyProxy
from tasks.tests.workers import Site, Worker
from tasks.transport import KOMBU_IS_MENDED, Transport

pytestmark = [pytest.mark.broker, pytest.mark.journey]


@pytest.fixture(scope="module")
def site(proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Site:
    # A broker in trouble is asked again soon: what is tested here is that it is asked, not how patiently.
    return Site(tmp_path_factory.mktemp("state"), proxy.url, settings={"PROBE_PAUSE_SECONDS": "0.3"})


@pytest.fixture(scope="module")
def worker(site: Site) -> Iterator[Worker]:
    with site.worker() as worker:
        yield worker


def runs(site: Site, worker: Worker, name: str) -> None:
    site.send("run", name)
    wait_until(lambda: name in site.notes() or not worker.is_running())
    assert worker.is_running(), worker.log()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_goes_on_after(fault: str, site: Site, worker: Worker, proxy: FaultyProxy) -> None:
    with proxy.failing(fault):
        wait_until(lambda: proxy.failed >= 2 * len(QUEUE_NAMES) or not worker.is_running())
    assert worker.is_running(), worker.log()
    runs(site, worker, f"after {fault}")


def test_queues_that_are_gone_are_made_again_with_their_dead_letter_queues(
    site: Site, worker: Worker
) -> None:
    for name in site.queue_names():
        site.sqs.delete_queue(QueueUrl=site.sqs.get_queue_url(QueueName=name)["QueueUrl"])
    wait_until(
        lambda: (
            {"gas-annotate", "gas-default", "gas-default-dead"} <= site.queue_names()
            or not worker.is_running()
        )
    )
    runs(site, worker, "after the queues were gone")
    url = site.sqs.get_queue_url(QueueName="gas-default")["QueueUrl"]
    attributes = site.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    assert "gas-default-dead" in attributes["RedrivePolicy"]


def test_the_mending_is_still_needed() -> None:
    assert not KOMBU_IS_MENDED, "this release of kombu goes on by itself: take PatientChannel out"
    assert not issubclass(ClientError, SQS.Transport.connection_errors), "and ClientError out of this"
    assert issubclass(ClientError, Transport.connection_errors)
