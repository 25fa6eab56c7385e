"""Limits of jobs hold on PostgreSQL, where submits do run at the same time, wherever the jobs are."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotations import uploads
from annotations.dynamodb.tests.connecting import connected
from annotations.dynamodb.tests.servers import NotInstalled, postgresql
from annotations.limits import usage_of
from annotations.models import Job, Submission
from annotations.storage.port import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_submitted_job
from annotations.tests.fakes import FakeLimits
from annotations.tests.waiting import wait_until

ACCOUNTS = "accounts"


class AccountsOnPostgreSQL:
    """A database router, which comes after that of the jobs where these live apart."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        return "jobs" if model is Job and "jobs" in connections.settings else ACCOUNTS

    db_for_write = db_for_read

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    try:
        with postgresql() as database:
            yield database
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["default", "dynamodb"])
def accounts(
    request: pytest.FixtureRequest, server: dict[str, Any], settings: Any, django_db_blocker: Any
) -> Iterator[Any]:
    """The accounts on PostgreSQL, and the jobs there or in DynamoDB."""
    if request.param == "dynamodb":
        request.getfixturevalue("jobs_in_dynamodb")
    settings.DATABASE_ROUTERS = [f"{__name__}.AccountsOnPostgreSQL"]
    with django_db_blocker.unblock(), connected(server, ACCOUNTS) as connection:
        call_command("migrate", database=ACCOUNTS, verbosity=0, interactive=False)
        yield connection
        Submission.objects.all().delete()
        get_user_model().objects.all().delete()


@pytest.fixture
def ada(accounts: Any) -> Any:
    return get_user_model().objects.create_user("ada@example.org", "a long password")


@pytest.fixture
def upload(ada: Any, settings: Any, tmp_path: Path) -> Any:
    """Makes an upload that has arrived. Returns its key."""
    write_bundle(settings.REFERENCES_DIR)

    def arrive() -> str:
        key = uploads.begin(ada, "patient.vcf").fields["key"]
        (tmp_path / "sent").write_text("##fileformat=VCFv4.2\n")
        object_store().publish(tmp_path / "sent", key)
        return key

    return arrive


def is_let_in(user: Any, key: str) -> bool:
    try:
        uploads.submit(user, key, "demo/1", haplotype_aware=False)
    except uploads.OverLimit:
        return False
    finally:
        connections.close_all()
    return True


@pytest.mark.django_db(transaction=True)
def test_of_many_submits_as_many_get_in_as_fit(ada: Any, upload: Any, limits: FakeLimits):
    limits.jobs_at_once, limits.jobs_a_day = 3, 5
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(partial(is_let_in, ada), [upload() for _ in range(16)])) == 3
        for job_id in Submission.objects.values_list("pk", flat=True):
            Job.objects.filter(pk=job_id).update(status="COMPLETED")
        assert sum(pool.map(partial(is_let_in, ada), [upload() for _ in range(16)])) == 2
    usage = usage_of(ada)
    assert (usage.at_once, usage.today) == (2, 5)


@pytest.mark.django_db(transaction=True)
def test_who_comes_while_another_is_counted_waits_for_their_job(
    accounts: Any, ada: Any, upload: Any, limits: FakeLimits, monkeypatch: pytest.MonkeyPatch
):
    limits.jobs_at_once = 1
    counted: list[str] = []
    real = uploads.wrong_with_another_job

    def count_and_hold(*args: Any, **options: Any) -> str:
        """Lets the first go on only when the second has been counted too, or has to wait."""
        wrong = real(*args, **options)
        counted.append(wrong)
        wait_until(lambda: len(counted) == 2 or somebody_waits_for_a_lock(accounts.settings_dict["PORT"]))
        return wrong

    monkeypatch.setattr(uploads, "wrong_with_another_job", count_and_hold)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(partial(is_let_in, ada), [upload(), upload()])) == 1


def somebody_waits_for_a_lock(port: str) -> bool:
    with psycopg.connect(host="127.0.0.1", port=port, user="gas", dbname="postgres") as asking:
        waiting = asking.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return waiting.fetchone() is not None


@pytest.mark.django_db
def test_jobs_are_counted_by_their_keys_which_dynamodb_reads_as_they_are(user: Any, jobs_in_dynamodb: Any):
    jobs = [make_submitted_job(user, status=status) for status in ("PENDING", "RUNNING", "FAILED")]
    jobs[1].delete()
    with CaptureQueriesContext(jobs_in_dynamodb) as asked:
        usage = usage_of(user)
    assert (usage.at_once, usage.today) == (1, 3)
    (query,) = asked.captured_queries
    assert "ConsistentRead" in query["sql"] and "IndexName" not in query["sql"]
