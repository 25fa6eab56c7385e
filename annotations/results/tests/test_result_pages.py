"""The pages of a result: its rows, and one allele in full."""

import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.test import Client
from django.urls import reverse

from annotations.engine.bundle import ReferenceBundle
from annotations.engine.table import table_schema
from annotations.models import Job, ResultState
from annotations.results.filters import ResultFilter
from annotations.results.layout import NEEDED, NEEDED_WITH_SAMPLES
from annotations.results.links import links_of
from annotations.results.rows import Slice, page_of_rows
from annotations.results.tables import ResultTable, open_table
from annotations.storage import object_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, user: Any, demo_job: Job) -> Any:
    client.force_login(user)

    def get(query: str = "", status: int = 200) -> str:
        response = client.get(reverse("annotations:result", args=[demo_job.job_id]) + query)
        assert response.status_code == status
        return str(response.content.decode())

    return get


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_the_first_page_has_fifty_rows_and_the_total(page: Any):
    html = page()
    assert html.count('class="open"') == 50
    assert "497 alleles of 449 variants" in text_of(html)
    assert 'rel="next"' in html and 'rel="prev"' not in html


def test_the_last_page_has_the_rest(page: Any):
    html = page("?page=10")
    assert html.count('class="open"') == 47
    assert 'rel="next"' not in html
    assert "There is no such page" in page("?page=11")


def test_a_filter_is_in_the_address_in_the_chips_and_in_the_form(page: Any):
    html = page("?impact=HIGH&genotype=het:CHILD&child=FATHER&mother=MOTHER&father=CHILD")
    assert re.search(r'value="HIGH" checked', html)
    assert re.search(r'<option value="het:CHILD" selected', html)
    assert re.search(r"<option selected>FATHER", html)
    assert "Without Impact HIGH" in html
    assert "genotype=het%3ACHILD&amp;child=FATHER" in html


def test_pages_and_orders_keep_the_filter(page: Any):
    html = page("?impact=MODERATE&sort=-quality")
    assert "?impact=MODERATE&amp;sort=-quality&amp;page=2" in html
    assert "?impact=MODERATE&amp;sort=gene" in html
    assert 'aria-sort="descending"' in html


def test_a_filter_that_is_wrong_says_what_was_expected_and_shows_no_rows(page: Any):
    html = page("?impact=HIHG&min_quality=x", status=400)
    assert "impact: expected HIGH; found “HIHG”." in html
    assert "min_quality: expected a number of 0 or more; found “x”." in html
    assert 'class="open"' not in html
    assert "page: expected a number" in page("?page=0", status=400)


def test_text_of_an_address_is_shown_as_text(page: Any):
    html = page("?gene=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in html and "&lt;script&gt;" in html


def test_presets_are_links_that_become_their_parameters(page: Any):
    assert "?preset=rare-and-damaging" in page()
    assert "Frequency up to 0.01" in text_of(page("?preset=rare-and-damaging"))


def test_an_allele_in_full_has_transcripts_known_values_genotypes_and_links(
    client: Client, user: Any, demo_job: Job
):
    client.force_login(user)
    table = open_table(demo_job)
    wanted = ResultFilter.parse({"significance": ["pathogenic"], "consequence": ["stop_gained"]})
    row = page_of_rows(table, wanted, Slice())[0]
    url = reverse("annotations:result_row", args=[demo_job.job_id, row.number])
    html = client.get(url).content.decode()
    for entry in row.values["csq"].split(","):
        assert entry.split("|")[6] in html
    text = text_of(html)
    assert row.values["hgvsp"] in text
    assert "clinvar CLNSIG" in text and row.values["clinvar_CLNSIG"] in text
    assert "Genotypes of 3 samples" in text
    assert f"term={row.values['clinvar_ALLELEID']}%5Balleleid%5D" in html
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and row.values["hgvsp"] in part


def test_a_row_that_is_not_there_is_not_found(client: Client, user: Any, demo_job: Job):
    client.force_login(user)
    url = reverse("annotations:result_row", args=[demo_job.job_id, 99_999])
    assert client.get(url).status_code == 404


def test_a_result_in_the_archive_leads_to_the_job_s_page(client: Client, user: Any, demo_job: Job):
    client.force_login(user)
    Job.objects.filter(pk=demo_job.job_id).update(result_state=ResultState.ARCHIVED)
    response = client.get(reverse("annotations:result", args=[demo_job.job_id]))
    assert (response.status_code, response["Location"]) == (302, demo_job.get_absolute_url())


def test_links_are_made_from_ids_and_lead_to_the_right_build():
    values = {
        "known_ids": ["rs429358", "COSV1"], "id": "rs429358;mine", "genes": ["ENSG00000130203", "Apoe"],
        "contig": "19", "pos": 44908684, "ref": "T", "alt": "C", "clinvar_ALLELEID": 32,
    }  # fmt: skip
    links = {(link.site, link.what): link.url for link in links_of(values, "GRCh38/115")}
    assert links == {
        ("dbSNP", "rs429358"): "https://www.ncbi.nlm.nih.gov/snp/rs429358",
        ("ClinVar", "allele 32"): "https://www.ncbi.nlm.nih.gov/clinvar/?term=32%5Balleleid%5D",
        ("Ensembl", "ENSG00000130203"): "https://www.ensembl.org/id/ENSG00000130203",
        ("gnomAD", "19-44908684-T-C"):
            "https://gnomad.broadinstitute.org/variant/19-44908684-T-C?dataset=gnomad_r4",
    }  # fmt: skip
    old = {link.site: link.url for link in links_of(values, "hg19-clinic/3")}
    assert old["Ensembl"].startswith("https://grch37.ensembl.org/")
    assert old["gnomAD"].endswith("?dataset=gnomad_r2_1")
    assert "gnomAD" not in {link.site for link in links_of(values, "GRCm39/115")}


def test_a_table_without_samples_or_known_variants_has_no_such_columns_or_fields(
    client: Client, user: Any, bare_job: Job
):
    client.force_login(user)
    html = client.get(reverse("annotations:result", args=[bare_job.job_id])).content.decode()
    assert "Population frequency" not in html and "Genotypes" not in html and "preset=novel" not in html
    assert html.count('class="open"') == 2


def test_of_many_samples_carriers_are_counted_and_one_can_be_named(
    client: Client, user: Any, many_samples_job: Job
):
    client.force_login(user)
    url = reverse("annotations:result", args=[many_samples_job.job_id])
    html = client.get(url).content.decode()
    assert "300 het, 300 hom, 300 not called" in html
    assert 'name="sample" list="samples"' in html
    filtered = text_of(client.get(url + "?sample=S7&zygosity=het").content.decode())
    assert "Genotype het:S7" in filtered


def test_the_table_of_many_samples_has_all_of_them(many_samples_job: Job):
    table: ResultTable = open_table(many_samples_job)
    assert len(table.layout.samples) == 1200
    (row, *_) = page_of_rows(table, ResultFilter(), Slice())
    assert row.values["zygosity"] == "rhH." * 300


class TestOfAnEarlierService:
    """A table that lacks a column of today's."""

    @pytest.fixture
    def job(self, demo_job: Job) -> Job:
        path = open_table(demo_job).path
        pl.read_parquet(path).drop("gene_names").write_parquet(path)
        return demo_job

    @pytest.mark.parametrize(
        "name", ["result", "result_plots", "result_gene", "result_export", "result_genome"]
    )
    def test_every_page_says_so_and_offers_to_annotate_it_again(self, client: Client, job: Job, name: str):
        client.force_login(job.user)
        response = client.get(reverse(f"annotations:{name}", args=[job.job_id]))
        assert response.status_code == 409
        assert (
            "earlier version" in response.content.decode()
            and "Annotate it again" in response.content.decode()
        )

    def test_one_click_makes_a_job_with_the_same_reference(
        self, client: Client, job: Job, demo_references: Path, settings: Any
    ):
        shutil.copytree(demo_references / "demo", settings.REFERENCES_DIR / "demo")
        object_store().publish(demo_references / "demo" / "demo.vcf", job.input_key)
        client.force_login(job.user)
        client.post(reverse("annotations:annotate_anew", args=[job.job_id]), {"same": "yes"})
        (new,) = Job.objects.of(job.user).exclude(pk=job.pk)
        assert (new.reference, new.status) == (job.reference, "PENDING")


def test_the_columns_that_pages_need_are_those_that_the_engine_writes(demo_references: Path):
    bundle = ReferenceBundle.open(demo_references / "demo" / "1")
    known = {name for one in bundle.known_sources for name in (one.name, *(field.id for field in one.fields))}
    known |= {field.id for one in bundle.interval_sources for field in one.fields}
    assert set(NEEDED) == table_schema(bundle, has_samples=False).keys() - known
    assert {*NEEDED, *NEEDED_WITH_SAMPLES} == table_schema(bundle, has_samples=True).keys() - known
