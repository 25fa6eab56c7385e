"""The alleles of a shard that are for csq: written one a line, asked about, and what it found of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from annotations.engine.alleles import Alleles
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.counts import Counts
from annotations.engine.csq import (
    Findings,
    end_info,
    entries,
    read_bcsq,
    read_sites,
    run_csq,
    sites_header,
    sort_sites,
)
from annotations.engine.gene_blocks import GeneBlocks
from annotations.engine.gene_slices import genes_for_csq
from annotations.engine.haplotypes import (
    haplotype_entries,
    prefer,
    read_haplotype_bcsq,
    records_for_csq,
)
from annotations.engine.layout import Plan
from annotations.engine.lines import ALT, INFO, REF, Lines
from annotations.engine.records import read_records
from annotations.engine.table import alt_of_allele


class CsqSites:
    """Collects sites chunk by chunk in files in `directory`, one for each genetic code of the contigs.

    Sites are the shard's alleles, numbered from 0.
    """

    def __init__(self, plan: Plan, bundle: ReferenceBundle, line: ContigLine, directory: Path) -> None:
        self._plan = plan
        self._bundle = bundle
        self._directory = directory
        self._codes: dict[int, list[Contig]] = {}
        for contig in line:
            if contig.genes:
                self._codes.setdefault(contig.genetic_code, []).append(contig)
        self._last_site: dict[int, tuple[str, int]] = {}  # the latest one: contig and position, by code
        self._out_of_order: set[int] = set()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any(self._path("sites", code).exists() for code in self._codes)

    def add(self, lines: Lines, alleles: Alleles, first_site: int, first_record: int, counts: Counts) -> None:
        """Take those of a chunk's alleles that are for csq; `counts` gets the phased records."""
        if not alleles.for_csq.any():
            return
        for code, contigs in self._codes.items():
            wanted = {contig.name for contig in contigs}
            names = {n: name for n, (_, name) in enumerate(self._plan.contigs) if name in wanted}
            sites = _sites(lines, alleles, names, first_site, as_written=self._plan.haplotype_aware)
            if not len(sites):
                continue
            self._note_order(code, sites)
            _append(self._path("sites", code), sites_header(contigs), sites)
            if self._plan.haplotype_aware:
                samples = self._plan.samples
                records = read_records(lines.block.tobytes(), len(self._plan.columns))
                whole = records_for_csq(records, alleles, names, first_record, len(samples))
                if samples:
                    counts.add_phases(whole.to_series(-1))
                _append(self._path("haplotypes", code), sites_header(contigs, samples), whole)
            elif self._plan.keep_bcsq:  # who asks for csq's own text is to get what csq says of their alleles
                written = _sites(lines, alleles, names, first_site, as_written=True)
                _append(self._path("written", code), sites_header(contigs), written)

    def ask(self, blocks: GeneBlocks | None) -> Findings:
        """Run csq once for each genetic code, and read what it found. The files are deleted."""
        found = [Findings.none()]
        for code, contigs in self._codes.items():
            if self._path("sites", code).exists():
                found.append(self._ask_about(code, contigs, blocks))
        # what csq read and wrote is no output, and may be larger than all of it
        for pattern in ("sites-*", "written-*", "haplotypes-*", "genes-*"):
            for path in self._directory.glob(pattern):
                path.unlink()
        return Findings.join(found)

    def _ask_about(self, code: int, contigs: Sequence[Contig], blocks: GeneBlocks | None) -> Findings:
        sites = self._path("sites", code)
        if code in self._out_of_order:
            sort_sites(sites, sites_header(contigs))
        genes = genes_for_csq(self._bundle, list(contigs), sites, blocks, self._directory)
        said = read_bcsq(self._run_csq(sites, genes, code, local=True))
        if not self._plan.haplotype_aware:
            if self._plan.keep_bcsq:
                as_written = self._run_csq(self._path("written", code), genes, code, local=True)
                return Findings(entries(said), read_bcsq(as_written))
            return Findings(entries(said), said)
        whole = self._run_csq(self._path("haplotypes", code), genes, code, local=False)
        haplotypes = read_haplotype_bcsq(whole)
        joined = haplotype_entries(haplotypes, read_sites(sites))
        return Findings(prefer(joined, entries(said)), haplotypes.drop("contig_name"))

    def _run_csq(self, sites: Path, genes: Path, code: int, *, local: bool) -> Path:
        output = sites.with_suffix(".csq.vcf")
        run_csq(
            sites,
            output,
            genome=self._bundle.genome,
            genes=genes,
            genetic_code=code,
            scratch=self._directory,
            local=local,
        )
        return output

    def _path(self, kind: str, code: int) -> Path:
        return self._directory / f"{kind}-{code}.vcf"

    def _note_order(self, code: int, sites: pl.DataFrame) -> None:
        """Left-aligned, the first sites of a chunk may stand before the last of the one before it."""
        contig, position = self._last_site.get(code, ("", 0))
        if sites["chrom"][0] == contig and sites["pos"][0] < position:
            self._out_of_order.add(code)
        self._last_site[code] = sites["chrom"][-1], sites["pos"][-1]


def _sites(
    lines: Lines, alleles: Alleles, names: dict[int, str], first_site: int, *, as_written: bool
) -> pl.DataFrame:
    """The alleles that csq can judge, one a line, as columns of a VCF; ID is the number of the site.

    They are left-aligned, for csq misreads insertions and deletions that are not; or `as_written`, where its
    findings on whole records are to be told by POS, REF and ALT, or its own text is kept.
    """
    rows = np.flatnonzero(alleles.for_csq & np.isin(alleles.contig, list(names)))
    wanted = alleles.take(rows)
    ref, alts, info = (lines.fields(field).take(wanted.row).series() for field in (REF, ALT, INFO))
    pos, alt = pl.Series(lines.positions[wanted.row]), alt_of_allele(alts, pl.Series(wanted.allele))
    if not as_written:
        norm_ref, norm_alt = wanted.norm_ref.series(), wanted.norm_alt.series()
        given = norm_ref.is_not_null()  # symbolic alleles have one form only
        pos = pl.Series(wanted.norm_pos).zip_with(given, pos)
        ref, alt = norm_ref.zip_with(given, ref), norm_alt.zip_with(given, alt)
    contig = pl.Series(wanted.contig)
    sites = pl.DataFrame(
        {
            "chrom": contig.replace_strict(names, return_dtype=pl.String),
            "pos": pos,
            "id": rows + first_site,
            "ref": ref,
            "alt": alt,
            "qual": pl.repeat(".", len(rows), eager=True),
            "filter": pl.repeat(".", len(rows), eager=True),
            "info": end_info(alts, info),
        }
    )
    return sites if as_written else sites.sort(contig.rle_id(), "pos", maintain_order=True)


def _append(path: Path, header: str, lines: pl.DataFrame) -> None:
    with path.open("ab") as file:
        if not file.tell():
            file.write(header.encode())
        lines.write_csv(file, include_header=False, separator="\t", quote_style="never")
