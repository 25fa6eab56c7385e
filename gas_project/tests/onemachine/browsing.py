"""What people do on the running service's pages, in a real browser."""

import time
from pathlib import Path
from typing import Any

PASSWORD = "rosalind-1952-photo-51"
WAIT_MILLISECONDS = 60_000  # for an annotation, on a busy machine


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


def annotate_the_sample(page: Any, folder: Path) -> str:
    """Upload the file that is there to try. Returns the address of its job."""
    page.goto("/jobs/new/")
    sample = download(page, "demo.vcf", folder)
    page.get_by_label("VCF file").set_input_files(sample)
    page.get_by_role("button", name="Upload and annotate").click()
    page.get_by_role("heading", name="demo.vcf").wait_for()
    return str(page.url)


def reload_until(page: Any, shown: Any) -> None:
    """Look again and again at a page that does not tell of it by itself."""
    deadline = time.monotonic() + WAIT_MILLISECONDS / 1000
    while not shown.is_visible():
        assert time.monotonic() < deadline, page.content()
        page.reload()
