"""The pages for variants that are typed in, and for files from an address."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotations.incoming import fetching
from annotations.incoming.models import Upload
from annotations.incoming.tests.test_pasting import ALT, POS, REF, bundle
from annotations.models import Job
from annotations.outbound.tests.test_client import Server

__all__ = ["bundle"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, user: Any, settings: Any, bundle: Any) -> Client:
    settings.REFERENCES_DIR = Path(bundle.path).parent.parent
    client.force_login(user)
    return client


def test_typed_variants_become_a_job(page: Client, user: Any):
    answer = page.post("/jobs/new/variants/", {"variants": f"1-{POS}-{REF}-{ALT}", "reference": "tiny/1"})
    job = Job.objects.of(user).get()
    assert answer.status_code == 302 and answer.headers["Location"] == job.get_absolute_url()


def test_what_is_wrong_stands_beside_its_line_and_what_was_typed_stays(page: Client):
    typed = f"1-{POS}-{REF}-{ALT}\n<b>hello</b>"
    answer = page.post("/jobs/new/variants/", {"variants": typed, "reference": "tiny/1"})
    text = answer.content.decode()
    assert answer.status_code == 400 and "Line 2:" in text and "<b>hello" not in text
    assert f"1-{POS}-{REF}-{ALT}" in text and not Job.objects.exists()


def test_a_full_tier_is_told_before_anything_is_kept(page: Client, limits: Any):
    limits.jobs_at_once = 0
    answer = page.post("/jobs/new/variants/", {"variants": f"1-{POS}-{REF}-{ALT}", "reference": "tiny/1"})
    assert answer.status_code == 400 and not Upload.objects.exists()


def test_an_address_leads_to_a_page_that_follows_the_fetch_and_then_on(
    page: Client, user: Any, server: Server
):
    server.gives(200, b"##fileformat=VCFv4.2\n")
    answer = page.post("/jobs/new/address/", {"url": f"{server.url}/a.vcf"})
    upload = Upload.objects.get()
    assert answer.headers["Location"] == f"/uploads/{upload.upload_id}/"
    assert 'http-equiv="refresh"' in page.get(answer.headers["Location"]).content.decode()
    fetching.fetch(upload.upload_id, "t", retry_seconds=1)
    onwards = page.get(answer.headers["Location"])
    assert onwards.status_code == 302
    assert "has arrived" in page.get(onwards.headers["Location"]).content.decode()


@pytest.mark.parametrize("url", ["http://example.org/a.vcf", "https://10.0.0.1/a.vcf", "nonsense", ""])
def test_an_address_that_may_not_be_reached_is_refused_on_the_spot(page: Client, url: str):
    assert page.post("/jobs/new/address/", {"url": url}).status_code == 400
    assert not Upload.objects.exists()


def test_a_failed_fetch_says_why(page: Client, user: Any, server: Server):
    server.gives(404)
    page.post("/jobs/new/address/", {"url": f"{server.url}/a.vcf"})
    upload = Upload.objects.get()
    fetching.fetch(upload.upload_id, "t", retry_seconds=1)
    assert "answered 404" in page.get(f"/uploads/{upload.upload_id}/").content.decode()
