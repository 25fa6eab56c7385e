"""The whole service as a process of its own, as `make run` starts it."""

import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from gas_project.environment import BASE_DIR


@dataclass
class Service:
    process: subprocess.Popen[str]
    environment: dict[str, str]
    state_dir: Path
    lines: list[str] = field(default_factory=list)

    def read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def said(self, text: str) -> str | None:
        return next((line for line in self.lines if text in line), None)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def start(environment: dict[str, str]) -> Service:
    process = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), "runservice"],
        env=environment,
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = Service(process, environment, Path(environment["GAS_STATE_DIR"]))
    threading.Thread(target=service.read_output, daemon=True).start()
    return service
