"""A worker that was full asks for the next message as soon as it has room, and asks each queue once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.fanout import FanoutChannel
from tasks.prompt import LOOK_AGAIN_SECONDS, PromptChannel


class Hub:
    """An event loop whose clock the test moves."""

    def __init__(self) -> None:
        self._timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def call_later(self, seconds: float, callback: Callable[..., None], *args: Any) -> None:
        self._timers.append((seconds, callback, args))

    def pass_seconds(self, seconds: float) -> None:
        due = [timer for timer in self._timers if timer[0] <= seconds]
        self._timers = [(at - seconds, *more) for at, *more in self._timers if at > seconds]  # type: ignore[misc]
        for _, callback, args in due:
            callback(*args)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(FanoutChannel, "_schedule_queue", lambda self, queue: asked.append(queue))
    monkeypatch.setattr(FanoutChannel, "basic_ack", lambda self, tag, multiple=False: None)
    return asked


@pytest.fixture
def channel(asked: list[str]) -> Any:
    """Full, with two queues to ask."""
    channel: Any = PromptChannel.__new__(PromptChannel)
    channel._no_room_for = {}
    channel._active_queues = ["annotate", "default"]
    channel.hub = Hub()
    channel._qos = SimpleNamespace(can_consume=lambda: channel.has_room)
    channel.has_room = False
    for queue in channel._active_queues:
        channel._schedule_queue(queue)
    return channel


def test_while_it_is_full_no_queue_is_asked(channel: Any, asked: list[str]) -> None:
    channel.hub.pass_seconds(LOOK_AGAIN_SECONDS)
    assert asked == []


def test_each_queue_is_asked_once_when_a_message_is_done_with(channel: Any, asked: list[str]) -> None:
    channel.has_room = True
    channel.basic_ack("tag")
    channel.hub.pass_seconds(0)
    assert sorted(asked) == ["annotate", "default"]
    channel.basic_ack("another")
    channel.hub.pass_seconds(LOOK_AGAIN_SECONDS)
    assert sorted(asked) == ["annotate", "default"], "the look that was planned meanwhile is none any more"


def test_room_that_came_otherwise_is_seen_within_a_second(channel: Any, asked: list[str]) -> None:
    channel.has_room = True
    channel.hub.pass_seconds(LOOK_AGAIN_SECONDS)
    assert sorted(asked) == ["annotate", "default"]


def test_a_message_that_could_not_be_acknowledged_makes_room_too(
    channel: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, tag: str, multiple: bool = False) -> None:
        raise OSError

    monkeypatch.setattr(FanoutChannel, "basic_ack", fail)
    channel.has_room = True
    with pytest.raises(OSError):
        channel.basic_ack("tag")
    channel.hub.pass_seconds(0)
    assert sorted(asked) == ["annotate", "default"]
