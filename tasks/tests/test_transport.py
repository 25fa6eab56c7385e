"""A broker that does not answer takes no worker down."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from tasks.transport import PAUSE_SECONDS, Channel


class Hub:
    def __init__(self) -> None:
        self.later: list[tuple[float, str]] = []

    def call_later(self, seconds: float, call: Callable[..., None], queue: str) -> None:
        self.later.append((seconds, queue))


@pytest.fixture
def channel() -> Any:
    """A channel without a connection: what it does with an answer needs none."""
    channel: Any = Channel.__new__(Channel)
    channel._unanswered, channel.hub = set(), Hub()
    return channel


def test_no_answer_counts_as_no_messages_and_is_asked_for_again_after_a_pause(channel: Any) -> None:
    fetched = channel._on_messages_ready("http://127.0.0.1/q", "annotate", [])
    channel._loop1("annotate", fetched)
    assert (fetched, channel.hub.later) == (0, [(PAUSE_SECONDS, "annotate")])


def test_an_empty_answer_is_no_trouble(channel: Any) -> None:
    assert channel._on_messages_ready("http://127.0.0.1/q", "annotate", {}) == 0
    assert channel._unanswered == set()


def test_kombu_is_the_version_that_was_mended() -> None:
    assert version("kombu").startswith("5.7."), (
        "look whether tasks/transport.py is still needed, and still fits"
    )
