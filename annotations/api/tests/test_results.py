"""The rows of a result by the API: the filters of the site, by cursor, one's own alone."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from annotations.api.tests.conftest import Caller
from annotations.models import Job
from annotations.results import rows
from annotations.results.filters import ResultFilter
from annotations.results.tables import open_table
from annotations.results.tests.conftest import demo_files, demo_job, demo_references, publish
from annotations.tests.factories import make_job

__all__ = ["demo_files", "demo_job", "demo_references", "publish"]
pytestmark = pytest.mark.django_db


def everything(call: Caller, job: Job, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = call.get(f"/jobs/{job.job_id}/results?{query}{cursor}").json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize(
    "query", ["", "impact=HIGH,MODERATE", "preset=rare-damaging", "genotype=het:CHILD&known=novel"]
)
def test_pages_give_what_the_filter_finds_and_their_count(call: Caller, demo_job: Job, query: str):

    if query.startswith("preset"):
        name = call.get(f"/jobs/{demo_job.job_id}/results/about").json()["presets"][0]
        query = f"preset={name}"
    table = open_table(demo_job)
    wanted = ResultFilter.parse(dict(QueryDict(query).lists()))
    found = everything(call, demo_job, f"{query}&limit=100")
    assert len(found) == rows.count(table, wanted).rows
    counted = call.get(f"/jobs/{demo_job.job_id}/results?{query}&count=true&limit=1").json()
    assert counted["rows"] == len(found)


def test_rows_are_sorted_and_have_the_columns_that_are_asked_for(call: Caller, demo_job: Job):
    found = everything(call, demo_job, "sort=-quality&columns=qual,id&limit=200")
    values = [row["qual"] for row in found if row["qual"] is not None]
    assert values == sorted(values, reverse=True) and set(found[0]) == {"qual", "id"}


def test_what_there_is_to_filter_by_is_told(call: Caller, demo_job: Job):
    about = call.get(f"/jobs/{demo_job.job_id}/results/about").json()
    assert about["samples"] == ["CHILD", "FATHER", "MOTHER"] and about["rows"] == 497
    assert "position" in about["sort_keys"] and about["presets"]


@pytest.mark.parametrize(
    "query",
    ["impact=HUGE", "sort=nonsense", "columns=nonsense", "limit=0", "cursor=x", "nonsense=1", "columns="],
)
def test_what_means_nothing_is_refused_by_its_place(call: Caller, demo_job: Job, query: str):
    answer = call.get(f"/jobs/{demo_job.job_id}/results?{query}")
    assert answer.status_code == 422, answer.content
    assert query.partition("=")[0] in answer.json()["errors"][0]["where"]


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE x; --', "$table", "x') UNION SELECT 7 --", "%", "\\", "\u0000"]
)
@pytest.mark.parametrize(
    "name", ["gene", "id", "filter", "region", "sort", "columns", "genotype", "frequency_in"]
)
def test_nothing_is_injected(call: Caller, demo_job: Job, name: str, text: str):
    answer = call("get", f"/jobs/{demo_job.job_id}/results?limit=5&{urlencode({name: text})}")
    assert answer.status_code == 422 or answer.json()["items"] == [], (name, text)


def test_others_see_nothing_and_a_job_without_a_result_says_so(call: Caller, other: Caller, demo_job: Job):
    for path in ("results", "results/about"):
        assert other.get(f"/jobs/{demo_job.job_id}/{path}").status_code == 404
        assert call.get(f"/jobs/{make_job(call.user).job_id}/{path}").status_code == 409
    Job.objects.filter(pk=demo_job.pk).update(result_state="ARCHIVED")
    answer = call.get(f"/jobs/{demo_job.job_id}/results")
    assert answer.status_code == 409 and answer.json()["result_state"] == "ARCHIVED"
