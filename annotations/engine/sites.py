"""Alleles as records of their own, one a line, for csq to read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from annotations.engine.alleles import Alleles
from annotations.engine.lines import ALT, INFO, REF, Lines


class Site(NamedTuple):
    """One allele as a record of its own; `number` is the site's, and `end` INFO's END=…, or a dot."""

    contig: str
    pos: int
    number: int
    ref: str
    alt: str
    end: str


@dataclass(frozen=True)
class Sites:
    """Alleles that csq can judge, with the reference's names of their contigs, and their numbers."""

    lines: Lines
    alleles: Alleles
    names: dict[int, str]
    numbers: list[int]

    def as_written(self) -> list[Site]:
        """As the file has them: there csq's findings on whole records are told by POS, REF and ALT."""
        rows = self.alleles.row
        refs, alts, infos = (self.lines.fields(field).take(rows).strings() for field in (REF, ALT, INFO))
        return [
            Site(self.names[contig], pos, number, ref or "", _allele(alt, allele), _end(alt, info))
            for contig, pos, number, ref, alt, allele, info in zip(
                self.alleles.contig.tolist(),
                self.lines.positions[rows].tolist(),
                self.numbers,
                refs,
                alts,
                self.alleles.allele.tolist(),
                infos,
                strict=True,
            )
        ]

    def left_aligned(self) -> list[Site]:
        """In order of position, left-aligned, for csq misreads insertions and deletions that are not."""
        aligned = zip(
            self.alleles.norm_pos.tolist(),
            self.alleles.norm_ref.strings(),
            self.alleles.norm_alt.strings(),
            strict=True,
        )
        sites = [
            written if ref is None or alt is None else written._replace(pos=pos, ref=ref, alt=alt)
            for written, (pos, ref, alt) in zip(self.as_written(), aligned, strict=True)
        ]  # symbolic alleles have one form only
        by_contig = groupby(sites, attrgetter("contig"))
        return [site for _, run in by_contig for site in sorted(run, key=attrgetter("pos"))]


def _allele(alts: str | None, number: int) -> str:
    """The allele with that number of ALT, from 1."""
    return (alts or "").split(",")[number - 1]


def _end(alts: str | None, info: str | None) -> str:
    """What csq needs of INFO: END, for symbolic alleles."""
    found = re.search(r"(?:^|;)(END=\d+)(?:;|$)", info or "") if "<" in (alts or "") else None
    return found[1] if found else "."


def text_of(sites: Iterable[Site]) -> str:
    return "".join(
        f"{site.contig}\t{site.pos}\t{site.number}\t{site.ref}\t{site.alt}\t.\t.\t{site.end}\n"
        for site in sites
    )
