"""Shared parts of the check's tests: check a text or some bytes, and where real data are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotations.engine.check.limits import Limits
from annotations.engine.check.report import Report
from annotations.engine.check.upload import check_upload

SHARED_DATA = Path(__file__).resolve().parents[5] / "shared" / "data"

Check = Callable[..., Report]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check what is given as text or bytes (or a path), and see that nothing is left in the scratch
    folder."""

    def run(content: str | bytes | Path, limits: Limits | None = None) -> Report:
        if isinstance(content, Path):
            path = content
        else:
            path = tmp_path / "upload"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        report = check_upload(path, scratch, limits=limits)
        assert list(scratch.iterdir()) == []
        return report

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data are not at {SHARED_DATA}")
    return SHARED_DATA
