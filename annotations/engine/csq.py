"""Run `bcftools csq` on bare sites and read what it says of each allele."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.bundle import Contig
from annotations.engine.check.text import read_lines
from annotations.engine.child import Limits, run_bcftools
from annotations.engine.kernels.library import Array
from annotations.engine.terms import BIT, mask_of_csq

MAX_CONSEQUENCES = 64  # per site and haplotype; bcftools keeps 15 unless told
_READ_BYTES = 8 << 20
# Where a variant lies is told by the gene model for every transcript; csq names none for introns and
# non-coding exons. Of its entries those count that tell more.
_LOCATION_ONLY = (
    BIT["5_prime_UTR_variant"]
    | BIT["3_prime_UTR_variant"]
    | BIT["non_coding_transcript_exon_variant"]
    | BIT["intron_variant"]
    | BIT["intergenic_variant"]
    | BIT["NMD_transcript_variant"]
    | BIT["coding_sequence_variant"]
)

SITES_SCHEMA = {
    "chrom": pl.String,
    "pos": pl.Int32,
    "id": pl.String,
    "ref": pl.String,
    "alt": pl.String,
    "qual": pl.String,
    "filter": pl.String,
    "info": pl.String,
}
BCSQ_SCHEMA = {"key": pl.UInt32, "bcsq": pl.String, "samples": pl.String}
ENTRY_SCHEMA = {
    "site": pl.UInt32,
    "transcript": pl.String,
    "mask": pl.Int64,
    "change": pl.String,  # of amino acids, as csq writes it (717V>717F), where alleles are joined; else null
}


def sites_header(contigs: Iterable[Contig], samples: Sequence[str] = ()) -> str:
    """The header of the VCF that csq reads; its ID column holds the number of the site."""
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={contig.name},length={contig.length}>" for contig in contigs]
    lines.append('##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of a symbolic allele">')
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
    if samples:
        lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
        columns += ["FORMAT", *samples]
    lines.append("\t".join(columns))
    return "\n".join(lines) + "\n"


def end_info(alts: pl.Series, infos: pl.Series) -> pl.Series:
    """The INFO that csq needs of records with these ALTs: END, for symbolic alleles."""
    if not alts.str.contains("<", literal=True).any():
        return pl.repeat(".", len(alts), eager=True).alias("info")
    return infos.str.extract(r"(?:^|;)(END=\d+)(?:;|$)").fill_null(".").alias("info")


def run_csq(  # noqa: PLR0913 - what csq needs to know
    sites: Path,
    output: Path,
    *,
    genome: Path,
    genes: Path,
    genetic_code: int,
    scratch: Path,
    local: bool,
    limits: Limits | None = None,
) -> None:
    """Annotate `sites` with BCSQ into `output` (plain VCF), from the gene models `genes` (GFF3).

    `local` takes each record by itself; otherwise csq joins what lies on one haplotype, and unphased
    heterozygous genotypes are skipped, for which haplotype they lie on is not known.
    """
    arguments = ["csq", "--force", "--ncsq", str(MAX_CONSEQUENCES), "-v", "0"]
    arguments += ["-f", str(genome), "-g", str(genes)]
    if genetic_code != 1:
        # csq's 0 is the standard code with ATG as its only start; its other numbers are NCBI's
        arguments += ["-C", str(genetic_code)]
    arguments += ["--local-csq"] if local else ["--phase", "s"]
    run_bcftools([*arguments, "-Ov", "-o", str(output), str(sites)], scratch, limits)


def read_bcsq(path: Path) -> pl.DataFrame:
    """The sites for which csq had something to say (BCSQ_SCHEMA): `key` is from the ID column."""
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=BCSQ_SCHEMA)]
    with path.open("rb") as file:
        rest = b""
        while block := file.read(_READ_BYTES):
            head, newline, tail = (rest + block).rpartition(b"\n")
            rest = tail
            if not newline:
                continue
            parts.append(
                read_lines(head + newline)
                .to_frame("line")
                .filter(
                    pl.col("line").str.contains("BCSQ=", literal=True) & ~pl.col("line").str.starts_with("#")
                )
                .select(pl.col("line").str.split("\t").alias("fields"))
                .select(
                    pl.col("fields").list.get(2).cast(pl.UInt32).alias("key"),
                    pl.col("fields").list.get(7).str.strip_prefix("BCSQ=").alias("bcsq"),
                    pl.lit(None, pl.String).alias("samples"),
                )
            )
    return pl.concat(parts)


def entries(bcsq: pl.DataFrame) -> pl.DataFrame:
    """What csq said of each site and transcript (ENTRY_SCHEMA), if more than where the variant lies in it."""
    if not len(bcsq):
        return pl.DataFrame(schema=ENTRY_SCHEMA)
    taken = (
        bcsq.with_columns(pl.col("bcsq").str.split(","))
        .explode("bcsq")
        .select(pl.col("key").alias("site"), pl.col("bcsq").str.split("|").alias("fields"))
        .filter(pl.col("fields").list.len() > 2)
        .select(
            "site",
            pl.col("fields").list.get(0).alias("words"),
            pl.col("fields").list.get(2).alias("transcript"),
        )
        .filter(pl.col("transcript") != "")
    )
    return (
        taken.with_columns(masks(taken["words"]))
        .filter((pl.col("mask") & ~pl.lit(_LOCATION_ONLY)) != 0)
        # csq tells of the splice region and of the codon in two entries, or in one: which of them depends on
        # what else it has read, and so on where the input was cut
        .group_by("site", "transcript", maintain_order=True)
        .agg(pl.col("mask").bitwise_or(), pl.lit(None, pl.String).alias("change"))
    )


def masks(words: pl.Series) -> pl.Series:
    """The set of terms behind each of csq's own words."""
    known = {one: mask_of_csq(one) for one in words.unique()}
    found = words.replace_strict(known, return_dtype=pl.Int64) if known else words.cast(pl.Int64)
    return found.alias("mask")


def read_sites(path: Path) -> pl.DataFrame:
    """The sites (SITES_SCHEMA) of a VCF that was written for csq."""
    return pl.read_csv(
        path,
        separator="\t",
        has_header=False,
        quote_char=None,
        comment_prefix="#",
        schema=SITES_SCHEMA,
    )


def sort_sites(path: Path, header: str) -> None:
    """Put the sites of a VCF that was written for csq in order of position; its contigs stay as they are."""
    ordered = (
        read_sites(path)
        .with_columns(pl.col("chrom").rle_id().alias("contig"))
        .sort("contig", "pos", maintain_order=True)
        .drop("contig")
    )
    with path.open("wb") as file:
        file.write(header.encode())
        ordered.write_csv(file, include_header=False, separator="\t", quote_style="never")


@dataclass(frozen=True)
class Findings:
    """What csq found in a shard.

    `entries` (ENTRY_SCHEMA) is sorted by site. `bcsq` (BCSQ_SCHEMA) has csq's own text: `key`, the site, or
    the record where csq read whole records; `bcsq`; and `samples`, each sample's FORMAT/BCSQ divided by tabs,
    or null.
    """

    entries: pl.DataFrame
    bcsq: pl.DataFrame

    @classmethod
    def none(cls) -> "Findings":
        return cls(pl.DataFrame(schema=ENTRY_SCHEMA), pl.DataFrame(schema=BCSQ_SCHEMA))

    @classmethod
    def join(cls, parts: Sequence["Findings"]) -> "Findings":
        return cls(
            pl.concat([part.entries for part in parts]).sort("site", maintain_order=True),
            pl.concat([part.bcsq for part in parts]).sort("key", maintain_order=True),
        )

    def entries_of(self, sites: Array) -> pl.DataFrame:
        """The entries of sites (ascending), with `index` into `sites` in the place of `site`."""
        numbers = self.entries["site"].to_numpy()
        first, last = np.searchsorted(numbers, [sites[0], sites[-1] + 1]).tolist()
        index = np.searchsorted(sites, numbers[first:last])
        found = sites[index] == numbers[first:last]
        own = self.entries.slice(first, last - first).drop("site")
        return own.with_columns(pl.Series("index", index)).filter(pl.Series(found))
