"""Exports by the API: asked for, followed, fetched, removed; one's own alone."""

from typing import Any

import pytest

from annotations.api.exports import ExportFormat
from annotations.api.tests.conftest import Caller
from annotations.models import Job
from annotations.results.exports import background
from annotations.results.exports.formats import FORMATS
from annotations.results.tests.conftest import demo_files, demo_job, demo_references, publish

__all__ = ["demo_files", "demo_job", "demo_references", "publish"]
pytestmark = pytest.mark.django_db


def test_every_form_of_the_site_can_be_had():
    assert {form.value for form in ExportFormat} == set(FORMATS)


def test_an_export_is_made_by_a_task_and_fetched_without_a_token(
    call: Caller, demo_job: Job, sent_tasks: list[Any], client: Any
):
    path = f"/jobs/{demo_job.job_id}/exports"
    answer = call.post(path, {"format": "tsv", "filter": "impact=HIGH"})
    export = answer.json()
    assert answer.status_code == 202 and not export["is_over"] and export["rows"] > 0
    assert call.post(path, {"format": "tsv", "filter": "impact=HIGH"}).json()["id"] == export["id"]
    assert call.get(f"{path}/{export['id']}/file").status_code == 409
    assert sent_tasks[-1].name == "tasks.export"
    background.run(*sent_tasks[-1].args)
    assert [one["is_over"] for one in call.get(path).json()["items"]] == [True]
    lines = client.get(call.get(f"{path}/{export['id']}/file").headers["Location"]).getvalue().splitlines()
    assert len(lines) == export["rows"] + 1
    assert call.delete(f"{path}/{export['id']}").status_code == 204
    assert call.get(f"{path}/{export['id']}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"format": "exe"}, {}, {"format": "tsv", "filter": "impact=HUGE"}, {"format": "tsv", "filter": "x=1"}],
)
def test_what_can_not_be_exported_is_refused(call: Caller, demo_job: Job, body: dict[str, str]):
    assert call.post(f"/jobs/{demo_job.job_id}/exports", body).status_code == 422


def test_those_of_another_are_not_there(call: Caller, other: Caller, demo_job: Job):
    path = f"/jobs/{demo_job.job_id}/exports"
    export_id = call.post(path, {"format": "json"}).json()["id"]
    for method, more in (
        ("get", ""),
        ("get", f"/{export_id}"),
        ("get", f"/{export_id}/file"),
        ("delete", f"/{export_id}"),
    ):
        assert other(method, path + more).status_code == 404, (method, more)
    assert other.post(path, {"format": "json"}).status_code == 404
    assert len(call.get(path).json()["items"]) == 1
