"""A result in a real browser: rows, plots, gene, genome and export, with nothing that keeps anybody out."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from annotations.models import Job
from annotations.tests.accessibility import faults

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not site.HAS_ASSETS, reason="the browser's libraries are not installed: make assets"),
]
EXPECTED = "Failed to load resource: the server responded with a status of 400"  # asked for by a test


@pytest.fixture
def open_page(
    chromium: Any, live_server: Any, settings: Any, client: Client, demo_job: Job
) -> Iterator[Callable[..., Any]]:
    """Opens a page as the result's owner. An error of a script fails the test."""
    client.force_login(demo_job.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts: list[Any] = []
    problems: list[str] = []

    def note(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            problems.append(message.text)

    def open_(path: str, **options: Any) -> Any:
        context = chromium.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        context.add_cookies([cookie])
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(autouse=True)
def _reference(demo_references: Path, settings: Any) -> None:
    shutil.copytree(demo_references / "demo", settings.REFERENCES_DIR / "demo")


def address(job: Job, rest: str = "") -> str:
    return f"/jobs/{job.job_id}/result/{rest}"


def test_from_rows_to_plots_to_a_gene_to_an_export(open_page: Callable[..., Any], demo_job: Job):
    page = open_page(f"/jobs/{demo_job.job_id}/")
    page.get_by_role("link", name="Look at the variants").click()
    page.get_by_role("link", name="Rare and damaging").click()
    page.get_by_text("215 alleles").wait_for()

    page.get_by_role("button", name="Details").first.click()
    page.get_by_role("heading", name="Transcripts").wait_for()
    page.get_by_role("button", name="Details").first.click()
    assert page.get_by_role("heading", name="Transcripts").is_hidden()

    page.get_by_role("link", name="Plots").click()
    page.locator(".chart svg").nth(10).wait_for()
    with page.expect_download() as svg:
        page.locator("[data-save=svg]").first.click()
    assert Path(svg.value.path()).read_text().startswith("<svg")
    with page.expect_download() as png:
        page.locator("[data-save=png]").first.click()
    assert Path(png.value.path()).read_bytes().startswith(b"\x89PNG")

    page.get_by_role("link", name="Gene", exact=True).click()
    page.get_by_role("link", name="DEMO6").click()
    page.locator(".gene-chart svg").wait_for()

    page.get_by_role("link", name="Export").click()
    with page.expect_download() as tsv:
        page.get_by_role("button", name="TSV").click()
    lines = Path(tsv.value.path()).read_text().splitlines()
    assert tsv.value.suggested_filename == "demo.filtered.tsv" and len(lines) > 1
    assert all("DEMO6" in line for line in lines[1:])


def test_the_address_of_a_filter_has_what_was_chosen_alone(open_page: Callable[..., Any], demo_job: Job):
    page = open_page(address(demo_job))
    page.get_by_role("link", name="De novo in a trio").click()
    for role, sample in (("Child", "FATHER"), ("Mother", "MOTHER"), ("Father", "CHILD")):
        page.get_by_label(role, exact=True).select_option(sample)
    page.get_by_label("High").check()
    page.get_by_label("Moderate").check()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/?*")
    assert page.url.partition("?")[2] == "impact=HIGH&impact=MODERATE&child=FATHER&mother=MOTHER&father=CHILD"


def test_the_genome_browser_shows_variants_from_their_index(open_page: Callable[..., Any], demo_job: Job):
    page = open_page(address(demo_job, "genome/?gene=DEMO6"), color_scheme="dark")
    with page.expect_response(
        lambda answer: "/genome/variants.json?gene=DEMO6&contig=1" in answer.url
    ) as found:
        page.locator("#genome[data-ready]").wait_for()
    assert len(found.value.json()) > 3
    page.get_by_text("Found by the filter").last.wait_for()
    page.get_by_text("demo.vcf").last.wait_for()
    assert page.locator("#genome-trouble").is_hidden()


@pytest.mark.parametrize(
    "path", ["", "?impact=HIHG", "rows/5/", "plots/", "gene/?gene=DEMO6", "genome/", "export/"]
)
def test_no_page_has_a_serious_fault_for_anybody(
    open_page: Callable[..., Any], demo_job: Job, path: str, picture: Callable[[Any, str], None]
):
    name = path.partition("?")[0].replace("/", "-").strip("-") or "variants"
    for scheme in ("light", "dark"):
        page = open_page(address(demo_job, path), color_scheme=scheme)
        page.wait_for_load_state("networkidle")
        assert faults(page) == [], scheme
        picture(page, f"result-{name}-{scheme}")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        picture(page, f"result-{name}-{scheme}-phone")


def test_without_javascript_rows_filters_and_numbers_are_there(open_page: Callable[..., Any], demo_job: Job):
    page = open_page(address(demo_job), java_script_enabled=False)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("High").check()
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("110 alleles").wait_for()
    page.get_by_role("link", name="Details").first.click()
    page.get_by_role("heading", name="Transcripts").wait_for()
    page.goto(address(demo_job, "plots/?impact=HIGH"))
    page.get_by_role("link", name="Show the numbers").first.click()
    page.get_by_text("110 high").wait_for()
