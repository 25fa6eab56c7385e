"""INFO and FORMAT keys: what a declaration promises, and what the specification reserves."""

from dataclasses import dataclass, replace

NUMBERS_BY_ALLELE = frozenset("ARG")
ANY_NUMBER = "."
INTEGER_OR_FLOAT = frozenset({"Integer", "Float"})


@dataclass(frozen=True)
class Key:
    """An INFO or FORMAT key. `number` is a count as text, A, R, G or `.`; `minimum` bounds numeric values."""

    name: str
    number: str
    type: str
    minimum: int | None = None

    def expected_count(self, alternate_alleles: int) -> int | None:
        """How many values there must be; None where any number will do, or where it depends on the ploidy."""
        if self.number.isdecimal():
            return int(self.number)
        if not alternate_alleles:
            return None  # ALT is `.`: writers disagree on whether that is an allele
        return {"A": alternate_alleles, "R": alternate_alleles + 1}.get(self.number)


def _keys(*keys: Key) -> dict[str, Key]:
    return {key.name: key for key in keys}


# VCF 4.1 and 4.2, section 1.4.1, field 8: the text gives what each means; Number and Type follow from it (and
# are spelled out in the table of VCF 4.3).
RESERVED_INFO = _keys(
    Key("AA", "1", "String"),
    Key("AC", "A", "Integer", 0),
    Key("AF", "A", "Float", 0),
    Key("AN", "1", "Integer", 0),
    Key("BQ", "1", "Float"),
    Key("CIGAR", "A", "CIGAR"),
    Key("DB", "0", "Flag"),
    Key("DP", "1", "Integer", 0),
    Key("END", "1", "Integer", 0),
    Key("H2", "0", "Flag"),
    Key("H3", "0", "Flag"),
    Key("MQ", "1", "Float"),
    Key("MQ0", "1", "Integer", 0),
    Key("NS", "1", "Integer", 0),
    Key("SOMATIC", "0", "Flag"),
    Key("VALIDATED", "0", "Flag"),
    Key("1000G", "0", "Flag"),
)
# Section 1.4.2, which gives the types.
RESERVED_FORMAT = _keys(
    Key("GT", "1", "String"),
    Key("DP", "1", "Integer"),
    Key("EC", "A", "Integer"),
    Key("FT", "1", "String"),
    Key("GL", "G", "Float"),
    Key("GLE", "G", "String"),
    Key("GP", "G", "Float"),
    Key("GQ", "1", "Integer"),
    Key("HQ", "2", "Integer"),
    Key("MQ", "1", "Integer"),
    Key("PL", "G", "Integer"),
    Key("PQ", "1", "Integer"),
    Key("PS", "1", "Integer"),
)
RESERVED = {"INFO": RESERVED_INFO, "FORMAT": RESERVED_FORMAT}

# Declarations that differ from the reserved ones in files of widely used programs: AC and AF before VCF 4.1
# and in the 1000 Genomes' own files, likelihoods declared for two alleles, phase sets named by text (GIAB).
TOLERATED = frozenset(
    {
        ("INFO", "AC", "1", "Integer"),
        ("INFO", "AF", "1", "Float"),
        ("FORMAT", "GL", "3", "Float"),
        ("FORMAT", "GP", "3", "Float"),
        ("FORMAT", "PL", "3", "Integer"),
        ("FORMAT", "PL", "3", "Float"),
        ("FORMAT", "PS", "1", "String"),
    }
)


# Programs give these with decimals, declared so or not (FreeBayes GQ, GATK's older PL).
_OFTEN_DECIMAL = frozenset({"GQ", "HQ", "MQ", "PL", "PQ"})
# No program in use declares these Float and means the reserved key: PS is then a score of its own.
_NEVER_FLOAT = frozenset({("FORMAT", "HQ"), ("FORMAT", "PS")})


def undeclared(kind: str, name: str) -> Key:
    """What an INFO or FORMAT key that the header does not declare is taken for."""
    key = RESERVED[kind].get(name, Key(name, ANY_NUMBER, "String"))
    return replace(key, type="Float") if kind == "FORMAT" and name in _OFTEN_DECIMAL else key


def agrees_with_reserved(kind: str, key: Key) -> bool:
    """Whether a declaration says of a reserved key what the specification says of it."""
    reserved = RESERVED[kind].get(key.name)
    return reserved is None or (key.number == reserved.number and key.type in _types(reserved))


def misuses_reserved(kind: str, key: Key) -> bool:
    """Whether values read by this declaration would mean something else than the reserved key does.

    Any number of values (`.`) contains the reserved one, and an integer is a number as a float is, but
    for keys that are never declared so.
    """
    reserved = RESERVED[kind].get(key.name)
    if reserved is None or (kind, key.name, key.number, key.type) in TOLERATED:
        return False
    if key.number not in (reserved.number, ANY_NUMBER):
        return True
    if key.type in _types(reserved):
        return False
    return (kind, key.name) in _NEVER_FLOAT or not {key.type, reserved.type} <= INTEGER_OR_FLOAT


def effective(kind: str, key: Key) -> Key:
    """The declaration that values are held against: the file's own, with a reserved key's meaning kept."""
    reserved = RESERVED[kind].get(key.name)
    if reserved is None:
        return key
    number = key.number if key.number == reserved.number else ANY_NUMBER
    type_ = reserved.type if reserved.type == "CIGAR" and key.type == "String" else key.type
    return replace(key, number=number, type=type_, minimum=reserved.minimum)


def _types(reserved: Key) -> frozenset[str]:
    if reserved.name == "MQ" and reserved.type == "Float":
        return INTEGER_OR_FLOAT  # RMS mapping quality: the text gives no type, 4.3 says Float
    return frozenset({"String" if reserved.type == "CIGAR" else reserved.type})
