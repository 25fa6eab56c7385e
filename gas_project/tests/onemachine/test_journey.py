"""A new user's way through the running service, in a real browser."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gas_project.tests.onemachine.browsing import WAIT_MILLISECONDS, download, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.journey]


def test_from_signing_up_to_the_annotated_file(
    visit: Callable[..., Any], tmp_path: Path, picture: Callable[..., None]
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
