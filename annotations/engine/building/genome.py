"""FASTA in, the bundle's genome out: BGZF with 60 upper-case bases a line, .fai and .gzi; and packed."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pysam

from annotations.engine.building.inputs import kind_of, open_input
from annotations.engine.bundle import BundleError
from annotations.engine.packed_genome import GenomePacker

LINE_BASES = 60
CHUNK_BYTES = 4 << 20
_HEADER = re.compile(rb"(?m)^>([^\r\n]*)[\r\n]*")
_WHITESPACE = b" \t\r\n"
_IUPAC = b"ACGTNRYSWKMBDHV"


@dataclass(frozen=True)
class GenomeSequence:
    """A contig as read from the FASTA: length in bases, MD5 of its upper-case bases."""

    name: str
    length: int
    md5: str


def write_genome(fasta: Path, target: Path, packer: GenomePacker) -> list[GenomeSequence]:
    """Copy the FASTA (plain, gzip or BGZF) to `target` as indexed BGZF, in its order; return its contigs.

    `packer` gets all of it too, and is left open.

    Memory is bounded by the chunk, whatever the contig's length. Bases become upper case: soft masking
    says nothing about variants. Raises BundleError for anything that is not a DNA FASTA.
    """
    contigs: list[GenomeSequence] = []
    seen: set[str] = set()
    with open_input(fasta) as file, pysam.BGZFile(str(target), "wb", None) as out:
        writer: _ContigWriter | None = None
        for header, bases in _pieces(file, fasta):
            if header is not None:
                if writer is not None:
                    contigs.append(writer.finish())
                writer = _ContigWriter(_name_in(header, seen, fasta), fasta, out, packer)
            if writer is not None:
                writer.write(bases)
        if writer is not None:
            contigs.append(writer.finish())
    with pysam.FastaFile(str(target)):
        pass  # opening it writes both indexes
    return contigs


def _pieces(file: BinaryIO, fasta: Path) -> Iterator[tuple[bytes | None, bytes]]:
    """Headers (without `>`) with the bases that follow, and further bases of the same contig with None."""
    started = False
    while chunk := file.read(CHUNK_BYTES):
        if not started:
            chunk = chunk.lstrip()
            if not chunk:
                continue
            if not chunk.startswith(b">"):
                raise BundleError(
                    f"{fasta} is {kind_of(chunk[:200])}. Expected a FASTA, whose first line starts with '>'."
                )
            started = True
        if chunk[chunk.rfind(b"\n") + 1 :].startswith(b">"):
            chunk += file.readline()  # the chunk ends within a header
        before, *rest = _HEADER.split(chunk)
        if before:
            yield None, before
        yield from zip(rest[::2], rest[1::2], strict=True)
    if not started:
        raise BundleError(f"{fasta} holds nothing but white space. Expected a FASTA.")


def _name_in(header: bytes, seen: set[str], fasta: Path) -> str:
    words = header.decode("utf-8", "replace").split()
    if not words:
        raise BundleError(f"{fasta} has a header line without a name ('>' alone). Name every sequence.")
    name = words[0]
    if name in seen:
        raise BundleError(
            f"{fasta} has two sequences named {name!r}. Every contig needs a name of its own: remove or "
            "rename one of them (were two files joined?)."
        )
    seen.add(name)
    return name


class _ContigWriter:
    """Writes one contig, re-wrapped, so that the index holds whatever the line lengths of the source."""

    def __init__(self, name: str, fasta: Path, out: Any, packer: GenomePacker) -> None:
        self.name = name
        self.length = 0
        self._fasta = fasta
        self._out = out
        self._packer = packer
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._unwrapped = b""
        out.write(f">{name}\n".encode())
        packer.start_contig()

    def write(self, text: bytes) -> None:
        bases = text.translate(None, _WHITESPACE).upper()
        if strange := bases.translate(None, _IUPAC):
            letters = ", ".join(repr(chr(letter)) for letter in sorted(set(strange))[:5])
            raise BundleError(
                f"{self._fasta}: sequence {self.name!r} holds {letters}, which is no DNA base. Expected the "
                "genome's DNA (A, C, G, T, N and IUPAC codes); proteins or RNA do not do."
            )
        self.length += len(bases)
        self._md5.update(bases)
        self._packer.write(bases)
        self._unwrapped += bases
        whole = len(self._unwrapped) // LINE_BASES * LINE_BASES
        if whole:
            lines = np.frombuffer(self._unwrapped[:whole], dtype=np.uint8).reshape(-1, LINE_BASES)
            self._out.write(np.pad(lines, ((0, 0), (0, 1)), constant_values=ord("\n")).tobytes())
            self._unwrapped = self._unwrapped[whole:]

    def finish(self) -> GenomeSequence:
        if not self.length:
            raise BundleError(f"{self._fasta}: sequence {self.name!r} has no bases. The file may be cut off.")
        if self._unwrapped:
            self._out.write(self._unwrapped + b"\n")
        return GenomeSequence(self.name, self.length, self._md5.hexdigest())
