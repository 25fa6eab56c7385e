"""Consequences of what lies together on one haplotype.

csq reads whole records with their genotypes here, and its findings take the place of those that it makes
of each allele by itself. An entry names all the changes that it joins (`175T>C+198C>G`), so it counts for
each of these alleles. Unphased heterozygous genotypes are skipped (`csq --phase s`): which haplotype they lie
on is not known, and for such alleles the finding of the allele by itself stands. A file without samples is
taken as one haplotype.
"""

import re
from functools import lru_cache
from pathlib import Path

import polars as pl

from annotations.engine.alleles import Alleles, Reason
from annotations.engine.check.text import read_lines
from annotations.engine.csq import end_info, masks
from annotations.engine.hgvs.genetic_code import STOP, THREE_LETTERS
from annotations.engine.records import FORMAT, REST, sample_column
from annotations.engine.terms import BIT, SPLICE

MISSING = "."
_UNCHANGED = re.compile(r"(\d+)([A-Z*]+)")
_CHANGED = re.compile(r"(\d+)([A-Z*]+)>(\d+)([A-Z*]*)")


def records_for_csq(
    records: pl.DataFrame, alleles: Alleles, names: dict[int, str], first_record: int, samples: int
) -> pl.DataFrame:
    """The chunk's records that csq can read, as columns of a VCF with GT alone; ID is the record's number.

    `names` has the reference's name of each contig that is wanted.
    """
    frame = pl.DataFrame({name: getattr(alleles, name) for name in ("row", "contig", "for_csq", "reason")})
    readable = frame.group_by("row", maintain_order=True).agg(
        pl.col("contig").first(),
        pl.col("for_csq").any() & ~pl.col("reason").eq(Reason.BREAKEND).any(),
    )
    wanted = readable.filter(pl.col("for_csq") & pl.col("contig").is_in(list(names)))
    own = records[wanted["row"]]
    columns = [
        wanted["contig"].replace_strict(names, return_dtype=pl.String).alias("chrom"),
        own["pos"].cast(pl.Int32),
        (wanted["row"] + first_record).alias("id"),
        own["ref"],
        own["alt"],
        *(pl.repeat(MISSING, len(own), eager=True).alias(name) for name in ("qual", "filter")),
        end_info(own["alt"], own["info"]),
    ]
    if samples:
        columns += [pl.repeat("GT", len(own), eager=True).alias(FORMAT), _genotypes(own, samples)]
    return pl.DataFrame(columns)


def _genotypes(records: pl.DataFrame, samples: int) -> pl.Series:
    """The GT of every sample, divided by tabs."""
    if REST in records.columns:
        cells = records[REST].str.extract(r"^[^\t]*\t(.*)$")
        formats = records[REST].str.extract(r"^([^\t]*)")
    else:
        cells = records.select(
            pl.concat_str([sample_column(number) for number in range(samples)], separator="\t").alias("cells")
        )["cells"]
        formats = records[FORMAT]
    has_genotype = formats.str.contains(r"^GT(?::|$)")
    return pl.select(
        pl.when(has_genotype)
        .then(cells.str.replace_all(r":[^\t]*", ""))
        .otherwise(pl.lit("\t".join([MISSING] * samples)))
        .alias("genotypes")
    ).to_series()


def read_haplotype_bcsq(path: Path) -> pl.DataFrame:
    """What csq wrote, by record (csq.BCSQ_SCHEMA), with the contig's name."""
    lines = read_lines(path.read_bytes()).to_frame("line")
    fields = (
        lines.filter(
            ~pl.col("line").str.starts_with("#") & pl.col("line").str.contains("BCSQ=", literal=True)
        )
        .select(pl.col("line").str.splitn("\t", 10).struct.rename_fields([f"f{n}" for n in range(10)]))
        .unnest("line")
    )
    return fields.select(
        pl.col("f2").cast(pl.UInt32).alias("key"),
        pl.col("f0").alias("contig_name"),
        pl.col("f7").str.strip_prefix("BCSQ=").alias("bcsq"),
        pl.when(pl.col("f8") == "GT:BCSQ")
        .then(pl.col("f9").str.replace_all(r"(^|\t)[^\t:]*:?", "${1}"))
        .alias("samples"),
    )


def haplotype_entries(bcsq: pl.DataFrame, sites: pl.DataFrame) -> pl.DataFrame:
    """Entries of csq (csq.ENTRY_SCHEMA) for each allele that a finding names; `change` if it names several.

    `sites` has chrom, pos, id (the site), ref and alt of every allele that csq was asked about.
    """
    found = (
        bcsq.select("contig_name", pl.col("bcsq").str.split(","))
        .explode("bcsq")
        .filter(~pl.col("bcsq").str.starts_with("@"))
        .select("contig_name", pl.col("bcsq").str.split("|").alias("fields"))
        .filter(pl.col("fields").list.len() > 6)
        .select(
            "contig_name",
            pl.col("fields").list.get(0).alias("words"),
            pl.col("fields").list.get(2).alias("transcript"),
            pl.col("fields").list.get(5).alias("change"),
            pl.col("fields").list.get(6).str.split("+").alias("part"),
        )
        .with_columns(pl.when(pl.col("part").list.len() > 1).then("change"))
        .explode("part")
        .with_columns(pl.col("part").str.extract_groups(r"^(?<pos>\d+)(?<ref>[^>]+)>(?<alt>.+)$"))
        .unnest("part")
        .with_columns(pl.col("pos").cast(pl.Int32))
    )
    found = found.with_columns(masks(found["words"]))
    asked = sites.with_columns(pl.col("ref").str.to_uppercase(), pl.col("alt").str.to_uppercase())
    return (
        found.join(
            asked,
            left_on=["contig_name", "pos", "ref", "alt"],
            right_on=["chrom", "pos", "ref", "alt"],
            how="inner",
        )
        .select(
            pl.col("id").cast(pl.UInt32).alias("site"),
            "transcript",
            "mask",
            "change",
        )
        .unique(maintain_order=True)
        .sort("site", maintain_order=True)
    )


def prefer(of_haplotypes: pl.DataFrame, by_themselves: pl.DataFrame) -> pl.DataFrame:
    """Entries of haplotypes where there are any for a site and transcript, with the splice terms of both."""
    splice = by_themselves.select(
        "site", "transcript", (pl.col("mask") & pl.lit(SPLICE)).alias("splice")
    ).unique(["site", "transcript"], keep="first", maintain_order=True)
    taken = (
        of_haplotypes.join(splice, on=["site", "transcript"], how="left", maintain_order="left")
        .with_columns(pl.col("mask") | pl.col("splice").fill_null(0))
        .drop("splice")
    )
    others = by_themselves.join(of_haplotypes, on=["site", "transcript"], how="anti", maintain_order="left")
    return pl.concat([taken, others]).sort("site", maintain_order=True)


def joint_texts(said: pl.DataFrame) -> pl.DataFrame:
    """`hgvsp` (the bare change) and `amino_acids` of what is joined with others on a haplotype; else null.

    `said` has, by row, `change` (as csq writes it; null where nothing is joined) and `mask`.
    """
    texts = [
        (joint_protein_change(change, mask) or None, joint_amino_acids(change, mask) or None)
        if change is not None
        else (None, None)
        for change, mask in said.select("change", "mask").iter_rows()
    ]
    return pl.DataFrame(texts, schema={"hgvsp": pl.String, "amino_acids": pl.String}, orient="row")


@lru_cache(maxsize=65_536)
def joint_amino_acids(change: str, mask: int) -> str:
    """VEP's Amino_acids: `V/F`, or one letter where nothing changes. Empty for frameshifts.

    >>> joint_amino_acids("717V>717F", 0)
    'V/F'
    """
    if mask & BIT["frameshift_variant"]:
        return ""
    if match := _UNCHANGED.fullmatch(change):
        return match[2]
    if match := _CHANGED.fullmatch(change):
        return f"{match[2]}/{match[4] or '-'}"
    return ""


@lru_cache(maxsize=65_536)
def joint_protein_change(change: str, mask: int) -> str:
    """The change of one amino acid in HGVS, without its parentheses; empty where csq does not tell enough.

    >>> joint_protein_change("717V>717F", BIT["missense_variant"])
    'Val717Phe'
    """
    if mask & (BIT["frameshift_variant"] | BIT["start_lost"] | BIT["stop_lost"]):
        return ""
    if (match := _UNCHANGED.fullmatch(change)) and match[2] in THREE_LETTERS:
        return f"{THREE_LETTERS[match[2]]}{match[1]}="
    match = _CHANGED.fullmatch(change)
    if not match or match[1] != match[3] or match[2] == STOP:
        return ""
    before, after = THREE_LETTERS.get(match[2]), THREE_LETTERS.get(match[4])
    return f"{before}{match[1]}{after}" if before and after else ""
