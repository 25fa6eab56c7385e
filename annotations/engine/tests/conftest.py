"""Reference bundles for the engine's tests."""

from pathlib import Path

import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import DemoFiles, build_demo, write_demo
from annotations.engine.tests.sources import Sources

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data files, which are not the project's."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"needs the real data files in {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return write_demo(tmp_path_factory.mktemp("demo-files"))


@pytest.fixture(scope="session")
def demo_bundle(tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    """The demo's bundle: to be read, never changed."""
    return build_demo(tmp_path_factory.mktemp("references"))


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)
