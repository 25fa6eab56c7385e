"""The gene models once more, so that those around a few variants are found without reading all.

    genes.tsv         the rows of every genes/<contig>.parquet as text, contig by contig, without a header
    genes.rows.npy    five rows of integers: of each line of genes.tsv the number of its contig in the bundle,
                      start, end, the number of its gene's blocks, and the byte at which it starts
    genes.gff3.gz     the lines of every genes/<contig>.gff3.gz, gene by gene; each gene has blocks of its
                      own, which are passed on to csq as they are
    genes.blocks.npy  the byte at which each gene's blocks start; then the file's end

A thousand variants over the genome meet every contig, and to unpack its Parquet and its GFF3 would take most
of such a job's time. The text is not packed: of the file that is mapped only what is asked for is read.
"""

import gzip
import io
import mmap
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import numpy as np
import polars as pl

from annotations.engine import bgzf
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.check.text import read_lines

_PARENTS = r"[\t;]Parent=([^;]+)"
_GENE = r"[\t;]ID=(gene:[^;]+)"
_NULL = r"\N"  # an empty symbol is no null
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "transcript_id": pl.String,
    "transcript": pl.String,
    "gene_id": pl.String,
    "symbol": pl.String,
    "biotype": pl.String,
    "strand": pl.Int8,
    "start": pl.Int32,
    "end": pl.Int32,
    "exon_starts": pl.String,  # divided by commas
    "exon_ends": pl.String,
    "cds_start": pl.Int32,
    "cds_end": pl.Int32,
    "cds_phase": pl.Int8,
    "protein_id": pl.String,
    "canonical": pl.Boolean,
    "mane_select": pl.String,
}


class GeneBlocks:
    """All transcripts of a bundle, by number in order of contig and start, and the lines of their genes."""

    def __init__(self, bundle: ReferenceBundle, table: Path, rows: Path, lines: Path, blocks: Path) -> None:
        self._text: mmap.mmap | bytes = b""  # which no map can be of
        if table.stat().st_size:
            with table.open("rb") as file:
                self._text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        contig, self._first, self._last, self._block, self._text_starts = np.load(rows, mmap_mode="r")
        self._lines = lines
        self._block_starts = np.load(blocks)
        edges = np.searchsorted(contig[:-1], np.arange(len(bundle.contigs) + 1))
        names = (contig.name for contig in bundle.contigs)
        self._of_contig = dict(zip(names, pairwise(edges.tolist()), strict=True))

    @classmethod
    def of(cls, bundle: ReferenceBundle) -> Self | None:
        """Those of a bundle; None where it was built without."""
        return cls(bundle, *bundle.gene_blocks) if bundle.gene_blocks else None

    def near(self, contig: str, start: np.ndarray, end: np.ndarray, margin: int) -> np.ndarray:
        """The contig's transcripts that come within `margin` bases of one of the spans."""
        rows = slice(*self._of_contig[contig])
        begun = np.searchsorted(np.sort(start), self._last[rows] + margin, "right")
        passed = np.searchsorted(np.sort(end), self._first[rows] - margin, "left")
        return np.flatnonzero(begun > passed) + rows.start

    def transcripts(self, numbers: np.ndarray) -> pl.DataFrame:
        """Their rows, as they are in genes/<contig>.parquet."""
        starts, ends = self._text_starts[numbers].tolist(), self._text_starts[numbers + 1].tolist()
        text = b"".join([self._text[start:end] for start, end in zip(starts, ends, strict=True)])
        return pl.read_csv(
            text,
            separator="\t",
            has_header=False,
            quote_char=None,
            schema=SCHEMA,
            null_values=_NULL,
            raise_if_empty=False,
            empty_string_is_null=False,
        ).with_columns(pl.col("exon_starts", "exon_ends").str.split(",").cast(pl.List(pl.Int32)))

    def spans_of_genes(self, numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """First and last bases (1-based) of all transcripts of these transcripts' genes, by contig."""
        blocks = np.unique(self._block[numbers])
        spans = {}
        for contig, (first, behind) in self._of_contig.items():
            own = slice(first, behind)
            chosen = np.isin(self._block[own], blocks)
            if chosen.any():
                spans[contig] = self._first[own][chosen], self._last[own][chosen]
        return spans

    def write_genes_of(self, numbers: np.ndarray, target: Path) -> None:
        """Write the GFF3 lines of these transcripts' genes, whole, with all their transcripts, as BGZF."""
        blocks = np.unique(self._block[numbers])
        starts, ends = self._block_starts[blocks].tolist(), self._block_starts[blocks + 1].tolist()
        descriptor = os.open(self._lines, os.O_RDONLY)
        try:
            packed = [
                os.pread(descriptor, end - start, start) for start, end in zip(starts, ends, strict=True)
            ]
        finally:
            os.close(descriptor)
        target.write_bytes(b"".join([*packed, bgzf.END]))


def write_gene_blocks(contigs: Sequence[tuple[Path, Path] | None], targets: Sequence[Path]) -> None:
    """Write the four files from the <contig>.parquet and <contig>.gff3.gz of all contigs, in their order.

    Those that have no genes are None. Memory is bounded by the contig with the most genes.
    """
    table, rows, lines, blocks = targets
    places: list[np.ndarray] = []
    text_end, block_starts = 0, [0]
    with table.open("wb") as text, lines.open("wb") as out:
        for number, files in enumerate(contigs):
            if files is None:
                continue
            transcripts = pl.read_parquet(files[0])
            genes = _text_by_gene(transcripts, files[1])
            block = pl.int_range(pl.len(), dtype=pl.Int64) + (len(block_starts) - 1)
            own = transcripts.select("gene_id", "start", "end").join(
                genes.select("gene_id", block.alias("block")), on="gene_id", how="left", maintain_order="left"
            )
            for gene in genes["text"]:
                block_starts.append(block_starts[-1] + out.write(_blocks(gene.encode())))
            encoded = _as_text(transcripts)
            ends = np.flatnonzero(np.frombuffer(encoded, np.uint8) == ord("\n")) + 1
            starts = np.concatenate([[0], ends])[: len(own)] + text_end
            contig = np.full(len(own), number)
            places.append(np.stack([contig, own["start"], own["end"], own["block"], starts]))
            text_end += text.write(encoded)
        out.write(bgzf.END)
    places.append(np.array([[len(contigs)], [0], [0], [0], [text_end]]))
    np.save(rows, np.concatenate(places, axis=1).astype(np.int64))
    np.save(blocks, np.array(block_starts, np.int64))


def _as_text(transcripts: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    transcripts.with_columns(
        pl.col("exon_starts", "exon_ends").cast(pl.List(pl.String)).list.join(","),
        pl.col(pl.String).str.replace_all(r"[\t\r\n]", " "),
    ).write_csv(buffer, include_header=False, separator="\t", quote_style="never", null_value=_NULL)
    return buffer.getvalue()


def _text_by_gene(transcripts: pl.DataFrame, gff: Path) -> pl.DataFrame:
    """gene_id and text: the lines of each gene that has transcripts, in the order of the file."""
    with gzip.open(gff) as file:
        lines = read_lines(file.read().decode("utf-8", "replace").encode()).to_frame("line")
    parents = pl.coalesce(pl.col("line").str.extract(_PARENTS), pl.col("line").str.extract(_GENE))
    genes = transcripts.select("gene_id").unique(maintain_order=True)
    owners = pl.concat(
        [
            transcripts.select(owner="transcript:" + pl.col("transcript"), gene_id="gene_id"),
            genes.select(owner="gene:" + pl.col("gene_id"), gene_id="gene_id"),
        ]
    )
    owned = (
        lines.with_row_index("number").with_columns(parents.str.split(",").alias("owner")).explode("owner")
    )
    texts = (
        owned.with_columns(_unquoted(owned["owner"]))
        .join(owners, on="owner", maintain_order="left")
        .unique(["number", "gene_id"], maintain_order=True)
        .group_by("gene_id")
        .agg(pl.col("line").str.join("\n") + "\n")
    )
    texts = texts.rename({"line": "text"})
    return genes.join(texts, on="gene_id", how="left", maintain_order="left").fill_null("")


def _unquoted(names: pl.Series) -> pl.Series:
    """As the table of transcripts has them; few names hold what GFF3 has to encode."""
    encoded = names.filter(names.str.contains("%", literal=True)).unique().to_list()
    return names.replace({name: unquote(name) for name in encoded}) if encoded else names


def _blocks(text: bytes) -> bytes:
    view = memoryview(text)
    return b"".join(
        bgzf.block(view[at : at + bgzf.BLOCK_BYTES]) for at in range(0, len(text), bgzf.BLOCK_BYTES)
    )
