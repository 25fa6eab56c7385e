import json
import shutil
from pathlib import Path

import pytest

from annotations.engine.bundle import BundleError, ReferenceBundle, bundle_folders, file_name_of
from annotations.engine.tests.sources import Sources, fasta_text, gff_text


@pytest.fixture
def bundle(demo_bundle: ReferenceBundle, tmp_path: Path) -> ReferenceBundle:
    """A copy of the demo's bundle, to be broken."""
    return ReferenceBundle.open(shutil.copytree(demo_bundle.path, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("alias", "name"), [("1", "1"), ("chr1", "1"), ("MT", "MT"), ("M", "MT"), ("chrM", "MT"), ("chrMT", "MT")]
)
def test_a_contig_is_found_by_its_aliases(demo_bundle: ReferenceBundle, alias: str, name: str) -> None:
    contig = demo_bundle.contig(alias)
    assert contig is not None
    assert contig.name == name


def test_an_unknown_contig_is_none(demo_bundle: ReferenceBundle) -> None:
    assert demo_bundle.contig("chr3") is None


def test_the_mitochondrion_has_a_genetic_code_of_its_own(demo_bundle: ReferenceBundle) -> None:
    assert {contig.name: contig.genetic_code for contig in demo_bundle.contigs} == {"1": 1, "2": 1, "MT": 2}


def test_known_variants_are_found_by_source_and_contig(demo_bundle: ReferenceBundle) -> None:
    dbsnp, clinvar = demo_bundle.known_sources
    contig = demo_bundle.contigs[0]
    assert (dbsnp.name, dbsnp.gives_id, dbsnp.version) == ("dbsnp", True, "999")
    assert (clinvar.name, clinvar.gives_id, clinvar.version) == ("clinvar", False, "2025-01-01")
    for source in (dbsnp, "clinvar"):
        path = demo_bundle.known(source, contig)
        assert path is not None
        assert path.is_file()
    assert demo_bundle.known("gnomad", contig) is None


def test_a_contig_without_genes_has_no_gene_files(sources: Sources) -> None:
    sources.write("genome.fa", fasta_text() + fasta_text("2"))
    bundle = sources.build()
    with_genes, without = bundle.contigs
    assert with_genes.genes
    assert bundle.genes_gff(with_genes) is not None
    assert not without.genes
    assert bundle.genes_gff(without) is None
    assert bundle.transcripts(without) is None


def test_a_whole_bundle_has_no_problems(demo_bundle: ReferenceBundle) -> None:
    assert demo_bundle.verify() == []


def test_a_flipped_byte_is_noticed(bundle: ReferenceBundle) -> None:
    content = bytearray(bundle.genome.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.genome.write_bytes(content)
    assert bundle.verify() == ["genome.fa.gz has changed: its SHA-256 is not the one in the manifest"]


def test_missing_cut_and_strange_files_are_noticed(bundle: ReferenceBundle) -> None:
    (bundle.path / "genes/1.parquet").unlink()
    (bundle.path / "genes/2.gff3.gz").write_bytes(b"")
    (bundle.path / "notes.txt").write_text("mine")
    missing, cut, strange = sorted(bundle.verify())
    assert missing == "genes/1.parquet is missing"
    assert cut.startswith("genes/2.gff3.gz has 0 bytes, expected ")
    assert strange == "notes.txt is not part of the bundle"


def test_the_checksum_of_a_bundle_changes_with_its_manifest(bundle: ReferenceBundle) -> None:
    manifest = bundle.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("made-up", "real"))
    assert ReferenceBundle.open(bundle.path).checksum != bundle.checksum


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is not a reference bundle: manifest\.json cannot be read"):
        ReferenceBundle.open(tmp_path)


def test_a_bundle_of_another_format_is_refused(bundle: ReferenceBundle) -> None:
    (bundle.path / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(
        BundleError, match="has bundle format 99, and this version of the service reads format 1"
    ):
        ReferenceBundle.open(bundle.path)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', "\x00\x01"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BundleError, match=r"(?i)build.* the bundle again"):
        ReferenceBundle.open(tmp_path)


def test_bundles_being_built_are_not_listed(tmp_path: Path) -> None:
    for folder in ("GRCh38/110", "GRCh38/.111.building", ".trash/1"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "manifest.json").write_text("{}")
    assert bundle_folders(tmp_path) == [tmp_path / "GRCh38/110"]


@pytest.mark.parametrize(
    ("contig", "file_name"),
    [("chr1", "chr1"), ("HLA-A*01:01", "HLA-A%2A01%3A01"), ("..", "%2E%2E"), ("é", "%C3%A9")],
)
def test_contig_names_become_safe_file_names(contig: str, file_name: str) -> None:
    assert file_name_of(contig) == file_name


def test_a_contig_with_an_awkward_name_keeps_it_in_its_files(sources: Sources) -> None:
    name = "HLA-A*01:01"
    sources.write("genome.fa", fasta_text(name))
    sources.write("genes.gff3", gff_text().replace("1\tx\t", f"{name}\tx\t"))
    bundle = sources.build()
    gff = bundle.genes_gff(bundle.contigs[0])
    assert gff is not None
    assert gff.name == "HLA-A%2A01%3A01.gff3.gz"
    assert gff.is_file()
