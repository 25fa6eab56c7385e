from collections import Counter
from pathlib import Path

import polars as pl
import pysam
import pytest

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.child import Step, run_all
from annotations.engine.demo import DemoFiles, build_demo, write_demo
from annotations.engine.demo.gene_models import GENES, Gene, Shape
from annotations.engine.demo.sequence import complement, stops_of


def test_the_demo_is_the_same_every_time(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path
) -> None:
    again = write_demo(tmp_path / "files")
    for name in ("fasta", "gff", "dbsnp", "clinvar", "sample"):
        assert getattr(again, name).read_bytes() == getattr(demo_files, name).read_bytes(), name
    assert build_demo(tmp_path / "references").checksum == demo_bundle.checksum


@pytest.mark.parametrize(
    ("gene", "shape"),
    [
        pytest.param(gene, shape, id=f"{gene.name}-{number}")
        for gene in GENES
        for number, shape in enumerate(gene.shapes)
        if shape.codons
    ],
)
def test_coding_transcripts_are_open_reading_frames(
    demo_bundle: ReferenceBundle, gene: Gene, shape: Shape
) -> None:
    with pysam.FastaFile(str(demo_bundle.genome)) as genome:
        contig = genome.fetch(gene.contig)
    bases = "".join(contig[gene.position(offset) - 1] for offset in shape.cds)
    bases = bases if gene.strand > 0 else complement(bases)
    whole = bases[shape.leading : shape.leading + 3 * shape.codons]
    codons = [whole[at : at + 3] for at in range(0, len(whole), 3)]
    stops = stops_of(gene.contig)
    assert not stops.intersection(codons[:-1])
    assert (codons[-1] in stops) == shape.has_stop
    assert shape.leading or codons[0] == "ATG"


def test_genes_have_every_shape(demo_bundle: ReferenceBundle) -> None:
    models = pl.concat(
        pl.read_parquet(path) for contig in demo_bundle.contigs if (path := demo_bundle.transcripts(contig))
    )
    assert models["gene_id"].n_unique() == len(GENES)
    assert set(models["strand"]) == {1, -1}
    assert {"protein_coding", "lncRNA", "miRNA", "processed_pseudogene", "Mt_tRNA", "Mt_rRNA"} <= set(
        models["biotype"]
    )
    assert models.filter("canonical").group_by("gene_id").len()["len"].to_list() == [1] * len(GENES)
    assert set(models["mane_select"].drop_nulls()) == {"NM_900001.1", "DEMOT00000000301.1", "NM_900012.3"}


def test_the_sample_has_every_consequence(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle, tmp_path: Path
) -> None:
    steps, outputs = [], []
    lines = demo_files.sample.read_text().splitlines(keepends=True)
    for contig in demo_bundle.contigs:
        own = tmp_path / f"{contig.name}.vcf"
        own.write_text("".join(line for line in lines if line.startswith(("#", f"{contig.name}\t"))))
        outputs.append(tmp_path / f"{contig.name}.out.vcf")
        code = {1: "0", 2: "1"}[contig.genetic_code]  # bcftools counts NCBI's tables from 0
        genes = demo_bundle.genes_gff(contig)
        arguments = ("csq", "-l", "-C", code, "-f", str(demo_bundle.genome), "-g", str(genes))
        steps.append(Step("bcftools", (*arguments, "-o", str(outputs[-1]), str(own))))
    run_all(steps, tmp_path, at_once=2)
    found: Counter[str] = Counter()
    for output in outputs:
        with pysam.VariantFile(str(output)) as vcf:
            for record in vcf:
                consequences = record.info.get("BCSQ", ("intergenic",))
                found.update(word for one in consequences for word in one.split("|")[0].split("&"))
    assert set(found) >= {
        "missense",
        "synonymous",
        "stop_gained",
        "stop_lost",
        "stop_retained",
        "start_lost",
        "frameshift",
        "inframe_deletion",
        "inframe_insertion",
        "splice_donor",
        "splice_acceptor",
        "splice_region",
        "5_prime_utr",
        "3_prime_utr",
        "intron",
        "non_coding",
        "intergenic",
    }


def test_the_sample_is_a_family_with_known_and_new_variants(
    demo_files: DemoFiles, demo_bundle: ReferenceBundle
) -> None:
    known = {
        (contig.name, *row)
        for contig in demo_bundle.contigs
        if (path := demo_bundle.known("dbsnp", contig))
        for row in pl.read_parquet(path, columns=["pos", "ref", "alt"]).iter_rows()
    }
    records, known_alleles, alleles = 0, 0, 0
    with pysam.VariantFile(str(demo_files.sample)) as vcf, pysam.FastaFile(str(demo_bundle.genome)) as genome:
        assert list(vcf.header.samples) == ["CHILD", "FATHER", "MOTHER"]
        assert list(vcf.header.contigs) == ["1", "2", "MT"]
        for record in vcf:
            records += 1
            assert genome.fetch(record.chrom, record.start, record.stop) == record.ref
            alleles += len(record.alts or ())
            known_alleles += sum(
                (record.chrom, record.pos, record.ref, alt) in known for alt in record.alts or ()
            )
            _check_inheritance(record)
    assert 300 <= records <= 500
    assert alleles > records
    assert 0.3 < known_alleles / alleles < 0.8


def _check_inheritance(record: pysam.VariantRecord) -> None:
    child, father, mother = (record.samples[name]["GT"] for name in ("CHILD", "FATHER", "MOTHER"))
    if len(child) == 1:
        assert child == mother
    else:
        assert any(one in father and other in mother for one, other in (child, child[::-1])), (
            f"{record.chrom}:{record.pos}"
        )
