"""What a user sees of their jobs."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.engine.check.report import Finding
from annotations.job_queries import Outputs
from annotations.models import Job
from annotations.storage.port import object_store
from annotations.tests.factories import make_job
from annotations.views import jobs as job_views

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@pytest.fixture
def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def running(user: Any, stage: str = "annotate", variants_done: int | None = 1200) -> Job:
    job = make_job(user)
    Job.objects.claim(job.job_id, "task")
    Job.objects.report(job.job_id, "task", stage, variants_done)
    job.refresh_from_db()
    return job


@pytest.fixture
def completed(user: Any, tmp_path: Path) -> Job:
    job = running(user)
    base = f"{user.pk}/{job.job_id}~patient"
    endings = (".annot.vcf.gz", ".annot.vcf.gz.tbi", ".parquet", ".vcf.count.log")
    result, index, table, log = keys = [base + ending for ending in endings]
    for key in keys:
        (tmp_path / "output").write_text(f"content of {key.rpartition('patient')[2]}")
        object_store().publish(tmp_path / "output", key)
    summary = {
        "records_in": 65370,
        "impacts": {"MODIFIER": 9, "HIGH": 2},
        "notes": ["3 records of contig <HLA>."],
    }
    outputs = Outputs("results", result, index, table, log, result_bytes=4096, summary=summary)
    Job.objects.complete(job.job_id, "task", outputs)
    job.refresh_from_db()
    return job


def page(browser: Client, job: Job) -> str:
    return browser.get(job.get_absolute_url()).content.decode()


def status(browser: Client, job: Job, seen: str = "") -> Any:
    return browser.get(reverse("annotations:job_status", args=[job.job_id]), {"seen": seen})


def test_the_list_has_own_jobs_only_the_newest_first(browser: Client, user: Any, other_user: Any):
    now = timezone.now()
    make_job(user, input_file_name="older.vcf", submitted_at=now - timedelta(days=1))
    make_job(user, input_file_name="newer.vcf", submitted_at=now)
    make_job(other_user, input_file_name="strange.vcf")
    shown = browser.get(reverse("annotations:jobs")).content.decode()
    assert shown.index("newer.vcf") < shown.index("older.vcf")
    assert "strange.vcf" not in shown


def test_a_long_list_comes_in_pages_that_lead_to_each_other(browser: Client, user: Any):
    size = job_views.JOBS_ON_A_PAGE
    now = timezone.now()
    for number in range(2 * size + 3):
        # Three at a time were submitted in the same moment.
        make_job(user, submitted_at=now - timedelta(hours=number // 3), input_file_name=f"{number}-th.vcf")
    seen: list[list[str]] = []
    address = reverse("annotations:jobs")
    for link in ("next", "next", "prev", "prev", None):
        shown = browser.get(address).content.decode()
        seen.append(sorted(re.findall(r">(\d+-th.vcf)<", shown)))
        if link:
            (query,) = re.findall(rf'rel="{link}" href="([^"]+)"', shown)
            address = reverse("annotations:jobs") + query
    first, second, third, second_again, first_again = seen
    assert [len(page) for page in seen] == [size, size, 3, size, size]
    assert len({*first, *second, *third}) == 2 * size + 3
    assert (second_again, first_again) == (second, first)


def test_a_page_that_is_nowhere_is_the_first(browser: Client, user: Any):
    make_job(user, input_file_name="only.vcf")
    for query in ({"before": "x"}, {"after": "1.x"}, {"page": "2"}, {"after": f"{10**30}.x"}):
        assert "only.vcf" in browser.get(reverse("annotations:jobs"), query).content.decode()


def test_a_waiting_job_asks_for_news(browser: Client, user: Any):
    shown = page(browser, make_job(user))
    assert "in the queue" in shown
    assert "hx-get" in shown


def test_a_running_job_shows_its_stage_and_how_far_it_is(browser: Client, user: Any):
    assert "Predicting consequences and looking up known variants, 1,200 variants done" in page(
        browser, running(user)
    )


def test_a_running_job_whose_size_is_known_shows_how_much_is_left(browser: Client, user: Any):
    job = running(user)
    Job.objects.report(job.job_id, "task", "annotate", 1200, 50_000)
    shown = page(browser, job)
    assert "1,200 of 50,000 variants done" in shown
    assert '<progress max="50000" value="1200"' in shown


def cancel(browser: Client, job: Job) -> Any:
    return browser.post(reverse("annotations:cancel_job", args=[job.job_id]), follow=True)


@pytest.mark.parametrize("make", [make_job, running], ids=["waiting", "running"])
def test_a_job_that_is_not_over_is_cancelled_by_its_button(browser: Client, user: Any, make: Any):
    job = make(user)
    assert "Cancel the job" in page(browser, job)
    shown = cancel(browser, job).content.decode()
    assert "The job was cancelled" in shown
    assert "Cancel the job" not in shown


def test_a_job_that_is_over_is_not_cancelled(browser: Client, completed: Job):
    assert "Cancel the job" not in page(browser, completed)
    assert "Downloads" in cancel(browser, completed).content.decode()


def test_nobody_cancels_the_job_of_another(browser: Client, other_user: Any):
    job = running(other_user)
    assert cancel(browser, job).status_code == 404
    job.refresh_from_db()
    assert job.status == "RUNNING"


def test_a_stage_of_another_name_is_shown_by_it(browser: Client, user: Any):
    assert "Merging shards" in page(browser, running(user, "merging_shards", None))


def test_a_finished_job_asks_for_no_more_news(browser: Client, completed: Job):
    assert "hx-get" not in page(browser, completed)
    assert "hx-get" not in status(browser, completed).content.decode()


def test_no_news_is_an_empty_answer(browser: Client, user: Any):
    job = running(user)
    assert status(browser, job, "RUNNING.annotate.1200.NONE").status_code == 204


def test_a_new_stage_is_announced_and_new_counts_are_not(browser: Client, user: Any):
    job = running(user)
    stage = status(browser, job, "RUNNING.check.None.NONE").content.decode()
    counts = status(browser, job, "RUNNING.annotate.1000.NONE").content.decode()
    assert "announcement" in stage
    assert "announcement" not in counts and "1,200" in counts


def test_a_page_whose_user_has_logged_out_is_loaded_anew(user: Any):
    response = status(Client(), running(user))
    assert response.headers["HX-Refresh"] == "true"


def test_a_completed_job_shows_its_counts_and_files(browser: Client, completed: Job):
    shown = page(browser, completed)
    for text in ("65,370", "patient.annot.vcf.gz", "patient.annot.vcf.gz.tbi", "patient.parquet"):
        assert text in shown
    assert shown.index(">HIGH<") < shown.index(">MODIFIER<")
    assert "contig &lt;HLA&gt;." in shown


@pytest.mark.parametrize("kind", ["result", "index", "table", "log"])
def test_each_file_comes_as_a_download_by_its_own_name(browser: Client, completed: Job, kind: str):
    response = browser.get(reverse("annotations:job_file", args=[completed.job_id, kind]), follow=True)
    name = response.headers["Content-Disposition"].partition('"')[2].rstrip('"')
    assert b"".join(response) == f"content of {name.removeprefix('patient')}".encode()


def test_an_archived_result_is_not_offered_and_the_page_says_where_it_is(browser: Client, completed: Job):
    Job.objects.filter(pk=completed.pk).update(result_state="ARCHIVED")
    shown = page(browser, completed)
    assert "in the archive" in shown
    assert "patient.annot.vcf.gz<" not in shown and "patient.vcf.count.log" in shown
    url = reverse("annotations:job_file", args=[completed.job_id, "result"])
    assert browser.get(url).status_code == 404


def test_the_log_is_read_in_the_browser(browser: Client, completed: Job):
    shown = browser.get(reverse("annotations:job_log", args=[completed.job_id])).content.decode()
    assert "content of .vcf.count.log</pre>" in shown


def test_a_long_log_is_cut_and_says_so(browser: Client, completed: Job, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_views, "LOG_SHOWN_BYTES", 7)
    shown = browser.get(reverse("annotations:job_log", args=[completed.job_id])).content.decode()
    assert ">content</pre>" in shown
    assert "This is the first 7\xa0bytes" in shown


def test_a_failed_job_shows_the_reason_and_what_to_do(browser: Client, user: Any):
    job = running(user)
    Job.objects.fail(job.job_id, "task", "bad_input", "Line 3: expected tabs, found <spaces>.")
    job.refresh_from_db()
    shown = page(browser, job)
    assert "Line 3: expected tabs, found &lt;spaces&gt;." in shown
    assert "Upload a file again" in shown
    assert "Downloads" not in shown


def test_a_file_with_many_faults_shows_them_all(browser: Client, user: Any):
    job = running(user)
    findings = [Finding("bad-ref", "expected <A>.", line) for line in range(1, 101)]
    Job.objects.fail(job.job_id, "task", "unusable_input", "Line 1 and others.", findings)
    job.refresh_from_db()
    shown = page(browser, job)
    assert shown.count('<li class="break">Line ') == 100
    assert "Line 100: expected &lt;A&gt;." in shown


def test_a_cancelled_job_shows_that(browser: Client, user: Any):
    job = make_job(user)
    Job.objects.filter(pk=job.pk).update(status="CANCELLED")
    assert "Cancelled" in page(browser, job)


@pytest.mark.parametrize("view", ["job", "job_status", "job_log"])
def test_the_job_of_another_user_is_as_unknown_as_one_that_never_was(
    browser: Client, other_user: Any, view: str
):
    job = make_job(other_user, log_key="some/log")
    answers = [
        browser.get(reverse(f"annotations:{view}", args=[job_id]))
        for job_id in (job.job_id, "00000000-0000-0000-0000-000000000000")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert "There is no such page" in answers[0].content.decode()
