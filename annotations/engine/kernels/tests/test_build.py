"""The kernels are compiled from their sources, by a compiler that comes as a package."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from annotations.engine.kernels import build
from annotations.engine.kernels.library import KernelError, Room, call


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, to be changed."""
    copy = tmp_path / "sources"
    copy.mkdir()
    for path in build.SOURCES.glob("*.[ch]"):
        shutil.copy(path, copy)
    monkeypatch.setattr(build, "SOURCES", copy)
    return copy


def test_changed_sources_make_another_library_in_the_place_of_the_old_one(sources: Path) -> None:
    old = build.build(sources)
    assert build.build(sources) == old
    source = sources / "known.c"
    source.write_text(source.read_text() + "\n/* changed */\n")
    new = build.build(sources)
    assert (new.exists(), old.exists()) == (True, False)


def test_no_compiler_of_the_machine_is_needed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert build.build(tmp_path / "elsewhere").exists()


def test_what_does_not_compile_says_so_and_leaves_nothing(sources: Path, tmp_path: Path) -> None:
    (sources / "known.c").write_text("this is no C\n")
    with pytest.raises(build.KernelsNotBuilt, match=r"(?s)`make setup`.*known\.c"):
        build.build(tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []


def test_a_machine_that_they_are_not_built_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(build.KernelsNotBuilt, match="not for Plan9 mips"):
        build.build(tmp_path, "Plan9 mips")


def test_an_array_of_another_type_is_no_argument() -> None:
    with pytest.raises(KernelError, match="uint8"):
        Room(bytes=np.zeros(4, np.int64), size=4, used=0)


def test_a_kernel_refuses_numbers_out_of_range() -> None:
    with pytest.raises(KernelError, match="term_set_of"):
        call("term_set_of", 7)
