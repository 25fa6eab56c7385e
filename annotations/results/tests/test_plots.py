"""What plots count is what bcftools counts, with every filter."""

import csv
import io
from pathlib import Path
from typing import Any

import pysam.bcftools
import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Job
from annotations.results.caching import cache_folder
from annotations.results.filters import ResultFilter
from annotations.results.layout import layout_of
from annotations.results.plots import keeping
from annotations.results.plots.catalogue import PLOTS, numbers_of
from annotations.results.plots.numbers import Bins, Numbers
from annotations.results.rows import count
from annotations.results.tables import ResultTable, open_table

pytestmark = pytest.mark.django_db
EVERYTHING = ResultFilter()


def stats(vcf: Path, section: str, *arguments: str) -> list[list[str]]:
    """The lines of a section of `bcftools stats`, without its first two columns."""
    text = str(pysam.bcftools.stats(*arguments, str(vcf)))
    return [line.split("\t")[2:] for line in text.splitlines() if line.startswith(f"{section}\t")]


def number_of(vcf: Path, expression: str) -> int:
    return len(str(pysam.bcftools.view("-H", "-i", expression, str(vcf))).splitlines())


def column(numbers: Numbers, place: int = 1) -> dict[Any, Any]:
    return {row[0]: row[place] for row in numbers.rows}


@pytest.mark.parametrize(("files", "table"), [("demo_files", "demo_table"), ("chr21_files", "chr21_table")])
class TestAgainstBcftoolsStats:
    @pytest.fixture
    def vcf(self, files: str, request: pytest.FixtureRequest) -> Path:
        path: Path = request.getfixturevalue(files)["vcf"]
        return path

    @pytest.fixture
    def result(self, table: str, request: pytest.FixtureRequest) -> ResultTable:
        opened: ResultTable = request.getfixturevalue(table)
        return opened

    def test_substitutions_and_ti_tv(self, vcf: Path, result: ResultTable):
        found = numbers_of("substitutions", result, EVERYTHING)
        assert column(found, 2) == {kind: int(counted) for kind, counted in stats(vcf, "ST")}
        ((transitions, transversions, ratio, *_),) = stats(vcf, "TSTV")
        assert found.summary.startswith(f"Ti/Tv {ratio}: {int(transitions):,} transitions, ")
        assert f"{int(transversions):,} transversions" in found.summary

    def test_lengths_of_insertions_and_deletions(self, vcf: Path, result: ResultTable):
        expected = {int(line[0]): int(line[1]) for line in stats(vcf, "IDD")}
        found = column(numbers_of("indels", result, EVERYTHING))
        inside = {int(size): counted for size, counted in found.items() if "=" not in size and "≤" not in size
                  and "≥" not in size}  # fmt: skip
        assert {size: n for size, n in inside.items() if n} == {
            s: n for s, n in expected.items() if abs(s) <= 20
        }
        beyond = sum(counted for size, counted in found.items() if size[0] in "≤≥")
        assert beyond == sum(n for size, n in expected.items() if abs(size) > 20)

    def test_genotypes_of_each_sample(self, vcf: Path, result: ResultTable, tmp_path: Path):
        by_allele = tmp_path / "by-allele.vcf"
        by_allele.write_text(str(pysam.bcftools.norm("-m-any", str(vcf))))
        for place, (_, het, hom, _, _, missing, _) in enumerate(
            numbers_of("samples", result, EVERYTHING).rows
        ):
            assert het == number_of(by_allele, f'GT[{place}]="het"')
            assert hom == number_of(by_allele, f'GT[{place}]="AA" || GT[{place}]="A"')
            assert missing == number_of(by_allele, f'GT[{place}]="mis"')


def test_contigs_have_the_records_that_the_index_counts(chr21_table: ResultTable, chr21_files: Any):
    found = numbers_of("chromosomes", chr21_table, EVERYTHING)
    assert column(found) == {"chr21": 66_050}
    dense = numbers_of("density", chr21_table, EVERYTHING)
    assert sum(row[3] for row in dense.rows) == 66_050
    name, start, end, alleles = dense.rows[10]
    text = str(pysam.bcftools.norm("-m-any", "-r", f"{name}:{start}-{end}", str(chr21_files["vcf"])))
    inside = [
        line for line in text.splitlines() if line[0] != "#" and start <= int(line.split("\t")[1]) <= end
    ]
    assert len(inside) == alleles


@pytest.fixture(scope="module")
def by_allele(demo_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("norm") / "demo.vcf"
    path.write_text(str(pysam.bcftools.norm("-m-any", str(demo_files["vcf"]))))
    return path


def test_qualities_frequencies_depths_and_known_alleles(demo_table: ResultTable, by_allele: Path):
    qualities = column(numbers_of("qualities", demo_table, EVERYTHING))
    assert qualities["50 to 100"] == number_of(by_allele, "QUAL>=50 && QUAL<100") > 0
    frequencies = column(numbers_of("frequencies", demo_table, EVERYTHING))
    expression = "INFO/dbsnp_AF>=0.005 && INFO/dbsnp_AF<0.01"
    assert frequencies["0.005 to 0.01"] == number_of(by_allele, expression) > 0
    depths = column(numbers_of("depths", demo_table, EVERYTHING))
    of_each = [number_of(by_allele, f"FMT/DP[{place}]>=20 && FMT/DP[{place}]<25") for place in range(3)]
    assert depths["20 to 25"] == sum(of_each) > 0
    known = numbers_of("known", demo_table, EVERYTHING)
    expression = "INFO/dbsnp_VC!='.' || INFO/clinvar_CLNSIG!='.'"
    assert sum(row[1] for row in known.rows) == number_of(by_allele, expression)


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_follows_the_filter(demo_table: ResultTable, name: str):
    wanted = ResultFilter.parse({"impact": ["HIGH"], "genotype": ["het:CHILD"]})
    rows = count(demo_table, wanted).rows
    everything, some = (numbers_of(name, demo_table, one) for one in (EVERYTHING, wanted))
    assert some.columns == everything.columns and some.rows != everything.rows
    place = {"consequences": 2, "substitutions": 2, "density": 3}.get(name, 1)
    total = sum(row[place] for row in some.rows)
    if name in {"impacts", "consequences", "chromosomes", "density", "frequencies", "qualities"}:
        assert total == rows
    nothing = numbers_of(name, demo_table, ResultFilter.parse({"gene": ["NONE"]}))
    assert not any(isinstance(cell, int | float) and cell for row in nothing.rows for cell in row[place:])


def test_genotypes_of_many_samples_are_counted_one_by_one(many_samples_job: Job):
    numbers = numbers_of("samples", open_table(many_samples_job), EVERYTHING)
    assert len(numbers.rows) == 1200
    assert numbers.rows[:4] == [
        ("S0", 0, 0, 1, 0, 0, 0.0), ("S1", 1, 0, 0, 0, 0, 0.0), ("S2", 0, 1, 0, 0, 0, 0.0),
        ("S3", 0, 0, 0, 0, 1, 100.0),
    ]  # fmt: skip


@pytest.mark.parametrize("name", PLOTS)
def test_a_result_without_samples_or_known_variants_has_empty_plots_not_errors(bare_job: Job, name: str):
    assert numbers_of(name, open_table(bare_job), EVERYTHING).summary


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_the_whole_file_is_counted_once(
    demo_table: ResultTable, name: str, monkeypatch: pytest.MonkeyPatch
):
    first = numbers_of(name, demo_table, EVERYTHING)
    monkeypatch.setattr("annotations.results.plots.numbers.query", lambda *_: pytest.fail("counted again"))
    assert numbers_of(name, demo_table, EVERYTHING) == first


def test_kept_plots_are_those_of_the_very_file_and_few(
    demo_table: ResultTable, many_samples_job: Job, monkeypatch: pytest.MonkeyPatch
):
    assert len(numbers_of("chromosomes", demo_table, EVERYTHING).rows) == 3
    demo_table.path.write_bytes(open_table(many_samples_job).path.read_bytes())
    monkeypatch.setattr(keeping, "MOST_KEPT", 3)
    another = ResultTable(demo_table.path, layout_of(demo_table.path))
    assert column(numbers_of("chromosomes", another, EVERYTHING)) == {"1": 1}
    for name in PLOTS:
        numbers_of(name, another, EVERYTHING)
    assert len(list((cache_folder() / "plots").iterdir())) == 3


def test_a_full_disk_keeps_no_plot_and_shows_it(demo_table: ResultTable, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "_write", full)
    assert numbers_of("impacts", demo_table, EVERYTHING).rows[0] == ("high", 110)


def test_bins_hold_their_lower_edge_and_not_their_upper():
    bins = Bins.between([10, 20])
    assert bins.counted([(0, 3), (2, 1), (None, 4)], "none") == [
        ("under 10", 3), ("10 to 20", 0), ("20 and over", 1), ("none", 4)
    ]  # fmt: skip


class TestPages:
    @pytest.fixture(autouse=True)
    def _logged_in(self, client: Client, user: Any) -> None:
        client.force_login(user)

    def test_the_page_has_a_place_for_every_plot(self, client: Client, demo_job: Job):
        html = client.get(reverse("annotations:result_plots", args=[demo_job.job_id]) + "?impact=HIGH")
        for name in PLOTS:
            assert f"/plots/{name}/?impact=HIGH" in html.content.decode()

    def test_a_plot_s_page_has_its_numbers_as_a_table(self, client: Client, demo_job: Job):
        url = reverse("annotations:result_plot", args=[demo_job.job_id, "impacts"])
        html = client.get(url).content.decode()
        assert "110 high, 137 moderate" in html and '<td class="number">110</td>' in html

    def test_numbers_can_be_had_as_csv_and_json(self, client: Client, demo_job: Job):
        url = reverse("annotations:result_plot_numbers", args=[demo_job.job_id, "impacts", "csv"])
        lines = list(csv.reader(io.StringIO(client.get(url).content.decode())))
        assert lines[:2] == [["Impact", "Alleles"], ["high", "110"]]
        json = client.get(url.replace(".csv", ".json")).json()
        assert (json["columns"], json["rows"][0]) == (["Impact", "Alleles"], ["high", 110])

    @pytest.mark.parametrize("path", ["none/", "none.json", "impacts.exe"])
    def test_a_plot_or_form_that_is_none_is_not_found(self, client: Client, demo_job: Job, path: str):
        base = reverse("annotations:result_plots", args=[demo_job.job_id])
        assert client.get(base + path).status_code == 404

    def test_a_filter_that_is_wrong_is_refused(self, client: Client, demo_job: Job):
        base = reverse("annotations:result_plots", args=[demo_job.job_id])
        for path in ("", "impacts/", "impacts.json"):
            response = client.get(f"{base}{path}?impact=HIHG")
            assert response.status_code == 400
            assert "impact: expected HIGH" in response.content.decode()

    def test_without_the_charting_library_the_tables_stand_open(
        self, client: Client, demo_job: Job, settings: Any
    ):
        settings.HAS_ASSETS = False
        base = reverse("annotations:result_plots", args=[demo_job.job_id])
        assert "make assets" in client.get(base).content.decode()
        part = client.get(base + "impacts/", headers={"HX-Request": "true"}).content.decode()
        assert "<details open>" in part and "data-chart" not in part
