import dataclasses
import fcntl
import os
import re

import pytest

from annotations.engine.building import BundleRecipe, KnownInput, build, build_bundle
from annotations.engine.bundle import BundleError
from annotations.engine.tests.sources import Sources, vcf_text


def test_a_broken_build_leaves_nothing(sources: Sources) -> None:
    sources.add_known(
        vcf_text([("1", 1, ".", "A", "C", ".", ".", "."), ("1", "x", ".", "A", "C", ".", ".", ".")])
    )
    with pytest.raises(BundleError):
        sources.build()
    assert not sources.references.exists()


def test_an_interrupted_build_leaves_nothing(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "write_genes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sources.build()
    assert not sources.references.exists()


def test_the_remains_of_a_killed_build_are_cleared(sources: Sources) -> None:
    remains = sources.references / "tiny" / ".1.building" / "scratch"
    remains.mkdir(parents=True)
    (remains / "half").write_text("a file")
    bundle = sources.build()
    assert bundle.verify() == []
    assert [path.name for path in bundle.path.parent.iterdir()] == ["1"]


def test_two_builds_of_one_bundle_do_not_meet(sources: Sources) -> None:
    folder = sources.references / "tiny" / ".1.building"
    folder.mkdir(parents=True)
    running = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(running, fcntl.LOCK_EX)
        with pytest.raises(BundleError, match=r"Another build of .*tiny/1 is running"):
            sources.build()
        assert folder.exists()
    finally:
        os.close(running)


def test_a_bundle_that_exists_is_not_overwritten(sources: Sources) -> None:
    bundle = sources.build()
    with pytest.raises(BundleError, match=r"tiny/1 exists\. Choose another --version"):
        sources.build()
    assert bundle.verify() == []


def test_building_again_from_the_same_files_gives_the_same_files(sources: Sources) -> None:
    sources.add_known(vcf_text([("1", 1, "rs1", "N", "C", ".", ".", ".")]))
    first = sources.build()
    again = build_bundle(sources.recipe("again"), sources.references)
    for path in sorted(first.path.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            assert path.read_bytes() == (again.path / path.relative_to(first.path)).read_bytes(), path.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../escape"}, "'../escape' cannot be the name of a bundle"),
        ({"version": ".1"}, "'.1' cannot be the version of a bundle"),
        ({"known_sources": ("db snp",)}, "'db snp' cannot name a source"),
        ({"known_sources": ("a", "a")}, "The source 'a' is given twice"),
        ({"id_sources": frozenset({"b"})}, "--ids names b, which is not among the known sources (none)"),
        ({"genetic_codes": {"MT": 2}}, "--genetic-code names MT, which the FASTA does not have"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(
    sources: Sources, change: dict[str, object], message: str
) -> None:
    names = change.pop("known_sources", ())
    assert isinstance(names, tuple)
    known = tuple(KnownInput(name, sources.folder / "x.vcf") for name in names)
    recipe: BundleRecipe = dataclasses.replace(sources.recipe(), known=known, **change)  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=re.escape(message)):
        build_bundle(recipe, sources.references)


def test_a_genetic_code_that_the_name_does_not_tell_can_be_told(sources: Sources) -> None:
    recipe = dataclasses.replace(sources.recipe(), genetic_codes={"1": 2})
    assert build_bundle(recipe, sources.references).contigs[0].genetic_code == 2
