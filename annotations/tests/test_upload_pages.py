"""The way of a file through the pages, with and without JavaScript."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotations.models import Job
from annotations.storage.port import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_submitted_job
from annotations.tests.fakes import FakeLimits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]
VCF = b"##fileformat=VCFv4.2\n"


@pytest.fixture(autouse=True)
def reference(settings: Any) -> None:
    write_bundle(settings.REFERENCES_DIR)


@pytest.fixture
def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def vcf(body: bytes = VCF, name: str = "patient.vcf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body)


def uploaded(browser: Client) -> str:
    form = browser.post(reverse("annotations:begin_upload"), {"file_name": "patient.vcf"}).json()
    assert browser.post(form["url"], form["fields"] | {"file": vcf()}).status_code == 204
    key: str = form["fields"]["key"]
    return key


def test_a_script_begins_an_upload_sends_the_file_and_submits_it(browser: Client, user: Any):
    response = browser.post(reverse("annotations:submit"), {"key": uploaded(browser), "reference": "demo/1"})
    job = Job.objects.of(user).get()
    assert (response.status_code, response["Location"]) == (302, job.get_absolute_url())
    assert (job.input_file_name, job.haplotype_aware) == ("patient.vcf", False)


def test_without_javascript_the_file_goes_by_a_plain_form_and_a_second_page_asks_for_the_rest(
    limits: FakeLimits,
    browser: Client,
    user: Any,
):
    page = browser.get(reverse("annotations:new")).content.decode()
    upload = re.search(r'<form id="upload".*?</form>', page, re.DOTALL)
    assert upload
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', unescape(upload[0])))
    action = re.search(r'action="([^"]+)"', upload[0])
    assert action
    sent = browser.post(unescape(action[1]), fields | {"file": vcf(name="my patient.vcf")})
    assert sent.status_code == 303

    back = urlsplit(sent["Location"])
    asked = browser.get(f"{back.path}?{back.query}").content.decode()
    assert "my_patient.vcf</strong> has arrived" in asked
    assert not Job.objects.of(user).exists()

    key = re.search(r'name="key" value="([^"]+)"', asked)
    assert key
    browser.post(
        reverse("annotations:submit"),
        {"key": unescape(key[1]), "reference": "demo/1", "haplotype_aware": "on"},
    )
    job = Job.objects.of(user).get()
    assert (job.input_file_name, job.haplotype_aware) == ("my_patient.vcf", True)
    assert object_store().size_bytes(job.input_key) == len(VCF)


def test_a_double_click_makes_one_job(browser: Client, user: Any):
    data = {"key": uploaded(browser), "reference": "demo/1"}
    first = browser.post(reverse("annotations:submit"), data)
    second = browser.post(reverse("annotations:submit"), data)
    assert first["Location"] == second["Location"]
    assert Job.objects.of(user).count() == 1


def test_going_back_to_the_second_page_after_the_job_was_made_leads_to_that_job(browser: Client, user: Any):
    key = uploaded(browser)
    browser.post(reverse("annotations:submit"), {"key": key, "reference": "demo/1"})
    response = browser.get(reverse("annotations:submit"), {"key": key})
    assert response["Location"] == Job.objects.of(user).get().get_absolute_url()


def test_a_submit_without_a_reference_asks_again_and_keeps_the_upload(browser: Client):
    key = uploaded(browser)
    response = browser.post(reverse("annotations:submit"), {"key": key})
    assert response.status_code == 400
    assert "Choose a reference." in response.content.decode()
    assert key in response.content.decode()
    assert object_store().size_bytes(key)


def test_a_refused_upload_leads_to_the_upload_page_with_the_reason(browser: Client, other_user: Any):
    stranger = make_submitted_job(other_user)
    response = browser.get(reverse("annotations:submit"), {"key": stranger.input_key})
    assert response.status_code == 400
    assert "not an upload of yours" in response.content.decode()
    assert 'id="upload"' in response.content.decode()


def test_the_limit_of_the_tier_is_said_before_the_upload(browser: Client):
    page = browser.get(reverse("annotations:new")).content.decode()
    assert "Up to 150.0\xa0MB on the Free tier" in page


def test_without_a_reference_the_page_says_so_and_offers_no_upload(
    browser: Client, settings: Any, tmp_path: Any
):
    settings.REFERENCES_DIR = tmp_path / "none"
    page = browser.get(reverse("annotations:new")).content.decode()
    assert "no reference yet" in page
    assert 'type="file"' not in page


def test_a_file_name_with_markup_is_shown_as_text(browser: Client, user: Any):
    job = make_submitted_job(user, input_file_name="<img src=x onerror=alert(1)>.vcf")
    for url in (job.get_absolute_url(), reverse("annotations:jobs"), reverse("home")):
        assert "<img src=x" not in browser.get(url).content.decode()


def test_a_sample_that_lies_beside_a_reference_is_offered_for_trying(browser: Client, settings: Any):
    (settings.REFERENCES_DIR / "demo" / "demo.vcf").write_bytes(VCF)
    address = reverse("annotations:sample", args=["demo"])
    assert address in browser.get(reverse("annotations:new")).content.decode()
    response = browser.get(address)
    assert b"".join(response) == VCF
    assert response["Content-Disposition"] == 'attachment; filename="demo.vcf"'


def test_no_file_but_a_sample_can_be_had_by_the_address_of_one(browser: Client, settings: Any):
    (settings.REFERENCES_DIR / "secret").mkdir()
    (settings.REFERENCES_DIR / "secret" / "secret.vcf").write_bytes(VCF)
    for name in ("demo", "secret", "..", "nothing"):
        assert browser.get(reverse("annotations:sample", args=[name])).status_code == 404


def test_who_has_no_room_for_a_job_is_told_before_the_file_is_sent(
    browser: Client, user: Any, limits: FakeLimits
):
    limits.jobs_at_once = 1
    make_submitted_job(user)
    response = browser.post(reverse("annotations:begin_upload"), {"file_name": "patient.vcf"})
    assert response.status_code == 409
    assert "1 of your jobs" in response.json()["message"]


def test_a_file_whose_job_does_not_fit_waits_on_its_page_with_the_way_to_more(
    browser: Client, user: Any, limits: FakeLimits
):
    key = uploaded(browser)
    limits.jobs_at_once = 1
    make_submitted_job(user)
    response = browser.post(reverse("annotations:submit"), {"key": key, "reference": "demo/1"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "1 of your jobs" in page and 'href="/more/"' in page and "has arrived" in page


def test_a_file_that_is_too_large_is_refused_with_the_way_to_more(browser: Client, limits: FakeLimits):
    form = browser.post(reverse("annotations:begin_upload"), {"file_name": "patient.vcf"}).json()
    browser.post(form["url"], form["fields"] | {"file": vcf()})
    limits.upload_max_bytes = 3
    page = browser.get(reverse("annotations:submit"), {"key": form["fields"]["key"]}).content.decode()
    assert "up to 3" in page and 'href="/more/"' in page
    limits.upgrade_url = None
    form = browser.post(reverse("annotations:begin_upload"), {"file_name": "patient.vcf"}).json()
    refused = browser.post(form["url"], form["fields"] | {"file": vcf()}, headers={"accept": "text/html"})
    assert refused.status_code == 400
    assert "/more/" not in refused.content.decode()


def test_the_storage_that_refuses_a_large_file_shows_the_way_to_more(browser: Client, limits: FakeLimits):
    limits.upload_max_bytes = 3
    form = browser.post(reverse("annotations:begin_upload"), {"file_name": "patient.vcf"}).json()
    refused = browser.post(form["url"], form["fields"] | {"file": vcf()}, headers={"accept": "text/html"})
    assert refused.status_code == 400
    assert 'href="/more/"' in refused.content.decode()


def test_what_is_used_of_the_tier_is_shown_where_a_job_begins(browser: Client, user: Any, limits: FakeLimits):
    limits.jobs_at_once, limits.jobs_a_day = 3, 9
    make_submitted_job(user)
    make_submitted_job(user, status="COMPLETED")
    page = browser.get(reverse("annotations:new")).content.decode()
    assert "1 of 3 jobs at work, 2 of 9 in 24 hours" in page
