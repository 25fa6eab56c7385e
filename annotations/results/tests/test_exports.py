"""Exports have the rows that the filter finds, in every form, and run nothing in whoever opens them."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pysam
import pysam.bcftools
import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Job
from annotations.results.exports import background, formats, workbook
from annotations.results.exports.batches import Wanted
from annotations.results.exports.refusing import ExportRefused
from annotations.results.filters import ResultFilter
from annotations.results.rows import count
from annotations.results.tables import open_table
from annotations.storage import object_store

pytestmark = pytest.mark.django_db
HIGH = ResultFilter.parse({"impact": ["HIGH"]})


@pytest.fixture
def export(demo_job: Job, tmp_path: Path) -> Any:
    def make(name: str, wanted: ResultFilter = HIGH, job: Job = demo_job) -> Path:
        path = tmp_path / f"export.{formats.FORMATS[name].extension}"
        formats.write(name, job, Wanted(open_table(job), wanted), path)
        return path

    return make


def test_a_vcf_has_the_records_as_they_are_and_says_what_filtered_them(export: Any, demo_files: Any):
    path = export("vcf", ResultFilter.parse({"min_quality": ["500"]}))
    expected = pysam.bcftools.view("-H", "-i", "QUAL>=500", str(demo_files["vcf"]))
    assert pysam.bcftools.view("-H", str(path)) == expected
    with pysam.BGZFile(str(path), "r", None) as file:
        assert b"##gas_filter=min_quality=500\n" in file.read()


def test_a_vcf_of_all_is_all_of_it(export: Any, demo_files: Any):
    expected = pysam.bcftools.view("-H", str(demo_files["vcf"]))
    assert pysam.bcftools.view("-H", str(export("vcf", ResultFilter()))) == expected


def test_tsv_has_a_line_for_each_allele_and_columns_for_each_sample(export: Any):
    with export("tsv").open(newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert len(lines) == 110
    assert {line["impact"] for line in lines} == {"HIGH"}
    assert {line["CHILD:GT"] for line in lines} >= {"0/1", "1/1"}
    assert "gene_names" not in lines[0] and "zygosity" not in lines[0]


def test_json_is_a_list_of_objects_with_the_samples_by_name(export: Any):
    found = json.loads(export("json").read_text())
    assert len(found) == 110
    assert isinstance(found[0]["symbols"], list)
    assert set(found[0]["samples"]) == {"CHILD", "FATHER", "MOTHER"}
    assert json.loads(export("json", ResultFilter.parse({"gene": ["NONE"]})).read_text()) == []


def test_parquet_has_the_columns_and_the_metadata_of_the_table(export: Any, demo_files: Any):
    path = export("parquet")
    database = duckdb.connect()
    of_the_result = f"SELECT * FROM '{demo_files['table']}' WHERE impact = 'HIGH'"
    expected = database.execute(of_the_result).fetchall()
    assert database.execute(f"SELECT * FROM '{path}'").fetchall() == expected
    metadata = dict(database.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall())
    assert metadata[b"gas_samples"] == b'["CHILD", "FATHER", "MOTHER"]'
    assert metadata[b"gas_filter"] == b"impact=HIGH"


def sheet(path: Path, number: int) -> ElementTree.Element:
    with zipfile.ZipFile(path) as book:
        return ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314  our own file


NAMES = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def test_a_workbook_has_a_row_for_each_allele(export: Any):
    rows = sheet(export("xlsx"), 1).findall("s:sheetData/s:row", NAMES)
    assert len(rows) == 111
    assert [cell.findtext("s:is/s:t", None, NAMES) for cell in rows[0]][:3] == ["record", "chrom", "contig"]


@pytest.fixture
def hostile_job(user: Any, publish: Any, small_result: Any) -> Job:
    """Texts of a user's own that a spreadsheet would run."""
    header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t=cmd|'/C calc'!A0"
    return publish(
        user, small_result(f"{header}\n1\t9201\t=1+1\tA\tG\t50\t@SUM(A1)\t.\tGT\t0/1\n", "hostile")
    )


def test_no_cell_of_a_tsv_is_a_formula(export: Any, hostile_job: Job):
    heading, line = export("tsv", ResultFilter(), hostile_job).read_text().splitlines()
    assert "'=cmd" in heading and "'=1+1" in line and "'@SUM" in line
    assert not any(cell.startswith(("=", "@", "+")) for cell in [*heading.split("\t"), *line.split("\t")])


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(export: Any, hostile_job: Job):
    found = sheet(export("xlsx", ResultFilter(), hostile_job), 1)
    assert found.findall(".//s:f", NAMES) == found.findall(".//s:hyperlink", NAMES) == []
    texts = [text.text for text in found.findall(".//s:is/s:t", NAMES)]
    assert any((text or "").startswith("=1+1") for text in texts) and "@SUM(A1)" in texts


def test_what_a_sheet_cannot_hold_is_refused_with_the_way_out(demo_job: Job, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 100)
    wanted = Wanted(open_table(demo_job), HIGH)
    with pytest.raises(ExportRefused, match=r"holds 100 rows .* finds 110 alleles. Narrow"):
        formats.is_made_at_once("xlsx", wanted)
    monkeypatch.setattr(workbook, "MOST_ROWS", 110)
    monkeypatch.setattr(workbook, "MOST_COLUMNS", 20)
    with pytest.raises(ExportRefused, match="3 samples make"):
        formats.is_made_at_once("xlsx", wanted)


def test_a_text_too_long_for_a_cell_is_cut_and_counted(export: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook, "LONGEST_CELL", 200)
    path = export("xlsx")
    texts = [text.text or "" for text in sheet(path, 1).findall(".//s:is/s:t", NAMES)]
    cut = [text for text in texts if text.endswith("… (cut)")]
    assert cut and max(map(len, texts)) == 200
    assert sheet(path, 2).findall("s:sheetData/s:row", NAMES)[2][1].findtext("s:v", None, NAMES) == str(
        len(cut)
    )


class TestLarge:
    """Exports that a task makes."""

    @pytest.fixture(autouse=True)
    def _all_are_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(formats, "FEW_ROWS", 10)
        monkeypatch.setattr(background, "PROGRESS_EVERY_SECONDS", 0)

    @pytest.fixture
    def asked(self, demo_job: Job) -> background.Export:
        table = open_table(demo_job)
        return background.begin(demo_job, "tsv", Wanted(table, HIGH), count(table, HIGH).rows)

    def test_it_is_asked_for_made_and_fetched(
        self, client: Client, user: Any, demo_job: Job, sent_tasks: list[Any]
    ):
        client.force_login(user)
        url = reverse("annotations:result_export", args=[demo_job.job_id])
        response = client.post(url, {"format": "tsv", "query": "impact=HIGH"})
        assert (response.status_code, response["Location"]) == (302, f"{url}?impact=HIGH")
        (task,) = sent_tasks
        assert (task.name, task.args[0]) == ("tasks.export", demo_job.job_id)
        listed = reverse("annotations:result_exports", args=[demo_job.job_id])
        assert "<progress" in client.get(listed).content.decode()

        background.run(*task.args)
        assert "<progress" not in client.get(listed).content.decode()
        file: Any = client.get(reverse("annotations:result_export_file", args=task.args), follow=True)
        assert b"".join(file.streaming_content).count(b"\n") == 111
        assert file["Content-Disposition"] == 'attachment; filename="demo.filtered.tsv"'

    def test_asking_twice_makes_one(self, demo_job: Job, asked: background.Export, sent_tasks: list[Any]):
        background.run(demo_job.job_id, asked.export_id)
        table = open_table(demo_job)
        again = background.begin(demo_job, "tsv", Wanted(table, HIGH), 110)
        assert again.key and len(background.all_of(demo_job)) == len(sent_tasks) == 1

    def test_cancelled_before_it_runs_it_leaves_nothing(self, demo_job: Job, asked: background.Export):
        background.cancel(demo_job, asked.export_id)
        background.run(demo_job.job_id, asked.export_id)
        assert not list(object_store().keys(f"{demo_job.user_id}/{demo_job.job_id}/"))

    def test_cancelled_while_it_runs_it_stops_and_leaves_nothing(
        self, demo_job: Job, asked: background.Export, monkeypatch: pytest.MonkeyPatch
    ):
        def write(name: str, job: Job, wanted: Wanted, path: Path, progress: Any) -> None:
            path.write_text("half")
            progress(1)
            background.cancel(job, asked.export_id)
            progress(2)
            pytest.fail("went on after it was cancelled")

        monkeypatch.setattr(background, "write", write)
        background.run(demo_job.job_id, asked.export_id)
        assert not list(object_store().keys(f"{demo_job.user_id}/{demo_job.job_id}/"))

    def test_progress_is_seen(self, demo_job: Job, asked: background.Export, monkeypatch: pytest.MonkeyPatch):
        seen: list[Any] = []

        def write(name: str, job: Job, wanted: Wanted, path: Path, progress: Any) -> None:
            progress(7)
            seen.append(background.find(job, asked.export_id))
            path.write_text("all")

        monkeypatch.setattr(background, "write", write)
        background.run(demo_job.job_id, asked.export_id)
        assert (seen[0].records_done, seen[0].is_over) == (7, False)

    def test_a_result_that_has_gone_meanwhile_is_a_failure_with_words(
        self, demo_job: Job, asked: background.Export
    ):
        Job.objects.filter(pk=demo_job.job_id).update(result_state="ARCHIVED")
        background.run(demo_job.job_id, asked.export_id)
        found = background.find(demo_job, asked.export_id)
        assert found is not None and found.failure == "The result is no longer at hand."

    def test_the_oldest_makes_room(self, demo_job: Job):
        table = open_table(demo_job)
        for quality in range(7):
            wanted = ResultFilter.parse({"min_quality": [str(quality)]})
            background.begin(demo_job, "tsv", Wanted(table, wanted), 1)
        kept = [export.query for export in background.all_of(demo_job)]
        assert kept == [f"min_quality={quality}" for quality in (6, 5, 4, 3, 2)]

    def test_it_is_cancelled_on_the_page(
        self, client: Client, user: Any, demo_job: Job, asked: background.Export
    ):
        client.force_login(user)
        url = reverse("annotations:cancel_export", args=[demo_job.job_id, asked.export_id])
        assert client.post(url).status_code == 302
        assert background.all_of(demo_job) == []
        assert client.post(url).status_code == 404


def test_a_small_export_comes_at_once(client: Client, user: Any, demo_job: Job):
    client.force_login(user)
    url = reverse("annotations:result_export", args=[demo_job.job_id])
    for name, form in formats.FORMATS.items():
        response: Any = client.post(url, {"format": name, "query": "impact=HIGH"})
        assert response["Content-Disposition"] == f'attachment; filename="demo.filtered.{form.extension}"'
        assert len(b"".join(response.streaming_content)) > 1000
    assert background.all_of(demo_job) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"format": "exe"}, "format: expected one of vcf, tsv, xlsx, json, parquet; found “exe”."),
        ({"format": "tsv", "query": "impact=x"}, "impact: expected one of"),
    ],
)
def test_an_export_that_cannot_be_is_refused(
    client: Client, user: Any, demo_job: Job, data: dict[str, str], message: str
):
    client.force_login(user)
    response = client.post(reverse("annotations:result_export", args=[demo_job.job_id]), data)
    assert response.status_code == 400
    assert message in response.content.decode()
