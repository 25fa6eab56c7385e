"""A result whose files are in S3: its pages, the genome browser's parts of files, and exports."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from annotations.models import Job, ResultState, Status
from annotations.results.caching import cache_folder
from annotations.results.exports import background, formats
from annotations.storage import object_store
from annotations.storage.s3 import S3ObjectStore
from annotations.tests.conftest import _s3, s3_buckets
from annotations.tests.factories import make_job

__all__ = ["_s3", "s3_buckets"]

pytestmark = pytest.mark.django_db
ORIGIN = "https://gas.example.org"


@pytest.fixture
def _in_s3(s3_buckets: None, settings: Any) -> Iterator[None]:
    settings.OBJECT_STORE = "annotations.storage.s3.S3ObjectStore"
    object_store.cache_clear()
    yield
    object_store.cache_clear()


@pytest.fixture
def job(_in_s3: None, user: Any, demo_files: dict[str, Path], client: Client) -> Job:
    """The demo's result, in a bucket; its owner is logged in."""
    assert isinstance(object_store(), S3ObjectStore)
    job = make_job(user, status=Status.COMPLETED, result_state=ResultState.AVAILABLE, reference="demo/1")
    names = {"vcf": "result_key", "index": "index_key", "table": "table_key", "log": "log_key"}
    keys = {field: f"{user.pk}/{job.job_id}/0a/{demo_files[kind].name}" for kind, field in names.items()}
    for kind, field in names.items():
        object_store().publish(demo_files[kind], keys[field])
    Job.objects.filter(pk=job.pk).update(**keys)
    client.force_login(user)
    return Job.objects.get(pk=job.pk)


def test_the_table_is_fetched_once_and_shown(job: Job, client: Client):
    page = reverse("annotations:result", args=[job.job_id])
    assert "<strong>110</strong> alleles" in client.get(f"{page}?impact=HIGH").content.decode()
    (copy,) = cache_folder().glob("*.parquet")
    written = copy.stat().st_ino
    assert client.get(f"{page}?sort=-frequency").status_code == 200
    assert client.get(reverse("annotations:result_plot", args=[job.job_id, "impacts"])).status_code == 200
    assert [path.stat().st_ino for path in cache_folder().glob("*.parquet")] == [written]


def test_the_genome_browser_reads_parts_of_the_files_from_the_bucket(
    job: Job, client: Client, demo_references: Path, settings: Any
):
    shutil.copytree(demo_references / "demo", settings.REFERENCES_DIR / "demo")
    policy = client.get(reverse("annotations:result_genome", args=[job.job_id]))["Content-Security-Policy"]
    told = client.get(reverse("annotations:result_genome_settings", args=[job.job_id])).json()
    for name, magic in (("url", b"\x1f\x8b\x08\x04"), ("indexURL", b"\x1f\x8b\x08\x04")):
        address = client.get(told["variants"][name])["Location"]
        assert f"{address.partition('://')[0]}://{address.split('/')[2]}" in policy, "the page may ask there"
        headers = {"Range": "bytes=0-3", "Origin": ORIGIN}
        answer = requests.get(address, headers=headers, timeout=10)
        assert (answer.status_code, answer.content) == (206, magic)
        assert answer.headers["Content-Range"].startswith("bytes 0-3/")
    assert requests.get(address.replace("demo.annot", "other"), timeout=10).status_code in {403, 404}


@pytest.mark.parametrize("large", [False, True])
def test_what_a_filter_finds_is_exported_from_there(
    job: Job, client: Client, large: bool, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch
):
    if large:
        monkeypatch.setattr(formats, "FEW_ROWS", 10)
    url = reverse("annotations:result_export", args=[job.job_id])
    answer: Any = client.post(url, {"format": "tsv", "query": "impact=HIGH"})
    if large:
        (task,) = sent_tasks
        background.run(*task.args)
        address = client.get(reverse("annotations:result_export_file", args=task.args))["Location"]
        body = requests.get(address, timeout=10).content
    else:
        body = b"".join(answer.streaming_content)
        answer.close()
    assert body.count(b"\n") == 111
