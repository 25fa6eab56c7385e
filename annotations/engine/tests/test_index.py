"""The index that is put together from the shards' notes finds what htslib's own index of the file finds."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest

from annotations.engine.bgzf import END, BgzfWriter
from annotations.engine.index import BodyIndex, write_tabix
from annotations.engine.lines import Lines

CONTIGS = ("1", "chrUn.2|x", "M")
HEADER = "##fileformat=VCFv4.2\n" + "\t".join(
    ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO\n")
)
Record = tuple[int, int, str, str]


def some_records(count: int) -> list[Record]:
    """Sorted records with long and short REF, END and SVLEN, from the first base to the last that can be."""
    chance = random.Random(7)  # noqa: S311 - no secret
    infos = (".", "DP=3", "DP=3;END={}", "SVLEN=-{}", f"X={'y' * 300}")
    places = sorted((chance.randrange(3), int(10 ** chance.uniform(0, 8.7))) for _ in range(count))
    places[0] = (0, 0)  # the telomere
    return [
        (
            contig,
            position,
            "A" * chance.choice((1, 1, 1, 2, 40_000 if position % 7 == 0 else 3)),
            chance.choice(infos).format(min(position + 10 ** chance.randrange(1, 6), (1 << 29) - 1)),
        )
        for contig, position in places
    ]


def lines_of(records: Sequence[Record]) -> bytes:
    return "".join(
        f"{CONTIGS[contig]}\t{position}\t.\t{ref}\tG\t.\t.\t{info}\n"
        for contig, position, ref, info in records
    ).encode()


def written(folder: Path, parts: Sequence[Sequence[Record]]) -> Path:
    """The records as a VCF of several bodies, with their joined index beside it."""
    vcf, bodies = folder / "joined.vcf.gz", []
    with BgzfWriter(vcf) as file:
        file.write(HEADER.encode())
    content = vcf.read_bytes().removesuffix(END)
    for number, part in enumerate(parts):
        index, path = BodyIndex(), folder / f"body-{number}"
        with BgzfWriter(path) as body:
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                contigs = np.array([contig for contig, *_ in half])
                body.write(lines_of(half))
                line_ends = np.cumsum([len(line) for line in lines_of(half).splitlines(keepends=True)])
                index.add(contigs, Lines(lines_of(half), len(half)), line_ends)
        index.save(folder / f"index-{number}.npz", body)
        bodies.append((folder / f"index-{number}.npz", len(content)))
        content += path.read_bytes().removesuffix(END)
    vcf.write_bytes(content + END)
    write_tabix(folder / "joined.vcf.gz.tbi", CONTIGS, bodies)
    return vcf


@pytest.mark.parametrize("bodies", [1, 3])
def test_every_region_has_the_records_that_htslibs_own_index_gives(bodies: int, tmp_path: Path) -> None:
    records = some_records(3_000)
    size = len(records) // bodies
    vcf = written(tmp_path, [records[at : at + size] for at in range(0, len(records), size)])
    other = tmp_path / "other.vcf.gz"
    shutil.copy(vcf, other)
    pysam.tabix_index(str(other), preset="vcf", force=True)
    chance = np.random.default_rng(3)
    with pysam.TabixFile(str(vcf)) as ours, pysam.TabixFile(str(other)) as theirs:
        assert ours.contigs == theirs.contigs == list(CONTIGS)
        for contig in CONTIGS:
            assert list(ours.fetch(contig)) == list(theirs.fetch(contig))
            for start in (10 ** chance.uniform(0, 8.7, 100)).astype(int).tolist():
                end = start + int(10 ** chance.uniform(0, 6))
                assert list(ours.fetch(contig, start, end)) == list(theirs.fetch(contig, start, end))


def test_a_file_without_records_has_an_index_too(tmp_path: Path) -> None:
    with pysam.TabixFile(str(written(tmp_path, []))) as file:
        assert file.contigs == []


def test_the_index_tells_how_many_records_each_contig_has(tmp_path: Path) -> None:
    records = some_records(200)
    vcf = written(tmp_path, [records[:50], records[50:]])
    table = str(pysam.bcftools.index("--stats", str(vcf)))
    counts = {line.split("\t")[0]: int(line.split("\t")[2]) for line in table.splitlines()}
    assert counts == {
        name: sum(contig == number for contig, *_ in records) for number, name in enumerate(CONTIGS)
    }
