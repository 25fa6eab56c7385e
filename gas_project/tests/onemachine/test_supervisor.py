"""Programs are started in order, watched, and stopped without leaving anything behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from annotations.tests.waiting import wait_until
from gas_project.onemachine.supervisor import Program, Supervisor, SupervisorError

STAYS = "import signal, time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAYS}"
FAILS = "import sys; sys.exit('out of coffee')"


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """The supervisor takes over this process's signals; give them back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def program(name: str, code: str, **options: object) -> Program:
    defaults: dict[str, object] = {"is_ready": lambda: True, "stop": ((signal.SIGTERM, 5),)}
    return Program(name, [sys.executable, "-c", code], dict(os.environ), **(defaults | options))  # type: ignore[arg-type]


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


class Output:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def of(self, name: str) -> list[str]:
        return [line for speaker, line in self.lines if speaker == name]


@pytest.fixture
def children() -> Callable[[], set[psutil.Process]]:
    """The processes started by the test; other tests' servers may be running beside."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: set(psutil.Process().children(recursive=True)) - before


def test_a_group_starts_when_the_one_before_is_ready_and_all_stop_at_ctrl_c(
    children: Callable[[], set[psutil.Process]],
) -> None:
    output, order = Output(), list[str]()

    def ready(name: str) -> Callable[[], bool]:
        def is_ready() -> bool:
            return "up" in output.of(name)

        return is_ready

    groups = [
        [program("first", STAYS, is_ready=ready("first"), when_ready=lambda: order.append("first ready"))],
        [
            program(
                "second",
                STAYS,
                is_ready=ready("second"),
                before_start=lambda: order.append("second starts"),
            )
        ],
    ]
    Supervisor(groups, output).run(press_ctrl_c)
    assert order == ["first ready", "second starts"]
    assert children() == set()


def test_a_program_that_ends_is_started_again_and_so_is_what_leans_on_it(
    children: Callable[[], set[psutil.Process]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gas_project.onemachine.supervisor.RESTART_AFTER_SECONDS", 0)
    output = Output()
    starts: list[str] = []

    def started(name: str) -> Callable[[], None]:
        def note() -> None:
            starts.append(name)
            if starts.count("leaning") == 2:
                press_ctrl_c()

        return note

    def kill_the_base() -> None:
        (base,) = (child for child in children() if "base" in child.cmdline())
        base.kill()

    groups = [
        [
            Program(
                "base",
                [sys.executable, "-c", STAYS, "base"],
                dict(os.environ),
                is_ready=lambda: True,
                when_ready=started("base"),
            )
        ],
        [program("leaning", STAYS, leans_on=frozenset({"base"}), when_ready=started("leaning"))],
    ]
    Supervisor(groups, output).run(kill_the_base)
    assert starts == ["base", "leaning", "base", "leaning"]
    assert "base was ended by SIGKILL; starting it again" in output.of("service")
    assert children() == set()


def test_what_ends_while_another_waits_for_it_is_started_again_first(
    children: Callable[[], set[psutil.Process]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gas_project.onemachine.supervisor.RESTART_AFTER_SECONDS", 0)
    starts: list[str] = []

    def kill(name: str) -> None:
        (victim,) = (child for child in children() if name in child.cmdline())
        victim.kill()
        victim.wait()

    def leaning_is_ready() -> bool:
        if starts == ["base", "leaning", "leaning"]:
            kill("base")  # which the leaning one needs to become ready
        return starts in (["base", "leaning"], ["base", "leaning", "leaning", "base", "leaning"])

    def leaning_answers() -> None:
        if starts != ["base", "leaning"]:
            press_ctrl_c()

    def named(name: str, **options: object) -> Program:
        return replace(
            program(name, STAYS, before_start=lambda: starts.append(name), **options),
            arguments=[sys.executable, "-c", STAYS, name],
        )

    leaning = named(
        "leaning", is_ready=leaning_is_ready, when_ready=leaning_answers, leans_on=frozenset({"base"})
    )
    Supervisor([[named("base")], [leaning]], Output()).run(lambda: kill("leaning"))
    assert starts == ["base", "leaning", "leaning", "base", "leaning"]
    assert children() == set()


def test_a_program_that_fails_at_once_stops_everything_and_its_last_words_are_told(
    children: Callable[[], set[psutil.Process]],
) -> None:
    groups = [[program("base", STAYS)], [program("broken", FAILS, is_ready=lambda: False)]]
    with pytest.raises(SupervisorError, match=r"broken ended with exit code 1.*\n  out of coffee"):
        Supervisor(groups, Output()).run(lambda: None)
    assert children() == set()


def test_a_program_that_keeps_failing_is_given_up(
    children: Callable[[], set[psutil.Process]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gas_project.onemachine.supervisor.RESTART_AFTER_SECONDS", 0)
    with pytest.raises(SupervisorError, match="out of coffee"):
        Supervisor([[program("broken", FAILS)]], Output()).run(lambda: None)
    assert children() == set()


def test_what_ignores_sigterm_gets_the_next_signal(children: Callable[[], set[psutil.Process]]) -> None:
    output = Output()
    stubborn = program(
        "stubborn",
        STUBBORN,
        is_ready=lambda: "up" in output.of("stubborn"),
        stop=((signal.SIGTERM, 0.1), (signal.SIGQUIT, 5)),
    )
    Supervisor([[stubborn]], output).run(press_ctrl_c)
    assert children() == set()


def test_a_second_ctrl_c_does_not_wait(children: Callable[[], set[psutil.Process]]) -> None:
    output = Output()
    stubborn = program(
        "stubborn",
        STUBBORN,
        is_ready=lambda: "up" in output.of("stubborn"),
        stop=((signal.SIGTERM, 1000), (signal.SIGQUIT, 1000)),
    )

    def press_twice() -> None:
        press_ctrl_c()
        threading.Timer(0.2, press_ctrl_c).start()

    Supervisor([[stubborn]], output).run(press_twice)
    assert children() == set()


SUPERVISED = """
import os, sys
from pathlib import Path
from gas_project.onemachine.supervisor import Program, Supervisor
child = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
program = Program("child", child, dict(os.environ), is_ready=lambda: True)
Supervisor([[program]], lambda name, line: print(line, flush=True)).run(lambda: None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds a child's life to its parent's")
def test_a_supervisor_that_is_killed_leaves_nothing_behind() -> None:
    project = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISED], stdout=subprocess.PIPE, text=True, cwd=project
    ) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
        supervisor.wait(timeout=10)
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
