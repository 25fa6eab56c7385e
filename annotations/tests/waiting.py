"""Wait for a condition, not for a time."""

import socket
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float = 30) -> None:
    """Fails the test when the condition does not come true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen in time"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
