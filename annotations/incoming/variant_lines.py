"""One variant as people write it: chrom-pos-ref-alt, a line of a VCF, an rsID, or genomic HGVS.

>>> parse("chr21:25,891,784 C>T")
Placed(contig='chr21', position=25891784, ref='C', alt='T', id='.')
>>> parse("NC_000021.9:g.25891784_25891786del")
Hgvs(contig='NC_000021.9', start=25891784, end=25891786, edit='del', inserted='')
>>> parse("rs75932628")
Named(rsid='rs75932628')
"""

import re
from dataclasses import dataclass

LONGEST_ALLELE = 1000
EXPECTED = (
    "Expected a variant like 21-25891784-C-T, an rsID like rs75932628, genomic HGVS like "
    "NC_000021.9:g.25891784C>T, or a line of a VCF."
)

_CONTIG = r"(?P<contig>[A-Za-z0-9_.*]+)"
_PLACED = re.compile(
    rf"{_CONTIG}[-:\s]\s*(?P<position>\d[\d,]*)\s*[-:\s]?\s*(?P<ref>[ACGTN]+)\s*[->:/\s]\s*(?P<alt>[ACGTN]+(?:,[ACGTN]+)*)",
    re.IGNORECASE | re.ASCII,
)
_HGVS = re.compile(
    rf"{_CONTIG}:\s*g\.(?P<start>\d+)(?:_(?P<end>\d+))?"
    r"(?:(?P<ref>[ACGTN]+)>(?P<alt>[ACGTN]+)|(?P<edit>delins|del|dup|ins|inv)(?P<inserted>[ACGTN]*))",
    re.IGNORECASE | re.ASCII,
)
_RSID = re.compile(r"rs\d{1,12}", re.IGNORECASE | re.ASCII)
_ALLELES = re.compile(r"[ACGTN]+(,[ACGTN]+)*", re.IGNORECASE | re.ASCII)
_VCF_COLUMNS = 5


class LineRefused(Exception):
    """The line is none of these; the message says what was expected and found."""


@dataclass(frozen=True)
class Placed:
    """A variant as a VCF has it. `position` counts from 1; `alt` may list several alleles."""

    contig: str
    position: int
    ref: str
    alt: str
    id: str = "."


@dataclass(frozen=True)
class Hgvs:
    """A genomic change that takes the genome's bases to write down. `start` and `end` count from 1."""

    contig: str
    start: int
    end: int
    edit: str
    inserted: str


@dataclass(frozen=True)
class Named:
    """A variant by its rsID alone."""

    rsid: str


def parse(line: str) -> Placed | Hgvs | Named:
    """Raises LineRefused."""
    text = line.strip()
    if _RSID.fullmatch(text):
        return Named(text.lower())
    if match := _HGVS.fullmatch(text):
        return _hgvs(match)
    columns = text.split("\t") if "\t" in text else text.split()
    if len(columns) >= _VCF_COLUMNS and columns[1].isascii() and columns[1].isdigit():
        return _vcf(columns)
    if match := _PLACED.fullmatch(text):
        position = int(match["position"].replace(",", ""))
        return _checked(Placed(match["contig"], position, match["ref"].upper(), match["alt"].upper()))
    shown = text if len(text) <= 60 else text[:57] + "…"
    raise LineRefused(f"“{shown}” is no variant that can be read. {EXPECTED}")


def _vcf(columns: list[str]) -> Placed:
    contig, position, name, ref, alt = columns[:_VCF_COLUMNS]
    for allele in (ref, alt):
        if not _ALLELES.fullmatch(allele):
            raise LineRefused(f"The allele “{allele[:30]}” is not written in the letters A, C, G, T and N.")
    if "," in ref:
        raise LineRefused("REF has a comma in it. One reference allele is expected.")
    if not re.fullmatch(r"[A-Za-z0-9_.:;-]{1,100}", name):
        raise LineRefused(f"“{name[:30]}” can't be an ID. Write a dot where there is none.")
    return _checked(Placed(contig, int(position), ref.upper(), alt.upper(), name))


def _hgvs(match: re.Match[str]) -> Placed | Hgvs:
    start = int(match["start"])
    end = int(match["end"] or start)
    if match["ref"]:
        if match["end"] or len(match["ref"]) != 1 or len(match["alt"]) != 1:
            raise LineRefused("A substitution is of one base by another: g.25891784C>T. Else write delins.")
        return _checked(Placed(match["contig"], start, match["ref"].upper(), match["alt"].upper()))
    edit, inserted = match["edit"].lower(), match["inserted"].upper()
    if edit == "inv":
        raise LineRefused("Inversions can't be read here. Write the variant as chrom-pos-ref-alt.")
    if end < start or end - start >= LONGEST_ALLELE or len(inserted) > LONGEST_ALLELE:
        raise LineRefused(
            f"The change has to be of 1 to {LONGEST_ALLELE} bases, its first place before its last."
        )
    if edit in {"ins", "delins"} and not inserted:
        raise LineRefused(f"After {edit} the inserted bases are expected.")
    if edit == "ins" and end != start + 1:
        raise LineRefused("An insertion stands between two neighbours: g.25891784_25891785insA.")
    return Hgvs(match["contig"], start, end, edit, inserted)


def _checked(variant: Placed) -> Placed:
    if variant.position < 1:
        raise LineRefused("Positions count from 1.")
    alleles = [variant.ref, *variant.alt.split(",")]
    if max(map(len, alleles)) > LONGEST_ALLELE:
        raise LineRefused(f"An allele may have up to {LONGEST_ALLELE} bases here. Upload a VCF instead.")
    if variant.ref in alleles[1:]:
        raise LineRefused("REF and ALT are the same.")
    return variant
