"""A message stays hidden as long as its task runs."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from kombu import Connection

from tasks.sqs import sqs_client
from tasks.visibility import extend

DELIVERY = {"sqs_queue": "http://127.0.0.1/q", "sqs_message": {"ReceiptHandle": "handle"}}


class Client:
    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error = error

    def change_message_visibility(self, **call: Any) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error


def test_a_message_in_hand_is_hidden_for_another_timeout() -> None:
    client = Client()
    extend(client, DELIVERY, 120)
    assert client.calls == [
        {"QueueUrl": "http://127.0.0.1/q", "ReceiptHandle": "handle", "VisibilityTimeout": 120}
    ]


def test_a_message_that_was_given_back_meanwhile_is_left_alone() -> None:
    client = Client()
    extend(client, {}, 120)
    assert client.calls == []


def test_a_broker_in_trouble_does_not_end_the_extending(caplog: pytest.LogCaptureFixture) -> None:
    extend(Client(EndpointConnectionError(endpoint_url="http://127.0.0.1")), DELIVERY, 120)
    assert "visibility_not_extended" in caplog.text


@pytest.mark.parametrize(
    ("url", "is_secure", "endpoint"),
    [
        ("sqs://name:word@127.0.0.1:4566", False, "http://127.0.0.1:4566"),
        ("sqs://sqs.eu-west-1.amazonaws.com", True, "https://sqs.eu-west-1.amazonaws.com"),
    ],
)
def test_it_speaks_to_the_broker_that_the_worker_speaks_to(
    url: str, is_secure: bool, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "as boto3")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "finds them")
    connection = Connection(url, transport_options={"is_secure": is_secure, "region": "eu-west-1"})
    assert sqs_client(connection).meta.endpoint_url == endpoint
