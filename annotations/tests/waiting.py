"""Wait for a condition, not for a time."""

import os
import socket
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float = 30) -> None:
    """Fails the test when the condition does not come true in time; a machine that is busy is given more."""
    deadline = time.monotonic() + timeout_seconds * slowness()
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen in time"
        time.sleep(0.02)


def slowness() -> float:
    """By what factor others keep this machine's processors from us, about; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
