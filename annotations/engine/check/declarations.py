"""One structured header line, `##KEY=<ID=…,…>`: its fields, and whether they are as specified."""

import re
from collections.abc import Callable, Mapping

from annotations.engine.check.keys import Key, agrees_with_reserved, misuses_reserved
from annotations.engine.check.report import quoted

TYPES = {
    "INFO": ("Integer", "Float", "Flag", "Character", "String"),
    "FORMAT": ("Integer", "Float", "Character", "String"),
}
NUMBER = re.compile(r"[0-9]{1,9}|[ARG.]")
NEWER_NUMBER = re.compile(r"[0-9]{1,9}|[ARGPM.]|L[ARG]")  # since VCF 4.4
# VCF 3.3: INFO=ID,Number,Type,"Description", where a Number of -1 stands for any; FILTER=ID,"Description".
_VERSION_3_KEY = re.compile(r'([^<,"=]+),(-?[0-9]+|[ARG.]),([A-Za-z]+),(".*")')
_VERSION_3_FILTER = re.compile(r'([^<,"=]+),(".*")')

# VCF 4.2, section 1.2.5, and what callers of breakends and translocations add to it.
_ALT_TYPES = frozenset({"DEL", "INS", "DUP", "INV", "CNV", "BND", "TRA", "CTX", "CPX"})

Note = Callable[[str, str], None]


class Malformed(Exception):
    """The line cannot be understood as it must be; the message says how and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def from_version_3(key: str, value: str) -> str | None:
    """A VCF 3.3 declaration in VCF 4's form; None where it is none."""
    if key in TYPES and (match := _VERSION_3_KEY.fullmatch(value)):
        name, number, type_, description = match.groups()
        number = "." if number.startswith("-") else number
        return f"<ID={name},Number={number},Type={type_},Description={description}>"
    if key == "FILTER" and (match := _VERSION_3_FILTER.fullmatch(value)):
        return f"<ID={match[1]},Description={match[2]}>"
    return None


def parse(key: str, value: str) -> dict[str, str]:
    """The fields of `<a=b,c="d">`, in order; quoted values keep their quotes. Raises Malformed."""
    if not value.startswith("<") or not value.endswith(">"):
        raise Malformed(
            "bad-declaration",
            f"expected ##{key}=<ID=…,…>, found {quoted(value)}: the angle brackets are not both there. Add "
            "them.",
        )
    fields: dict[str, str] = {}
    inside, at = value[1:-1], 0
    while at < len(inside):
        name, equals, _ = inside[at:].partition("=")
        if not equals or not name or set(name) & set(',"<>'):
            raise Malformed(
                "bad-declaration",
                f"expected key=value pairs divided by commas, found {quoted(inside[at:])}. Put a value with "
                "commas or brackets in double quotes; an ID may have none.",
            )
        at += len(name) + 1
        end = _end_of_value(inside, at)
        fields[name] = inside[at:end]
        if end < len(inside) and inside[end] != ",":
            raise Malformed(
                "bad-quotes",
                f"{name} goes on after its closing quote, with {quoted(inside[end:])}. Write a double "
                "quote inside "
                'a value as \\".',
            )
        at = end + 1
    return fields


def _end_of_value(text: str, start: int) -> int:
    if not text.startswith('"', start):
        end = text.find(",", start)
        return len(text) if end < 0 else end
    at = start + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise Malformed(
            "bad-quotes", f"the quote in {quoted(text[start:])} is not closed. Close it before the >."
        )
    return at + 1


def checked_key(kind: str, fields: Mapping[str, str], version: str, note: Note) -> Key:
    """An INFO or FORMAT declaration. Raises Malformed."""
    name = _checked_id(kind, fields)
    if next(iter(fields)) != "ID":
        note("id-not-first", f"The ID of {quoted(name)} is not its first field.")
    number = _required(kind, name, fields, "Number")
    type_ = _required(kind, name, fields, "Type")
    if version >= "4.4" and NEWER_NUMBER.fullmatch(number):
        number = number if NUMBER.fullmatch(number) else "."
    _check_number_and_type(kind, name, number, type_)
    if number == "R" and version < "4.2":
        note("newer-number", f"{quoted(name)} has Number=R, which VCF {version} does not know; it was taken.")
    if (type_ == "Flag") != (number == "0"):
        note("flag-number", f"{quoted(name)} has Type={type_} and Number={number}; a Flag has Number=0.")
    _check_description(kind, name, fields, note)
    key = Key(name, number, type_)
    if misuses_reserved(kind, key):
        raise Malformed(
            "reserved-key",
            f"{name} is declared with Number={number} and Type={type_}, but the specification reserves "
            f"{name} for something else. Declare it as the specification does, or give it a name of its own.",
        )
    if not agrees_with_reserved(kind, key):
        note(
            "reserved-key-differs",
            f"{name} is declared with Number={number} and Type={type_}, not as the specification reserves "
            "it.",
        )
    return key


def _check_number_and_type(kind: str, name: str, number: str, type_: str) -> None:
    if not NUMBER.fullmatch(number):
        raise Malformed(
            "bad-number",
            f"{quoted(name)} has Number={quoted(number)}; expected a whole number, A, R, G or a dot. "
            "Correct it.",
        )
    if type_ not in TYPES[kind]:
        raise Malformed(
            "bad-type",
            f"{quoted(name)} has Type={quoted(type_)}; expected {', '.join(TYPES[kind])}. Correct it.",
        )


def checked_filter(fields: Mapping[str, str], note: Note) -> str:
    """A FILTER declaration's ID. Raises Malformed."""
    name = _checked_id("FILTER", fields)
    if name == "0":
        raise Malformed("bad-id", "the filter name 0 is reserved and may not be used. Rename the filter.")
    _check_description("FILTER", name, fields, note)
    return name


def checked_alt(fields: Mapping[str, str], note: Note) -> None:
    """Check an ALT declaration. Raises Malformed."""
    name = _checked_id("ALT", fields)
    first_level, _, subtypes = name.partition(":")
    if subtypes and first_level not in _ALT_TYPES:
        raise Malformed(
            "bad-id",
            f"the ID {quoted(name)} is a type and a subtype, and the type must be DEL, INS, DUP, INV or CNV. "
            "Begin it with one of these, or leave out the colon.",
        )
    if first_level not in _ALT_TYPES and name not in {"NON_REF", "*"}:
        note("unusual-alt", f"The symbolic allele {quoted(name)} is none of DEL, INS, DUP, INV and CNV.")
    if "Number" in fields or "Type" in fields:
        _check_number_and_type("INFO", name, fields.get("Number", "."), fields.get("Type", "String"))
        if list(fields).index("Type" if "Type" in fields else "Number") < list(fields).index("ID"):
            note("id-not-first", f"The ID of {quoted(name)} is not its first field.")
        note("unusual-alt", f"The symbolic allele {quoted(name)} has a Number or a Type, which mean nothing.")
    _check_description("ALT", name, fields, note)


def checked_contig(fields: Mapping[str, str]) -> tuple[str, int | None]:
    """A contig's name and, where it is given, its length in bases. Raises Malformed."""
    name = _checked_id("contig", fields)
    length = fields.get("length", "").strip('"')
    if not length:
        return name, None
    if not length.isdecimal() or not length.isascii() or not 0 < int(length[:12]) < 1 << 31:
        raise Malformed(
            "bad-length",
            f"the contig {quoted(name)} has length={quoted(length)}; expected a whole number of bases. "
            "Correct it.",
        )
    return name, int(length)


def check_sample_line(key: str, fields: Mapping[str, str], note: Note) -> None:
    """Check a SAMPLE, PEDIGREE or META line. Raises Malformed."""
    if key == "PEDIGREE":
        for name, value in fields.items():
            if re.search(r"\s", value) and not value.startswith('"'):
                raise Malformed(
                    "bad-declaration",
                    f"{quoted(name)} is {quoted(value)}; the name of a genome has no spaces. Rename it.",
                )
            if not re.fullmatch(r'"?[\w.-]+"?', value):
                note("unusual-genome", f"The genome's name {quoted(value)} has unusual characters.")
    elif key == "SAMPLE" and "Mixture" in fields:
        if "Genomes" not in fields:
            note("no-genomes", "The sample has a Mixture but no Genomes that are mixed.")
        if fields["Mixture"].startswith('"'):
            note("quoted-mixture", "The sample's Mixture is in quotes.")


def _checked_id(kind: str, fields: Mapping[str, str]) -> str:
    name = fields.get("ID", "")
    if not name:
        raise Malformed("no-id", f"the {kind} has no ID. Add ID=… as its first field.")
    if re.search(r'[\s<>;="]', name):
        raise Malformed(
            "bad-id",
            f"the ID {quoted(name)} has a space or a character with a meaning of its own. Use letters, "
            "digits, dots and underscores.",
        )
    return name


def _required(kind: str, name: str, fields: Mapping[str, str], field: str) -> str:
    value = fields.get(field)
    if value is None:
        raise Malformed("bad-declaration", f"{kind} {quoted(name)} has no {field}. Add it.")
    return value


def _check_description(kind: str, name: str, fields: Mapping[str, str], note: Note) -> None:
    description = fields.get("Description")
    if description is None:
        note("no-description", f"{kind} {quoted(name)} has no Description.")
    elif not description.startswith('"'):
        raise Malformed(
            "bad-quotes",
            f"the Description of {quoted(name)} is {quoted(description)}; expected it in double quotes. "
            "Add them.",
        )
