"""Real variants on real genes come back complete and right."""

from pathlib import Path

import pysam

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.conftest import Annotate


def test_na12878_comes_back_complete(run: Annotate, grch38_chr21: ReferenceBundle, shared_data: Path) -> None:
    source = shared_data / "grch38_chr21" / "PG_NA12878_hg38-chr21.vcf.gz"
    result = run(source, grch38_chr21)
    with pysam.BGZFile(str(source), "r", None) as file:
        given = [line.split("\t") for line in file.read().decode().splitlines() if not line.startswith("#")]
    assert len(result.records) == len(given) == 65_370
    for before, after in zip(given, result.records, strict=True):
        assert [*before[:2], *before[3:7], *before[8:]] == [*after[:2], *after[3:7], *after[8:]]
        assert after[7].startswith(before[7])
    within = [record for record in result.records if 25_000_000 <= int(record[1]) <= 26_000_000]
    listed = known_by_exact_text(shared_data / "grch38_chr21" / "known.chr21.vcf.gz")
    expected = [r for r in within if any((r[1], r[3], alt) in listed for alt in r[4].split(","))]
    assert (len(within), len(expected)) == (1_573, 1_551)
    assert all("rs" in record[2] for record in expected)
    # nine more are listed in another form (C>CTTT beside T>TTTT one base on) and agree once left-aligned
    assert sum("rs" in record[2] for record in within) == 1_560
    assert "0 differ, 63310 where the reference has no known base" in result.log


def known_by_exact_text(path: Path) -> set[tuple[str, str, str]]:
    with pysam.BGZFile(str(path), "r", None) as file:
        records = [line.split("\t") for line in file.read().decode().splitlines() if not line.startswith("#")]
    return {(record[1], record[3], alt) for record in records for alt in record[4].split(",")}


def test_app_v717_is_missense(run: Annotate, grch38_chr21: ReferenceBundle) -> None:
    text = (
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "21\t25891783\t.\tA\tC\t.\t.\t.\n"
        "21\t25891784\t.\tC\tA,G,T\t.\t.\t.\n"
    )
    result = run(text, grch38_chr21)
    app = [entry for entry in result.csq(25_891_784) if entry["Feature"] == "ENST00000346798"]
    assert [entry["Amino_acids"] for entry in app] == ["V/F", "V/L", "V/I"]
    assert [entry["HGVSp"].split(":")[1] for entry in app] == [
        "p.(Val717Phe)",
        "p.(Val717Leu)",
        "p.(Val717Ile)",
    ]
    assert {(entry["Consequence"], entry["IMPACT"], entry["SYMBOL"]) for entry in app} == {
        ("missense_variant", "MODERATE", "APP")
    }
    beside = [entry for entry in result.csq(25_891_783) if entry["Feature"] == "ENST00000346798"]
    assert beside[0]["HGVSp"].endswith(":p.(Val717Gly)")


def test_the_original_services_samples_are_read_with_the_mitochondrial_code(
    run: Annotate, mitochondrion: ReferenceBundle, shared_data: Path
) -> None:
    short = run(shared_data / "gas" / "test.vcf", mitochondrion)
    assert (short.summary.records_in, short.summary.records_out) == (350, 350)
    assert "##contig=<ID=MT,length=16569>" in short.header
    long = run(shared_data / "gas" / "free_1.vcf", mitochondrion)
    assert len(long.records) == 1_141
    atp6 = next(entry for entry in long.csq(8860) if entry["SYMBOL"] == "MT-ATP6")
    assert atp6["Consequence"] == "missense_variant"
    assert atp6["HGVSp"].endswith("p.(Thr112Ala)")
    assert long.csq(7028)[0]["Consequence"] == "synonymous_variant"


def test_veps_examples_are_annotated(run: Annotate, grch38_chr21: ReferenceBundle, shared_data: Path) -> None:
    for name in ("vep_test.vcf", "vep_example_GRCh38.vcf"):
        source = shared_data / "grch38_chr21" / name
        records = sum(not line.startswith("#") for line in source.read_text().splitlines())
        assert run(source, grch38_chr21).summary.records_out == records
