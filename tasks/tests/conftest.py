"""A broker that can be made to fail, and workers on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.fanout import ownership
from tasks.tests.faulty import FaultyProxy, start_broker
from tasks.tests.workers import Site


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyProxy]:
    process, port = start_broker(tmp_path_factory.mktemp("broker"))
    proxy = FaultyProxy(port)
    yield proxy
    ownership.remove_all()
    proxy.close()
    process.kill()
    process.wait(timeout=10)


@pytest.fixture
def site(proxy: FaultyProxy, tmp_path: Path) -> Site:
    for url in (sqs := Site(tmp_path, proxy.url)).sqs.list_queues().get("QueueUrls", []):
        sqs.sqs.purge_queue(QueueUrl=url)
    return sqs
