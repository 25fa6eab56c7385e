"""A table that another program has filled is read and worked with as it is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from annotations.models import Job, Status

USER_ID = "7d3f0a1e-0000-4000-8000-00000000000a"


@pytest.fixture
def old_items(jobs_in_dynamodb: Any) -> list[str]:
    """As the original service wrote them: few attributes, and times in whole seconds."""
    common = {
        "user_id": {"S": USER_ID},
        "input_file_name": {"S": "test.vcf"},
        "s3_inputs_bucket": {"S": "gas-inputs"},
        "s3_key_input_file": {"S": "ada/1~test.vcf"},
    }
    completed = common | {
        "job_id": {"S": "11111111-1111-4111-8111-111111111111"},
        "submit_time": {"N": "1700000000"},
        "job_status": {"S": "COMPLETED"},
        "s3_results_bucket": {"S": "gas-results"},
        "s3_key_result_file": {"S": "ada/1~test.annot.vcf"},
        "s3_key_log_file": {"S": "ada/1~test.vcf.count.log"},
        "complete_time": {"N": "1700000042"},
        "results_file_archive_id": {"S": "archive-1"},
        "something_else": {"M": {"a": {"L": [{"BOOL": True}, {"NULL": True}]}}},
    }
    pending = common | {
        "job_id": {"S": "22222222-2222-4222-8222-222222222222"},
        "submit_time": {"N": "1700000100"},
        "job_status": {"S": "PENDING"},
        "complete_time": {"NULL": True},
    }
    for item in (completed, pending):
        jobs_in_dynamodb.requests(
            "put_item", TableName=jobs_in_dynamodb.table_name("annotations_job"), Item=item
        )
    return ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"]


def test_they_are_read_with_defaults_for_what_they_lack(old_items: list[str]) -> None:
    job = Job.objects.get(pk=old_items[0])
    assert job.submitted_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert job.completed_at == datetime.fromtimestamp(1_700_000_042, UTC)
    assert (job.status, job.archive_id, job.input_key) == ("COMPLETED", "archive-1", "ada/1~test.vcf")
    assert (job.stage, job.attempts, job.summary, job.haplotype_aware) == ("", 0, {}, False)
    assert (job.queued_at, job.notified_at, job.input_bytes) == (None, None, None)


def test_they_are_listed_by_user_status_and_archive(old_items: list[str]) -> None:
    assert [job.pk for job in Job.objects.of(USER_ID)] == old_items[::-1]
    assert [job.pk for job in Job.objects.archived_of(USER_ID)] == old_items[:1]
    assert Job.objects.filter(status=Status.PENDING).get().pk == old_items[1]
    assert Job.objects.of(USER_ID).filter(completed_at__isnull=True).get().pk == old_items[1]


def test_they_go_through_their_verbs(old_items: list[str], jobs_in_dynamodb: Any) -> None:
    assert not Job.objects.claim(old_items[0], "task")
    assert Job.objects.claim(old_items[1], "task")
    assert Job.objects.report(old_items[1], "task", "fetch", None)
    job = Job.objects.get(pk=old_items[1])
    assert (job.status, job.attempts, job.stage) == ("RUNNING", 1, "fetch")
    assert Job.objects.release(old_items[1], "task")
    assert Job.objects.filter(pk=old_items[0], attempts=0, stage="").update(stage="x") == 1
    table, key = jobs_in_dynamodb.table_name("annotations_job"), {"job_id": {"S": old_items[0]}}
    stored = jobs_in_dynamodb.requests("get_item", TableName=table, Key=key)["Item"]
    assert stored["something_else"] == {"M": {"a": {"L": [{"BOOL": True}, {"NULL": True}]}}}
