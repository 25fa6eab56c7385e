"""Genotypes as columns of the result table: one list a record, in the order of the samples."""

import polars as pl

from annotations.engine.records import FORMAT, REST, sample_column

GENOTYPE_SCHEMA = {
    "gt": pl.List(pl.String),
    "alt_dosage": pl.List(pl.Int8),  # how many copies of this row's ALT; null where the genotype is missing
    "dp": pl.List(pl.Int32),
    "gq": pl.List(pl.Float32),
}


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
        return lists[rows].select("gt", self._dosage(rows, alleles).alias("alt_dosage"), "dp", "gq")

    def _dosage(self, rows: pl.Series, alleles: pl.Series) -> pl.Series:
        codes = self._gt.unique().drop_nulls().to_list()
        by_allele: dict[int, pl.Series] = {}
        for allele in alleles.unique().to_list():
            dosage = {code: _copies(code, str(allele)) for code in codes}
            counts = self._gt.replace_strict(dosage, default=None, return_dtype=pl.Int8)
            by_allele[allele] = self._fold(counts)
        if len(by_allele) == 1:
            return next(iter(by_allele.values()))[rows]
        wide = pl.DataFrame({str(allele): series for allele, series in by_allele.items()})[rows]
        picked = pl.lit(None, pl.List(pl.Int8))
        for allele in by_allele:
            picked = pl.when(alleles == allele).then(pl.col(str(allele))).otherwise(picked)
        return wide.select(picked.alias("alt_dosage")).to_series()

    def _fold(self, cells: pl.Series) -> pl.Series:
        return cells.reshape((self._row_count, self._sample_count)).arr.to_list()


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


def _copies(genotype: str, allele: str) -> int | None:
    called = [code for code in genotype.replace("|", "/").split("/") if code not in (".", "")]
    return called.count(allele) if called else None
