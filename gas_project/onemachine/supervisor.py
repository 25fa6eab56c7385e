"""Start programs in order, keep them running, pass their output on, and stop them in the reverse order.

One thread, one `select`: signals (a wake-up pipe), the programs' output (their pipes) and their ends
(SIGCHLD) all arrive there. It must be one thread, for the kernel binds a child's life to the thread that
started it.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

BOUND = Path(__file__).with_name("bound.py")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK_SECONDS = 0.05  # how often a condition is looked at while one is waited for
READY_SECONDS = 60
RESTART_AFTER_SECONDS = 1
FAILURES_AT_MOST = 5  # unexpected ends of one program ...
FAILURES_WITHIN_SECONDS = 60  # ... in this time, and the supervisor gives up


class SupervisorError(Exception):
    """The programs can't be kept running; says which, and what it said last."""


class _StopRequested(Exception):
    pass


@dataclass(frozen=True)
class Program:
    """One program to keep running.

    `before_start` is called before each start; then `is_ready` is asked until it says yes, and `when_ready`
    is called. From then on `is_well` is asked each second, and a program that is not is killed, to be started
    anew. Stopping sends each of `stop` (signal, seconds to wait for the end) in turn, and SIGKILL in the end.
    When one of `leans_on` had to be started anew, so is this program.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], bool]
    before_start: Callable[[], None] = lambda: None
    when_ready: Callable[[], None] = lambda: None
    is_well: Callable[[], bool] = lambda: True
    stop: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 10),)
    leans_on: frozenset[str] = frozenset()


class _Child:
    """A started program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(BOUND), str(os.getpid()), *program.arguments],
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone
        )
        self.pipe = self.process.stdout
        self.partial_line = b""
        self.last_lines: deque[str] = deque(maxlen=20)

    def is_alive(self) -> bool:
        return self.process.poll() is None


class Supervisor:
    """Runs groups of programs: those of a group start side by side, once the group before is ready."""

    def __init__(self, groups: Sequence[Sequence[Program]], write: Callable[[str, str], None]) -> None:
        """`write` takes a program's name and a line of its output, as they come."""
        self._groups = groups
        self._write = write
        self._children: dict[str, _Child] = {}
        self._failed_at: dict[str, deque[float]] = {}
        self._stops_asked = 0
        self._selector = selectors.DefaultSelector()

    def run(self, when_all_ready: Callable[[], None]) -> None:
        """Keep the programs running until a signal asks for the end; returns when all have ended.

        Raises SupervisorError when one can't be kept running; the others are stopped by then.
        """
        self._listen_to_signals()
        try:
            for group in self._groups:
                for program in group:
                    self._start(program)
                for program in group:
                    if not self._await_ready(program):
                        raise SupervisorError(self._obituary(self._first_ended()))
            when_all_ready()
            while True:
                self._turn(1)
                self._kill_what_is_unwell()
                self._restart_what_ended()
        except _StopRequested:
            self._write("service", "stopping; what runs has a few seconds to finish, or Ctrl-C again")
        finally:
            self._stop_all()
            self._close()

    def _listen_to_signals(self) -> None:
        self._wake_up, writer = socket.socketpair()
        self._wake_up.setblocking(False)
        writer.setblocking(False)
        self._wake_up_writer = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler, so that it wakes the select up
        self._selector.register(self._wake_up, selectors.EVENT_READ)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stops_asked += 1

    def _start(self, program: Program) -> None:
        program.before_start()
        child = self._children[program.name] = _Child(program)
        assert child.pipe is not None  # noqa: S101  for the type checker: it was asked for
        os.set_blocking(child.pipe.fileno(), False)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _await_ready(self, program: Program) -> bool:
        """Whether it came to answer: not, when it has ended, or what it leans on, for which it would wait."""
        needed = [
            self._children[name] for name in {program.name, *program.leans_on} if name in self._children
        ]
        deadline = time.monotonic() + READY_SECONDS
        while not program.is_ready():
            self._turn(TICK_SECONDS)
            self._heed_stop()
            if not all(child.is_alive() for child in needed):
                return False
            if time.monotonic() > deadline:
                raise SupervisorError(f"{program.name} did not answer within {READY_SECONDS} seconds.")
        program.when_ready()
        return True

    def _heed_stop(self) -> None:
        if self._stops_asked:
            raise _StopRequested

    def _kill_what_is_unwell(self) -> None:
        for name, child in self._children.items():
            if child.is_alive() and not child.program.is_well():
                self._write("service", f"{name} gives no sign of life")
                child.process.kill()
                child.process.wait()

    def _restart_what_ended(self) -> None:
        self._heed_stop()
        for name in list(self._children):
            child = self._children[name]
            if not child.is_alive():
                self._count_failure(child)
                self._write("service", f"{name} {_how_it_ended(child)}; starting it again")
                self._wait(RESTART_AFTER_SECONDS)
                self._restart(child)
                for other in [other for other in self._children.values() if name in other.program.leans_on]:
                    self._stop([other])
                    self._restart(other)

    def _count_failure(self, child: _Child) -> None:
        failures = self._failed_at.setdefault(child.program.name, deque(maxlen=FAILURES_AT_MOST))
        failures.append(time.monotonic())
        if len(failures) == FAILURES_AT_MOST and failures[-1] - failures[0] < FAILURES_WITHIN_SECONDS:
            raise SupervisorError(self._obituary(child))

    def _restart(self, child: _Child) -> None:
        self._start(child.program)
        self._await_ready(child.program)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._turn(left)
            self._heed_stop()

    def _turn(self, timeout_seconds: float) -> None:
        """Handle what has come in; if nothing has, wait for it, `timeout_seconds` at most."""
        for key, _ in self._selector.select(timeout_seconds):
            if key.data is None:
                self._wake_up.recv(4096)
            else:
                self._pass_on_output(key.data)

    def _pass_on_output(self, child: _Child) -> None:
        assert child.pipe is not None  # noqa: S101  as above
        data = child.pipe.read(65536)
        if data is None:
            return
        *lines, child.partial_line = (child.partial_line + data).split(b"\n")
        if not data:  # closed: by its end, and by that of whatever it started
            self._selector.unregister(child.pipe)
            child.pipe.close()
            lines = [child.partial_line] if child.partial_line else []
        for line in lines:
            if text := line.decode("utf-8", "replace").rstrip():
                child.last_lines.append(text)
                self._write(child.program.name, text)

    def _stop_all(self) -> None:
        """Stop the groups, the last first: what others lean on goes when they are gone."""
        for group in reversed(self._groups):
            self._stop([child for program in group if (child := self._children.get(program.name))])

    def _close(self) -> None:
        signal.set_wakeup_fd(-1)
        for child in self._children.values():
            if child.pipe is not None:
                child.pipe.close()
        self._selector.close()
        self._wake_up.close()
        self._wake_up_writer.close()

    def _stop(self, children: list[_Child]) -> None:
        started_at = time.monotonic()
        sent: dict[str, int] = {child.program.name: 0 for child in children}
        while alive := [child for child in children if child.is_alive()]:
            hurry = self._stops_asked > 1
            for child in alive:
                self._send_what_is_due(child, sent, time.monotonic() - started_at, hurry=hurry)
            self._turn(TICK_SECONDS)
        for child in children:
            if child.pipe is not None and not child.pipe.closed:
                self._pass_on_output(child)

    def _send_what_is_due(
        self, child: _Child, sent: dict[str, int], elapsed_seconds: float, *, hurry: bool
    ) -> None:
        due = 0.0
        for step, (number, patience_seconds) in enumerate([*child.program.stop, (signal.SIGKILL, 0.0)]):
            last = number == signal.SIGKILL
            if step == sent[child.program.name] and (elapsed_seconds >= due or (hurry and not last)):
                child.process.send_signal(number)
                sent[child.program.name] += 1
                return
            due += patience_seconds

    def _first_ended(self) -> _Child:
        return next(child for child in self._children.values() if not child.is_alive())

    def _obituary(self, child: _Child) -> str:
        self._turn(0)
        said = "\n".join(f"  {line}" for line in child.last_lines) or "  nothing"
        return f"{child.program.name} {_how_it_ended(child)}. It said last:\n{said}"


def _how_it_ended(child: _Child) -> str:
    code = child.process.returncode
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
