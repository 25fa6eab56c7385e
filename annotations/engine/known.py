"""Look alleles up among the known variants of the reference bundle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import nanoarrow
import numpy as np
import polars as pl
from nanoarrow.c_array import c_array_from_buffers

from annotations.engine.alleles import Alleles, Reason
from annotations.engine.bundle import Contig, KnownField, KnownSource, ReferenceBundle
from annotations.engine.contig_line import ContigLine
from annotations.engine.kernels.library import Array, Structure, call, structure
from annotations.engine.kernels.texts import Texts
from annotations.engine.known_tables import KnownTables, Part

_Alleles = structure("_Alleles", count=int, contig=np.int32, pos=np.int32, ref="", alt="")
_Asked = structure("_Asked", head_count=int, heads=np.int32, chain=np.int32, first=np.int32, last=np.int32)
_SET = np.frombuffer(b"1", np.uint8)


@dataclass(frozen=True)
class KnownValues:
    """What a source has on alleles, in their order.

    An allele is known when contig, position, REF and ALT agree after both are left-aligned and trimmed. Where
    the source lists it more than once, all its ids are given (`rs1;rs2`) and the fields of the first.
    """

    source: KnownSource
    covered: Array  # bool: whether the source has anything on the allele's contig
    first: Array  # int32: the first of `rows` that lists the allele, -1 for none
    last: Array  # int32: and the last
    rows: pl.DataFrame  # all that list any of the alleles: id, if the source gives ids, and its fields
    before: Array  # int32, for each of `rows`: the one before it that lists the same allele, -1 for none

    def __len__(self) -> int:
        return len(self.first)

    @property
    def known(self) -> Array:
        """Whether the source lists the allele."""
        return self.first >= 0

    def columns(self) -> dict[str, pl.Series]:
        """`<source>` (Boolean: known; null on contigs of which it has nothing) and the fields, by name."""
        name = self.source.name
        known = pl.Series(name, self.known)
        if not self.covered.all():
            known = pl.select(pl.when(pl.lit(pl.Series(self.covered))).then(known).alias(name)).to_series()
        valid = None if self.known.all() else np.packbits(self.known, bitorder="little")
        numbers = c_array_from_buffers(nanoarrow.uint32(), len(self), [valid, self.first])
        rows = pl.Series(numbers, dtype=pl.UInt32)
        values = {field.id: self.rows[field.id].gather(rows) for field in self.source.fields}
        return {name: known} | values

    @cached_property
    def ids(self) -> Texts | None:
        """The ids of all rows that list the allele, each once; None of a source that gives none."""
        if not self.source.gives_id:
            return None
        ids = Texts.of(self.rows["id"])
        repeated = np.flatnonzero(self.first != self.last)
        if not len(repeated):
            return ids.take(self.first)
        listed = self.rows["id"].to_list()
        several = [self._all_of(listed, row) for row in self.last[repeated].tolist()]
        numbers = self.first.copy()
        numbers[repeated] = np.arange(len(ids), len(ids) + len(repeated))
        return Texts.join([ids, Texts.of(pl.Series(several, dtype=pl.String))]).take(numbers)

    def _all_of(self, ids: Sequence[str | None], row: int) -> str | None:
        found: list[str] = []
        while row >= 0:
            if (one := ids[row]) is not None:
                found.append(one)
            row = int(self.before[row])
        return ";".join(dict.fromkeys(reversed(found))) or None

    def texts(self, field: KnownField) -> Texts:
        """Of each of `rows` the field's text, null where it has none, or where a flag is not set."""
        values = self.rows[field.id]
        if field.type != "Flag":
            return Texts.of(values.cast(pl.String))
        length = np.where(values.fill_null(value=False).to_numpy(), 1, -1).astype(np.int32)
        return Texts(_SET, np.zeros(len(values), np.int64), length)


class KnownVariants:
    """The sources of a bundle, for alleles that are asked for chunk by chunk, in order of position."""

    def __init__(self, bundle: ReferenceBundle, line: ContigLine) -> None:
        self._line = line
        self._tables = [(source, KnownTables(source, bundle)) for source in bundle.known_sources]

    def values(self, alleles: Alleles) -> list[KnownValues]:
        """What the sources have on alleles, without sources that have nothing on any of their contigs.

        Alleles that are left without consequences are not looked up.
        """
        judged = alleles.reason == Reason.NONE
        asked = replace(alleles, norm_ref=alleles.norm_ref.where(judged))
        places: dict[int, tuple[Contig, Array]] = {}
        is_first = np.ones(len(alleles), np.bool_)  # of those on a contig, which follow each other
        np.not_equal(alleles.contig[1:], alleles.contig[:-1], out=is_first[1:])
        numbers = alleles.contig[is_first].tolist()
        for number in dict.fromkeys(numbers):
            if contig := self._line.contig(number):
                positions = asked.norm_pos[(asked.contig == number) & (asked.norm_ref.length >= 0)]
                places[number] = contig, np.sort(positions, kind="stable")  # quick, as they nearly are
        found = []
        for source, tables in self._tables:
            covered = {number: place for number, place in places.items() if tables.covers(place[0])}
            if covered:
                is_covered = judged
                if len(covered) < len(numbers):
                    is_covered = judged & np.isin(alleles.contig, list(covered))
                found.append(look_up(source, tables.near(covered), tables.no_values, asked, is_covered))
        return found


def look_up(
    source: KnownSource, listed: Iterable[Part], no_values: pl.DataFrame, alleles: Alleles, covered: Array
) -> KnownValues:
    wanted = _Alleles(
        count=len(alleles),
        contig=alleles.contig,
        pos=alleles.norm_pos,
        ref=alleles.norm_ref.for_kernels,
        alt=alleles.norm_alt.for_kernels,
    )
    heads = np.empty(1 << len(alleles).bit_length(), np.int32)
    chain, first, last = np.empty((3, len(alleles)), np.int32)
    asked = _Asked(head_count=len(heads), heads=heads, chain=chain, first=first, last=last)
    call("ask_for_known", wanted, asked)
    kept, before = [no_values], [np.empty(0, np.int32)]
    total = 0
    for numbers, rows in listed:
        of_part, before_it = np.empty((2, len(rows)), np.int32)
        found = call("match_known", wanted, asked, _columns(numbers, rows), total, of_part, before_it)
        kept.append(rows[no_values.columns][of_part[:found].view(np.uint32)])
        before.append(before_it[:found])
        total += found
    return KnownValues(
        source,
        covered=covered,
        first=first,
        last=last,
        rows=pl.concat(kept).rechunk(),
        before=np.concatenate(before),
    )


def _columns(numbers: Array, rows: pl.DataFrame) -> Structure:
    return _Alleles(
        count=len(rows),
        contig=numbers,
        pos=rows["pos"].rechunk().to_numpy(),
        ref=Texts.of(rows["ref"]).for_kernels,
        alt=Texts.of(rows["alt"]).for_kernels,
    )
