"""A gene with the alleles along it, and what the genome browser reads."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from annotations.engine.bundle import ReferenceBundle
from annotations.models import Job
from annotations.results.filters import ResultFilter
from annotations.results.genes import gene_view
from annotations.results.reference_genes import transcripts_on
from annotations.results.rows import Slice, count, page_of_rows
from annotations.results.tables import open_table

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _reference(demo_references: Path, settings: Any) -> None:
    shutil.copytree(demo_references / "demo", settings.REFERENCES_DIR / "demo")


@pytest.fixture
def page(client: Client, user: Any) -> Client:
    client.force_login(user)
    return client


def test_a_gene_has_its_transcripts_and_the_alleles_that_the_filter_finds(demo_job: Job):
    table = open_table(demo_job)
    view = gene_view(table, demo_job, ResultFilter.parse({"impact": ["HIGH"]}), "demo1")
    assert view is not None
    assert (view.gene.symbol, view.gene.gene_id, view.gene.contig) == ("DEMO1", "DEMOG00000000001", "1")
    first = view.gene.transcripts[0]
    assert first.mane and first.cds and first.exons[0][0] == first.start and first.exons[-1][1] == first.end
    expected = count(table, ResultFilter.parse({"impact": ["HIGH"], "gene": ["DEMO1"]}))
    assert view.counted == expected and len(view.variants) == expected.rows > 0
    assert {row.values["impact"] for row in view.variants} == {"HIGH"}


def test_a_gene_is_found_by_id_and_an_unknown_one_is_none(demo_job: Job, settings: Any):
    table = open_table(demo_job)
    everything = ResultFilter()
    by_id = gene_view(table, demo_job, everything, "DEMOG00000000002")
    assert by_id is not None and by_id.gene.symbol == "DEMO1-AS1"
    assert gene_view(table, demo_job, everything, "NONE") is None
    shutil.rmtree(settings.REFERENCES_DIR / "demo")
    assert gene_view(table, demo_job, everything, "DEMO1") is None


def test_the_gene_s_page_has_tables_of_what_is_drawn(page: Client, demo_job: Job):
    url = reverse("annotations:result_gene", args=[demo_job.job_id])
    html = page.get(f"{url}?gene=DEMO1&impact=HIGH").content.decode()
    assert "DEMOT00000000101" in html and "alleles within reach" in html.replace("\n", " ")
    assert "no gene called NONE" in page.get(f"{url}?gene=NONE").content.decode()
    chosen = page.get(url).content.decode()
    assert "?gene=DEMO" in chosen and "Genes with the gravest alleles" in chosen
    assert page.get(f"{url}?impact=HIHG").status_code == 400


def test_the_drawing_has_the_same_alleles(page: Client, demo_job: Job):
    url = reverse("annotations:result_gene_drawing", args=[demo_job.job_id])
    drawing = page.get(f"{url}?gene=DEMO1&impact=HIGH").json()
    rows = count(open_table(demo_job), ResultFilter.parse({"impact": ["HIGH"], "gene": ["DEMO1"]})).rows
    assert len(drawing["variants"]) == rows
    assert page.get(f"{url}?gene=NONE").status_code == page.get(url).status_code == 404
    assert page.get(f"{url}?gene=DEMO1&x=1").status_code == 400


def test_a_real_gene_has_its_exons_where_the_reference_has_them(
    chr21_files: Any, publish: Any, user: Any, grch38_chr21: ReferenceBundle, settings: Any
):
    shutil.copytree(grch38_chr21.path.parent, settings.REFERENCES_DIR / "GRCh38")
    job = publish(user, chr21_files, reference="GRCh38/chr21")
    view = gene_view(open_table(job), job, ResultFilter(), "APP")
    assert view is not None
    assert (view.gene.gene_id, view.gene.start, view.gene.end) == ("ENSG00000142192", 25_880_550, 26_171_128)
    whole = next(one for one in view.gene.transcripts if one.transcript == "ENST00000346798")
    assert len(whole.exons) == 18
    assert view.counted.rows > 500


class TestGenome:
    def test_the_browser_is_told_of_nothing_but_this_site(self, page: Client, demo_job: Job):
        html = page.get(reverse("annotations:result_genome", args=[demo_job.job_id]) + "?gene=DEMO6")
        assert 'data-locus="1:' in html.content.decode()
        told = page.get(reverse("annotations:result_genome_settings", args=[demo_job.job_id])).json()
        addresses = [*(told["reference"][n] for n in ("fastaURL", "indexURL", "compressedIndexURL"))]
        addresses += [told["variants"]["url"], told["variants"]["indexURL"]]
        assert all(address.startswith("/") for address in [*addresses, told["genesURL"], told["foundURL"]])
        for address in addresses:
            response: Any = page.get(address, headers={"Range": "bytes=0-9"}, follow=True)
            assert response.status_code == 206
            assert len(b"".join(response.streaming_content)) == 10

    @pytest.mark.parametrize(
        ("query", "narrowed"),
        [
            ("impact=HIGH", "impact=HIGH&region=1:10001-60000"),
            (
                "region=chr1:1-20000&region=1:50000-70000&region=2",
                "region=1:10001-20000&region=1:50000-60000",
            ),
            ("region=1", "region=1:10001-60000"),
            ("region=2", None),
            ("gene=NONE", None),
        ],
    )
    def test_what_a_filter_finds_on_a_stretch_are_the_rows_of_both(
        self, page: Client, demo_job: Job, query: str, narrowed: str | None
    ):
        url = reverse("annotations:result_genome_variants", args=[demo_job.job_id])
        found = page.get(f"{url}?{query}&contig=chr1&start=10000&end=60000").json()
        wanted = ResultFilter.parse(QueryDict(narrowed or ""))
        expected = page_of_rows(open_table(demo_job), wanted, Slice(limit=1000), ["pos"]) if narrowed else []
        assert [one["start"] + 1 for one in found] == [row.values["pos"] for row in expected]
        assert bool(expected) is (narrowed is not None)

    def test_what_is_asked_wrongly_of_it_is_refused(self, page: Client, demo_job: Job):
        url = reverse("annotations:result_genome_variants", args=[demo_job.job_id])
        stretch = "contig=1&start=0&end=9"
        for query in ("impact=HIHG", "genotype=het:NOBODY", "region=9&genotype=het:NOBODY"):
            assert page.get(f"{url}?{query}&{stretch}").status_code == 400
        for query in ("", "contig=1", "contig=1&start=0&end=1e12"):
            assert page.get(f"{url}?{query}").status_code == 404

    def test_no_other_file_of_the_reference_is_given(self, page: Client, demo_job: Job):
        base = reverse("annotations:result_genome", args=[demo_job.job_id])
        for name in ("manifest.json", "genes", "..%2Fdemo.vcf", "genome.fa"):
            assert page.get(f"{base}{name}").status_code == 404

    def test_genes_are_those_that_overlap(self, page: Client, demo_job: Job, demo_references: Path):
        url = reverse("annotations:result_reference_genes", args=[demo_job.job_id])
        found = page.get(url + "?contig=1&start=46000&end=46700").json()
        assert {one["id"] for one in found} == {"DEMOT00000000601", "DEMOT00000000701"}
        assert page.get(url + "?contig=none&start=0&end=5").json() == []
        for query in ("", "?contig=1", "?contig=1&start=x&end=5", "?contig=1&start=nan&end=5"):
            assert page.get(url + query).status_code == 404

    def test_exons_are_coding_only_where_the_transcript_is(self, demo_references: Path):
        bundle = ReferenceBundle.open(demo_references / "demo" / "1")
        one = next(o for o in transcripts_on(bundle, "1", 46_000, 46_700) if o["id"] == "DEMOT00000000701")
        coding = sum(exon["cdEnd"] - exon["cdStart"] for exon in one["exons"] if "cdStart" in exon)
        assert coding % 3 == 0 and coding > 0
        assert all(exon["start"] <= exon.get("cdStart", exon["start"]) for exon in one["exons"])

    def test_a_filter_that_is_wrong_is_refused(self, page: Client, demo_job: Job):
        url = reverse("annotations:result_genome", args=[demo_job.job_id])
        assert page.get(f"{url}?impact=HIHG").status_code == 400
