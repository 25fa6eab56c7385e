"""The site in a real browser: what only a browser's own behaviour can show."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotations.job_queries import Outputs
from annotations.models import Job
from annotations.tests.bundles import write_bundle
from gas_project.tests.factories import make_premium_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def open_page(chromium: Any, live_server: Any, settings: Any, client: Client) -> Iterator[Callable[..., Any]]:
    """Opens a page of somebody who has logged in. An error of a script, or a refused one, fails the test."""
    write_bundle(settings.REFERENCES_DIR)
    client.force_login(make_premium_user("ada@example.org"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    contexts: list[Any] = []
    problems: list[str] = []

    def note(message: Any) -> None:
        # A status that a test asks for is no error of the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(message.text)

    def open_(path: str, **options: Any) -> Any:
        context = chromium.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def vcf(tmp_path: Path) -> Path:
    path = tmp_path / "my sample.vcf"
    path.write_text("##fileformat=VCFv4.2\n")
    return path


def test_a_file_is_uploaded_and_its_job_followed_to_the_end(
    open_page: Callable[..., Any], vcf: Path, sent_tasks: list[Any]
):
    page = open_page("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(vcf)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("heading", name="my_sample.vcf").wait_for()
    page.get_by_text("in the queue").wait_for()
    job = Job.objects.get()
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.annotate", (job.job_id,))]

    # The page tells of each step by itself.
    Job.objects.claim(job.job_id, "task")
    Job.objects.report(job.job_id, "task", "annotate", 1200)
    page.get_by_text("1,200 variants done").wait_for()
    outputs = Outputs("results", "r/x.annot.vcf.gz", "", "", "", result_bytes=9, summary={"records": 1200})
    Job.objects.complete(job.job_id, "task", outputs)
    page.get_by_role("link", name="x.annot.vcf.gz").wait_for()
    assert page.title().startswith("Completed")
    assert page.locator("#announcement").inner_text() == "Completed"
    assert page.locator("[hx-get]").count() == 0


def test_a_file_that_may_not_be_sent_is_refused_before_it_is_sent(
    open_page: Callable[..., Any], tmp_path: Path
):
    page = open_page("/jobs/new/")
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("alert").get_by_text("Choose a file first.").wait_for()
    (tmp_path / "empty.vcf").touch()
    page.get_by_label("VCF file").set_input_files(tmp_path / "empty.vcf")
    page.get_by_role("alert").get_by_text("empty.vcf is empty.").wait_for()
    assert not Job.objects.exists()


def test_what_the_storage_refuses_is_said_in_its_words(
    open_page: Callable[..., Any], vcf: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("annotations.uploads.FORM_SECONDS", -1)
    page = open_page("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(vcf)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("alert").get_by_text("The permission has expired.").wait_for()
    assert page.get_by_role("button", name="Upload and annotate").is_enabled()


def test_without_javascript_a_job_is_made_in_two_steps(open_page: Callable[..., Any], vcf: Path):
    page = open_page("/jobs/new/", java_script_enabled=False)
    page.get_by_label("VCF file").set_input_files(vcf)
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("my_sample.vcf has arrived").wait_for()
    page.get_by_label("Haplotype-aware").check()
    page.get_by_role("button", name="Annotate").click()
    page.get_by_text("in the queue").wait_for()
    assert Job.objects.get().haplotype_aware


def test_no_page_is_wider_than_a_phone(open_page: Callable[..., Any]):
    page = open_page("/", viewport={"width": 360, "height": 700})
    ours = (
        "/profile/tokens/",
        "/profile/webhooks/",
        "/api/v1/problems",
        "/jobs/new/variants/",
        "/jobs/new/address/",
    )
    for path in ("/", "/jobs/", "/jobs/new/", "/profile/", *ours):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
