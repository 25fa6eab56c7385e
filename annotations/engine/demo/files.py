"""Write the demo's files, and build its bundle from them."""

import datetime
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from annotations.engine.building import BundleRecipe, KnownInput, build_bundle
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.demo.gff import gff_lines
from annotations.engine.demo.sequence import Genome, make_genome
from annotations.engine.demo.variants import make_variants
from annotations.engine.demo.vcfs import clinvar_lines, dbsnp_lines, family_lines

DEMO_NAME = "demo"
DEMO_VERSION = "1"
_SEED = 20
_LINE_BASES = 60
_CREATED_AT = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)  # of no day: the demo is always the same


@dataclass(frozen=True)
class DemoFiles:
    """Where the demo's files stand. `sample` is the VCF to annotate."""

    fasta: Path
    gff: Path
    dbsnp: Path
    clinvar: Path
    sample: Path


def write_demo(folder: Path) -> DemoFiles:
    """Write the demo's genome, genes, known variants and sample VCF (plain text) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = DemoFiles(
        fasta=folder / "demo.fa",
        gff=folder / "demo.gff3",
        dbsnp=folder / "demo-dbsnp.vcf",
        clinvar=folder / "demo-clinvar.vcf",
        sample=folder / "demo.vcf",
    )
    random = Random(_SEED)  # noqa: S311 - reproducible is what it shall be
    genome = make_genome(random)
    variants = make_variants(genome, random)
    _write(files.fasta, _fasta_lines(genome))
    _write(files.gff, gff_lines())
    _write(files.dbsnp, dbsnp_lines(variants, genome, random))
    _write(files.clinvar, clinvar_lines(variants, random))
    _write(files.sample, family_lines(variants, random))
    return files


def build_demo(references: Path, report: Callable[[str], None] = lambda _: None) -> ReferenceBundle:
    """Build the demo's bundle as `references`/demo/1, with its sample VCF beside it (demo/demo.vcf).

    Raises BundleError where it is there already.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = write_demo(Path(folder))
        recipe = BundleRecipe(
            name=DEMO_NAME,
            version=DEMO_VERSION,
            fasta=files.fasta,
            gff=files.gff,
            known=(KnownInput("dbsnp", files.dbsnp), KnownInput("clinvar", files.clinvar)),
            description="A small made-up genome for trying the service; it says nothing about anyone.",
            created_at=_CREATED_AT,
        )
        bundle = build_bundle(recipe, references, report)
        shutil.copyfile(files.sample, sample_of(references))
        return bundle


def sample_of(references: Path) -> Path:
    """Where the demo's sample VCF stands."""
    return references / DEMO_NAME / "demo.vcf"


def _fasta_lines(genome: Genome) -> Iterable[str]:
    for contig, bases in genome.items():
        yield f">{contig} made-up sequence for demonstration"
        for start in range(0, len(bases), _LINE_BASES):
            yield "".join(bases[start : start + _LINE_BASES])


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
