"""Every page of the site besides those of a result: for everybody, by day and by night, on a phone too."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.urls import reverse

from annotations.models import Job, Status
from annotations.sharing import links
from annotations.tests.accessibility import faults
from annotations.tests.factories import make_job
from annotations.webhooks import announcing
from annotations.webhooks.models import Webhook
from gas_project.accounts.models import User
from gas_project.tests.test_browser import open_page

__all__ = ["open_page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not site.HAS_ASSETS, reason="the browser's libraries are not installed: make assets"),
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
OF_VISITORS = [
    "home",
    "account_login",
    "account_signup",
    "account_reset_password",
    "api_docs",
    "api_problems",
]
OF_A_PERSON = [
    "annotations:jobs", "annotations:new", "incoming:paste", "incoming:address", "billing:overview",
    "billing:welcome", "profile", "tokens", "webhooks", "delete_account", "account_email", "account_logout",
    "account_change_password", "account_reauthenticate", "mfa_index", "mfa_list_webauthn",
]  # fmt: skip
OF_STAFF = ["admin:index", "queues"]  # the other pages of the admin are Django's own


@pytest.fixture
def about_something(open_page: Callable[..., Any]) -> dict[str, str]:
    """Addresses of pages about a thing, with something to show; their owner is of the staff, too."""
    user = User.objects.get(email="ada@example.org")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    jobs = {status: make_job(user, status=status) for status in Status}
    failed = {
        "failure_reason": "unusable_input",
        "failure_message": "Line 7 has 9 columns instead of 10. " * 9,
    }
    Job.objects.filter(pk=jobs[Status.FAILED].pk).update(**failed)
    done = jobs[Status.COMPLETED]
    links.make(done, timedelta(days=30), "my doctor")
    webhook = Webhook.objects.create(user=user, url=f"https://example.org/{'long/' * 20}")
    announcing.announce_test(webhook)
    about = {f"job-{status.lower()}": job.get_absolute_url() for status, job in jobs.items()}
    about["webhook"] = reverse("webhook", args=[webhook.pk])
    about["links"] = reverse("annotations:share_links", args=[done.job_id])
    about["delete-job"] = reverse("annotations:delete_job", args=[done.job_id])
    about["no-such-page"] = "/nothing/"
    return about


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_or_is_wider_than_its_screen(
    open_page: Callable[..., Any],
    about_something: dict[str, str],
    scheme: str,
    picture: Callable[[Any, str], None],
):
    page = open_page("/", color_scheme=scheme)
    found = {}

    def look_at(name: str, path: str) -> None:
        page.set_viewport_size(DESKTOP)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        picture(page, f"{name}-{scheme}")
        wrong = faults(page)
        page.set_viewport_size(PHONE)
        picture(page, f"{name}-{scheme}-phone")
        width = page.evaluate("document.documentElement.scrollWidth")
        if wrong or width > PHONE["width"]:
            found[name] = (wrong, width)

    for name in (*OF_A_PERSON, *OF_STAFF):
        look_at(name.replace(":", "-"), reverse(name))
    for name, path in about_something.items():
        look_at(name, path)
    page.context.clear_cookies()
    for name in OF_VISITORS:
        look_at(name, reverse(name))
    assert found == {}
