"""What the staff can look up."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Job
from annotations.tests.factories import make_job
from gas_project.accounts.models import User
from gas_project.tests.factories import make_admin, make_premium_user

pytestmark = pytest.mark.django_db


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
