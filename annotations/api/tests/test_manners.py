"""What every answer of the API has: problem details, the pace, no cache; and its own description."""

import contextlib
import json
from typing import Any, ClassVar

import pytest
from django.test import Client

from annotations.api import pace
from annotations.api.models import IdempotentRequest, RequestPace
from annotations.api.problems import KINDS, MEDIA_TYPE
from annotations.api.tests.conftest import Caller
from annotations.models import Job
from annotations.storage.port import StorageError
from annotations.tests.factories import make_job
from annotations.tests.fakes import FakeLimits

pytestmark = pytest.mark.django_db


def assert_problem(answer: Any, status: int, kind: str) -> None:
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    body = answer.json()
    assert (answer.status_code, body["status"], body["type"]) == (status, status, f"/api/v1/problems#{kind}")
    assert body["title"] and body["detail"]


def test_every_error_is_problem_details(call: Caller):
    assert_problem(Client().get("/api/v1/jobs"), 401, "not-authenticated")
    assert_problem(call.get("/no/such/thing"), 404, "not-found")
    assert_problem(call.get("/jobs/no-uuid"), 404, "not-found")
    assert_problem(Client().get("/api/v7/jobs"), 404, "not-found")
    assert_problem(call("put", "/jobs"), 405, "method-not-allowed")
    assert_problem(call("post", "/jobs", "{broken"), 400, "malformed")
    assert_problem(call.post("/jobs", {"reference": 7}), 422, "invalid")
    form = call._client.post("/api/v1/jobs", {"a": "b"}, headers={"Authorization": f"Bearer {call.secret}"})
    assert_problem(form, 415, "unsupported")
    assert_problem(call.get("/jobs", Host="evil.example"), 400, "malformed")


def test_the_methods_of_an_address_are_named_where_another_is_refused(call: Caller):
    assert set(call("put", "/jobs").headers["Allow"].split(", ")) == {"GET", "POST"}


def test_a_fault_of_ours_is_a_problem_without_its_details(call: Caller, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("annotations.api.jobs.page_of", broken)
    call._client.raise_request_exception = False
    answer = call.get("/jobs")
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.content.decode()


def test_a_store_that_is_away_is_a_problem_that_passes(call: Caller, monkeypatch: pytest.MonkeyPatch):
    def away() -> Any:
        raise StorageError("the disk is gone")

    monkeypatch.setattr("annotations.incoming.parts.object_store", away)
    answer = call.post("/uploads", {"file_name": "a.vcf", "size_bytes": 3})
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] and "disk" not in answer.content.decode()


def test_every_kind_of_problem_is_explained(client: Client):
    page = client.get("/api/v1/problems").content.decode()
    assert all(f'id="{kind}"' in page for kind in KINDS)


def test_no_cache_keeps_an_answer_and_head_is_get_without_a_body(call: Caller):
    assert call.get("/usage").headers["Cache-Control"] == "private, no-store"
    head = call("head", "/usage")
    assert (head.status_code, head.content) == (200, b"")


class TestPace:
    def test_each_answer_says_how_many_requests_are_left(self, call: Caller, limits: FakeLimits):
        limits.requests_a_minute = 10
        left = [call.get("/usage").headers["RateLimit"].split(";")[1] for _ in range(3)]
        assert left == ["r=9", "r=8", "r=7"]
        assert call.get("/usage").headers["RateLimit-Policy"] == '"requests";q=10;w=60'

    def test_a_burst_ends_with_429_and_a_time_to_wait(
        self, call: Caller, other: Caller, limits: FakeLimits, monkeypatch: pytest.MonkeyPatch
    ):
        limits.requests_a_minute = 3
        now = 1_000_000.0
        monkeypatch.setattr(pace.time, "time", lambda: now)
        assert [call.get("/usage").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = call.get("/usage")
        assert_problem(answer, 429, "too-many-requests")
        assert answer.headers["Retry-After"] == "20" and "r=0" in answer.headers["RateLimit"]
        assert other.get("/usage").status_code == 200  # the others have their own
        now += 20
        assert [call.get("/usage").status_code for _ in range(2)] == [200, 429]

    def test_two_hosts_count_together(self, call: Caller, limits: FakeLimits):
        limits.requests_a_minute = 2
        call.get("/usage")
        # what another host has let in meanwhile
        RequestPace.objects.update(paid_until=RequestPace.objects.get().paid_until + 30)
        assert call.get("/usage").status_code == 429


class TestRepetitions:
    body: ClassVar[dict[str, Any]] = {"file_name": "a.vcf", "size_bytes": 3}

    def test_the_same_key_gives_the_same_answer_and_does_nothing_again(self, call: Caller):
        first, second = (call.post("/uploads", self.body, **{"Idempotency-Key": "k1"}) for _ in range(2))
        assert first.json() == second.json() and first.headers["Location"] == second.headers["Location"]
        assert (first.status_code, second.status_code) == (201, 201)
        assert (
            "Idempotency-Replayed" not in first.headers and second.headers["Idempotency-Replayed"] == "true"
        )
        assert call.get("/uploads").json()["items"][1:] == []

    def test_another_request_with_the_key_is_refused(self, call: Caller):
        call.post("/uploads", self.body, **{"Idempotency-Key": "k1"})
        answer = call.post("/uploads", self.body | {"size_bytes": 4}, **{"Idempotency-Key": "k1"})
        assert_problem(answer, 422, "idempotency-key-reused")

    def test_keys_are_each_users_own(self, call: Caller, other: Caller):
        ids = {
            who.post("/uploads", self.body, **{"Idempotency-Key": "k1"}).json()["id"] for who in (call, other)
        }
        assert len(ids) == 2

    def test_what_failed_may_be_tried_again(self, call: Caller, limits: FakeLimits):
        limits.upload_max_bytes = 1
        assert call.post("/uploads", self.body, **{"Idempotency-Key": "k1"}).status_code == 413
        limits.upload_max_bytes = 100
        assert call.post("/uploads", self.body, **{"Idempotency-Key": "k1"}).status_code == 201

    def test_while_the_first_is_being_answered_the_second_waits(self, call: Caller):
        call.post("/uploads", self.body, **{"Idempotency-Key": "k1"})
        IdempotentRequest.objects.update(status=None, answer=None)
        answer = call.post("/uploads", self.body, **{"Idempotency-Key": "k1"})
        assert_problem(answer, 409, "conflict")
        assert answer.headers["Retry-After"]

    @pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
    def test_a_key_that_can_not_be_kept_is_refused(self, call: Caller, key: str):
        assert call.post("/uploads", self.body, **{"Idempotency-Key": key}).status_code in {400, 422}


class TestDescription:
    def test_it_names_every_operation_with_its_errors(self, client: Client):
        schema = client.get("/api/v1/openapi.json").json()
        assert schema["openapi"].startswith("3.")
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                assert operation["description"], (method, path)
                assert {"401", "422", "429"} <= set(operation["responses"]), (method, path)
                assert operation["security"] == [{"BearerToken": []}, {"Session": []}], (method, path)

    def test_the_docs_bring_their_scripts_from_this_site(self, client: Client):
        page = client.get("/api/v1/docs")
        html = page.content.decode()
        assert "http://" not in html.replace("http://www.w3.org", "") and "https://" not in html
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        for part in html.split('src="')[1:]:
            with contextlib.closing(client.get(part.partition('"')[0])) as answer:
                assert answer.status_code == 200


def test_a_job_that_is_gone_meanwhile_is_not_there(call: Caller):
    job = make_job(call.user)
    Job.objects.all().delete()
    assert_problem(call.get(f"/jobs/{job.job_id}"), 404, "not-found")
    assert json.loads(call.get("/jobs").content)["items"] == []
