"""Jobs by the API: submit, list, look, cancel, read."""

import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from annotations.api.tests.arriving import upload_of
from annotations.api.tests.conftest import Caller
from annotations.engine.check.report import Finding
from annotations.limits import note_submission
from annotations.models import Job
from annotations.storage import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_job
from annotations.tests.fakes import FakeLimits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _reference(settings: Any) -> None:
    write_bundle(settings.REFERENCES_DIR)


def submit(call: Caller, **changed: Any) -> Any:
    return call.post("/jobs", {"upload_id": upload_of(call), "reference": "demo/1"} | changed)


def test_an_upload_becomes_a_job_that_is_sent_to_the_workers(
    call: Caller, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = submit(call)
    assert answer.status_code == 201
    job = Job.objects.get()
    assert answer.json()["id"] == job.job_id and answer.headers["Location"] == f"/api/v1/jobs/{job.job_id}"
    assert (job.user, job.reference, job.input_file_name) == (call.user, "demo/1", "patient.vcf")
    assert [(task.name, task.args) for task in sent_tasks] == [("tasks.annotate", (job.job_id,))]


def test_the_same_upload_again_gives_the_same_job(call: Caller):
    body = {"upload_id": upload_of(call), "reference": "demo/1"}
    assert call.post("/jobs", body).json()["id"] == call.post("/jobs", body).json()["id"]
    assert Job.objects.count() == 1


def test_an_upload_of_another_is_not_there(call: Caller, other: Caller):
    assert submit(call, upload_id=upload_of(other)).status_code == 404
    assert not Job.objects.exists()


def test_what_is_wrong_with_a_submission_is_said_by_its_place(call: Caller):
    answer = submit(call, reference="demo/9")
    assert answer.status_code == 422 and "no reference demo/9" in answer.json()["detail"]
    answer = submit(call, haplotype_awaer=True)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "body.haplotype_awaer"


def test_an_upload_that_has_not_arrived_is_a_conflict(call: Caller):
    upload = call.post("/uploads", {"file_name": "a.vcf", "size_bytes": 5}).json()
    assert submit(call, upload_id=upload["id"]).status_code == 409


def test_a_full_tier_says_when_to_come_again(call: Caller, limits: FakeLimits):
    limits.jobs_at_once = 1
    assert submit(call).status_code == 201
    answer = submit(call)
    assert answer.status_code == 429 and answer.json()["type"].endswith("no-room")
    assert int(answer.headers["Retry-After"]) > 0 and answer.json()["upgrade_url"] == "/more/"


def test_what_the_tier_never_gives_is_refused_for_good(call: Caller, limits: FakeLimits):
    limits.haplotype_aware = False
    answer = submit(call, haplotype_aware=True)
    assert answer.status_code == 403 and "Retry-After" not in answer.headers


def test_jobs_are_listed_by_cursor_and_only_ones_own(call: Caller, other: Caller):
    mine = [make_job(call.user).job_id for _ in range(5)]
    make_job(other.user)
    found: list[str] = []
    page = call.get("/jobs?limit=2").json()
    while True:
        found += [job["id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        page = call.get(f"/jobs?limit=2&cursor={page['next_cursor']}").json()
    assert sorted(found) == sorted(mine) and len(found) == 5


def test_the_next_page_is_in_the_header_link_too_and_keeps_the_filter(call: Caller):
    for _ in range(3):
        make_job(call.user, status="FAILED")
    make_job(call.user)
    link = call.get("/jobs?limit=2&status=FAILED").headers["Link"]
    path = link[len("</api/v1") :].partition(">")[0]
    assert [job["status"] for job in call.get(path).json()["items"]] == ["FAILED"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "status=DONE"])
def test_a_query_that_means_nothing_is_refused(call: Caller, query: str):
    assert call.get(f"/jobs?{query}").status_code == 422


def test_a_job_of_another_is_not_there(call: Caller, other: Caller):
    job = make_job(other.user, log_key="some/log")
    for method, path in (("get", ""), ("post", "/cancel"), ("get", "/log"), ("get", "/files/log")):
        assert call(method, f"/jobs/{job.job_id}{path}").status_code == 404, path
    assert call.get(f"/jobs/{uuid.uuid4()}").status_code == 404
    job.refresh_from_db()
    assert job.status == "PENDING"


def test_a_job_that_waits_is_cancelled_once_and_one_that_is_over_not(call: Caller):
    job = make_job(call.user)
    assert call.post(f"/jobs/{job.job_id}/cancel").json()["status"] == "CANCELLED"
    assert call.post(f"/jobs/{job.job_id}/cancel").status_code == 200
    done = make_job(call.user, status="COMPLETED")
    assert call.post(f"/jobs/{done.job_id}/cancel").status_code == 409


def test_a_failed_job_says_why(call: Caller):
    findings = [Finding("bad-pos", "mend it.", 3, "POS", count=2), Finding("bad-bgzf", "this, too.", byte=9)]
    job = make_job(
        call.user,
        status="FAILED",
        failure_reason="unusable_input",
        failure_message="Line 3: mend it.",
        summary={"findings": [asdict(one) for one in findings]},
    )
    said = call.get(f"/jobs/{job.job_id}").json()
    assert said["failure"] == {
        "reason": "unusable_input",
        "message": "Line 3: mend it.",
        "problems": ["Line 3, POS: mend it. (1 more like this.)", "Byte 9: this, too."],
        "findings": [
            {
                "code": "bad-pos",
                "line": 3,
                "column": "POS",
                "byte": None,
                "count": 2,
                "message": "mend it.",
            },
            {
                "code": "bad-bgzf",
                "line": None,
                "column": "",
                "byte": 9,
                "count": 1,
                "message": "this, too.",
            },
        ],
    }
    assert said["summary"] == {}


def test_a_job_is_deleted_with_its_files(call: Caller, done: Job):
    assert call.delete(f"/jobs/{done.job_id}").status_code == 204
    assert call.get(f"/jobs/{done.job_id}").status_code == 404
    assert not Job.objects.exists()


def test_a_failed_job_is_tried_again_unless_its_input_is_wrong(call: Caller):
    job = make_job(call.user, status="FAILED", failure_reason="engine_failed")
    assert call.post(f"/jobs/{job.job_id}/retry").json()["status"] == "PENDING"
    assert call.post(f"/jobs/{job.job_id}/retry").status_code == 409
    wrong = make_job(call.user, status="FAILED", failure_reason="unusable_input")
    assert call.post(f"/jobs/{wrong.job_id}/retry").status_code == 409


@pytest.fixture
def done(call: Caller, tmp_path: Path) -> Job:
    (tmp_path / "log").write_text("records 5\n")
    object_store().publish(tmp_path / "log", "u/j/log.vcf.count.log")
    return make_job(
        call.user,
        status="COMPLETED",
        result_state="AVAILABLE",
        log_key="u/j/log.vcf.count.log",
        result_key="u/j/a.vcf.gz",
    )


def test_the_log_is_text(call: Caller, done: Job):
    answer = call.get(f"/jobs/{done.job_id}/log")
    assert answer.getvalue() == b"records 5\n" and answer.headers["Content-Type"].startswith("text/plain")


def test_a_file_is_where_the_redirect_leads_without_a_token(call: Caller, done: Job, client: Any):
    answer = call.get(f"/jobs/{done.job_id}/files/log")
    assert answer.status_code == 302
    assert client.get(answer.headers["Location"]).getvalue() == b"records 5\n"


def test_files_that_are_not_at_hand_say_why(call: Caller, done: Job):
    assert call.get(f"/jobs/{done.job_id}/files/nonsense").status_code == 404
    Job.objects.filter(pk=done.pk).update(result_state="ARCHIVED")
    answer = call.get(f"/jobs/{done.job_id}/files/result")
    assert answer.status_code == 409 and answer.json()["result_state"] == "ARCHIVED"
    assert call.get(f"/jobs/{make_job(call.user).job_id}/files/result").status_code == 409


def test_references_and_usage_tell_what_there_is(call: Caller, caller_with: Callable[..., Caller]):
    assert call.get("/references").json()["items"][0]["reference"] == "demo/1"
    note_submission(call.user, make_job(call.user).job_id)
    usage = call.get("/usage").json()
    assert (usage["email"], usage["tier"], usage["jobs_at_once_used"]) == (call.user.email, "Free", 1)
