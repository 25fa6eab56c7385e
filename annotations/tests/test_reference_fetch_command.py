import argparse
import io
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotations.engine.building.tables import TableLayout, TakenColumn
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import DemoFiles, write_demo
from annotations.engine.fetching.recipe import Address, Recipe, Source
from annotations.engine.fetching.tests.publisher import Publisher, running_publisher
from annotations.management.fetching import add_fetch

HOST = "https://references.example"
RECIPE = f"""
name = "demo"
release = "3"
chromosomes = ["1"]
[genome]
url = "{HOST}/{{release}}/genome.fa"
[genes]
url = "{HOST}/{{release}}/genes.gff3"
[[sources]]
name = "dbsnp"
url = "{HOST}/dbsnp.vcf"
info = ["AF"]
gives_id = true
[[sources]]
name = "local"
by_default = false
file = "local.vcf"
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return write_demo(tmp_path_factory.mktemp("files"))


@pytest.fixture
def publisher(files: DemoFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_publisher() as running:
        for release in ("3", "4"):
            running.put(f"{HOST}/{release}/genome.fa", files.fasta.read_bytes())
            running.put(f"{HOST}/{release}/genes.gff3", files.gff.read_bytes())
        running.put(f"{HOST}/dbsnp.vcf", files.dbsnp.read_bytes())
        yield running


@pytest.fixture
def recipe(tmp_path: Path, files: DemoFiles) -> Path:
    path = tmp_path / "recipe" / "demo.toml"
    path.parent.mkdir()
    path.write_text(RECIPE)
    (path.parent / "local.vcf").write_bytes(files.clinvar.read_bytes())
    return path


def _fetch(publisher: Publisher, folder: Path, *arguments: object, **options: object) -> str:
    out = io.StringIO()
    mirror = f"{HOST}=http://127.0.0.1:{publisher.port}/{HOST}"
    where = ("--output", folder / "references", "--cache", folder / "cache", "--mirror", mirror)
    call_command("reference", "fetch", *(str(one) for one in (*where, *arguments)), stdout=out, **options)
    return out.getvalue()


def test_a_recipe_becomes_a_bundle_and_the_log_says_how(
    publisher: Publisher, recipe: Path, tmp_path: Path
) -> None:
    out = _fetch(publisher, tmp_path, "--recipe", recipe, "--with", "local")
    bundle = ReferenceBundle.open(tmp_path / "references/demo/3")
    assert [source.name for source in bundle.known_sources] == ["dbsnp", "local"]
    assert [field.id for field in bundle.known_sources[0].fields] == ["dbsnp_AF"]
    assert " in 4 files to " in out
    assert "its publisher gives no checksum; got sha256" in out
    assert out.splitlines()[-1] == f"built {bundle.path}"


def test_another_release_and_version_can_be_asked_for(
    publisher: Publisher, recipe: Path, tmp_path: Path
) -> None:
    _fetch(publisher, tmp_path, "--recipe", recipe, "--release", "4", "--version", "4b", "--without", "dbsnp")
    assert ReferenceBundle.open(tmp_path / "references/demo/4b").known_sources == ()
    assert publisher.gets(f"{HOST}/4/genome.fa")


def test_one_chromosome_is_cut_out_of_a_genome_that_comes_whole(
    publisher: Publisher, recipe: Path, tmp_path: Path
) -> None:
    _fetch(publisher, tmp_path, "--recipe", recipe, "--chromosomes", "chr1")
    bundle = ReferenceBundle.open(tmp_path / "references/demo/3-1")
    assert [contig.name for contig in bundle.contigs] == ["1"]


def test_a_plan_downloads_nothing(publisher: Publisher, recipe: Path, tmp_path: Path) -> None:
    out = _fetch(publisher, tmp_path, "--recipe", recipe, "--plan")
    assert f"genome: {HOST}/3/genome.fa: 156 kB, no checksum of the publisher's" in out
    assert not (tmp_path / "references").exists()
    assert not publisher.gets(f"{HOST}/3/genome.fa")


def test_downloads_are_kept_when_asked(publisher: Publisher, recipe: Path, tmp_path: Path) -> None:
    _fetch(publisher, tmp_path, "--recipe", recipe, "--keep-downloads")
    assert len(list((tmp_path / "cache").glob("*-genome.fa"))) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name a reference of the catalogue"),
        (("hg18",), "no reference 'hg18'"),
        (("GRCh38", "--chromosomes", "99"), "no chromosome 99"),
        (("GRCh38", "--release", "=4"), "expected RELEASE or SOURCE=RELEASE"),
    ],
)
def test_what_cannot_be_fetched_ends_the_command_with_its_message(
    publisher: Publisher, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        _fetch(publisher, tmp_path, *arguments)


def test_every_option_of_the_command_and_every_key_of_a_recipe_is_documented() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "references-fetch.md").read_text()
    parser = argparse.ArgumentParser(add_help=False)
    add_fetch(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    assert [option for option in options if option not in documentation] == []
    keys = [
        one.name for shape in (Recipe, Source, Address, TableLayout, TakenColumn) for one in fields(shape)
    ]
    grouped = {"sources", "address", "table"}  # these have a section
    assert [key for key in keys if key not in grouped and not re.search(rf"\b{key}\b", documentation)] == []
