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

from annotations.models import Job
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


def test_a_job_can_be_looked_at_and_not_changed(admin: Client, user: User):
    job = make_job(user)
    url = reverse("admin:annotations_job_change", args=[job.pk])
    assert "patient.vcf" in admin.get(url).content.decode()
    assert admin.post(url, {"status": "COMPLETED"}).status_code == 403
    assert Job.objects.get(pk=job.pk).status == "PENDING"
    assert admin.get(reverse("admin:annotations_job_add")).status_code == 403


def test_the_list_of_people_shows_their_tier(admin: Client):
    make_premium_user()
    shown = admin.get(reverse("admin:accounts_user_changelist")).content.decode()
    assert "grace@example.org" in shown and "Premium" in shown


def test_a_tier_is_set_on_the_page_of_its_user(admin: Client, user: User):
    url = reverse("admin:accounts_user_change", args=[user.pk])
    response = admin.post(
        url,
        {
            "email": user.email,
            "is_active": "on",
            "customer-TOTAL_FORMS": "1",
            "customer-INITIAL_FORMS": "0",
            "customer-0-tier": "premium",
            "customer-0-user": str(user.pk),
        },
    )
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.customer.tier == "premium"


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
