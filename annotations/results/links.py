"""Addresses of what others know about an allele, made from its ids."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_DBSNP_ID = re.compile(r"rs\d+")
_ENSEMBL_ID = re.compile(r"ENS[A-Z]*[GT]\d{11}(\.\d+)?")
_ENSEMBL_SITES = {"GRCh37": "grch37.ensembl.org"}
# gnomAD's own names of its latest releases on each build (https://gnomad.broadinstitute.org).
_GNOMAD_DATASETS = {"GRCh38": "gnomad_r4", "GRCh37": "gnomad_r2_1"}
_BUILDS = {"grch38": "GRCh38", "hg38": "GRCh38", "grch37": "GRCh37", "hg19": "GRCh37"}
_LONGEST_ALLELE = 50  # in an address


@dataclass(frozen=True)
class Link:
    """`site` knows `what`."""

    site: str
    what: str
    url: str


def links_of(values: Mapping[str, Any], reference: str) -> list[Link]:
    """Links for a row of the table; `reference` is NAME/VERSION of the bundle, whose name tells the build."""
    return list(_links(values, build_of(reference)))


def build_of(reference: str) -> str | None:
    """GRCh38 or GRCh37, where the reference is one of these."""
    name = reference.partition("/")[0].lower()
    return next((build for word, build in _BUILDS.items() if word in name), None)


def ensembl_link(stable_id: str, build: str | None) -> Link | None:
    """A gene's or transcript's page; None for ids that are not Ensembl's."""
    if not _ENSEMBL_ID.fullmatch(stable_id):
        return None
    site = _ENSEMBL_SITES.get(build or "", "www.ensembl.org")
    return Link("Ensembl", stable_id, f"https://{site}/id/{quote(stable_id)}")


def _links(values: Mapping[str, Any], build: str | None) -> Iterator[Link]:
    known_ids = dict.fromkeys([*(values["known_ids"] or []), *(values["id"] or "").split(";")])
    rs_ids = [one for one in known_ids if _DBSNP_ID.fullmatch(one)]
    for one in rs_ids:
        yield Link("dbSNP", one, f"https://www.ncbi.nlm.nih.gov/snp/{one}")
    allele_ids = [value for name, value in values.items() if name.endswith("_ALLELEID") and value]
    for allele_id in allele_ids:
        yield Link(
            "ClinVar",
            f"allele {allele_id}",
            f"https://www.ncbi.nlm.nih.gov/clinvar/?term={quote(str(allele_id))}%5Balleleid%5D",
        )
    if not allele_ids:
        for one in rs_ids:
            yield Link("ClinVar", one, f"https://www.ncbi.nlm.nih.gov/clinvar/?term={one}")
    for gene in values["genes"] or []:
        if link := ensembl_link(gene, build):
            yield link
    if build and values["contig"] and len(values["ref"]) + len(values["alt"]) <= _LONGEST_ALLELE:
        contig = values["contig"].removeprefix("chr")
        name = f"{'M' if contig == 'MT' else contig}-{values['pos']}-{values['ref']}-{values['alt']}"
        address = f"https://gnomad.broadinstitute.org/variant/{quote(name)}"
        yield Link("gnomAD", name, f"{address}?dataset={_GNOMAD_DATASETS[build]}")
