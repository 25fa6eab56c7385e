"""Recipes: what a reference is made of and where it stands, as data.

The catalogue's recipes are the TOML files beside the code, in `catalogue/`; an operator's own have the same
form. `docs/references-fetch.md` describes every key.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from annotations.engine.building.tables import TableLayout, TakenColumn
from annotations.engine.fetching.errors import FetchError

CATALOGUE = Path(__file__).with_name("catalogue")
FORMATS = ("vcf", "tsv", "intervals")
TYPES = ("Float", "Integer", "String")


@dataclass(frozen=True)
class Address:
    """Where a file stands.

    `url` is the whole genome's, `chromosome_url` each chromosome's own, with {chromosome} in it; either may
    be missing. `file` is a path on this machine instead. `checksum` says where the publisher's is: an address
    (with {url} and {folder} standing for the file's), `x-goog-hash`, `sha256 <hex>`, `md5 <hex>`, or None.
    `index` is the address of a .tbi or .csi, by which some contigs alone can be read.
    """

    url: str | None = None
    chromosome_url: str | None = None
    file: Path | None = None
    checksum: str | None = None
    index: str | None = None


@dataclass(frozen=True)
class Source:
    """Something to annotate with. `contig` is the source's name of a chromosome, as a pattern.

    `format`: `vcf` (`info` names the INFO fields to take, None for all), `tsv` (alleles) or `intervals`.
    `release` fills {release} in the addresses. `chromosomes` None: all of the recipe's.
    """

    name: str
    title: str
    format: str
    address: Address
    release: str
    by_default: bool = True
    contig: str = "{chromosome}"
    chromosomes: tuple[str, ...] | None = None
    info: tuple[str, ...] | None = None
    gives_id: bool = False
    table: TableLayout | None = None


@dataclass(frozen=True)
class Recipe:
    """A reference: genome and genes of one release, and the sources to annotate with.

    `accessions` are the chromosomes' RefSeq accessions, where a source calls them so.
    """

    name: str
    description: str
    release: str
    chromosomes: tuple[str, ...]
    genome: Address
    genes: Address
    sources: tuple[Source, ...] = ()
    accessions: Mapping[str, str] = field(default_factory=dict)

    def chosen_chromosomes(self, names: Iterable[str]) -> tuple[str, ...]:
        """The recipe's own names of the chromosomes asked for, in its order. Raises FetchError."""
        wanted = {_plain_name(name) for name in names}
        if strangers := sorted(wanted - {_plain_name(name) for name in self.chromosomes}):
            raise FetchError(
                f"{self.name} has no chromosome {', '.join(strangers)}. "
                f"It has: {', '.join(self.chromosomes)}."
            )
        return tuple(name for name in self.chromosomes if _plain_name(name) in wanted)

    def chosen_sources(self, added: Iterable[str], left_out: Iterable[str]) -> tuple[Source, ...]:
        """The sources by default, with those added and without those left out. Raises FetchError."""
        added, left_out = set(added), set(left_out)
        if strangers := sorted((added | left_out) - {source.name for source in self.sources}):
            known = ", ".join(source.name for source in self.sources) or "none"
            raise FetchError(f"{self.name} has no source {', '.join(strangers)}. It has: {known}.")
        return tuple(
            source
            for source in self.sources
            if source.name not in left_out and (source.by_default or source.name in added)
        )


def catalogue_names() -> list[str]:
    """The names of the references in the catalogue."""
    return sorted(path.stem for path in CATALOGUE.glob("*.toml"))


def load_recipe(name_or_file: str | Path, releases: Mapping[str, str] | None = None) -> Recipe:
    """The recipe of the catalogue's name, or in a TOML file.

    `releases` overrides releases: the recipe's own under "", a source's under its name. Raises FetchError.
    """
    if isinstance(name_or_file, Path):
        path = name_or_file
    else:
        path = CATALOGUE / f"{name_or_file}.toml"
        if name_or_file not in catalogue_names():
            raise FetchError(
                f"The catalogue has no reference {name_or_file!r}. It has: "
                f"{', '.join(catalogue_names())}. For another one, write a recipe and name it with --recipe."
            )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FetchError(f"{path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FetchError(f"{path} is not TOML: {error}") from error
    return _recipe(_Entry(content, path, ""), dict(releases or {}))


class _Entry:
    """A table of the recipe's file, which knows where it stands for messages."""

    def __init__(self, content: Any, path: Path, where: str) -> None:
        self.path = path
        self.where = where
        if not isinstance(content, dict):
            raise self.fault("expected a table")
        self._content = content

    def fault(self, message: str) -> FetchError:
        return FetchError(f"{self.path}: {self.where + ': ' if self.where else ''}{message}")

    def only(self, *keys: str) -> None:
        if strangers := sorted(self._content.keys() - set(keys)):
            raise self.fault(f"unknown key {', '.join(strangers)}. Expected: {', '.join(keys)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.maybe_text(key)
        if value is None:
            value = default
        if value is None:
            raise self.fault(f"{key} is missing")
        return value

    def maybe_text(self, key: str) -> str | None:
        value = self._content.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self.fault(f"{key} is {value!r}, expected a text")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._content.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(f"{key} is {value!r}, expected true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        value = self._content.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.fault(f"{key} is {value!r}, expected a list of texts")
        return tuple(value)

    def column(self, key: str, required: bool = False) -> str | int | None:
        value = self._content.get(key)
        if value is None and not required:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int) or value in ("", 0):
            raise self.fault(
                f"{key} is {value!r}, expected a column's name in the header, or its number from 1"
            )
        return value

    def inner(self, key: str) -> "_Entry":
        return _Entry(self._content.get(key, {}), self.path, f"{self.where}[{key}]")

    def has(self, key: str) -> bool:
        return key in self._content

    def inners(self, key: str) -> list["_Entry"]:
        value = self._content.get(key, [])
        if not isinstance(value, list):
            raise self.fault(f"{key} is not a list of tables ([[{key}]])")
        return [
            _Entry(one, self.path, f"{self.where}[[{key}]] {number}") for number, one in enumerate(value, 1)
        ]

    def mapping(self, key: str) -> dict[str, str]:
        inner = self.inner(key)
        return {name: inner.text(name) for name in inner._content}


def _recipe(entry: _Entry, releases: dict[str, str]) -> Recipe:
    entry.only(*(one.name for one in fields(Recipe)))
    release = releases.pop("", entry.text("release"))
    sources = tuple(_source(one, release, releases) for one in entry.inners("sources"))
    names = [source.name for source in sources]
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise entry.fault(f"two sources are named {', '.join(twins)}. Give each its own name")
    if releases:
        raise FetchError(f"{entry.path}: no source is named {', '.join(releases)}, for --release to set")
    return Recipe(
        name=entry.text("name"),
        description=entry.text("description", ""),
        release=release,
        chromosomes=entry.texts("chromosomes") or (),
        genome=_address(entry.inner("genome"), release),
        genes=_address(entry.inner("genes"), release),
        sources=sources,
        accessions=entry.mapping("accessions"),
    )


_ADDRESS_KEYS = ("url", "release_url", "chromosome_url", "file", "checksum", "index")
_TABLE_KEYS = ("contig", "start", "end", "ref", "alt", "separator", "header", "zero_based", "fields")


def _source(entry: _Entry, release: str, releases: dict[str, str]) -> Source:
    own_keys = [one.name for one in fields(Source) if one.name != "address"]
    entry.only(*own_keys, *_ADDRESS_KEYS)
    name = entry.text("name")
    entry.where = f"[[sources]] {name}"
    kind = entry.text("format", "vcf")
    if kind not in FORMATS:
        raise entry.fault(f"format is {kind!r}, expected one of {', '.join(FORMATS)}")
    if (kind == "vcf") == entry.has("table"):
        raise entry.fault(
            "a tsv or intervals source says how it is laid out in [sources.table], a vcf does not"
        )
    own_release = releases.pop(name, entry.text("release", release))
    return Source(
        name=name,
        title=entry.text("title", name),
        format=kind,
        address=_address(entry, own_release),
        release=own_release,
        by_default=entry.flag("by_default", True),
        contig=entry.text("contig", "{chromosome}"),
        chromosomes=entry.texts("chromosomes"),
        info=entry.texts("info"),
        gives_id=entry.flag("gives_id", False),
        table=None if kind == "vcf" else _table(entry.inner("table"), kind),
    )


def _address(entry: _Entry, release: str) -> Address:
    if not entry.where.startswith("[[sources]]"):
        entry.only(*_ADDRESS_KEYS)
    url, file = entry.maybe_text("url"), entry.maybe_text("file")
    # A publisher may keep the newest release at one address and the earlier ones at another.
    if release != "latest" and entry.has("release_url"):
        url = entry.text("release_url")
    chromosome_url = entry.maybe_text("chromosome_url")
    if (file is None) == (url is None and chromosome_url is None):
        raise entry.fault("expected url or chromosome_url, or else file")
    return Address(
        url=_filled(entry, url, release),
        chromosome_url=_filled(entry, chromosome_url, release, chromosome="{chromosome}"),
        file=None if file is None else entry.path.parent / file,
        checksum=_filled(entry, entry.maybe_text("checksum"), release, url="{url}", folder="{folder}"),
        index=_filled(entry, entry.maybe_text("index"), release, url="{url}", folder="{folder}"),
    )


def _filled(entry: _Entry, pattern: str | None, release: str, **kept: str) -> str | None:
    try:
        return None if pattern is None else pattern.format(release=release, **kept)
    except (KeyError, IndexError, ValueError) as error:
        raise entry.fault(f"{pattern!r} has a placeholder that is not known here ({error})") from error


def _table(entry: _Entry, kind: str) -> TableLayout:
    entry.only(*_TABLE_KEYS)
    needed = ("contig", "start", "ref", "alt") if kind == "tsv" else ("contig", "start", "end")
    columns = {key: entry.column(key, required=True) for key in needed}
    table = TableLayout(
        **columns,  # type: ignore[arg-type]  # the needed ones are there
        separator=entry.text("separator", "\t"),
        header=entry.flag("header", True),
        zero_based=entry.flag("zero_based", False),
        fields=tuple(_taken(one) for one in entry.inners("fields")),
    )
    if not table.fields:
        raise entry.fault("fields is missing: say which columns to take")
    if not table.header and any(isinstance(one.column, str) for one in table.fields):
        raise entry.fault("a table without a header has its columns named by number")
    return table


def _taken(entry: _Entry) -> TakenColumn:
    entry.only("column", "name", "type", "description")
    column = entry.column("column", required=True)
    kind = entry.text("type", "String")
    if kind not in TYPES:
        raise entry.fault(f"type is {kind!r}, expected one of {', '.join(TYPES)}")
    assert column is not None  # noqa: S101 - for mypy: it is required
    return TakenColumn(column, entry.text("name", str(column)), kind, entry.text("description", ""))


def _plain_name(name: str) -> str:
    plain = name.removeprefix("chr")
    return "MT" if plain == "M" else plain
