"""Tell an SNS topic of every finished job, for programs that go on from there.

The message has the names of the jobs' table. It is published before the user's mail is sent, in the same
hand (`notifying`): a topic that can't be reached delays both, and the sweep sees to it that no job is left
out. A job may be announced twice, never in two ways: `job_id` tells a subscriber so.
"""

import json
from functools import cache
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from annotations.models import Job

log = structlog.get_logger(__name__)

CALL_TIMEOUT_SECONDS = 5


class NotAnnounced(Exception):
    """The topic did not take it; trying again later may help."""


def announce(job: Job) -> None:
    """Publish that the job is over, where the settings name a topic. Raises NotAnnounced."""
    topic = settings.JOB_RESULTS_TOPIC
    if not topic:
        return
    status = {"DataType": "String", "StringValue": job.status}  # subscribers may filter by it
    try:
        _sns(topic.split(":")[3]).publish(
            TopicArn=topic, Message=json.dumps(message(job)), MessageAttributes={"job_status": status}
        )
    except (BotoCoreError, ClientError) as error:
        raise NotAnnounced(str(error)) from error
    log.info("job_announced", job_id=job.job_id)


def message(job: Job) -> dict[str, Any]:
    """Times are whole seconds since 1970; what a failed job has not is empty."""
    return {
        "job_id": job.job_id,
        "user_id": str(job.user_id),
        "email": job.user.email,
        "job_status": job.status,
        "input_file_name": job.input_file_name,
        "s3_inputs_bucket": job.inputs_bucket,
        "s3_key_input_file": job.input_key,
        "submit_time": int(job.submitted_at.timestamp()),
        "s3_results_bucket": job.results_bucket,
        "s3_key_result_file": job.result_key,
        "s3_key_log_file": job.log_key,
        "complete_time": int(job.completed_at.timestamp()) if job.completed_at else None,
        "failure_reason": job.failure_reason,
    }


@cache
def _sns(region: str) -> Any:
    import boto3  # only where there is a topic
    from botocore.config import Config

    return boto3.client(
        "sns",
        region_name=region,
        config=Config(
            connect_timeout=CALL_TIMEOUT_SECONDS,
            read_timeout=CALL_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )
