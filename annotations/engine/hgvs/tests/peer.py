"""ferro-hgvs, an implementation of HGVS that shares nothing with ours, asked the same questions.

It is given every transcript on the forward strand, those of the reverse strand with the genome turned round,
because its 1.0.0 joins the exons of reverse transcripts in the wrong order.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from annotations.engine.hgvs.tests.real_data import Fasta

_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
_FORWARD, _TURNED = "NC_000001.11", "NC_000002.12"  # it takes no contig names but RefSeq's
_REPEAT = re.compile(r"([*-]?\d+)([+-]\d+)?(?:_([*-]?\d+)([+-]\d+)?)?([ACGT]+)\[(\d+)\]$")


class FerroPeer:
    """Transcripts of one region of a contig, start..end (1-based, inclusive), as ferro-hgvs sees them."""

    def __init__(self, frame: pl.DataFrame, fetch: Fasta, region: tuple[str, int, int], folder: Path) -> None:
        import ferro_hgvs  # type: ignore[import-not-found, unused-ignore]

        contig, self._start, self._end = region
        forward = fetch(contig, self._start - 1, self._end).upper()
        self._sequences = {_FORWARD: forward, _TURNED: forward.translate(_COMPLEMENT)[::-1]}
        self._is_forward = dict(frame.select("transcript", pl.col("strand") > 0).iter_rows())
        self._non_coding = set(frame.filter(pl.col("cds_start").is_null())["transcript"])
        reference = folder / "transcripts.json"
        records = [self._record(row) for row in frame.iter_rows(named=True)]
        content = {"genome_build": "GRCh38", "version": "1.0", "transcripts": records}
        reference.write_text(json.dumps(content | {"genomic_sequences": self._sequences}))
        self._projector = ferro_hgvs.VariantProjector(str(reference))
        self._failure = ferro_hgvs.FerroError

    def describe(self, pairs: Iterable[tuple[str, int, str, str]]) -> list[tuple[str | None, str | None]]:
        """(c. or n. part, p. part) for (transcript, POS, REF, ALT); None for what ferro-hgvs does not say."""
        return [self._describe(*pair) for pair in pairs]

    def _describe(self, transcript: str, position: int, ref: str, alt: str) -> tuple[str | None, str | None]:
        try:
            projection = self._projector.project(self._genomic(transcript, position, ref, alt), transcript)
        except self._failure:
            return None, None
        coding, protein = projection.c_name, projection.p_name
        if transcript in self._non_coding:
            coding, protein = coding and coding.replace(":c.", ":n."), None
        return (
            _without_repeat(coding.split(":", 1)[1]) if coding else None,
            protein.split(":", 1)[1] if protein else None,
        )

    def _genomic(self, transcript: str, position: int, ref: str, alt: str) -> str:
        while ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        while ref and alt and ref[0] == alt[0]:
            ref, alt, position = ref[1:], alt[1:], position + 1
        contig = _FORWARD
        start = position - self._start + 1
        end = start + len(ref) - 1
        if not self._is_forward[transcript]:
            contig = _TURNED
            start, end = self._turned(end), self._turned(start)
            ref, alt = ref.translate(_COMPLEMENT)[::-1], alt.translate(_COMPLEMENT)[::-1]
        if not ref:
            return f"{contig}:g.{end}_{start}ins{alt}"
        span = f"{start}" if len(ref) == 1 else f"{start}_{end}"
        if not alt:
            return f"{contig}:g.{span}del"
        return (
            f"{contig}:g.{span}{ref}>{alt}" if len(ref) == len(alt) == 1 else f"{contig}:g.{span}delins{alt}"
        )

    def _turned(self, position: int) -> int:
        return self._end - self._start + 2 - position

    def _record(self, row: dict[str, Any]) -> dict[str, Any]:
        def local(start: int, end: int) -> tuple[int, int]:
            start, end = start - self._start + 1, end - self._start + 1
            return (start, end) if row["strand"] > 0 else (self._turned(end), self._turned(start))

        exons = sorted(local(*exon) for exon in zip(row["exon_starts"], row["exon_ends"], strict=True))
        contig = _FORWARD if row["strand"] > 0 else _TURNED
        done, placed = 0, []
        for number, (start, end) in enumerate(exons, start=1):
            length = end - start + 1
            placed.append(
                {"number": number, "start": done + 1, "end": done + length}
                | {"genomic_start": start, "genomic_end": end}
            )
            done += length
        record = {
            "id": row["transcript"], "strand": "+", "chromosome": contig, "exons": placed,
            "sequence": "".join(self._sequences[contig][start - 1 : end] for start, end in exons),
            "genomic_start": exons[0][0], "genomic_end": exons[-1][1], "genome_build": "GRCh38",
        }  # fmt: skip
        # It projects on coding transcripts only: c. numbers of one that is coding throughout are n. numbers.
        coding = (1, 10**9) if row["cds_start"] is None else local(row["cds_start"], row["cds_end"])
        record["cds_start"], record["cds_end"] = (
            sum(min(end, at) - start + 1 for start, end in exons if start <= at) or 1 for at in coding
        )
        return record


def _without_repeat(name: str) -> str:
    """`c.10_12A[5]`, a repeat's new count, in the words of VEP: `c.11_12dup`."""
    repeat = _REPEAT.search(name)
    if repeat is None:
        return name
    first, first_offset, last, last_offset, unit, count = repeat.groups()
    if last is None:
        last, last_offset = first, first_offset

    def back(bases: int) -> str:
        if last_offset:
            return f"{last}{int(last_offset) - bases:+d}"
        return f"*{int(last[1:]) - bases}" if last.startswith("*") else f"{int(last) - bases}"

    lead = name[: repeat.start()]
    if (first_offset is None) != (last_offset is None) or (first[0] == "*") != (last[0] == "*"):
        return name
    length = (
        int(last_offset) - int(first_offset)
        if last_offset
        else int(last.lstrip("*")) - int(first.lstrip("*"))
    ) + 1
    gained = int(count) * len(unit) - length
    span = back(abs(gained) - 1) + (f"_{back(0)}" if abs(gained) > 1 else "")
    if gained < 0:
        return f"{lead}{span}del"
    if gained <= length:
        return f"{lead}{span}dup"
    return f"{lead}{back(0)}_{back(-1)}ins{unit * (gained // len(unit))}"
