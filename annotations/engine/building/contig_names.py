"""One contig, many names: `21`, `chr21`, `NC_000021.9`. The FASTA's names are the bundle's."""

from collections.abc import Iterable, Mapping

from annotations.engine.building.genome import GenomeSequence
from annotations.engine.bundle import Contig

MITOCHONDRION_NAMES = frozenset({"MT", "M", "chrM", "chrMT"})
STANDARD_CODE = 1
VERTEBRATE_MITOCHONDRIAL_CODE = 2


class ContigNames:
    """Knows which contig of the genome a name in another file means."""

    def __init__(self, sequences: Iterable[GenomeSequence]) -> None:
        self.lengths = {sequence.name: sequence.length for sequence in sequences}
        self._contig_by_alias: dict[str, str] = {}
        for name in self.lengths:
            self._add(name, _other_spellings(name))

    def resolve(self, name: str) -> str | None:
        """The genome's contig that `name` means, None where there is none."""
        return name if name in self.lengths else self._contig_by_alias.get(name)

    def learn(self, names: Iterable[str]) -> None:
        """Take names that mean the same contig (a GFF3's contig and its Alias attribute).

        Says nothing new where none of them is of this genome.
        """
        names = list(names)
        known = next((contig for name in names if (contig := self.resolve(name))), None)
        if known is not None:
            self._add(known, (spelling for name in names for spelling in {name, *_other_spellings(name)}))

    def aliases(self, contig: str) -> tuple[str, ...]:
        """The other names of the contig, sorted."""
        return tuple(sorted(alias for alias, name in self._contig_by_alias.items() if name == contig))

    def _add(self, contig: str, aliases: Iterable[str]) -> None:
        for alias in aliases:
            if alias not in self.lengths:  # a name of another contig is never an alias of this one
                self._contig_by_alias.setdefault(alias, contig)


def genetic_code(name: str, aliases: Iterable[str], told: Mapping[str, int]) -> int:
    """NCBI's number of the contig's genetic code: as told, else 2 for a mitochondrion, else 1."""
    if name in told:
        return told[name]
    is_mitochondrion = not MITOCHONDRION_NAMES.isdisjoint({name, *aliases})
    return VERTEBRATE_MITOCHONDRIAL_CODE if is_mitochondrion else STANDARD_CODE


def described_contigs(
    sequences: Iterable[GenomeSequence],
    names: ContigNames,
    with_genes: frozenset[str],
    genetic_codes: Mapping[str, int],
) -> list[Contig]:
    """The contigs as they stand in the manifest, in the genome's order."""
    contigs = []
    for sequence in sequences:
        aliases = names.aliases(sequence.name)
        contigs.append(
            Contig(
                name=sequence.name,
                length=sequence.length,
                md5=sequence.md5,
                genetic_code=genetic_code(sequence.name, aliases, genetic_codes),
                aliases=aliases,
                genes=sequence.name in with_genes,
            )
        )
    return contigs


def _other_spellings(name: str) -> frozenset[str]:
    if name in MITOCHONDRION_NAMES:
        return MITOCHONDRION_NAMES - {name}
    if name.startswith("chr"):
        return frozenset({name.removeprefix("chr")})
    return frozenset() if "." in name else frozenset({f"chr{name}"})  # accessions (NC_000021.9) take no chr
