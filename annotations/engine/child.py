"""Child processes of the engine: one for every bcftools step, one for every shard.

A second `csq` in one process fails, and a fault in htslib ends the process it runs in, so no step of
bcftools ever runs in the caller's process. Every child is bound: by address space, CPU time, file size and
wall time, and to its parent's life (the kernel kills it when the parent dies, on Linux).
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from annotations.engine.errors import EngineFailure

BOOTSTRAP = Path(__file__).with_name("_bootstrap.py")
WATCH_SECONDS = 1.0
MESSAGE_BYTES = 4096  # of a failed child's last words that go into the error


@dataclass(frozen=True)
class Limits:
    """What one child may use; a child over its limit fails with an EngineFailure that says so."""

    address_space_bytes: int = 8 << 30
    cpu_seconds: int = 6 * 3600
    file_size_bytes: int = 1 << 40
    timeout_seconds: float = 6 * 3600

    def as_rlimits(self) -> dict[str, int]:
        return {
            "RLIMIT_AS": self.address_space_bytes,
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_FSIZE": self.file_size_bytes,
            "RLIMIT_CORE": 0,
        }


@dataclass(frozen=True)
class Step:
    """One thing for a child to do.

    `kind` is "bcftools" (arguments: subcommand and its options; the output goes where `-o` says) or "module"
    (arguments: a module's name and its command line, run as `python -m` would).
    """

    kind: str
    arguments: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.kind} {self.arguments[0]}"


class Child:
    """A running step, in a process group of its own."""

    def __init__(self, step: Step, scratch: Path, *, takes_orders: bool = False) -> None:
        """Start `step`; `scratch` takes the temporary files that bcftools makes.

        One that `takes_orders` has a pipe from `orders` to its stdin, and one from its stdout to `answers`.
        """
        self.step = step
        self.renew()
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        order = {
            "kind": step.kind,
            "arguments": step.arguments,
            "limits": step.limits.as_rlimits(),
            "parent": os.getpid(),
        }
        self._process = subprocess.Popen(
            [sys.executable, str(BOOTSTRAP), json.dumps(order)],
            stdin=subprocess.PIPE if takes_orders else subprocess.DEVNULL,
            stdout=subprocess.PIPE if takes_orders else subprocess.DEVNULL,
            stderr=self._messages,
            env={**os.environ, "TMPDIR": str(scratch), **step.environment},
            process_group=0,
        )
        self._pidfd = os.pidfd_open(self._process.pid)

    def renew(self) -> None:
        """Its timeout begins anew."""
        self.deadline = time.monotonic() + self.step.limits.timeout_seconds

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def orders(self) -> IO[bytes]:
        return self._pipe(self._process.stdin)

    @property
    def answers(self) -> IO[bytes]:
        return self._pipe(self._process.stdout)

    def fileno(self) -> int:
        return self._pidfd

    def finished(self) -> bool:
        return self._process.poll() is not None

    def check(self) -> str:
        """The finished child's messages; EngineFailure when it failed."""
        return_code = self._process.wait()
        messages = self._read_messages()
        if return_code:
            raise EngineFailure(f"{self.step.title} {_how_it_ended(return_code)}: {messages or 'no message'}")
        return messages

    def stop(self) -> None:
        """Have the child end, and everything that it started, without waiting for that."""
        if not self.finished():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child and everything that it started."""
        self.stop()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        os.close(self._pidfd)
        self._messages.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise ValueError("this child takes no orders")
        return pipe

    def _read_messages(self) -> str:
        size = self._messages.seek(0, os.SEEK_END)
        self._messages.seek(max(0, size - MESSAGE_BYTES))
        return self._messages.read().decode("utf-8", "replace").strip()


def run(step: Step, scratch: Path) -> str:
    """Run one step to its end and give back what it wrote to stderr (its last 4 KB).

    Raises EngineFailure when the step fails or outlives its timeout; either way no process is left behind.
    """
    return run_all([step], scratch, at_once=1)[0]


def run_bcftools(arguments: Sequence[str], scratch: Path, limits: Limits | None = None) -> str:
    """One bcftools subcommand, such as ["csq", "-f", ..., "-o", ...], in a child of its own."""
    return run(Step("bcftools", tuple(arguments), limits or Limits()), scratch)


def run_all(
    steps: Iterable[Step], scratch: Path, at_once: int, watch: Callable[[], None] = lambda: None
) -> list[str]:
    """Run steps, `at_once` at a time, in order of starting; the first failure ends all the others.

    `watch` is called about once a second meanwhile; what it raises ends all of them too.

    Returns each step's messages in the order of `steps`.
    """
    waiting = list(enumerate(steps))[::-1]
    messages: dict[int, str] = {}
    running: dict[int, Child] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, step = waiting.pop()
                running[number] = Child(step, scratch)
            _wait_for_any(list(running.values()), watch)
            for number in [number for number, child in running.items() if child.finished()]:
                with running.pop(number) as child:
                    messages[number] = child.check()
    finally:
        for child in running.values():
            child.close()
    return [messages[number] for number in sorted(messages)]


def _wait_for_any(children: Sequence[Child], watch: Callable[[], None]) -> None:
    """Return when one of the children has ended; EngineFailure when one has outlived its timeout."""
    while not any(child.finished() for child in children):
        nearest = min(children, key=lambda child: child.deadline)
        left_seconds = nearest.deadline - time.monotonic()
        if left_seconds <= 0:
            raise EngineFailure(
                f"{nearest.step.title} did not end within {nearest.step.limits.timeout_seconds:g} seconds"
            )
        select.select(children, [], [], min(left_seconds, WATCH_SECONDS))
        watch()


def _how_it_ended(return_code: int) -> str:
    if return_code == -signal.SIGXCPU:
        return "used up its CPU time"
    if return_code == -signal.SIGXFSZ:
        return "wrote more than the largest file allowed"
    if return_code < 0:
        return f"was ended by {signal.Signals(-return_code).name}"
    return f"failed with exit code {return_code}"
