"""Large files in a real browser: they go in parts, and go on after a break or a reload."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotations.incoming.models import Upload
from annotations.models import Job
from annotations.storage import object_store
from annotations.tests.waiting import wait_until
from gas_project.tests.test_browser import open_page

__all__ = ["open_page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CONTENT = b"##fileformat=VCFv4.2\n" + b"#" * 300_000 + b"\n"


@pytest.fixture
def large(tmp_path: Path, settings: Any) -> Path:
    """Of five parts."""
    settings.UPLOAD_PART_BYTES = 65_536
    path = tmp_path / "large.vcf"
    path.write_bytes(CONTENT)
    return path


def annotate(page: Any, path: Path) -> None:
    page.get_by_label("VCF file").set_input_files(path)
    page.get_by_role("button", name="Upload and annotate").click()


def assert_whole() -> None:
    job = Job.objects.get()
    with object_store().open(job.input_key) as file:
        assert file.read() == CONTENT


def test_a_large_file_goes_in_parts_and_on_after_a_lost_connection(
    open_page: Callable[..., Any], large: Path
):
    page = open_page("/jobs/new/")
    lost: list[str] = []

    def lose_the_third(route: Any) -> None:
        sent.append(route.request.url)
        if len(sent) == 3:
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    sent: list[str] = []
    page.route("**/storage/part/**", lose_the_third)
    annotate(page, large)
    page.get_by_role("heading", name="large.vcf").wait_for()
    assert (len(lost), len(sent)) == (1, 6)  # what had arrived was not sent again
    assert_whole()
    assert page.evaluate("Object.keys(localStorage).length") == 0


def test_it_goes_on_after_a_reload_when_the_same_file_is_chosen_again(
    open_page: Callable[..., Any], large: Path
):
    page = open_page("/jobs/new/")
    sent: list[str] = []

    def hold_the_third(route: Any) -> None:
        sent.append(route.request.url)
        if len(sent) != 3:
            route.continue_()

    page.route("**/storage/part/**", hold_the_third)
    page.on("dialog", lambda dialog: dialog.accept())
    annotate(page, large)
    # The browser's events come only while it is waited for.
    wait_until(lambda: len(sent) == 3 or bool(page.wait_for_timeout(20)))
    page.reload()  # and with the page goes the request that was held
    page.get_by_text("The upload of large.vcf is not finished").wait_for()
    upload = Upload.objects.get()
    there = len(object_store().parts(upload.key, upload.store_upload))
    assert there >= 2
    again: list[str] = []
    page.on("request", lambda request: again.append(request.url) if "/storage/part/" in request.url else None)
    annotate(page, large)
    page.get_by_role("heading", name="large.vcf").wait_for()
    assert len(again) == 5 - there
    assert Upload.objects.count() == 1
    assert_whole()


def test_the_api_is_read_and_tried_without_a_fault_in_the_browser(open_page: Callable[..., Any]):
    faults: list[str] = []
    page = open_page("/profile/")
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/api/v1/docs")
    page.get_by_text("/api/v1/usage").wait_for()
    page.get_by_text("/api/v1/usage").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text('"jobs_a_day_used": 0').first.wait_for()
    assert faults == []


def test_a_token_is_made_shown_and_revoked(open_page: Callable[..., Any]):
    page = open_page("/profile/tokens/")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Make the token").click()
    assert page.locator("#secret").inner_text().startswith("gas_")
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_text("The token is revoked.").wait_for()
    page.get_by_text("You have none.").wait_for()
