"""Run the units' own commands on this machine, as systemd would on a host."""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent.parent
UNITS = DEPLOY / "hosts" / "systemd"


class Host:
    """A folder that stands for a machine: its state, its settings, its secrets and its services."""

    def __init__(
        self, name: str, folder: Path, variables: Mapping[str, str], secrets: Mapping[str, str]
    ) -> None:
        """`variables` are those of /etc/gas/gas.env; what is None of systemd's, as AWS credentials, too."""
        self.name, self.folder = name, folder
        self.variables = dict(variables)
        self.credentials = folder / "credentials"
        self.credentials.mkdir(parents=True)
        for key, value in secrets.items():
            (self.credentials / key).write_text(value)
        self.services: dict[str, Service] = {}

    def start(self, unit: str) -> "Service":
        service = Service(self, unit)
        service.start()
        self.services[unit] = service
        return service

    def run(self, unit: str, seconds: float) -> None:
        """A unit of the kind oneshot. Raises CalledProcessError with what it said."""
        for command in _commands(self, unit, "ExecStart"):
            subprocess.run(
                command, env=_environment(self, unit), cwd=self.folder, check=True, timeout=seconds,
                capture_output=True, text=True,
            )  # fmt: skip

    def environment(self, unit: str) -> dict[str, str]:
        return _environment(self, unit)

    def manage(self, command: str) -> str:
        """A command of Django, in the worker's environment; what it says. Raises CalledProcessError."""
        manage = [sys.executable, str(DEPLOY.parent / "manage.py"), command]
        done = subprocess.run(
            manage, env=self.environment("gas-worker.service"), cwd=self.folder, check=False, timeout=120,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(
                f"{command} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done.stdout

    def python(self, code: str) -> None:
        """Run in the web service's environment."""
        environment = self.environment("gas-web.service")
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)

    def close(self) -> None:
        for service in self.services.values():
            service.end()


class Service:
    """A running unit; systemd's Restart=always, KillMode=mixed and ExecStop= are kept."""

    def __init__(self, host: Host, unit: str) -> None:
        self.host, self.unit = host, unit
        self.restarts = 0
        self._wanted = True
        self.log = host.folder / f"{unit}.log"

    def start(self) -> None:
        environment = _environment(self.host, self.unit)
        for command in _commands(self.host, self.unit, "ExecStartPre"):
            subprocess.run(command, env=environment, check=True, timeout=30)
        (command,) = _commands(self.host, self.unit, "ExecStart")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=self.host.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        threading.Thread(target=self._restart_when_it_ends, args=(self.process,), daemon=True).start()

    def is_ready(self) -> bool:
        """A worker says so itself."""
        return (self.host.folder / "run" / "worker-ready").exists()

    def kill(self) -> None:
        """As a machine's memory killer does, the children first; systemd starts it again."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self, finish_seconds: float | None = None) -> None:
        """ExecStop=, where there is one, with another time if that is wanted; else SIGTERM."""
        self._wanted = False
        commands = _commands(self.host, self.unit, "ExecStop", MAINPID=str(self.process.pid))
        for command in commands or [["/bin/kill", str(self.process.pid)]]:
            if finish_seconds is not None:
                command[command.index("--seconds") + 1] = str(finish_seconds)
            subprocess.run(command, check=True, timeout=120)
        self.process.wait(timeout=60)

    def end(self) -> None:
        self._wanted = False
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=8)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(timeout=10)

    def _restart_when_it_ends(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        if self._wanted:
            time.sleep(1)
            self.restarts += 1
            self.start()


def _settings(host: Host, unit: str) -> list[tuple[str, str]]:
    text = (UNITS / unit).read_text()
    for of_a_host, here in (
        ("/opt/gas/current/venv/bin", str(Path(sys.executable).parent)),
        ("/opt/gas/current/hosts", str(DEPLOY / "hosts")),
        ("/var/lib/gas", str(host.folder)),
        ("%H", host.name),
    ):
        text = text.replace(of_a_host, here)
    return [(key, value) for key, _, value in (line.partition("=") for line in text.splitlines()) if value]


def _environment(host: Host, unit: str) -> dict[str, str]:
    """What systemd gives a service: next to nothing of its own, the unit's, then the file's."""
    own = {"PATH": os.environ["PATH"], "HOME": str(host.folder), "LANG": "C.UTF-8"}
    for key, value in _settings(host, unit):
        if key == "Environment":
            own |= dict(part.split("=", 1) for part in shlex.split(value))
    if any(key == "LoadCredential" for key, _ in _settings(host, unit)):
        own["CREDENTIALS_DIRECTORY"] = str(host.credentials)
    return own | host.variables


def _commands(host: Host, unit: str, kind: str, **more: str) -> list[list[str]]:
    environment = _environment(host, unit) | more

    def filled(word: str) -> str:
        return re.sub(r"\$\{?(\w+)\}?", lambda match: environment[match[1]], word)

    lines = [value for key, value in _settings(host, unit) if key == kind]
    return [[filled(word) for word in shlex.split(line)] for line in lines]
