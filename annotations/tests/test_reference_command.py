import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo import DemoFiles, write_demo


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return write_demo(tmp_path_factory.mktemp("files"))


def reference(*arguments: object, **options: object) -> str:
    """What `manage.py reference …` prints."""
    out = io.StringIO()
    call_command("reference", *(str(argument) for argument in arguments), stdout=out, **options)
    return out.getvalue()


def test_build_takes_named_sources_fields_and_codes(files: DemoFiles, tmp_path: Path) -> None:
    out = reference(
        *(
            "build",
            "mine",
            "--version",
            "7",
            "--output",
            tmp_path,
            "--fasta",
            files.fasta,
            "--gff",
            files.gff,
        ),
        *("--known", f"freq={files.dbsnp}:AF,VC", "--known", f"clin={files.clinvar}", "--ids", "clin"),
        *("--genetic-code", "2=2", "--description", "for a test"),
    )
    bundle = ReferenceBundle.open(tmp_path / "mine/7")
    freq, clin = bundle.known_sources
    assert [field.id for field in freq.fields] == ["freq_AF", "freq_VC"]
    assert len(clin.fields) == 4
    assert (freq.gives_id, clin.gives_id) == (False, True)
    assert [contig.genetic_code for contig in bundle.contigs] == [1, 2, 2]
    assert bundle.description == "for a test"
    assert out.splitlines()[0] == "genome: 3 contigs, 153,000 bases"
    assert out.splitlines()[-1] == f"built {tmp_path / 'mine/7'}"


def test_a_wrong_file_ends_the_command_with_its_message(files: DemoFiles, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"is a GFF3\. Expected a FASTA"):
        reference(
            *(
                "build",
                "mine",
                "--version",
                "7",
                "--output",
                tmp_path,
                "--fasta",
                files.gff,
                "--gff",
                files.gff,
            )
        )


@pytest.mark.parametrize("known", ["dbsnp", "=x.vcf", "dbsnp="])
def test_a_known_source_needs_a_name_and_a_file(files: DemoFiles, known: str) -> None:
    with pytest.raises(CommandError, match="expected SOURCE=VCF"):
        reference(
            "build", "mine", "--version", "7", "--fasta", files.fasta, "--gff", files.gff, "--known", known
        )


def test_the_demo_is_built_once_listed_and_verified(tmp_path: Path) -> None:
    assert f"built {tmp_path / 'demo/1'}" in reference("demo", "--output", tmp_path)
    assert f"{tmp_path / 'demo/1'} is there already" in reference("demo", "--output", tmp_path)
    assert (tmp_path / "demo/demo.vcf").is_file()
    listed = reference("list", tmp_path)
    assert listed.startswith(
        "demo/1  3 contigs, 153,000 bases; known variants: dbsnp 999, clinvar 2025-01-01"
    )
    assert reference("verify", tmp_path / "demo/1").startswith("demo/1 is whole")

    (tmp_path / "demo/1/genes/1.parquet").write_bytes(b"changed")
    with pytest.raises(CommandError, match=r"(?s)demo/1 is damaged:.*genes/1\.parquet has 7 bytes"):
        reference("verify", tmp_path / "demo/1")


def test_the_folder_of_the_settings_is_the_default(settings, tmp_path: Path) -> None:
    settings.REFERENCES_DIR = tmp_path
    assert reference("demo", verbosity=0) == ""
    assert "demo/1" in reference("list")


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    assert reference("list", tmp_path) == f"No reference bundles in {tmp_path}.\n"


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not a reference bundle"):
        reference("verify", tmp_path)
