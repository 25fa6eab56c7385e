"""In DynamoDB the jobs are found by the index that is meant for the question."""

from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Job, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_in_dynamodb")]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        (lambda jobs: jobs.of(NOBODY), "Query index job_user_newest by user_id (1), in descending order"),
        (lambda jobs: jobs.archived_of(NOBODY), "Query index job_user_archived by user_id (1)"),
        (
            lambda jobs: jobs.to_look_at(timezone.now()),
            "Query index job_archive_due by archive_shard (4), archive_next_at bounded, in order",
        ),
        (
            lambda jobs: jobs.filter(status__in=Status.values).order_by("-submitted_at", "-job_id"),
            "Query index job_status by job_status (5), in descending order",
        ),
        (
            lambda jobs: jobs.nobody_told(timezone.now()),
            "Query index job_unsettled by unsettled_shard (4), queued_at bounded",
        ),
        (lambda jobs: jobs.scattered(), "Scan of the sparse index job_scattered"),
        (lambda jobs: jobs.filter(pk__in=[NOBODY, "b"], user=NOBODY), "BatchGetItem by job_id (2)"),
    ],
)
def test_each_question_has_its_index(question: Any, plan: str):
    assert question(Job.objects).explain() == plan
