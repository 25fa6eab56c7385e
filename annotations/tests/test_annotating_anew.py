"""A finished job, and a newer version of its reference."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Job, Status
from annotations.references import newer_than
from annotations.storage import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(user: Any) -> Client:
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def job(user: Any, settings: Any, tmp_path: Path) -> Job:
    write_bundle(settings.REFERENCES_DIR)
    job = make_job(user, status=Status.COMPLETED, reference="demo/1", input_file_name="family.vcf")
    (tmp_path / "in.vcf").write_text("##fileformat=VCFv4.2")
    object_store().publish(tmp_path / "in.vcf", job.input_key)
    return job


def anew(client: Client, job: Job) -> Any:
    return client.post(reverse("annotations:annotate_anew", args=[job.job_id]), follow=True)


def test_the_page_offers_a_newer_reference_when_there_is_one(
    client: Client, job: Job, settings: Any, sent_tasks: list[Any]
) -> None:
    assert "newer reference" not in client.get(job.get_absolute_url()).content.decode()
    write_bundle(settings.REFERENCES_DIR, version="10")
    assert "Annotate again with demo/10" in client.get(job.get_absolute_url()).content.decode()


def test_annotating_anew_makes_a_job_of_its_own_with_the_same_file_and_options(
    client: Client, job: Job, settings: Any, user: Any
) -> None:
    write_bundle(settings.REFERENCES_DIR, version="10")
    anew(client, job)
    (new,) = Job.objects.of(user).exclude(pk=job.pk)
    assert (new.reference, new.input_file_name, new.status) == ("demo/10", "family.vcf", Status.PENDING)
    object_store().delete(job.input_key)
    with object_store().open(new.input_key) as file:
        assert file.read() == b"##fileformat=VCFv4.2"
    assert Job.objects.get(pk=job.pk).reference == "demo/1"


def test_without_a_newer_reference_or_the_upload_nothing_is_made(
    client: Client, job: Job, settings: Any, user: Any
) -> None:
    assert "no newer version" in anew(client, job).content.decode()
    write_bundle(settings.REFERENCES_DIR, version="10")
    object_store().delete(job.input_key)
    assert "upload the file again" in anew(client, job).content.decode()
    assert Job.objects.of(user).count() == 1


def test_versions_are_compared_as_people_do(settings: Any) -> None:
    for version in ("9", "110"):
        write_bundle(settings.REFERENCES_DIR, version=version)
    assert [newer_than(f"demo/{version}") for version in ("9", "110", "111")] == ["demo/110", None, None]
    assert newer_than("other/1") is None
