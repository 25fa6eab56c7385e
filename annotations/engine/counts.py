"""What the count log counts, added up chunk by chunk and shard by shard."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from annotations.engine.alleles import REASON_TEXT, Alleles, Comparison, Reason
from annotations.engine.consequences import Effects
from annotations.engine.kernels.library import Array
from annotations.engine.lines import FILTER, INFO, REST, Lines
from annotations.engine.parts import distinct_parts
from annotations.engine.terms import BIT, CODING, IMPACT_OF_TERM, SPLICE, most_severe

# Where a variant is located, in the words of the original service; the first that fits counts.
LOCATIONS: tuple[tuple[str, int], ...] = (
    ("CDS", CODING | BIT["coding_sequence_variant"]),
    ("Splice_site", SPLICE),
    ("5'UTR", BIT["5_prime_UTR_variant"]),
    ("3'UTR", BIT["3_prime_UTR_variant"]),
    ("Non_coding", BIT["non_coding_transcript_exon_variant"]),
    ("Intronic", BIT["intron_variant"]),
    ("Upstream", BIT["upstream_gene_variant"]),
    ("Downstream", BIT["downstream_gene_variant"]),
    ("interGenic", BIT["intergenic_variant"]),
)
OTHER_LOCATION = "Whole_transcript"


@dataclass
class Counts:
    """Records and alleles by what was found of them."""

    records: int = 0
    alleles: int = 0
    annotated: int = 0
    consequences: Counter[str] = field(default_factory=Counter)
    impacts: Counter[str] = field(default_factory=Counter)
    locations: Counter[str] = field(default_factory=Counter)
    known_records: Counter[str] = field(default_factory=Counter)
    known_alleles: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    ref_compared: int = 0
    ref_mismatched: int = 0
    ref_unknown: int = 0
    on_haplotypes: int = 0  # records that csq read with their genotypes
    phased: int = 0  # those of them that have a phased one
    info_keys: dict[str, bool] = field(default_factory=dict)  # key: whether it ever has a value
    format_keys: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    renamed: bool = False

    def add_alleles(self, alleles: Alleles, effects: Effects) -> None:
        """Count a chunk's alleles, with the effects of those that were judged."""
        self.alleles += len(alleles)
        self.annotated += len(effects.row_of)
        if len(effects.row_of) < len(alleles):
            for reason, count in enumerate(np.bincount(alleles.reason).tolist()):
                if reason and count:
                    self.left_out[REASON_TEXT[Reason(reason)]] += count
        terms, number = np.unique(effects.rows["terms"].to_numpy(), return_inverse=True)
        counts = np.bincount(number[effects.row_of], minlength=len(terms))
        for mask, count in zip(terms.tolist(), counts.tolist(), strict=True):
            term = most_severe(mask)
            self.consequences[term] += count
            self.impacts[IMPACT_OF_TERM[term]] += count  # of a set of terms, that of its gravest
            self.locations[_location(mask)] += count

    def add_known(self, source: str, rows: Array) -> None:
        """`rows` are the records (ascending) of the alleles that the source knows."""
        self.known_alleles[source] += len(rows)
        self.known_records[source] += int(np.count_nonzero(np.diff(rows, prepend=-1)))

    def add_keys(self, lines: Lines) -> None:
        """Note which INFO, FORMAT and FILTER ids the records use; those undeclared get declared."""
        for key in distinct_parts(lines.fields(INFO), ";", last="="):
            name = key.removesuffix("=")
            if name not in ("", "."):
                self.info_keys[name] = self.info_keys.get(name, False) or key.endswith("=")
        _add_names(self.filters, distinct_parts(lines.fields(FILTER), ";"))
        _add_names(self.format_keys, distinct_parts(lines.fields(REST), ":", end="\t"))

    def add_phases(self, genotypes: pl.Series) -> None:
        """`genotypes` has each record's GT of all samples."""
        self.on_haplotypes += len(genotypes)
        self.phased += int(genotypes.str.contains("|", literal=True).sum())

    def add_comparison(self, comparison: Comparison) -> None:
        self.ref_compared += comparison.compared
        self.ref_mismatched += comparison.mismatched
        self.ref_unknown += comparison.unknown

    def add(self, other: "Counts") -> None:
        """Add another shard's counts."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(value, Counter):
                mine.update(value)
            elif isinstance(value, dict):
                for key, has_value in value.items():
                    mine[key] = mine.get(key, False) or has_value
            elif isinstance(value, list):
                mine += [one for one in value if one not in mine]
            elif isinstance(value, bool):
                setattr(self, name, mine or value)
            else:
                setattr(self, name, mine + value)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)))

    @classmethod
    def load(cls, path: Path) -> "Counts":
        content: dict[str, Any] = json.loads(path.read_text())
        counts = cls()
        for name, value in content.items():
            setattr(counts, name, Counter(value) if isinstance(getattr(counts, name), Counter) else value)
        return counts


@lru_cache(maxsize=65_536)
def _location(terms: int) -> str:
    return next((name for name, mask in LOCATIONS if terms & mask), OTHER_LOCATION)


def _add_names(noted: list[str], names: Sequence[str]) -> None:
    noted += [name for name in names if name not in ("", ".", "PASS", *noted)]
