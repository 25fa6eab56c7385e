"""Publishers on loopback, and what fetches from them without waiting."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from annotations.engine.fetching.cache import Cache, Download
from annotations.engine.fetching.checksums import Checksum
from annotations.engine.fetching.download import Downloads
from annotations.engine.fetching.http import Client
from annotations.engine.fetching.tests.publisher import Publisher, running_publisher

REAL_DATA = Path(__file__).parents[5] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data files, which are not the project's."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"needs the real data files in {REAL_DATA}")
    return REAL_DATA


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_publisher() as running:
        yield running


@dataclass
class Meter:
    """Counts, and can stop a download in its tracks as Ctrl-C does."""

    bytes: int = 0
    interrupt_at: int | None = None

    def advance(self, count_bytes: int) -> None:
        self.bytes += count_bytes
        if self.interrupt_at is not None and self.bytes >= self.interrupt_at:
            raise KeyboardInterrupt


@dataclass
class Bench:
    """A client, a cache and a meter, put together for a test."""

    publisher: Publisher
    folder: Path
    waits: list[float] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)

    def client(self) -> Client:
        return Client(self.publisher.mirrors(), wait=self.waits.append, report=self.reports.append)

    def downloads(self) -> Downloads:
        self.folder.mkdir(exist_ok=True)
        return Downloads(self.client(), Cache(self.folder), self.meter, self.reports.append)

    def fetch(self, url: str, expected: Checksum | None = None) -> tuple[bytes, Download]:
        downloads = self.downloads()
        try:
            path, download = downloads.fetch(downloads.client.describe(url), expected)
            return path.read_bytes(), download
        finally:
            downloads.client.close()

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".lock")


@pytest.fixture
def bench(publisher: Publisher, tmp_path: Path) -> Bench:
    return Bench(publisher, tmp_path / "cache")
