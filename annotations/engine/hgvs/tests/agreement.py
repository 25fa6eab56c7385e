"""Made-up alleles on real transcripts, described by us and by a peer, and what tells their answers apart."""

import random
import re
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pysam

from annotations.engine.hgvs import PAIR_SCHEMA, HgvsDescriber, TranscriptTable
from annotations.engine.hgvs.tests.csq import Allele, CsqChange, csq_changes, left_aligned
from annotations.engine.hgvs.tests.peer import FerroPeer
from annotations.engine.hgvs.tests.plain import PlainTranscript
from annotations.engine.hgvs.tests.readback import protein_outcome
from annotations.engine.hgvs.tests.real_data import CHR21, Fasta, Reference, transcripts_of

REGIONS = ((24985581, 26023859), (43758155, 43894067))  # where the FASTA has its bases
AGREE, UNEXPLAINED = "agree", "unexplained"
CONTIG_BASES = 1 << 28  # more than the longest one has
_FLANK = 25
_RESIDUE_NUMBER = re.compile(r"(?<!fs)(?<!ext)([A-Z][a-z]{2})(\d+)")


def whole_transcripts() -> pl.DataFrame:
    """Transcripts whose every base, and 100 around, is in the FASTA."""
    fetch = Fasta(CHR21.fasta)
    frame = transcripts_of(CHR21.genes)

    def is_whole(start: int, end: int) -> bool:
        inside = any(first <= start and end <= last for first, last in REGIONS)
        return inside and "N" not in fetch(CHR21.contig, start - 101, end + 100)

    spans = frame.select(pl.col("exon_starts").list.first(), pl.col("exon_ends").list.last())
    return frame.filter(pl.Series([is_whole(*span) for span in spans.iter_rows()]))


def made_alleles(frame: pl.DataFrame, step: int, seed: int = 7) -> pl.DataFrame:
    """Alleles of every kind at every `step`th base of exons and 25 bases around: PAIR_SCHEMA, and `kind`."""
    fetch, chance = Fasta(CHR21.fasta), random.Random(seed)  # noqa: S311, repeatable on purpose
    rows = []
    for row, (starts, ends) in enumerate(frame.select("exon_starts", "exon_ends").iter_rows()):
        for start, end in zip(starts, ends, strict=True):
            for position in range(start - _FLANK + chance.randrange(step), end + _FLANK + 1, step):
                bases = fetch(CHR21.contig, position - 1, position + 12)
                made = _made(bases, chance)
                rows += [(row, position, ref, alt, kind) for kind, ref, alt in made if ref != alt]
    return pl.DataFrame(rows, schema=PAIR_SCHEMA | {"kind": pl.String}, orient="row")


def _made(bases: str, chance: random.Random) -> Iterable[tuple[str, str, str]]:
    def some(count: int) -> str:
        return "".join(chance.choices("ACGT", k=count))

    first = bases[0]
    for base in "ACGT":
        yield "substitution", first, base
    for length in (1, 2, 3, 4, 6, 9):
        yield "deletion", bases[: length + 1], first
    for length in (1, 2, 3, 6):
        yield "insertion", first, first + some(length)
        yield "duplication", first, bases[: length + 1]
    for lost, gained in ((2, 2), (3, 3), (1, 3), (4, 1), (3, 6), (2, 4)):
        yield "delins", bases[:lost], some(gained)


def every_substitution(frame: pl.DataFrame, reference: Reference, step: int = 1) -> pl.DataFrame:
    """All three substitutions at every `step`th base of exons: PAIR_SCHEMA, and `kind`."""
    fetch = Fasta(reference.fasta)
    rows = [
        (row, position, ref, alt, "substitution")
        for row, exons in enumerate(frame.select("exon_starts", "exon_ends").iter_rows())
        for start, end in zip(*exons, strict=True)
        for position in range(start, end + 1, step)
        for ref in fetch(reference.contig, position - 1, position)
        for alt in "ACGT"
        if alt != ref
    ]
    return pl.DataFrame(rows, schema=PAIR_SCHEMA | {"kind": pl.String}, orient="row")


def known_alleles(frame: pl.DataFrame, vcf: Path) -> pl.DataFrame:
    """Alleles of a VCF in exons and 25 bases around: PAIR_SCHEMA, and `kind`."""
    spans = sorted(
        (start - _FLANK, end + _FLANK, row)
        for row, exons in enumerate(frame.select("exon_starts", "exon_ends").iter_rows())
        for start, end in zip(*exons, strict=True)
    )
    rows = set()
    with pysam.VariantFile(str(vcf)) as records:
        for record in records:
            near = spans[: bisect_left(spans, (record.pos + 1,))]
            for row in {row for start, end, row in near if start <= record.pos <= end}:
                rows |= {(row, record.pos, record.ref, alt) for alt in record.alts or () if alt != record.ref}
    known = pl.DataFrame(sorted(rows), schema=PAIR_SCHEMA, orient="row")
    single = (pl.col("ref").str.len_bytes() == 1) & (pl.col("alt").str.len_bytes() == 1)
    return known.with_columns(kind=pl.when(single).then(pl.lit("substitution")).otherwise(pl.lit("indel")))


def ours(frame: pl.DataFrame, pairs: pl.DataFrame, reference: Reference = CHR21) -> pl.DataFrame:
    """`pairs` with the name of the transcript and our descriptions without accessions: `c` and `p`."""
    table = TranscriptTable.from_frame(frame, genetic_code=reference.genetic_code)
    describer = HgvsDescriber(table, Fasta(reference.fasta), reference.contig)
    described = describer.describe(pairs.select(PAIR_SCHEMA.keys()))
    return pairs.with_columns(
        name=frame["transcript"].gather(pairs["transcript"]),
        c=described["hgvsc"].str.split(":").list.get(1),
        p=described["hgvsp"].str.split(":").list.get(1),
    )


def beside_ferro(frame: pl.DataFrame, pairs: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Ours beside `ferro_c` and `ferro_p` of ferro-hgvs, and how they agree: `c_class` and `p_class`."""
    described = ours(frame, pairs)
    parts = []
    for start, end in REGIONS:
        here = described.filter(pl.col("pos").is_between(start, end))
        owners = frame.filter(pl.col("exon_starts").list.first().is_between(start, end))
        peer = FerroPeer(owners, Fasta(CHR21.fasta), (CHR21.contig, start, end), folder)
        answers = peer.describe(here.select("name", "pos", "ref", "alt").iter_rows())
        parts.append(
            here.with_columns(
                ferro_c=pl.Series([coding for coding, _ in answers], dtype=pl.String),
                ferro_p=pl.Series([protein for _, protein in answers], dtype=pl.String),
            )
        )
    spans = frame.select(pl.col("exon_starts").list.first(), pl.col("exon_ends").list.last()).rows()
    both = pl.concat(parts)
    coding_classes = [
        ferro_coding_class(
            row["c"], row["ferro_c"], min(abs(row["pos"] - at) for at in spans[row["transcript"]])
        )
        for row in both.iter_rows(named=True)
    ]
    protein_classes = [
        ferro_protein_class(*row) for row in both.select("c", "p", "ferro_c", "ferro_p").iter_rows()
    ]
    return both.with_columns(c_class=pl.Series(coding_classes), p_class=pl.Series(protein_classes))


def ferro_coding_class(c: str | None, ferro: str | None, to_end: int) -> str:
    """Why a coding description differs from ferro-hgvs's. `to_end`: bases to the transcript's end."""
    if c == ferro:
        return AGREE
    if ferro and "[" in ferro:
        return "ferro-hgvs writes a delins as several changes, or as a repeat"
    if c and re.search(r"\*\d+[+-]\d", c):
        return "ferro-hgvs misnumbers introns after the stop codon"
    if c and re.search(r"\+1ins|-1_[*-]?\d+ins", c):
        return "ferro-hgvs misnames an insertion on an exon's border"
    if to_end <= 12:  # the longest allele
        return "on the end of the transcript"
    return UNEXPLAINED


def ferro_protein_class(c: str | None, p: str | None, ferro_c: str | None, ferro: str | None) -> str:
    """Why a protein description differs from ferro-hgvs's."""
    if p == ferro:
        return AGREE
    rules = (
        (ferro is None or ferro == "p.?", "ferro-hgvs does not say"),
        ("[" in (ferro_c or "") or "[" in (ferro or ""), "ferro-hgvs takes a delins apart"),
        (
            p is None and re.match(r"c\.\*\d", c or "") is not None,
            "ferro-hgvs takes *1 to *5 for the start codon",
        ),
        (p is None and bool(re.search(r"\d[+-]\d", c or "")), "we do not say: over an exon's border"),
        (
            p is None and bool(re.search(r"_\*|\d(del|delins|dup)", c or "")),
            "we do not say: the stop and more lost",
        ),
        (ferro == "p.(Met1?)", "the start codon is whole after the change; ferro-hgvs calls it lost"),
        (
            re.search(r"\dfsTer", ferro or "") is not None,
            "ferro-hgvs leaves out the first residue of a frameshift",
        ),
        (
            p is not None and p.endswith("=)"),
            "no change, written Ter354= or = by us, = or Tyr89_Ser90= by it",
        ),
        (
            p is not None and re.search(r"ins\w*Ter\)", p) is not None,
            "inserted residues with a stop: ins or delins",
        ),
        (
            re.search(r"_Ter\d+ins", p or "") is not None,
            "residues before the stop: ins with us, ext with ferro-hgvs",
        ),
        (
            re.search("dup|ins", p or "") is not None,
            "ferro-hgvs does not place the change C-terminally",
        ),
    )
    return next((reason for applies, reason in rules if applies), UNEXPLAINED)


def beside_csq(frame: pl.DataFrame, pairs: pl.DataFrame, reference: Reference, folder: Path) -> pl.DataFrame:
    """Ours beside csq's amino acids, and how they agree: `p_class`. Only rows where either says something."""
    described = ours(frame, pairs, reference)
    fetch = Fasta(reference.fasta)
    table = TranscriptTable.from_frame(frame, genetic_code=reference.genetic_code)
    genome = fetch(reference.contig, 0, CONTIG_BASES).upper()
    transcripts = [PlainTranscript.of(table, row, genome) for row in range(len(frame))]
    alleles = [
        left_aligned(allele, reference.contig, fetch)
        for allele in described.select("pos", "ref", "alt").iter_rows()
    ]
    changes = csq_changes(set(alleles), reference, folder)
    rows = described.select("transcript", "name", "p").iter_rows()
    classes = [
        csq_class(changes.get((allele, name)), protein_change, transcripts[row], allele)
        for allele, (row, name, protein_change) in zip(alleles, rows, strict=True)
    ]
    return described.with_columns(p_class=pl.Series(classes, dtype=pl.String)).drop_nulls("p_class")


def csq_class(
    change: CsqChange | None, p: str | None, transcript: PlainTranscript, allele: Allele
) -> str | None:
    """Why a protein description differs from csq's residues; None where neither says anything."""
    _, ref, alt = allele
    if p is None:
        return "we do not say: over an exon's border, or after the stop codon" if change else None
    if change is None:
        return "csq does not say: near an exon's border or the start codon"
    protein, body = transcript.protein, p[3:-1]
    if transcript.pad:  # csq counts from the first whole codon
        protein = protein[1:]
        body = _RESIDUE_NUMBER.sub(lambda match: f"{match[1]}{int(match[2]) - 1}", body)
    if body == "Met1=" and (change.before, change.after) != ("M", "M"):
        return "another start codon: Met1= with us, the residue it stands for elsewhere with csq"
    outcome = protein_outcome(body, protein)
    if "start_lost" in change.consequences if outcome is None else change.agrees_with(outcome, protein):
        return AGREE
    if len(ref) != len(alt) and min(len(ref), len(alt)) > 0 and ref[0] != alt[0]:
        return "csq takes a delins for a plain insertion or deletion"
    return UNEXPLAINED
