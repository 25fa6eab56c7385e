"""What the channels of a process read of botocore's description of AWS, they read once."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.loaders import JSONFileLoader

from tasks.clients import SharingChannel
from tasks.transport import Channel


class Bare(SharingChannel):
    """A channel without a connection, and what it would have from one."""

    transport_options: ClassVar[dict[str, Any]] = {"client-config": {"connect_timeout": 3}}
    is_secure = False
    endpoint_url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.closed = True


def client() -> Any:
    return Bare().new_sqs_client("eu-central-1", "key", "secret")


def test_the_second_channel_reads_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    client()
    read: list[str] = []
    load_file = JSONFileLoader.load_file

    def noted(self: JSONFileLoader, path: str) -> Any:
        read.append(Path(path).name)
        return load_file(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", noted)
    client()
    assert read == []


def test_a_client_is_for_the_broker_and_the_limits_of_its_channel() -> None:
    assert issubclass(Channel, SharingChannel)
    first = client()
    assert first is not client()
    assert first.meta.endpoint_url == "http://127.0.0.1:1"
    assert first.meta.region_name == "eu-central-1"
    assert first.meta.config.connect_timeout == 3
