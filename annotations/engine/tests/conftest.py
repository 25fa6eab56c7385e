"""Shared parts of the engine's tests: bundles, and results read back."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pysam
import pytest

from annotations.engine.annotate import annotate
from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import DemoFiles, build_demo, write_demo
from annotations.engine.layout import Summary
from annotations.engine.tests.sources import Sources

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _unsynced_disk() -> Iterator[None]:
    """No test pulls the plug: waiting for the disk, bundle by bundle, would only cost time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@dataclass(frozen=True)
class Result:
    """An annotated file, read back."""

    summary: Summary

    @property
    def vcf(self) -> Path:
        return Path(self.summary.files["vcf"])

    @property
    def log(self) -> str:
        return Path(self.summary.files["log"]).read_text()

    @property
    def header(self) -> list[str]:
        return [line for line in self._text() if line.startswith("#")]

    @property
    def records(self) -> list[list[str]]:
        return [line.split("\t") for line in self._text() if not line.startswith("#")]

    def csq(self, position: int) -> list[dict[str, str]]:
        """The CSQ entries of the records at a position, by field name."""
        from annotations.engine.consequences import read_csq

        found: list[dict[str, str]] = []
        for record in self.records:
            info = dict(field.partition("=")[::2] for field in record[7].split(";"))
            if int(record[1]) == position and "CSQ" in info:
                found += read_csq(info["CSQ"])
        return found

    def _text(self) -> list[str]:
        with pysam.BGZFile(str(self.vcf), "r", None) as file:
            return file.read().decode().splitlines()


Annotate = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Annotate:
    """Annotate a file, or the text of one, and read the result back."""

    def run_engine(source: Path | str, bundle: ReferenceBundle, **options: object) -> Result:
        if isinstance(source, str):
            path = tmp_path / "input.vcf"
            path.write_text(source)
            source = path
        return Result(annotate(source, bundle, tmp_path / "out", **options))  # type: ignore[arg-type]

    return run_engine


@pytest.fixture(scope="session")
def mitochondrion(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ReferenceBundle:
    data = shared_data / "mt"
    recipe = BundleRecipe(name="rCRS", version="1", fasta=data / "MT.fa", gff=data / "MT.gff3")
    return build_bundle(recipe, tmp_path_factory.mktemp("references"))


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
