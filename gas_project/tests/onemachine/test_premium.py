"""From a limit to premium and back, in a real browser: archived results return, and are archived again."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotations.tests.waiting import wait_until
from gas_project.tests.onemachine.browsing import (
    WAIT_MILLISECONDS,
    annotate_the_sample,
    download,
    reload_until,
    sign_up,
)
from gas_project.tests.onemachine.service import Service, mails

pytestmark = [pytest.mark.browser, pytest.mark.journey]
ARCHIVED = "are in the archive; nothing is lost"
RESULT = "demo.annot.vcf.gz"


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """A free result is archived, and comes back, while somebody looks on."""
    return {"GAS_FREE_RETENTION_SECONDS": "2", "GAS_VAULT_EXPEDITED_SECONDS": "1"}


def pay(page: Any, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Subscribe").click()


def try_to_pay(page: Any, card: str, words: str) -> None:
    pay(page, card)
    page.get_by_role("alert").get_by_text(words).wait_for()


def wait_for_tier(page: Any, label: str) -> None:
    page.goto("/billing/")
    reload_until(page, page.get_by_role("heading", name=f"Your tier: {label}"))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than a free user may send."""
    path = tmp_path / "large.vcf"
    path.write_text("##fileformat=VCFv4.2\n" + "##x=y\n" * 200_000)
    return path


def test_archived_results_return_with_premium_and_are_archived_again_after_it(
    visit: Callable[..., Any], service: Service, tmp_path: Path, large: Path
) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    sign_up(page, "barbara@example.org")
    job = annotate_the_sample(page, tmp_path)
    reload_until(page, page.get_by_text(ARCHIVED))
    assert page.get_by_role("link", name=RESULT).count() == 0
    page.get_by_role("link", name="Go premium").click()
    page.get_by_text("19.00 EUR").wait_for()

    # Over the limit there is a way to more, too.
    page.goto("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(large)
    page.get_by_role("alert").get_by_text("are allowed").wait_for()
    page.get_by_role("link", name="See what a higher tier gives").click()

    # Refused cards, and a bank that says no, cost nothing but another try.
    page.get_by_role("button", name="Subscribe to premium").click()
    page.get_by_role("heading", name="Subscribe to premium").wait_for()
    try_to_pay(page, "4000 0000 0000 0002", "Your card was declined")
    try_to_pay(page, "4000 0000 0000 9995", "insufficient funds")
    pay(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="No, this fails").click()
    page.get_by_role("alert").get_by_text("could not confirm").wait_for()
    page.get_by_role("link", name="Back").click()
    wait_for_tier(page, "Free")

    # Premium begins when Stripe has said so; the page that waits goes on by itself.
    page.get_by_role("button", name="Subscribe to premium").click()
    pay(page, "4242 4242 4242 4242")
    page.get_by_role("heading", name="Your tier: Premium").wait_for(timeout=WAIT_MILLISECONDS)
    page.get_by_text("Archived results are on their way back.").wait_for()

    # The job's page tells by itself that the result is back.
    page.goto(job)
    page.get_by_role("link", name=RESULT, exact=True).wait_for(timeout=WAIT_MILLISECONDS)
    page.get_by_text("Back from the archive").wait_for()
    assert b"CSQ=" in gzip.decompress(download(page, RESULT, tmp_path).read_bytes())

    # Cancelled, premium lasts to the end of what is paid; then retention runs anew.
    page.goto("/billing/")
    page.get_by_role("button", name="Manage the subscription").click()
    page.get_by_role("button", name="Cancel the subscription").click()
    page.get_by_role("button", name="Don't cancel").wait_for()
    page.get_by_role("link", name="Return to the service").click()
    reload_until(page, page.get_by_text("Premium ends on"))
    desk = visit(f"http://127.0.0.1:{service.environment['GAS_STRIPE_STANDIN_PORT']}/")
    desk.get_by_role("button", name="a month").click()
    desk.get_by_role("cell", name="canceled").wait_for()
    wait_for_tier(page, "Free")
    page.get_by_role("button", name="Subscribe to premium").wait_for()
    page.goto(job)
    reload_until(page, page.get_by_text(ARCHIVED))
    for subject in (
        "You are on the premium tier",
        "Your premium tier will end",
        "Your premium tier has ended",
    ):
        wait_until(lambda subject=subject: subject in mails(service))  # type: ignore[misc]


def test_a_bank_that_says_yes_makes_premium_and_lifts_the_limit(
    visit: Callable[..., Any], large: Path
) -> None:
    page = visit()
    sign_up(page, "dorothy@example.org")
    page.goto("/billing/")
    page.get_by_role("button", name="Subscribe to premium").click()
    pay(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="Yes, it is me").click()
    page.get_by_role("heading", name="Your tier: Premium").wait_for(timeout=WAIT_MILLISECONDS)
    page.goto("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(large)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("heading", name="large.vcf").wait_for(timeout=WAIT_MILLISECONDS)
