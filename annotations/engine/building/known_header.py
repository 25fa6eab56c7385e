"""The header of a known-variant VCF, and the choice of INFO fields to take from it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from annotations.engine.building.inputs import kind_of
from annotations.engine.bundle import BundleError

_ATTRIBUTE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,>]*)')
_VERSION_LINES = ("##dbSNP_BUILD_ID=", "##fileDate=")  # dbSNP's, ClinVar's
_TYPES = frozenset({"Integer", "Float", "Flag", "Character", "String"})
_NUMBERS_OF_ONE_VALUE = frozenset({"1", "A", "R"})  # R: the allele's own is picked


@dataclass(frozen=True)
class SourceField:
    """An INFO field of the source and the field it becomes. `number` is as declared by the source."""

    source_id: str
    id: str
    number: str
    type: str
    description: str

    @property
    def is_flag(self) -> bool:
        return self.type == "Flag"

    @property
    def is_one_value(self) -> bool:
        """One value an allele: it can be a number. Lists stay the text that they are in the source."""
        return not self.is_flag and self.number in _NUMBERS_OF_ONE_VALUE


@dataclass(frozen=True)
class SourceHeader:
    """Declared INFO fields by ID, the source's own version, and how many lines the header has."""

    info: dict[str, dict[str, str]]
    version: str | None
    lines: int


def read_header(file: BinaryIO, vcf: Path) -> SourceHeader:
    """Read `file` up to its #CHROM line. Raises BundleError where it is no VCF."""
    info: dict[str, dict[str, str]] = {}
    versions: dict[str, str] = {}
    for number, line in enumerate(_header_lines(file, vcf), 1):
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.startswith("##INFO=<"):
            attributes = {
                name: value.strip('"') for name, value in _ATTRIBUTE.findall(text.removeprefix("##INFO=<"))
            }
            if "ID" in attributes:
                info[attributes["ID"]] = attributes
        for start in _VERSION_LINES:
            if text.startswith(start):
                versions[start] = text.removeprefix(start)
        if text.startswith("#CHROM"):
            found = next((versions[start] for start in _VERSION_LINES if start in versions), None)
            return SourceHeader(info, found, number)
    raise BundleError(f"{vcf} has no #CHROM line after its ## lines. It may be cut off: download it again.")


def choose_fields(
    header: SourceHeader, wanted: Sequence[str] | None, source: str, vcf: Path
) -> tuple[SourceField, ...]:
    """The fields to take: the wanted ones, or all that are declared.

    Raises BundleError for a field that is not declared, or declared in a way that cannot be read.
    """
    missing = [name for name in wanted or () if name not in header.info]
    if missing:
        raise BundleError(
            f"{vcf} declares no INFO field {', '.join(missing)}. It declares: "
            f"{', '.join(sorted(header.info)) or 'none'}. Take fields of that list."
        )
    names = list(header.info if wanted is None else dict.fromkeys(wanted))
    lowered = [name.lower() for name in names]
    if twins := [name for name in names if lowered.count(name.lower()) > 1]:
        raise BundleError(
            f"{vcf} declares INFO fields that differ in upper and lower case alone: {', '.join(twins)}. "
            f"Name the fields to take, one of them at most: --known {source}={vcf}:FIELD,FIELD"
        )
    return tuple(_field(header.info[name], source, vcf) for name in names)


def _header_lines(file: BinaryIO, vcf: Path) -> Iterator[bytes]:
    first = file.readline()
    if not first.lstrip(b"\xef\xbb\xbf").startswith(b"##fileformat=VCF"):
        raise BundleError(
            f"{vcf} is {kind_of(first[:200])}. Expected a VCF, which starts with ##fileformat=VCF."
        )
    yield first
    for line in file:
        if not line.startswith(b"#"):
            return
        yield line


def _field(declared: dict[str, str], source: str, vcf: Path) -> SourceField:
    name = declared["ID"]
    kind = declared.get("Type", "")
    number = declared.get("Number", "")
    if kind not in _TYPES or not re.fullmatch(r"[ARG.]|\d+", number):
        raise BundleError(
            f"{vcf} declares INFO field {name} with Number={number or 'nothing'} and Type={kind or 'nothing'}"
            f". Expected Number A, R, G, '.' or a count and one of the types {', '.join(sorted(_TYPES))}: "
            "mend its ##INFO line, or leave the field out."
        )
    return SourceField(
        source_id=name,
        id=f"{source}_{re.sub('[^0-9A-Za-z_.]', '_', name)}",
        number=number,
        type=kind,
        description=declared.get("Description", ""),
    )
