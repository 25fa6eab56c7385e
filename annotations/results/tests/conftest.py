"""Results to look at: of the demo's family of three, and of a person's chromosome 21."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotations.engine.annotate import annotate
from annotations.engine.building import BundleRecipe, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo.files import build_demo
from annotations.models import Job, ResultState, Status
from annotations.results.tables import ResultTable, open_table
from annotations.storage.local import LocalObjectStore
from annotations.tests.factories import make_job

Files = dict[str, Path]  # of a result, by kind


@pytest.fixture(scope="session")
def demo_references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles that holds the demo's."""
    folder = tmp_path_factory.mktemp("demo-references")
    build_demo(folder)
    return folder


@pytest.fixture(scope="session")
def demo_files(demo_references: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """449 records, 497 alleles; samples CHILD, FATHER and MOTHER."""
    bundle = ReferenceBundle.open(demo_references / "demo" / "1")
    output = tmp_path_factory.mktemp("demo-result")
    return _files(annotate(demo_references / "demo" / "demo.vcf", bundle, output))


@pytest.fixture(scope="session")
def chr21_files(
    shared_data: Path, grch38_chr21: ReferenceBundle, tmp_path_factory: pytest.TempPathFactory
) -> Files:
    """65,370 records of NA12878, of which 1,573 lie where variants are known."""
    vcf = shared_data / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz"
    return _files(annotate(vcf, grch38_chr21, tmp_path_factory.mktemp("chr21-result")))


def _files(summary: Any) -> Files:
    return {kind: Path(path) for kind, path in summary.files.items()}


@pytest.fixture
def publish(settings: Any) -> Callable[..., Job]:
    """Makes a completed job of a user's, with these files as its result."""

    def publish_(user: Any, files: Files, **fields: Any) -> Job:
        store = LocalObjectStore()
        keys = {kind: f"{user.pk}/results/{path.name}" for kind, path in files.items()}
        for kind, path in files.items():
            store.publish(path, keys[kind])
        done = {"status": Status.COMPLETED, "result_state": ResultState.AVAILABLE, "unsettled_shard": None}
        kept = {"result_key": keys["vcf"], "index_key": keys["index"], "table_key": keys["table"]}
        return make_job(user, log_key=keys["log"], **done, **kept, **fields)

    return publish_


@pytest.fixture
def demo_job(user: Any, demo_files: Files, publish: Any) -> Job:
    return publish(user, demo_files, input_file_name="demo.vcf")


@pytest.fixture
def demo_table(demo_job: Job) -> ResultTable:
    return open_table(demo_job)


@pytest.fixture
def chr21_table(chr21_files: Files, publish: Any, user: Any) -> ResultTable:
    return open_table(publish(user, chr21_files, input_file_name="NA12878.vcf.gz"))


@pytest.fixture
def small_result(demo_references: Path, tmp_path: Path) -> Callable[[str], Files]:
    """Annotates the text of a VCF on the demo's genome."""

    def annotate_(text: str, name: str = "small") -> Files:
        source = tmp_path / f"{name}.vcf"
        source.write_text(text)
        bundle = ReferenceBundle.open(demo_references / "demo" / "1")
        return _files(annotate(source, bundle, tmp_path / f"{name}-result"))

    return annotate_


@pytest.fixture
def bare_job(user: Any, publish: Any, tmp_path: Path) -> Job:
    """Two alleles on a genome without known variants, and without samples."""
    sequence = "ACGTTGCAAC" * 40
    (tmp_path / "one.fa").write_text(f">1\n{sequence}\n")
    (tmp_path / "one.gff3").write_text("##gff-version 3\n" + GENE)
    recipe = BundleRecipe("bare", "1", tmp_path / "one.fa", tmp_path / "one.gff3")
    bundle = build_bundle(recipe, tmp_path / "bare-references")
    source = tmp_path / "bare.vcf"
    source.write_text(f"{VCF_HEADER}\tINFO\n1\t1\t.\tA\tG\t.\t.\t.\n1\t3\tmine\tG\tT\t7\tPASS\t.\n")
    return publish(user, _files(annotate(source, bundle, tmp_path / "bare-result")))


@pytest.fixture
def many_samples_job(user: Any, publish: Any, small_result: Callable[..., Files]) -> Job:
    """One variant in 1,200 samples, a fourth of them each 0/0, 0/1, 1/1 and not called."""
    samples = "\t".join(f"S{number}" for number in range(1200))
    genotypes = "\t".join(["0/0", "0/1", "1/1", "./."] * 300)
    text = f"{VCF_HEADER}\tINFO\tFORMAT\t{samples}\n1\t9201\t.\tA\tG\t50\tPASS\t.\tGT\t{genotypes}\n"
    return publish(user, small_result(text, "many"))


VCF_HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER"
GENE = "".join(
    f"1\tmade\t{kind}\t100\t300\t.\t+\t{phase}\t{attributes}\n"
    for kind, phase, attributes in (
        ("gene", ".", "ID=gene:G1;Name=ONE;biotype=protein_coding"),
        ("mRNA", ".", "ID=transcript:T1;Parent=gene:G1;biotype=protein_coding"),
        ("exon", ".", "Parent=transcript:T1"),
        ("CDS", "0", "ID=CDS:P1;Parent=transcript:T1;protein_id=P1"),
    )
)
