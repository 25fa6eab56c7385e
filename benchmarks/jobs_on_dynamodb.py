"""What jobs cost on DynamoDB: requests and capacity of a job's life, and the time of a list's page.

    python -m benchmarks.jobs_on_dynamodb

On an emulator, so that times compare only with each other. Its capacity is that of the table; AWS bills a
write once more for each index that has the item, and twice where the item moves within the index.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOBS_OF_USERS = (10, 1_000, 10_000)
JOBS_ON_A_PAGE = 25
REPEATS = 30


def main() -> None:
    from annotations.dynamodb.tests.servers import dynalite

    with dynalite() as database, tempfile.TemporaryDirectory() as folder:
        options = database["OPTIONS"]
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "gas_project.settings",
            "GAS_STATE_DIR": folder,
            "GAS_SECRET_KEY": "x" * 50,
            "GAS_JOBS_DATABASE": "dynamodb",
            "GAS_DYNAMODB_ENDPOINT_URL": options["endpoint_url"],
            "GAS_DYNAMODB_REGION": options["region_name"],
            "AWS_ACCESS_KEY_ID": options["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": options["aws_secret_access_key"],
        }
        import django

        django.setup()
        from django.db import connections

        from annotations.models import Job

        with connections["jobs"].schema_editor() as editor:
            editor.create_model(Job)
        lifecycle(connections["jobs"])
        list_pages(connections["jobs"])


def lifecycle(connection: Any) -> None:
    from annotations.job_queries import Outputs
    from annotations.models import Job

    job_id, user_id = str(uuid.uuid4()), uuid.uuid4()
    outputs = Outputs("results", "r/key", "r/index", "r/table", "r/log", 12_345, {"variants": 5_000})
    jobs = Job.objects
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("create", lambda: jobs.create(**job(user_id, NOON, job_id))),
        ("job's page", lambda: jobs.filter(pk=job_id, user=user_id).get()),
        ("claim", lambda: jobs.claim(job_id, "task")),
        ("read", lambda: jobs.get(pk=job_id)),
        ("report progress", lambda: jobs.report(job_id, "task", "annotate", 1000)),
        ("complete", lambda: jobs.complete(job_id, "task", outputs)),
        ("claim notification", lambda: jobs.claim_notification(job_id, "mail")),
        ("read for the mail", lambda: jobs.get(pk=job_id)),
        ("notified", lambda: jobs.notified(job_id, "mail")),
        ("plan the archival", lambda: jobs.plan_archive(job_id, NOON)),
        ("claim the archival", lambda: jobs.claim_archiving(job_id, "archive")),
        ("read to archive", lambda: jobs.get(pk=job_id)),
        ("archived", lambda: jobs.archived(job_id, "archive", "vault-1", {})),
        ("files removed", lambda: jobs.hot_copy_removed(job_id, "archive")),
        ("what to thaw", lambda: list(jobs.archived_of(user_id))),
        ("thaw", lambda: jobs.ask_retrieval(job_id)),
        ("claim the request", lambda: jobs.claim_request(job_id, "thaw")),
        ("note the option", lambda: jobs.attempt(job_id, "thaw", "Expedited")),
        ("requested", lambda: jobs.requested(job_id, "thaw", "ticket", NOON, NOON)),
        ("claim the restore", lambda: jobs.claim_restore(job_id, "restore")),
        ("read to restore", lambda: jobs.get(pk=job_id)),
        ("restored", lambda: jobs.restored(job_id, "restore", {"result_key": "r/2"}, None)),
        ("archive deleted", lambda: jobs.archive_deleted(job_id, "vault-1")),
        ("claim the mail", lambda: jobs.claim_return_mail(job_id, "mail")),
        ("told", lambda: jobs.told_of_return(job_id, "mail", None)),
        ("list of jobs", lambda: list(jobs.of(user_id)[: JOBS_ON_A_PAGE + 1])),
        ("sweep finds nothing", lambda: list(jobs.nobody_told(NOON)[:500])),
    ]
    print(f"{'step':<22}{'requests':>10}{'read units':>12}{'write units':>12}")
    total = [0.0, 0.0, 0.0]
    for name, step in steps:
        counts = costs(connection, step)
        print(f"{name:<22}{counts[0]:>10.0f}{counts[1]:>12.1f}{counts[2]:>12.1f}")
        total = [one + other for one, other in zip(total, counts, strict=True)]
    print(f"{'all':<22}{total[0]:>10.0f}{total[1]:>12.1f}{total[2]:>12.1f}\n")


def list_pages(connection: Any) -> None:
    from annotations.models import Job
    from annotations.paging import page_of

    print(f"{'jobs of the user':<22}{'page':>10}{'requests':>12}{'read units':>12}{'median ms':>12}")
    for count in JOBS_OF_USERS:
        user_id = uuid.uuid4()
        Job.objects.bulk_create(
            Job(**job(user_id, NOON + timedelta(minutes=number), str(uuid.uuid4())))
            for number in range(count)
        )
        middle = f"{int((NOON + timedelta(minutes=count // 2)).timestamp() * 1_000_000)}."
        for name, before in (("first", None), ("middle", middle)):

            def page(user_id: uuid.UUID = user_id, before: str | None = before) -> Any:
                return page_of(Job.objects.of(user_id), JOBS_ON_A_PAGE, before=before)

            requests, reads, _ = costs(connection, page)
            median_ms = statistics.median(seconds(page) for _ in range(REPEATS)) * 1000
            print(f"{count:<22,}{name:>10}{requests:>12.0f}{reads:>12.1f}{median_ms:>12.1f}")


def job(user_id: uuid.UUID, submitted_at: datetime, job_id: str) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "user_id": user_id,
        "submitted_at": submitted_at,
        "input_file_name": "patient.vcf.gz",
        "inputs_bucket": "gas-inputs",
        "input_key": f"{user_id}/{job_id}~patient.vcf.gz",
        "input_bytes": 123_456,
        "reference": "GRCh38/110",
    }


def costs(connection: Any, call: Callable[[], Any]) -> tuple[float, float, float]:
    """Requests, read units and write units."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        assert call() is not False, "a verb did not win, so it measured nothing"  # noqa: S101
    reads = writes = 0.0
    for query in captured.captured_queries:
        told: Any = query["capacity"]
        units = told["CapacityUnits"]
        if query["sql"].startswith(("put_item", "update_item", "delete_item")):
            writes += units
        else:
            reads += units
    return len(captured.captured_queries), reads, writes


def seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
