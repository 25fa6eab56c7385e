"""What the staff can look up."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.admin import JobAdmin
from annotations.models import Job
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_job
from gas_project.accounts.models import User
from gas_project.tests.factories import make_admin, make_premium_user

MANY = 3000 if os.environ.get("DYNAMODB_TESTS_IN_FULL") else 200

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_admin())
    return client


@pytest.mark.parametrize("term", ["ada@example.org", "ADA@example.org", "tient.vc", "JOB"])
def test_a_job_is_found_by_its_number_its_file_and_its_user(
    admin: Client, user: User, other_user: User, term: str
):
    job = make_job(user)
    make_job(other_user, input_file_name="stranger.vcf")
    term = job.job_id if term == "JOB" else term
    shown = admin.get(reverse("admin:annotations_job_changelist"), {"q": term}).content.decode()
    assert "patient.vcf" in shown and "stranger.vcf" not in shown


def test_the_list_of_jobs_asks_for_all_their_users_at_once(
    admin: Client, user: User, other_user: User, django_assert_max_num_queries: object
):
    for owner in (user, other_user) * 3:
        make_job(owner)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        shown = admin.get(reverse("admin:annotations_job_changelist")).content.decode()
    assert user.email in shown and other_user.email in shown


def test_the_list_of_jobs_counts_none_by_filter(admin: Client, user: User):
    make_job(user)
    page = admin.get(reverse("admin:annotations_job_changelist"), {"_facets": "True"}).content.decode()
    assert "patient.vcf" in page and "Show counts" not in page and "Hide counts" not in page


def requests_for(connection: Any, ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert ask().status_code in {200, 302}
    return len(captured.captured_queries)


def test_no_page_takes_more_requests_for_thousands_of_jobs_than_for_sixty(
    admin: Client, user: User, other_user: User, jobs_database: Any
):
    url = reverse("admin:annotations_job_changelist")
    asked: list[Callable[[], Any]] = [
        lambda query=query: admin.get(url, query)  # type: ignore[misc]
        for query in (
            {},
            {"p": 2},
            {"status__exact": "PENDING"},
            {"result_state__exact": "NONE"},
            {"o": "5"},
            {
                "submitted_at__gte": "2026-01-01 00:00:00+00:00",
                "submitted_at__lt": "2026-03-01 00:00:00+00:00",
            },
            {"q": "ada@example.org"},
            {"q": "00000000-0000-4000-8000-000000000007"},
            {"q": "sample-59.vcf"},
        )
    ]
    fill(user, range(60))
    few = [requests_for(jobs_database, ask) for ask in asked]
    fill(other_user, range(60, MANY))
    many = [requests_for(jobs_database, ask) for ask in asked]
    # DynamoDB asks each status by itself, and again where a page of its own was not enough.
    assert max(many) <= 25, (few, many)
    assert sum(many) <= sum(few) + 30, (few, many)


def fill(owner: User, numbers: Any) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    Job.objects.bulk_create(
        Job(
            job_id=f"00000000-0000-4000-8000-{number:012}",
            user=owner,
            submitted_at=start + timedelta(hours=number),
            input_file_name=f"sample-{number}.vcf",
            input_bytes=1,
            reference="demo/1",
            status=["PENDING", "RUNNING", "COMPLETED", "FAILED"][number % 4],
        )
        for number in numbers
    )


def test_jobs_are_deleted_one_and_many_and_the_history_remembers(admin: Client, user: User):
    jobs = [make_job(user) for _ in range(3)]
    one, *others = [job.pk for job in jobs]
    page = admin.get(reverse("admin:annotations_job_delete", args=[one])).content.decode()
    assert "Are you sure" in page
    assert admin.post(reverse("admin:annotations_job_delete", args=[one]), {"post": "yes"}).status_code == 302
    action = {"action": "delete_selected", "_selected_action": others, "post": "yes"}
    assert admin.post(reverse("admin:annotations_job_changelist"), action).status_code == 302
    assert not Job.objects.of(user).exists()
    assert LogEntry.objects.count() == 3
    kept = make_job(user)
    assert admin.get(reverse("admin:annotations_job_history", args=[kept.pk])).status_code == 200


def test_a_user_who_is_deleted_takes_the_jobs_along(
    admin: Client, user: User, other_user: User, django_capture_on_commit_callbacks: Any
):
    for owner in (user, user, other_user):
        make_job(owner)
    url = reverse("admin:accounts_user_delete", args=[user.pk])
    assert admin.get(url).status_code == 200
    assert Job.objects.of(user).count() == 2, "to be asked is not to be deleted"
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post(url, {"post": "yes"}).status_code == 302
    assert not Job.objects.of(user.pk or "").exists() and Job.objects.of(other_user).count() == 1


def edit(admin: Client, job: Job, **changes: str) -> str:
    data = {"input_file_name": job.input_file_name, "reference": job.reference} | changes
    url = reverse("admin:annotations_job_change", args=[job.pk])
    return str(admin.post(url, data, follow=True).content.decode())


def test_a_jobs_file_name_reference_and_options_are_put_right(admin: Client, user: User, settings: Any):
    write_bundle(settings.REFERENCES_DIR)
    job = make_job(user, reference="demo/0", status="FAILED")
    url = reverse("admin:annotations_job_change", args=[job.pk])
    assert 'name="reference"' in admin.get(url).content.decode()
    assert "was changed successfully" in edit(
        admin, job, input_file_name="family 7.vcf", reference="demo/1", haplotype_aware="on"
    )
    job.refresh_from_db()
    assert (job.input_file_name, job.reference, job.haplotype_aware) == ("family_7.vcf", "demo/1", True)
    message = LogEntry.objects.get(object_id=job.pk).get_change_message()
    assert "Reference" in message and "File" in message
    assert admin.get(reverse("admin:annotations_job_add")).status_code == 403


def test_a_reference_that_is_not_there_is_refused_with_those_that_are(
    admin: Client, user: User, settings: Any
):
    write_bundle(settings.REFERENCES_DIR)
    job = make_job(user)
    assert "There is no reference hg19/1 here. There are: demo/1." in edit(admin, job, reference="hg19/1")
    assert Job.objects.get(pk=job.pk).reference == "demo/1"


def test_no_form_changes_what_a_jobs_verbs_change(admin: Client, user: User):
    job = make_job(user, status="RUNNING", claimed_by="task")
    edit(
        admin, job, status="COMPLETED", claimed_by="me", user="", reference="hg19/1", input_file_name="a.vcf"
    )
    job.refresh_from_db()
    assert (job.status, job.claimed_by, job.user) == ("RUNNING", "task", user)
    assert (job.reference, job.input_file_name) == ("demo/1", "a.vcf")


def test_a_change_undoes_nothing_that_a_worker_did_while_the_form_was_open(
    admin: Client, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    write_bundle(settings.REFERENCES_DIR)
    renamed, put_right = make_job(user), make_job(user, reference="demo/0")
    real = JobAdmin.save_model

    def claim_first(self: JobAdmin, request: Any, obj: Job, *args: Any) -> None:
        Job.objects.claim(obj.pk, "task")
        real(self, request, obj, *args)

    monkeypatch.setattr(JobAdmin, "save_model", claim_first)
    assert "was changed successfully" in edit(admin, renamed, input_file_name="b.vcf")
    assert "Nothing was changed" in edit(admin, put_right, reference="demo/1")
    renamed.refresh_from_db()
    assert (renamed.status, renamed.claimed_by, renamed.attempts) == ("RUNNING", "task", 1)
    assert (renamed.input_file_name, Job.objects.get(pk=put_right.pk).reference) == ("b.vcf", "demo/0")
    assert [entry.object_id for entry in LogEntry.objects.all()] == [renamed.pk]


def test_the_list_of_people_shows_their_tier(admin: Client):
    make_premium_user()
    shown = admin.get(reverse("admin:accounts_user_changelist")).content.decode()
    assert "grace@example.org" in shown and "Premium" in shown


@pytest.mark.django_db(transaction=True)
def test_premium_is_given_on_the_page_of_its_user(admin: Client, user: User, sent_tasks: list[Any]):
    url = reverse("admin:accounts_user_change", args=[user.pk])
    response = admin.post(
        url,
        {
            "email": user.email,
            "is_active": "on",
            "customer-TOTAL_FORMS": "1",
            "customer-INITIAL_FORMS": "0",
            "customer-0-comp_until_0": "2100-01-01",
            "customer-0-comp_until_1": "00:00",
            "customer-0-comp_reason": "helps us test",
            "customer-0-user": str(user.pk),
        },
    )
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.customer.comp_reason == "helps us test"
    assert [(task.name, task.args) for task in sent_tasks] == [
        ("tasks.sync_subscription", (user.customer.pk,))
    ]


def test_a_person_is_added_by_address_and_password(admin: Client):
    data = {
        "email": "new@example.org",
        "usable_password": "true",
        "password1": "a long password",
        "password2": "a long password",
        "customer-TOTAL_FORMS": "0",
        "customer-INITIAL_FORMS": "0",
    }
    assert admin.post(reverse("admin:accounts_user_add"), data).status_code == 302
    assert User.objects.get(email="new@example.org").check_password("a long password")
