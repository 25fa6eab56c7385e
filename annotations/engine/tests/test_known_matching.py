"""Known variants are matched as `bcftools norm` and `annotate` match them, and little is read for it."""

# ruff: noqa: S608 - a path of our own

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import polars as pl
import pysam
import pytest

from annotations.engine.bundle import Contig, KnownField, KnownSource, ReferenceBundle
from annotations.engine.child import run_bcftools
from annotations.engine.contig_line import ContigLine
from annotations.engine.kernels.tests.test_known import alleles
from annotations.engine.known import KnownVariants
from annotations.engine.tests.conftest import Annotate
from annotations.engine.tests.sources import COLUMNS, Sources, vcf_text

Record = tuple[str, int, str, str, list[str]]  # CHROM, POS, ID, REF, ALT alleles
ROWS_A_GROUP = 1_000


def test_real_variants_meet_their_known_ones_record_by_record(
    run: Annotate, grch38_chr21: ReferenceBundle, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "grch38_chr21"
    given = [
        ("21", position, key, ref, alts)
        for _, position, key, ref, alts in records_of(folder / "PG_NA12878_hg38-chr21.vcf.gz")
        if 25_000_000 <= position <= 26_000_000
    ]
    given += records_of(folder / "known.chr21.vcf.gz")[::40]  # has more of multi-allelic records and indels
    compare(given, records_of(folder / "known.chr21.vcf.gz"), grch38_chr21, run, tmp_path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_variants_in_repeats_meet_their_known_ones_however_both_are_written(
    run: Annotate, sources: Sources, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - made-up bases, no secret
    units = ["A", "CA", "CAG", "T", "GATA", "ACGT"]
    bases = "".join(chance.choice(units) * chance.randint(1, 12) for _ in range(80))[:1900]
    bases = bases.ljust(2000, "G")
    sources.fasta.write_text(f">1\n{bases}\n")
    known = made_records(bases, 1_500, chance)
    sources.add_known(
        vcf_text(
            (chrom, pos, key, ref, ",".join(alts), ".", ".", ".") for chrom, pos, key, ref, alts in known
        )
    )
    given = made_records(bases, 1_500, chance)
    compare(given, known, sources.build(), run, tmp_path)


def made_records(bases: str, count: int, chance: random.Random) -> list[Record]:
    """Indels of one to three ALTs, padded at random on either side, sorted by position."""
    records: list[Record] = []
    for number in range(count):
        position = chance.randint(2, 1_850)
        length = chance.randint(1, 8)
        ref = bases[position - 1 : position - 1 + length]
        alts = {changed(ref, chance) for _ in range(chance.choice([1, 1, 2, 3]))} - {ref}
        if alts:
            records.append(("1", position, f"rs{number}", ref, sorted(alts)))
    return sorted(records, key=lambda record: record[1])


def changed(ref: str, chance: random.Random) -> str:
    at = chance.randint(1, len(ref))
    if chance.random() < 0.5:
        return ref[:at] + ref[at + chance.randint(1, 4) :]
    return ref[:at] + ref[max(0, at - chance.randint(1, 4)) : at] + ref[at:]


def compare(
    given: list[Record], known: list[Record], bundle: ReferenceBundle, run: Annotate, scratch: Path
) -> None:
    given = sorted(given, key=lambda record: record[1])
    text = vcf_text(
        (chrom, pos, ".", ref, ",".join(alts), ".", ".", ".") for chrom, pos, _, ref, alts in given
    )
    table = pl.read_parquet(run(text, bundle).summary.files["table"]).with_columns(
        allele=pl.int_range(pl.len()).over("record")
    )
    found = {
        (record, allele): ids for record, allele, ids in table.select("record", "allele", "known_ids").rows()
    }

    ids = defaultdict(list)
    for _, pos, key, ref, (alt,) in normalised(known, bundle, scratch / "known.vcf"):
        ids[pos, ref, alt].append(key)
    numbered = [
        (chrom, pos, f"{number}:{allele}", ref, [alt])
        for number, (chrom, pos, _, ref, alts) in enumerate(given, 1)
        for allele, alt in enumerate(alts)
    ]
    expected, told = {}, annotated(numbered, known, bundle, scratch)
    aligned = normalised(numbered, bundle, scratch / "given.vcf")
    at_position = Counter(pos for _, pos, *_ in aligned)
    for _, pos, key, ref, (alt,) in aligned:
        record, allele = map(int, key.split(":"))
        expected[record, allele] = set(ids[pos, ref, alt])
        # of records at one position annotate pairs each with one line of the other file only
        if at_position[pos] == 1 or told[key] != ".":
            assert told[key] in (expected[record, allele] or {"."})
    assert {key: set(found[key] or ()) for key in expected} == expected
    assert sum(map(bool, expected.values())) > len(given) / 20


def annotated(
    given: list[Record], known: list[Record], bundle: ReferenceBundle, scratch: Path
) -> dict[str, str]:
    """The id that `bcftools annotate` gives each record, by the record's own; of several it gives one."""
    sides = {}
    for name, records in (("to", given), ("from", known)):
        plain = scratch / f"{name}.vcf"
        aligned = sorted(normalised(records, bundle, scratch / f"{name}-norm.vcf"), key=lambda one: one[1])
        lines = [
            (chrom, pos, key if name == "from" else ".", ref, alt, ".", ".", f"KEY={key}")
            for chrom, pos, key, ref, (alt,) in aligned
        ]
        plain.write_text(vcf_text(lines, ["ID=KEY,Number=1,Type=String"]))
        sides[name] = pysam.tabix_index(str(plain), preset="vcf", force=True)
    out = scratch / "annotated.vcf"
    run_bcftools(["annotate", "-a", sides["from"], "-c", "ID", "-o", str(out), sides["to"]], scratch)
    rows = (line.split("\t") for line in out.read_text().splitlines() if not line.startswith("#"))
    return {row[7].removeprefix("KEY="): row[2] for row in rows}


def normalised(records: Iterable[Record], bundle: ReferenceBundle, path: Path) -> list[Record]:
    """What `bcftools norm` makes of the records: one ALT each, left-aligned and parsimonious."""
    contigs = "".join(f"##contig=<ID={contig.name},length={contig.length}>\n" for contig in bundle.contigs)
    lines = (
        f"{chrom}\t{pos}\t{key}\t{ref}\t{','.join(alts)}\t.\t.\t.\n" for chrom, pos, key, ref, alts in records
    )
    path.write_text(f"##fileformat=VCFv4.2\n{contigs}{COLUMNS}\n{''.join(lines)}")
    out = path.with_suffix(".norm.vcf")
    run_bcftools(
        ["norm", "-m", "-any", "-c", "w", "-f", str(bundle.genome), "-o", str(out), str(path)], path.parent
    )
    return records_of(out)


def records_of(path: Path) -> list[Record]:
    with pysam.BGZFile(str(path), "r", None) as file:
        rows = [line.split("\t") for line in file.read().decode().splitlines() if not line.startswith("#")]
    return [(row[0], int(row[1]), row[2], row[3], row[4].split(",")) for row in rows]


def test_an_allele_with_several_ids_gets_all_of_them(run: Annotate, sources: Sources) -> None:
    from annotations.engine.tests.sources import base, other_bases

    alt, other = other_bases(450)[:2]
    listed = [("rs1", alt), ("rs2", f"{alt},{other}"), ("rs3", other)]
    sources.add_known(
        vcf_text(("1", 450, key, base(450), alts, ".", ".", ".") for key, alts in listed), source="dbsnp"
    )
    result = run(vcf_text([("1", 450, "mine", base(450), f"{alt},{other}", ".", ".", ".")]), sources.build())
    assert result.records[0][2] == "mine;rs1;rs2;rs3"
    table = pl.read_parquet(result.summary.files["table"])
    assert table["known_ids"].to_list() == [["rs1", "rs2"], ["rs2", "rs3"]]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A table of known variants in 50 row groups: one at every tenth position."""
    table = pl.DataFrame({"pos": range(10, 500_010, 10)}, schema={"pos": pl.Int32}).with_columns(
        ref=pl.lit("A"), alt=pl.lit("C"), id="rs" + pl.col("pos").cast(pl.String), dbsnp_AF=pl.lit(0.5)
    )
    path = tmp_path / "known.parquet"
    table.write_parquet(path, row_group_size=ROWS_A_GROUP, statistics=True)
    return path


def damage_all_but(path: Path, kept: set[int]) -> None:
    """Overwrite the data of every row group that is not `kept`: whoever reads one of them fails."""
    columns = duckdb.execute(
        "SELECT row_group_id, least(data_page_offset, coalesce(dictionary_page_offset, data_page_offset)), "
        f"total_compressed_size FROM parquet_metadata('{path}')"
    ).fetchall()
    assert len({group for group, _, _ in columns}) == 500_000 // 10 // ROWS_A_GROUP
    with path.open("r+b") as file:
        for group, offset, size in columns:
            if group not in kept:
                file.seek(offset)
                file.write(b"\xff" * size)


def look_up(path: Path, positions: list[int], left_out: int = -1) -> list[str | None]:
    source = KnownSource("dbsnp", True, (KnownField("dbsnp_AF", "A", "Float", ""),), None)
    contig = Contig("1", 1_000_000, "", 1, (), genes=False)
    bundle = cast(
        ReferenceBundle,
        SimpleNamespace(
            known_sources=[source], contigs=[contig], known=lambda *_: path, known_blocks=lambda *_: None
        ),
    )
    asked = alleles([(0, position, "A", "C") for position in positions], left_out)
    (found,) = KnownVariants(bundle, ContigLine({0: contig}, 1)).values(asked)
    assert found.ids is not None
    ids: list[str | None] = found.ids.series().to_list()
    return ids


def test_only_the_parts_of_a_table_that_can_hold_the_variants_are_read(listed: Path) -> None:
    positions = [5_000, 5_005, 259_990, 260_010, 499_990]
    damage_all_but(listed, {0, 25, 26, 49})
    assert look_up(listed, positions) == ["rs5000", None, "rs259990", "rs260010", "rs499990"]
    with pytest.raises(Exception, match=r"(?i)parquet|thrift|decompress|invalid|snappy|zstd|page"):
        look_up(listed, [100_000])


def test_alleles_that_are_left_without_consequences_are_not_looked_up(listed: Path) -> None:
    assert look_up(listed, [10, 20, 30], left_out=1) == ["rs10", None, "rs30"]
