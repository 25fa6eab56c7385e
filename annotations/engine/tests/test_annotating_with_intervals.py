"""What lies over a variant, cytogenetic bands or panels, comes back in INFO and in the table."""

from dataclasses import replace

import polars as pl
import pytest

from annotations.engine.building import build_bundle
from annotations.engine.building.intervals import IntervalsInput
from annotations.engine.building.tables import TableLayout, TakenColumn
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.tests.conftest import Annotate
from annotations.engine.tests.sources import Sources, base, other_bases, vcf_text

BED = "1\t0\t500\tp1\t1\n1\t400\t600\tpanel; A, x=1\t2\n1\t700\t800\t.\t.\n"
FIELDS = (TakenColumn(4, "name"), TakenColumn(5, "rank", "Integer"))


@pytest.fixture
def bundle(sources: Sources) -> ReferenceBundle:
    layout = TableLayout(contig=1, start=2, end=3, header=False, zero_based=True, fields=FIELDS)
    intervals = IntervalsInput("band", (sources.write("bands.bed", BED),), layout)
    return build_bundle(replace(sources.recipe(), intervals=(intervals,)), sources.references)


def info_of(record: list[str]) -> dict[str, str]:
    return dict(field.partition("=")[::2] for field in record[7].split(";"))


def snv(position: int, alt_count: int = 1) -> tuple[object, ...]:
    return ("1", position, ".", base(position), ",".join(other_bases(position)[:alt_count]), ".", ".", ".")


def test_a_variant_gets_the_values_of_all_that_overlaps_it(run: Annotate, bundle: ReferenceBundle) -> None:
    result = run(vcf_text([snv(450), snv(500), snv(501), snv(650), snv(750)]), bundle)
    infos = [info_of(record) for record in result.records]
    assert [info.get("band_rank") for info in infos] == ["1,2", "1,2", "2", None, None]
    assert '##INFO=<ID=band_rank,Number=.,Type=Integer,Description="' in "\n".join(result.header)


def test_what_may_not_stand_in_info_is_replaced_there_and_kept_in_the_table(
    run: Annotate, bundle: ReferenceBundle
) -> None:
    result = run(vcf_text([snv(550)]), bundle)
    assert info_of(result.records[0])["band_name"] == "panel__A&_x_1"
    table = pl.read_parquet(result.summary.files["table"])
    assert table["band_name"].to_list() == [["panel; A, x=1"]]
    assert table["band_rank"].to_list() == [[2]]


def test_alleles_of_one_record_name_each_value_once(run: Annotate, bundle: ReferenceBundle) -> None:
    result = run(vcf_text([snv(450, 2)]), bundle)
    assert info_of(result.records[0])["band_rank"] == "1,2"
    table = pl.read_parquet(result.summary.files["table"])
    assert table["band_rank"].to_list() == [[1, 2], [1, 2]]


def test_a_field_of_the_user_called_like_that_of_an_interval_is_kept(
    run: Annotate, bundle: ReferenceBundle
) -> None:
    own = (*snv(550)[:7], "band_rank=7")
    info = info_of(run(vcf_text([own], ["ID=band_rank,Number=1,Type=Integer"]), bundle).records[0])
    assert (info["band_rank_input"], info["band_rank"]) == ("7", "2")
