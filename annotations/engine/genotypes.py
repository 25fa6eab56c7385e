"""Genotypes as columns of the result table: one list a record, in the order of the samples."""

from collections.abc import Callable

import polars as pl

from annotations.engine.records import FORMAT, REST, sample_column

GENOTYPE_SCHEMA = {
    "gt": pl.List(pl.String),
    "alt_dosage": pl.List(pl.Int8),  # how many copies of this row's ALT; null where the genotype is missing
    "zygosity": pl.String,  # a letter of ZYGOSITIES for each sample: what a filter can read quickly
    "dp": pl.List(pl.Int32),
    "gq": pl.List(pl.Float32),
}
HET, HOM, REF, OTHER, PARTLY, MISSING = ZYGOSITIES = "hHrop."
"""Carries this row's ALT beside another or missing allele; carries no other; carries REF alone; others alone,
wholly called; is partly called, and without it so far; is not called."""


class Genotypes:
    """The genotypes of a chunk's records."""

    def __init__(self, records: pl.DataFrame, sample_count: int) -> None:
        self._sample_count = sample_count
        formats, values = _cells(records, sample_count)
        self._row_count = len(records)
        self._gt = _field(formats, values, "GT")
        self._dp = _field(formats, values, "DP").cast(pl.Int32, strict=False)
        self._gq = _field(formats, values, "GQ").cast(pl.Float32, strict=False)

    def columns(self, rows: pl.Series, alleles: pl.Series) -> pl.DataFrame:
        """The columns of GENOTYPE_SCHEMA for pairs of record and ALT allele number."""
        lists = pl.DataFrame(
            {"gt": self._fold(self._gt), "dp": self._fold(self._dp), "gq": self._fold(self._gq)}
        )
        dosage = self._of_alleles(rows, alleles, _copies, pl.Int8, self._fold)
        zygosity = self._of_alleles(rows, alleles, _zygosity, pl.String, self._join)
        return lists[rows].select("gt", dosage.alias("alt_dosage"), zygosity.alias("zygosity"), "dp", "gq")

    def _of_alleles(
        self,
        rows: pl.Series,
        alleles: pl.Series,
        read: Callable[[str | None, str], int | str | None],
        kind: pl.DataType | type[pl.DataType],
        gather: Callable[[pl.Series], pl.Series],
    ) -> pl.Series:
        """What `read` says of each genotype and the row's allele, gathered over the samples."""
        codes = self._gt.unique().to_list()
        by_allele: dict[int, pl.Series] = {}
        for allele in alleles.unique().to_list():
            said = {code: read(code, str(allele)) for code in codes}
            by_allele[allele] = gather(self._gt.replace_strict(said, return_dtype=kind))
        if len(by_allele) == 1:
            return next(iter(by_allele.values()))[rows]
        wide = pl.DataFrame({str(allele): series for allele, series in by_allele.items()})[rows]
        picked = pl.lit(None, next(iter(by_allele.values())).dtype)
        for allele in by_allele:
            picked = pl.when(alleles == allele).then(pl.col(str(allele))).otherwise(picked)
        return wide.select(picked.alias("picked")).to_series()

    def _fold(self, cells: pl.Series) -> pl.Series:
        return cells.reshape((self._row_count, self._sample_count)).arr.to_list()

    def _join(self, letters: pl.Series) -> pl.Series:
        return letters if self._sample_count == 1 else self._fold(letters).list.join("")


def _cells(records: pl.DataFrame, sample_count: int) -> tuple[pl.Series, pl.Series]:
    """FORMAT and sample text, one row a record and sample."""
    if REST in records.columns:
        fields = records[REST].str.split("\t")
        samples = fields.list.slice(1).explode()
        formats = fields.list.get(0)
    elif sample_count == 1:
        return records[FORMAT], records[sample_column(0)]
    else:
        samples = records.select(
            pl.concat_list([sample_column(number) for number in range(sample_count)]).alias("cells")
        )["cells"].explode()
        formats = records[FORMAT]
    return formats.to_frame("f").select(pl.col("f").repeat_by(sample_count).explode()).to_series(), samples


def _field(formats: pl.Series, values: pl.Series, key: str) -> pl.Series:
    """One FORMAT field of every cell; null where the record or the sample lacks it."""
    places = {text: text.split(":").index(key) for text in formats.unique() if key in text.split(":")}
    if not places:
        return pl.repeat(None, len(values), dtype=pl.String, eager=True)
    frame = pl.DataFrame({"format": formats, "value": values})
    picked = pl.lit(None, pl.String)
    for place in set(places.values()):
        having = [text for text, at in places.items() if at == place]
        value = pl.col("value").str.splitn(":", place + 2).struct[place]
        everywhere = len(having) == frame["format"].n_unique()
        picked = (
            value if everywhere else pl.when(pl.col("format").is_in(having)).then(value).otherwise(picked)
        )
    return frame.select(picked.alias(key)).to_series()


def _copies(genotype: str | None, allele: str) -> int | None:
    called = [code for code in _alleles(genotype) if code != "."]
    return called.count(allele) if called else None


def _zygosity(genotype: str | None, allele: str) -> str:
    alleles = set(_alleles(genotype))
    if not alleles - {"."}:
        return MISSING
    if allele in alleles:
        return HOM if alleles == {allele} else HET
    if "." in alleles:
        return PARTLY
    return REF if alleles == {"0"} else OTHER


def _alleles(genotype: str | None) -> list[str]:
    return [code for code in (genotype or "").replace("|", "/").split("/") if code]
