"""The records of known-variant VCFs, checked and cut down to what is taken of them, a block at a time.

dbSNP has a billion: whole columns of a block are looked at, and no record by itself but the first faulty one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from annotations.engine.building.contig_names import ContigNames
from annotations.engine.building.inputs import open_input
from annotations.engine.building.known_header import SourceField, choose_fields, read_header
from annotations.engine.building.reference_check import ReferenceCheck
from annotations.engine.bundle import BundleError

BLOCK_BYTES = 16 << 20
IDS_LOOKED_AT = 1000
# One base for one other is its own normal form: nothing to divide by allele, to trim or to move.
_IS_PLAIN = pl.col("ref").is_in([*"ACGT"]) & pl.col("alt").is_in([*"ACGT"])
_COLUMNS = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info", "rest")


class Run(NamedTuple):
    """Consecutive records of a contig, as lines of eight columns.

    `plain` are single bases, nine of ten in dbSNP, which are as they have to be; `others` are to be
    normalised.
    """

    contig: str
    plain: bytes
    others: bytes


class KnownRecords:
    """Reads the files of one source, which share no contig."""

    def __init__(
        self, fields: Sequence[SourceField], names: ContigNames, check: ReferenceCheck, asked: str
    ) -> None:
        """`asked` names source and file for messages that say how to ask for fields."""
        self.strangers: Counter[str] = Counter()
        self._names = names
        self._check = check
        self._asked = asked
        self._info = _taken_info([field.source_id for field in fields])
        self._resolved: dict[str, str | None] = {}
        self._seen: set[str] = set()
        self._last = ("", 0)  # contig and position of the last record taken
        self._ids = self._rs_ids = 0

    def mostly_rs_ids(self) -> bool:
        return self._rs_ids * 2 > self._ids

    def read(self, vcf: Path, wanted: Sequence[str] | None) -> Iterator[Run]:
        """Consecutive records of `vcf`, those on the genome's contigs.

        Raises BundleError, with the line, where the file is no sorted VCF of this genome or lacks a field.
        """
        self._last = ("", 0)
        with open_input(vcf) as file:
            header = read_header(file, vcf)
            choose_fields(header, wanted, self._asked, vcf)
            line = header.lines + 1
            for block in _blocks(file):
                yield from self._take(block, vcf, line)
                line += block.count(b"\n")

    def _take(self, block: bytes, vcf: Path, first_line: int) -> Iterator[Run]:
        records = _columns(block, first_line)
        malformed = records.filter(pl.col("info").is_null() | ~pl.col("pos").str.contains("^[0-9]{1,18}$"))
        if len(malformed):  # an earlier record may be at fault in another way
            records = records.filter(pl.col("line") < malformed["line"][0])
        records = self._on_known_contigs(records)
        self._refuse_unsorted(records, vcf)
        self._refuse_outside(records, vcf)
        if len(malformed):
            raise _malformed(malformed, block, vcf, first_line)
        if not len(records):
            return
        self._look_at(records)
        lines, plain, start = records.select(self._lines()), records.select(_IS_PLAIN).to_series(), 0
        for length, contig in records["contig"].rle().struct.unnest().iter_rows():
            own, is_plain = lines.slice(start, length), plain.slice(start, length)
            yield Run(contig, _text(own.filter(is_plain)), _text(own.filter(~is_plain)))
            start += length
        self._seen.update(records["contig"].unique())
        self._last = records["contig"][-1], records["pos"][-1]

    def _on_known_contigs(self, records: pl.DataFrame) -> pl.DataFrame:
        for name in records["chrom"].unique(maintain_order=True):
            if name not in self._resolved:
                self._resolved[name] = self._names.resolve(name)
        contig = pl.col("chrom").replace_strict(self._resolved, return_dtype=pl.String)
        records = records.with_columns(contig.alias("contig"), pl.col("pos").cast(pl.Int64))
        for name, count in records.filter(pl.col("contig").is_null())["chrom"].value_counts().iter_rows():
            self.strangers[name] += count
        return records.filter(pl.col("contig").is_not_null())

    def _refuse_unsorted(self, records: pl.DataFrame, vcf: Path) -> None:
        contig, pos = self._last
        frame = records.select(
            "line",
            "contig",
            "pos",
            before=pl.col("contig").shift(1, fill_value=contig),
            pos_before=pl.col("pos").shift(1, fill_value=pos),
        )
        begins = pl.col("contig") != pl.col("before")
        met = pl.col("contig").is_in(list(self._seen)) | ~pl.col("contig").is_first_distinct()
        wrong = frame.filter((begins & met) | (~begins & (pl.col("pos") < pl.col("pos_before"))))
        if not len(wrong):
            return
        line, contig, pos, before, pos_before = wrong.row(0)
        what = (
            f"{contig} comes a second time"
            if contig != before
            else f"{contig}:{pos:,} comes after {contig}:{pos_before:,}"
        )
        raise BundleError(
            f"{vcf}, line {line}: the file is not sorted ({what}). Sort it first: "
            f"bcftools sort -Oz -o sorted.vcf.gz {vcf}"
        )

    def _refuse_outside(self, records: pl.DataFrame, vcf: Path) -> None:
        lengths = pl.col("contig").replace_strict(self._names.lengths, return_dtype=pl.Int64)
        ref_bases = pl.col("ref").str.len_bytes().cast(pl.Int64)
        last = pl.col("pos") - 1 + ref_bases
        outside = records.filter((pl.col("pos") < 1) | (last < pl.col("pos")) | (last > lengths))
        if len(outside):
            line, contig, pos, ref = outside.select("line", "contig", "pos", ref_bases).row(0)
            raise BundleError(
                f"{vcf}, line {line}: {contig}:{pos:,} with a REF of {ref:,} bases is outside the contig, "
                f"which has {self._names.lengths[contig]:,} bases in the FASTA. The file looks like another "
                "build: take the one for this genome."
            )

    def _look_at(self, records: pl.DataFrame) -> None:
        ids = records["id"].head(IDS_LOOKED_AT - self._ids)
        self._ids += len(ids)
        self._rs_ids += int(ids.str.starts_with("rs").sum())
        self._check.add(records["contig"], records["pos"], records["ref"])

    def _lines(self) -> list[pl.Expr]:
        dot = pl.lit(".")
        return [
            *(pl.col(name) for name in ("contig", "pos", "id", "ref", "alt")),
            dot.alias("qual"),
            dot.alias("filter"),
            self._info.alias("info"),
        ]


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, some 16 MB at a time; the last one gets the newline that it lacks."""
    rest = b""
    while read := file.read(BLOCK_BYTES):
        whole, newline, rest = (rest + read).rpartition(b"\n")
        if newline:
            yield whole + newline
    if rest:
        yield rest + b"\n"


def _columns(block: bytes, first_line: int) -> pl.DataFrame:
    """`line` (its number) and the columns as text, null where a line has fewer; without empty lines."""
    lines = pl.read_lines(_as_utf8(block), name="text")
    return (
        lines.with_columns(pl.col("text").str.strip_chars_end("\r"))
        .with_row_index("line", first_line)
        .filter(pl.col("text") != "")
        .select("line", pl.col("text").str.splitn("\t", len(_COLUMNS)).struct.rename_fields([*_COLUMNS]))
        .unnest("text")
        .drop("rest")
    )


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block


def _taken_info(names: Sequence[str]) -> pl.Expr:
    """INFO with the fields of these names alone, in their order there; a dot where there is none."""
    if not names:
        return pl.lit(".")
    # each field between semicolons of its own, as a match can't share them with the next
    apart = pl.concat_str(pl.lit(";"), pl.col("info").str.replace_all(";", ";;", literal=True), pl.lit(";"))
    pattern = f";(?:{'|'.join(map(re.escape, names))})(?:=[^;]*)?;"
    taken = apart.str.extract_all(pattern).list.join("").str.replace_all(";;", ";", literal=True)
    return taken.str.strip_chars(";").replace("", ".")


def _text(frame: pl.DataFrame) -> bytes:
    text = frame.write_csv(include_header=False, separator="\t", quote_style="never")
    return text.encode()


def _malformed(malformed: pl.DataFrame, block: bytes, vcf: Path, first_line: int) -> BundleError:
    number = malformed["line"][0]
    line = block.splitlines()[number - first_line]
    return BundleError(
        f"{vcf}, line {number}: expected eight columns with tabs between them and a whole number for POS, "
        f"found {line[:60].decode('utf-8', 'replace').rstrip()!r}. Mend the line or download the file again."
    )
