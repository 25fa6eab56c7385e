"""One job's work: what becomes of the job, of its files, and of twins."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from annotations import reporting, running
from annotations.engine.check.report import Finding
from annotations.engine.errors import EngineFailure, UnusableInput
from annotations.job_queries import JobQuerySet
from annotations.models import Job, ResultState, Status
from annotations.storage import StorageError
from annotations.tests.fakes import FakeEngine, MemoryStore, submit
from annotations.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@pytest.fixture
def job(user: Any, store: MemoryStore, engine: FakeEngine) -> Job:
    return submit(user, store)


def run(job: Job, task_id: str = "task-1") -> Job:
    running.run(job.job_id, task_id, retry_seconds=10)
    return Job.objects.get(pk=job.job_id)


def fail_with(engine: FakeEngine, error: BaseException) -> None:
    def during(progress: Any) -> None:
        raise error

    engine.during = during


def results(job: Job, store: MemoryStore) -> list[str]:
    return [key for key in store.objects if key != job.input_key]


def work_folders(folders: Path) -> list[Path]:
    return [path for path in (folders / "work").iterdir() if path.is_dir()]


def test_a_job_that_is_done_has_its_files_its_counts_and_a_notification_on_its_way(
    job: Job, store: MemoryStore, sent_tasks: list[Any]
) -> None:
    done = run(job)
    assert (done.status, done.result_state) == (Status.COMPLETED, ResultState.AVAILABLE)
    assert done.summary["records_out"] == 1
    assert "files" not in done.summary, "the paths were of a folder that is gone"
    assert store.objects[done.result_key] == b"vcf.annot.vcf.gz"
    assert {done.result_key, done.index_key, done.table_key, done.log_key} == set(results(job, store))
    assert [(task.name, task.args) for task in sent_tasks] == [
        ("tasks.notify", (job.job_id,)),
        ("tasks.schedule_archive", (job.job_id,)),
    ]


def test_what_made_the_result_is_written_down(job: Job, store: MemoryStore) -> None:
    done = run(job)
    assert done.input_sha256 == hashlib.sha256(store.objects[job.input_key]).hexdigest()
    made = done.provenance
    assert (made["reference"]["name"], made["reference"]["version"]) == ("tiny", "1")
    assert len(made["reference"]["manifest_sha256"]) == 64
    assert made["files"]["vcf"]["sha256"] == hashlib.sha256(store.objects[done.result_key]).hexdigest()
    assert set(made["tools"]) == {"engine", "bcftools", "pysam"}


def test_the_result_is_named_after_the_users_file(job: Job) -> None:
    assert run(job).result_key.endswith("/patient.annot.vcf.gz")


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("patient.vcf.gz", "patient.vcf.gz"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("père & fils.vcf", "p_re___fils.vcf"),
        ("x" * 250 + ".vcf", "x" * 116 + ".vcf"),
    ],
)
def test_the_input_gets_a_file_name_that_is_safe_and_keeps_its_format(
    user: Any, store: MemoryStore, engine: FakeEngine, name: str, on_disk: str
) -> None:
    run(submit(user, store, input_file_name=name))
    assert engine.inputs[0].name == on_disk


def test_a_job_that_another_task_runs_is_left_alone(job: Job, engine: FakeEngine) -> None:
    Job.objects.claim(job.job_id, "another")
    assert run(job).claimed_by == "another"
    assert engine.inputs == []


def test_a_redelivered_message_finds_its_job_done_and_does_nothing(
    job: Job, engine: FakeEngine, sent_tasks: list[Any]
) -> None:
    first = run(job)
    assert run(job).result_key == first.result_key
    assert len(engine.inputs) == 1
    assert [task.name for task in sent_tasks] == ["tasks.notify", "tasks.schedule_archive"]


def test_what_comes_below_the_jobs_prefix_once_it_is_complete_stays(
    job: Job, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"{job.user_id}/{job.job_id}"
    store.objects[f"{prefix}/of-a-killed-run/patient.parquet"] = b"left"
    complete = JobQuerySet.complete

    def complete_and_restore(jobs: JobQuerySet, *args: Any) -> bool:
        won = complete(jobs, *args)
        store.objects[f"{prefix}/restored/patient.parquet"] = b"back"  # archived and restored at once
        return won

    monkeypatch.setattr(JobQuerySet, "complete", complete_and_restore)
    done = run(job)
    assert {key.split("/")[2] for key in results(job, store)} == {done.result_key.split("/")[2], "restored"}


def test_of_twins_the_first_keeps_its_files_and_the_other_removes_its_own(
    job: Job, store: MemoryStore, engine: FakeEngine, sent_tasks: list[Any]
) -> None:
    def twin_overtakes(progress: Any) -> None:
        engine.during = lambda progress: None
        run(job)

    engine.during = twin_overtakes
    done = run(job)
    assert done.status == Status.COMPLETED
    assert len(results(job, store)) == 4
    assert done.result_key in store.objects
    assert [task.name for task in sent_tasks] == ["tasks.notify", "tasks.schedule_archive"]


def test_a_run_whose_lease_was_taken_over_stops_at_its_next_report(
    job: Job, store: MemoryStore, engine: FakeEngine
) -> None:
    def lose_the_lease(progress: Callable[[str, int, int], None]) -> None:
        Job.objects.filter(pk=job.job_id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        assert Job.objects.claim(job.job_id, "another")
        progress("publish", 1, 1)
        pytest.fail("the run went on")

    engine.during = lose_the_lease
    job = run(job)
    assert (job.status, job.claimed_by) == (Status.RUNNING, "another")
    assert results(job, store) == []


def test_a_cancelled_job_stops_at_its_next_report_and_leaves_no_files(
    job: Job, store: MemoryStore, engine: FakeEngine, sent_tasks: list[Any]
) -> None:
    def cancel(progress: Callable[[str, int, int], None]) -> None:
        assert Job.objects.cancel(job.job_id, job.user)
        progress("publish", 1, 1)
        pytest.fail("the run went on")

    engine.during = cancel
    assert run(job).status == Status.CANCELLED
    assert results(job, store) == []
    assert sent_tasks == [], "whoever cancels a job knows"


def test_a_job_that_is_cancelled_while_it_waits_is_never_begun(job: Job, engine: FakeEngine) -> None:
    assert Job.objects.cancel(job.job_id, job.user)
    assert run(job).status == Status.CANCELLED
    assert engine.inputs == []


def test_a_job_cancelled_while_its_files_are_published_leaves_none(
    job: Job, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = store.publish

    def publish_and_cancel(path: Path, key: str) -> None:
        publish(path, key)
        Job.objects.cancel(job.job_id, job.user)

    monkeypatch.setattr(store, "publish", publish_and_cancel)
    assert run(job).status == Status.CANCELLED
    assert results(job, store) == []


def test_the_users_fault_is_told_in_the_engines_words(
    job: Job, engine: FakeEngine, sent_tasks: list[Any]
) -> None:
    fail_with(engine, UnusableInput("Line 7 has 5 columns."))
    failed = run(job)
    assert (failed.status, failed.failure_reason, failed.failure_message) == (
        Status.FAILED,
        "unusable_input",
        "Line 7 has 5 columns.",
    )
    assert [task.name for task in sent_tasks] == ["tasks.notify"]


def test_every_problem_of_a_file_is_kept_for_its_page(job: Job, engine: FakeEngine) -> None:
    findings = [Finding("bad-pos", "expected a whole number.", line, "POS") for line in range(100)]
    fail_with(engine, UnusableInput("Line 0 and others.", findings))
    failed = run(job)
    assert failed.findings == findings
    assert failed.problems[99] == "Line 99, POS: expected a whole number."


def test_our_fault_is_told_without_what_is_inside(job: Job, engine: FakeEngine) -> None:
    fail_with(engine, EngineFailure("csq: /var/lib/secret segfaulted"))
    failed = run(job)
    assert failed.failure_reason == "engine_failed"
    assert "secret" not in failed.failure_message


def test_a_reference_that_is_gone_fails_the_job_and_says_what_to_do(user: Any, store: MemoryStore) -> None:
    failed = run(submit(user, store, reference="gone/3"))
    assert failed.failure_reason == "reference_missing"
    assert "gone/3" in failed.failure_message


def test_an_input_that_is_gone_fails_the_job(job: Job, store: MemoryStore) -> None:
    del store.objects[job.input_key]
    assert run(job).failure_reason == "input_missing"


def test_storage_in_trouble_frees_the_job_for_later_and_costs_it_no_attempt(
    job: Job, store: MemoryStore
) -> None:
    store.broken = True
    with pytest.raises(running.TryLater):
        run(job)
    job.refresh_from_db()
    assert (job.status, job.attempts, job.claimed_by) == (Status.PENDING, 0, "")
    assert job.queued_at > timezone.now()


def test_files_published_before_storage_broke_are_removed(
    job: Job, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = store.publish

    def publish_twice(path: Path, key: str) -> None:
        if len(results(job, store)) == 2:
            raise StorageError("full")
        publish(path, key)

    monkeypatch.setattr(store, "publish", publish_twice)
    with pytest.raises(running.TryLater):
        run(job)
    assert results(job, store) == []


def test_files_of_a_run_that_was_killed_go_when_the_job_is_done(job: Job, store: MemoryStore) -> None:
    store.objects[f"{job.user_id}/{job.job_id}/dead/patient.annot.vcf.gz"] = b"half"
    run(job)
    assert len(results(job, store)) == 4
    assert job.input_key in store.objects


def test_a_database_in_trouble_is_no_failure_of_the_job(
    job: Job, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*args: Any) -> bool:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(JobQuerySet, "complete", locked)
        with pytest.raises(running.TryLater):
            run(job)
    assert run(job).status == Status.COMPLETED


def test_a_completion_whose_reply_was_lost_is_still_a_completion(
    job: Job, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = JobQuerySet.complete

    def applied_but_unheard(self: JobQuerySet, *args: Any) -> bool:
        complete(self, *args)
        return False

    monkeypatch.setattr(JobQuerySet, "complete", applied_but_unheard)
    done = run(job)
    assert done.result_key in store.objects


def test_a_worker_that_is_stopped_gives_its_job_back(job: Job, engine: FakeEngine, folders: Path) -> None:
    fail_with(engine, SystemExit())
    with pytest.raises(SystemExit):
        run(job)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.PENDING, 0)
    assert work_folders(folders) == []


def test_no_temporary_folder_is_left(job: Job, folders: Path) -> None:
    run(job)
    assert work_folders(folders) == []


def test_each_stage_is_reported_at_once_and_numbers_once_a_second(
    job: Job, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: clock[0])
    seen: list[tuple[str, int | None]] = []

    def during(progress: Callable[[str, int, int], None]) -> None:
        for seconds, stage, done in ((0, "publish", 1), (0.5, "publish", 2), (1.0, "publish", 3)):
            clock[0] = 200 + seconds
            progress(stage, done, 3)
            row = Job.objects.get(pk=job.job_id)
            seen.append((row.stage, row.variants_done))

    engine.during = during
    run(job)
    assert seen == [("publish", 1), ("publish", 1), ("publish", 3)]


@pytest.mark.django_db(transaction=True)
def test_a_silent_step_does_not_cost_the_run_its_lease(
    user: Any, store: MemoryStore, engine: FakeEngine, settings: Any
) -> None:
    settings.LEASE_SECONDS = 0.03
    job = submit(user, store)

    def outlast_the_lease(progress: Any) -> None:
        def lease() -> Any:
            return Job.objects.get(pk=job.job_id).lease_expires_at

        first = lease()
        wait_until(lambda: lease() > first + timedelta(seconds=0.1))

    engine.during = outlast_the_lease
    assert run(job).status == Status.COMPLETED
