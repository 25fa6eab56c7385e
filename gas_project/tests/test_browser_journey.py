"""The whole way in a real browser: from a file, by its result's pages, to a colleague who has no account."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from annotations import running
from annotations.engine.demo.files import build_demo
from annotations.models import Job
from gas_project.tests.test_browser import open_page

__all__ = ["open_page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not site.HAS_ASSETS, reason="the browser's libraries are not installed: make assets"),
]


def annotated(page: Any, vcf: Path) -> None:
    """Leaves the page at the job of this file, which the engine has done."""
    page.get_by_label("VCF file").set_input_files(vcf)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_text("in the queue").wait_for()
    running.run(Job.objects.get().job_id, "task", retry_seconds=1)
    page.get_by_role("link", name="Look at the variants").wait_for()


def shared(page: Any) -> str:
    """The address of a link, made on the page of the job."""
    page.get_by_role("link", name="Share this result by a link").click()
    page.get_by_label("Whom it is for").fill("Rosalind")
    page.get_by_role("button", name="Make the link").click()
    return str(page.locator("#address").inner_text())


def test_from_a_file_to_plots_a_filter_a_gene_an_export_and_a_link_that_ends(
    open_page: Callable[..., Any], chromium: Any, live_server: Any, settings: Any
):
    settings.SITE_URL = live_server.url
    shutil.rmtree(settings.REFERENCES_DIR)  # a manifest alone, with which nothing can be annotated
    build_demo(settings.REFERENCES_DIR)
    page = open_page("/jobs/new/")
    annotated(page, settings.REFERENCES_DIR / "demo" / "demo.vcf")
    job_address = page.url

    page.get_by_role("link", name="Look at the variants").click()
    page.get_by_role("link", name="Plots", exact=True).click()
    page.locator(".chart svg").nth(10).wait_for()
    page.get_by_text("110 high, 137 moderate, 104 low, 146 modifier.").wait_for()

    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("High", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("status").filter(has_text="110 alleles").wait_for()

    page.get_by_role("link", name="Gene", exact=True).click()
    page.get_by_role("link", name="DEMO6").click()
    page.locator(".gene-chart svg").wait_for()

    page.get_by_role("link", name="Export", exact=True).click()
    with page.expect_download() as export:
        page.get_by_role("button", name="TSV").click()
    header, *rows = Path(export.value.path()).read_text().splitlines()
    impact = header.split("\t").index("impact")
    assert rows and all("DEMO6" in row and row.split("\t")[impact] == "HIGH" for row in rows)

    page.goto(job_address)
    address = shared(page)
    stranger = chromium.new_context()
    visit = stranger.new_page()
    assert visit.goto(address).status == 200
    assert visit.locator("main form, main button").count() == 0
    assert visit.get_by_role("link", name=re.compile("Delete|Share|Archive")).count() == 0
    visit.get_by_role("link", name="Look at the variants").click()
    visit.get_by_role("status").filter(has_text="497 alleles").wait_for()
    visit.locator("table.variants a.open").nth(10).wait_for()  # the text above it comes before the rows
    shown = visit.url

    page.get_by_role("button", name="Revoke the link for Rosalind").click()
    page.get_by_text("The link is revoked.").wait_for()
    visit.goto(shown)
    assert "/accounts/login/" in visit.url
    assert visit.goto(address).status == 410
    visit.get_by_role("heading", name="This link was revoked").wait_for()
    stranger.close()
