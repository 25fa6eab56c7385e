"""What operators can count."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from annotations.models import ResultState, Status
from annotations.tests.factories import make_job
from gas_project import metrics
from tasks.queues import QUEUE_NAMES
from tasks.sqs import Depth

pytestmark = pytest.mark.django_db


class FakeBroker:
    def depth(self, queue: str) -> Depth:
        return Depth(waiting=3 if queue == "annotate-dead" else 0, in_hand=0, delayed=0)


@pytest.fixture
def samples(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(metrics, "Broker", FakeBroker)
    settings.METRICS_TOKEN = "a long token"

    def read() -> dict[tuple[str, tuple[str, ...]], float]:
        response = client.get("/metrics", headers={"Authorization": "Bearer a long token"})
        assert response.status_code == 200
        families = text_string_to_metric_families(response.content.decode())
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    return read


@pytest.mark.parametrize("sent", ["", "Bearer wrong", "Bearer "])
@pytest.mark.parametrize("token", ["", "a long token"])
def test_who_does_not_know_the_token_learns_nothing(
    client: Client, settings: Any, token: str, sent: str
) -> None:
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 404


def test_jobs_are_counted_by_state_and_failures_by_reason(user: Any, samples: Any) -> None:
    make_job(user)
    for reason in ("time_limit", "time_limit", "unusable_input"):
        make_job(user, status=Status.FAILED, failure_reason=reason)
    read = samples()
    assert read["gas_jobs", ("PENDING",)] == 1
    assert read["gas_jobs", ("FAILED",)] == 3
    assert read["gas_failed_jobs", ("time_limit",)] == 2
    assert read["gas_oldest_waiting_job_seconds", ()] >= 0


def test_what_is_due_to_be_archived_or_asked_back_shows_how_late_it_is(
    user: Any, samples: Any, jobs_database: Any
) -> None:
    now = timezone.now()

    def result(state: ResultState, **fields: Any) -> None:
        make_job(user, status=Status.COMPLETED, result_state=state, archive_shard=1, **fields)

    hour, soon = timedelta(hours=1), now + timedelta(seconds=60)
    result(ResultState.AVAILABLE, archive_due_at=now - hour, archive_next_at=now - hour)
    result(ResultState.AVAILABLE, archive_due_at=now + hour, archive_next_at=now + hour)
    result(ResultState.ARCHIVING, archive_due_at=now - 2 * hour, archive_next_at=soon)
    asked = {"retrieval_asked_at": now - 3 * hour, "retrieval_expected_at": now - hour}
    result(ResultState.THAWING, archive_next_at=soon, **asked)
    read = samples()
    assert read["gas_archive_lag_seconds", ()] == pytest.approx(7200, abs=60)
    assert read["gas_thaw_lag_seconds", ()] == pytest.approx(3600, abs=60)
    assert read["gas_oldest_thaw_seconds", ()] == pytest.approx(10800, abs=60)
    assert read["gas_moving_results", ("THAWING",)] == 1


def test_where_nothing_is_archived_nothing_is_late(user: Any, samples: Any) -> None:
    make_job(user)
    read = samples()
    assert read["gas_archive_lag_seconds", ()] == read["gas_thaw_lag_seconds", ()] == 0


def test_every_queue_and_its_dead_letters_are_counted(samples: Any) -> None:
    read = samples()
    assert {labels[0] for name, labels in read if name == "gas_queue_waiting"} == set(QUEUE_NAMES)
    assert read["gas_queue_dead_letters", ("annotate",)] == 3


def test_a_measure_is_written_as_cloudwatch_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.write_embedded([metrics.Measure("jobs", "", 2, {"status": "PENDING"})])
    written = json.loads(capsys.readouterr().out)
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["status"]]
    assert directive["Metrics"] == [{"Name": "jobs", "Unit": "Count"}]
    assert (written["jobs"], written["status"]) == (2, "PENDING")
    assert written["_aws"]["Timestamp"] > 1_600_000_000_000


def test_cloudwatch_gets_what_the_stores_know_when_it_is_asked_for(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metrics, "Broker", FakeBroker)
    metrics.observe_stores()
    assert capsys.readouterr().out == ""
    settings.METRICS_CLOUDWATCH = True
    make_job(user)
    metrics.observe_stores()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"jobs": 1, "status": "PENDING"}.items() <= lines[0].items()
    assert any(line.get("queue_dead_letters") == 3 for line in lines)
