"""A new user's way through the running service, in a real browser."""

import gzip
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gas_project.tests.onemachine.service import Service

pytestmark = pytest.mark.browser
PASSWORD = "rosalind-1952-photo-51"
WAIT_MILLISECONDS = 60_000  # for an annotation, on a busy machine


@pytest.fixture
def visit(chromium: Any, service: Service) -> Iterator[Callable[..., Any]]:
    """Opens a page in a browser of its own, with no cookies."""
    contexts: list[Any] = []

    def visit_(path: str = "/", **options: Any) -> Any:
        site = f"http://127.0.0.1:{service.environment['GAS_PORT']}"
        context = chromium.new_context(base_url=site, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield visit_
    for context in contexts:
        context.close()


def sign_up(page: Any, email: str) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Full name").fill("Rosalind F.")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/jobs/")


def download(page: Any, link: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link, exact=True).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_from_signing_up_to_the_annotated_file(
    visit: Callable[..., Any], service: Service, tmp_path: Path, picture: Callable[..., None]
) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    sign_up(page, "rosalind@example.org")

    # The file to try is where a newcomer looks for one.
    page.get_by_role("link", name="Annotate", exact=True).click()
    sample = download(page, "demo.vcf", tmp_path)
    page.get_by_label("VCF file").set_input_files(sample)
    page.get_by_role("button", name="Upload and annotate").click()

    # The page tells of the end by itself.
    page.get_by_role("link", name="demo.annot.vcf.gz", exact=True).wait_for(timeout=WAIT_MILLISECONDS)
    address = page.url
    picture(page, "job")
    annotated = gzip.decompress(download(page, "demo.annot.vcf.gz", tmp_path).read_bytes()).decode()
    records = [line for line in annotated.splitlines() if not line.startswith("#")]
    given = [line for line in sample.read_text().splitlines() if not line.startswith("#")]
    assert len(records) == len(given)
    assert all("CSQ=" in record for record in records)
    page.get_by_role("link", name="Read it here").click()
    assert f"Records out: {len(given)}" in page.locator("pre").inner_text()

    # It is hers alone.
    stranger = visit()
    assert stranger.goto(address).url.endswith(
        f"/accounts/login/?next={re.sub('^https?://[^/]+', '', address)}"
    )
    sign_up(stranger, "maurice@example.org")
    assert stranger.goto(address).status == 404


def test_a_file_that_is_no_vcf_ends_with_a_reason_and_what_to_do(
    visit: Callable[..., Any], tmp_path: Path
) -> None:
    page = visit()
    sign_up(page, "francis@example.org")
    page.goto("/jobs/new/")
    spoilt = tmp_path / "spoilt.vcf"
    spoilt.write_text("##fileformat=VCFv4.2\n#CHROM POS ID REF ALT QUAL FILTER INFO\n1 12 . A T . . .\n")
    page.get_by_label("VCF file").set_input_files(spoilt)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_text("Failed", exact=True).first.wait_for(timeout=WAIT_MILLISECONDS)
    assert re.search(r"Line 2\b.*tab", page.locator("main").inner_text(), re.IGNORECASE | re.DOTALL)


def pay(page: Any, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Subscribe").click()


def wait_for_tier(page: Any, label: str) -> None:
    wait_for(page, page.get_by_role("heading", name=f"Your tier: {label}"))


def wait_for(page: Any, shown: Any) -> None:
    """Look again and again: events come through the webhook, the queue and the worker."""
    deadline = time.monotonic() + WAIT_MILLISECONDS / 1000
    while not shown.is_visible():
        assert time.monotonic() < deadline, page.content()
        page.goto("/billing/")


def test_from_a_limit_to_premium_and_back(
    visit: Callable[..., Any], service: Service, tmp_path: Path, picture: Callable[..., None]
) -> None:
    page = visit(viewport={"width": 1280, "height": 900})
    sign_up(page, "barbara@example.org")

    # Over the limit there is a way to more.
    large = tmp_path / "large.vcf"
    large.write_text("##fileformat=VCFv4.2\n" + "##x=y\n" * 200_000)
    page.goto("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(large)
    page.get_by_role("alert").get_by_text("are allowed").wait_for()
    page.get_by_role("link", name="See what a higher tier gives").click()
    page.get_by_text("19.00 EUR").wait_for()
    picture(page, "tiers")
    page.get_by_role("button", name="Subscribe to premium").click()

    # A refused card costs nothing but another try; a bank that asks is answered.
    page.get_by_role("heading", name="Subscribe to premium").wait_for()
    pay(page, "4000 0000 0000 0002")
    page.get_by_role("alert").get_by_text("Your card was declined").wait_for()
    pay(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="No, this fails").click()
    page.get_by_role("alert").get_by_text("could not confirm").wait_for()
    page.get_by_role("link", name="Back").click()
    wait_for_tier(page, "Free")
    page.get_by_role("button", name="Subscribe to premium").click()
    pay(page, "4000 0025 0000 3155")
    page.get_by_role("button", name="Yes, it is me").click()

    # Premium begins when Stripe has said so; the page that waits goes on by itself.
    page.get_by_role("heading", name="Your tier: Premium").wait_for(timeout=WAIT_MILLISECONDS)
    page.get_by_text("You are on the premium tier.").wait_for()
    page.goto("/jobs/new/")
    page.get_by_label("VCF file").set_input_files(large)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("heading", name="large.vcf").wait_for(timeout=WAIT_MILLISECONDS)

    # Cancelled, it lasts to the end of what is paid.
    page.goto("/billing/")
    page.get_by_role("button", name="Manage the subscription").click()
    page.get_by_role("button", name="Cancel the subscription").click()
    page.get_by_role("button", name="Don't cancel").wait_for()
    page.get_by_role("link", name="Return to the service").click()
    wait_for(page, page.get_by_text("Premium ends on"))
    desk = visit(f"http://127.0.0.1:{service.environment['GAS_STRIPE_STANDIN_PORT']}/")
    desk.get_by_role("button", name="a month").click()
    desk.get_by_role("cell", name="canceled").wait_for()
    wait_for_tier(page, "Free")
    page.get_by_role("button", name="Subscribe to premium").wait_for()
    mails = "".join(path.read_text() for path in (service.state_dir / "mail").glob("*"))
    for subject in ("You are on the premium tier", "Your premium tier will end"):
        assert subject in mails
