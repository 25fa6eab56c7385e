"""The alleles of a shard that are for csq: written one a line, asked about, and what it found of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from annotations.engine.alleles import Alleles
from annotations.engine.bundle import Contig, ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.counts import Counts
from annotations.engine.csq import (
    Findings,
    entries,
    read_bcsq,
    read_sites,
    run_csq,
    sites_header,
    sort_sites,
)
from annotations.engine.csq_reference import CsqReference, reference_for_csq
from annotations.engine.gene_blocks import GeneBlocks
from annotations.engine.haplotypes import (
    haplotype_entries,
    prefer,
    read_haplotype_bcsq,
    records_for_csq,
)
from annotations.engine.layout import Plan
from annotations.engine.lines import Lines
from annotations.engine.records import read_records
from annotations.engine.sites import Site, Sites, text_of


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
            rows = np.flatnonzero(alleles.for_csq & np.isin(alleles.contig, list(names)))
            if not len(rows):
                continue
            sites = Sites(lines, alleles.take(rows), names, (rows + first_site).tolist())
            if self._plan.haplotype_aware:
                self._append("sites", code, sites_header(contigs), text_of(sites.as_written()))
                samples = self._plan.samples
                records = read_records(lines.block.tobytes(), len(self._plan.columns))
                whole = records_for_csq(records, alleles, names, first_record, len(samples))
                if samples:
                    counts.add_phases(whole.to_series(-1))
                text = whole.write_csv(include_header=False, separator="\t", quote_style="never")
                self._append("haplotypes", code, sites_header(contigs, samples), text)
                continue
            left_aligned = sites.left_aligned()
            self._note_order(code, left_aligned)
            self._append("sites", code, sites_header(contigs), text_of(left_aligned))
            if self._plan.keep_bcsq:  # who asks for csq's own text gets what csq says of their alleles
                self._append("written", code, sites_header(contigs), text_of(sites.as_written()))

    def ask(self, blocks: GeneBlocks | None) -> Findings:
        """Run csq once for each genetic code, and read what it found. The files are deleted."""
        found = [Findings.none()]
        for code, contigs in self._codes.items():
            if self._path("sites", code).exists():
                found.append(self._ask_about(code, contigs, blocks))
        # what csq read and wrote is no output, and may be larger than all of it
        for pattern in ("sites-*", "written-*", "haplotypes-*", "genes-*", "genome-*"):
            for path in self._directory.glob(pattern):
                path.unlink()
        return Findings.join(found)

    def _ask_about(self, code: int, contigs: Sequence[Contig], blocks: GeneBlocks | None) -> Findings:
        sites = self._path("sites", code)
        if code in self._out_of_order:
            sort_sites(sites, sites_header(contigs))
        reference = reference_for_csq(self._bundle, contigs, sites, blocks, self._directory)
        said = read_bcsq(self._run_csq(sites, reference, code, local=True))
        if not self._plan.haplotype_aware:
            if self._plan.keep_bcsq:
                as_written = self._run_csq(self._path("written", code), reference, code, local=True)
                return Findings(entries(said), read_bcsq(as_written))
            return Findings(entries(said), said)
        whole = self._run_csq(self._path("haplotypes", code), reference, code, local=False)
        haplotypes = read_haplotype_bcsq(whole)
        joined = haplotype_entries(haplotypes, read_sites(sites))
        return Findings(prefer(joined, entries(said)), haplotypes.drop("contig_name"))

    def _run_csq(self, sites: Path, reference: CsqReference, code: int, *, local: bool) -> Path:
        output = sites.with_suffix(".csq.vcf")
        run_csq(
            sites,
            output,
            genome=reference.genome,
            genes=reference.genes,
            genetic_code=code,
            scratch=self._directory,
            local=local,
        )
        return output

    def _path(self, kind: str, code: int) -> Path:
        return self._directory / f"{kind}-{code}.vcf"

    def _append(self, kind: str, code: int, header: str, lines: str) -> None:
        with self._path(kind, code).open("a") as file:
            file.write(lines if file.tell() else header + lines)

    def _note_order(self, code: int, sites: Sequence[Site]) -> None:
        """Left-aligned, the first sites of a chunk may stand before the last of the one before it."""
        contig, position = self._last_site.get(code, ("", 0))
        if sites[0].contig == contig and sites[0].pos < position:
            self._out_of_order.add(code)
        self._last_site[code] = sites[-1].contig, sites[-1].pos
