"""Numbers for operators: Prometheus reads them at `/metrics`, CloudWatch from lines in the log.

What the stores know (jobs, queues) is asked for when somebody wants to know. What only happens (tasks) is
counted where it happens, in the workers: in files of the state folder, where one machine's web process
finds them, and as a line of CloudWatch's embedded metric format each.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from annotations.models import Job, ResultState, Status
from tasks.life import silent_seconds
from tasks.queues import QUEUE_NAMES, dead_letters
from tasks.sqs import Broker

log = structlog.get_logger(__name__)

RECENT = timedelta(hours=24)
MOST_LOOKED_AT = 2000  # results on their way; when there are more, the lags alone tell enough
MOVING = (ResultState.ARCHIVING, ResultState.THAWING, ResultState.RESTORING)
NAMESPACE = "GenomicsAnnotationService"

tasks = CollectorRegistry()
TASK_SECONDS = Histogram(
    "gas_task_seconds",
    "How long tasks took.",
    ["task", "state"],
    registry=tasks,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)
TASK_FAILURES = Counter("gas_task_failures", "Tasks that broke down.", ["task", "error"], registry=tasks)


@dataclass(frozen=True)
class Measure:
    """One number, with its labels. `unit` is CloudWatch's word for it."""

    name: str
    help: str
    value: float
    labels: dict[str, str]
    unit: str = "Count"


def measures() -> Iterator[Measure]:
    """What the stores know now. A broker that can't be reached leaves its numbers out."""
    since = timezone.now() - RECENT
    for status in Status:
        jobs = Job.objects.filter(status=status)
        if status not in {Status.PENDING, Status.RUNNING}:
            jobs = jobs.filter(submitted_at__gte=since)
        count = jobs.count()
        yield Measure(
            "jobs", "Jobs: all that wait or run, others of the last day.", count, {"status": status}
        )
    failed = Job.objects.filter(status=Status.FAILED, submitted_at__gte=since)
    reasons: dict[str, int] = {}
    for reason in failed.values_list("failure_reason", flat=True):
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        yield Measure("failed_jobs", "Failed jobs of the last day.", count, {"reason": reason})
    oldest = Job.objects.filter(status=Status.PENDING).order_by("submitted_at").first()
    age = (timezone.now() - oldest.submitted_at).total_seconds() if oldest else 0
    yield Measure("oldest_waiting_job_seconds", "Age of the oldest job that waits.", age, {}, "Seconds")
    yield from _archive()
    for worker, silence in silent_seconds().items():
        labels = {"worker": worker}
        yield Measure("worker_silent_seconds", "Since it asked its queues.", silence, labels, "Seconds")
    try:
        yield from _queues(Broker())
    except (BotoCoreError, ClientError) as error:
        log.warning("not_ready", needed="broker", error=str(error))


def _archive() -> Iterator[Measure]:
    """How results get on that are due to be archived, or are asked back."""
    now = timezone.now()
    # Nothing that moves is looked at more seldom than this: leases, resending, polls for a retrieval.
    horizon = timedelta(seconds=max(settings.LEASE_SECONDS, settings.RESEND_AFTER_SECONDS, 900))
    found = list(
        Job.objects.on_the_way(now, horizon).values_list(
            "result_state", "archive_due_at", "retrieval_asked_at", "retrieval_expected_at"
        )[:MOST_LOOKED_AT]
    )
    for state in MOVING:
        count = sum(row[0] == state for row in found)
        yield Measure("moving_results", "Results on their way.", count, {"state": state})
    to_archive = [row[1] for row in found if row[0] in {ResultState.AVAILABLE, ResultState.ARCHIVING}]
    thawing = [row[2:] for row in found if row[0] in {ResultState.THAWING, ResultState.RESTORING}]
    for name, help_text, moments in (
        ("archive_lag_seconds", "How long the result most overdue has been due to be archived.", to_archive),
        ("thaw_lag_seconds", "How long after its expected return the latest is.", [at for _, at in thawing]),
        (
            "oldest_thaw_seconds",
            "How long the result that waits longest is wanted.",
            [at for at, _ in thawing],
        ),
    ):
        lag = max((now - at for at in moments if at), default=timedelta()).total_seconds()
        yield Measure(name, help_text, max(0.0, lag), {}, "Seconds")


def _queues(broker: Broker) -> Iterator[Measure]:
    for queue in QUEUE_NAMES:
        depth, dead = broker.depth(queue), broker.depth(dead_letters(queue))
        labels = {"queue": queue}
        yield Measure("queue_waiting", "Messages that can be received.", depth.waiting, labels)
        yield Measure("queue_in_hand", "Messages that are worked on.", depth.in_hand, labels)
        yield Measure(
            "queue_dead_letters", "Messages delivered in vain.", dead.waiting + dead.in_hand, labels
        )


class _Stores:
    """What `measures` says, for Prometheus."""

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for measure in measures():
            if measure.name not in families:
                families[measure.name] = GaugeMetricFamily(
                    f"gas_{measure.name}", measure.help, labels=list(measure.labels)
                )
            families[measure.name].add_metric(list(measure.labels.values()), measure.value)
        yield from families.values()


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For who brings the token as `Authorization: Bearer`; 404 for all others."""
    token = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not constant_time_compare(sent, token):
        return HttpResponse(status=404)
    registry = CollectorRegistry()
    registry.register(_Stores())
    if settings.METRICS_DIR.is_dir():
        MultiProcessCollector(registry, path=str(settings.METRICS_DIR))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def observe_task(name: str, state: str, seconds: float) -> None:
    TASK_SECONDS.labels(name, state).observe(seconds)
    if settings.METRICS_CLOUDWATCH:
        write_embedded([Measure("task_seconds", "", seconds, {"task": name, "state": state}, "Seconds")])


def observe_stores() -> None:
    """What the stores know, to CloudWatch."""
    if not settings.METRICS_CLOUDWATCH:
        return
    try:
        write_embedded(list(measures()))
    except DatabaseError as error:
        log.warning("database_failed", error=str(error))


def observe_failure(name: str, error: BaseException) -> None:
    TASK_FAILURES.labels(name, type(error).__name__).inc()


def write_embedded(found: list[Measure]) -> None:
    """A line of CloudWatch's embedded metric format for each; the log agent makes metrics of them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    for measure in found:
        print(json.dumps(embedded(measure)), file=sys.stdout, flush=True)  # noqa: T201  the format is a bare line


def embedded(measure: Measure) -> dict[str, Any]:
    return {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(measure.labels)],
                    "Metrics": [{"Name": measure.name, "Unit": measure.unit}],
                }
            ],
        },
        measure.name: measure.value,
        **measure.labels,
    }
