"""What must be so before anything is started; each refusal says what to do."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Refusal(Exception):
    """The service can't be started here and now; the message says why and what to do."""


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the state folder for this process alone. The kernel lets go of it however the process ends."""
    path = state_dir / "service.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            process = file.read().strip() or "unknown"
            raise Refusal(
                f"The service is already running on {state_dir} (process {process}). Stop that one first, or "
                "name another folder with GAS_STATE_DIR, and other ports with GAS_PORT, GAS_BROKER_PORT and "
                "GAS_STRIPE_STANDIN_PORT."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def require_free_port(host: str, port: int, variable: str) -> None:
    """Raises Refusal when nothing can listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just given up is free
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                found = f"Port {port} is taken by another program."
            else:
                found = f"Port {port} can't be used: {error.strerror}."
            raise Refusal(f"{found} Name a free one: {variable}={port + 1} make run") from error
