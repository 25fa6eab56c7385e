"""Who may see what: every address of the site has its line here, or the test fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotations.models import Job
from annotations.storage.port import object_store
from annotations.tests.factories import make_job
from gas_project import health
from gas_project.accounts.models import User
from gas_project.tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_database")]


@dataclass(frozen=True)
class Access:
    """The status that GET gives to each: 200 shown, 302 sent elsewhere, 404 as if it were not there."""

    anonymous: int
    other: int
    owner: int
    staff: int
    args: tuple[str, ...] = ()


def public(*args: str) -> Access:
    return Access(200, 200, 200, 200, args)


def for_visitors() -> Access:
    return Access(200, 302, 302, 302)


def for_anyone_logged_in(*args: str) -> Access:
    return Access(302, 200, 200, 200, args)


def for_the_owner(status: int = 200, *args: str) -> Access:
    """The staff's place to look at jobs is the admin."""
    return Access(302, 404, status, 404, ("JOB", *args))


def not_for_get() -> Access:
    return Access(405, 405, 405, 405)


ACCESS = {
    "home": public(),
    "profile": for_anyone_logged_in(),
    "take_out": for_anyone_logged_in(),
    "delete_account": for_anyone_logged_in(),
    "healthz": public(),
    "readyz": public(),
    "metrics": Access(404, 404, 404, 404),  # for who brings the token
    "queues": Access(302, 302, 302, 200),
    "flower": Access(302, 403, 403, 403),  # for superusers
    "flower_page": Access(302, 403, 403, 403, ("workers",)),
    # jobs
    "annotations:jobs": for_anyone_logged_in(),
    "annotations:new": for_anyone_logged_in(),
    "annotations:sample": Access(302, 404, 404, 404, ("no-such-reference",)),
    "annotations:begin_upload": Access(302, 405, 405, 405),
    "annotations:submit": Access(302, 400, 400, 400),  # 400: no key
    "annotations:job": for_the_owner(),
    "annotations:job_status": Access(200, 404, 200, 404, ("JOB",)),  # 200: HX-Refresh, and nothing else
    "annotations:cancel_job": Access(302, 405, 405, 405, ("JOB",)),
    "annotations:retry_job": Access(302, 405, 405, 405, ("JOB",)),
    "annotations:delete_job": for_the_owner(),
    "annotations:job_log": for_the_owner(),
    "annotations:job_file": for_the_owner(302, "log"),
    # storage: the signature is the permission, whoever comes with it
    "annotations:receive_upload": not_for_get(),
    "annotations:download": Access(403, 403, 403, 403),
    # accounts
    "account_login": for_visitors(),
    "account_signup": for_visitors(),
    "account_logout": Access(302, 200, 200, 200),
    "account_inactive": public(),
    "account_reauthenticate": Access(302, 200, 200, 200),
    "account_email": for_anyone_logged_in(),
    "account_email_verification_sent": public(),
    "account_confirm_email": public("no-such-key"),
    "account_change_password": for_anyone_logged_in(),
    "account_set_password": Access(302, 302, 302, 302),  # only for accounts without one
    "account_reset_password": public(),
    "account_reset_password_done": public(),
    "account_reset_password_from_key": public("1", "no-such-key"),
    "account_reset_password_from_key_done": public(),
    "account_confirm_login_code": Access(302, 302, 302, 302),  # logging in by code is switched off
}


def names(patterns: list[Any] | None = None, namespace: str = "") -> Iterator[str]:
    """The name of every address but the admin's, which asks for staff by itself (tested below)."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from names(entry.url_patterns, inner)
        elif isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}"


@pytest.fixture
def job(user: User, tmp_path: Any) -> Job:
    job = make_job(user, log_key="some/log")
    (tmp_path / "log").write_text("Total 1")
    object_store().publish(tmp_path / "log", "some/log")
    return job


@pytest.fixture
def clients(user: User, other_user: User) -> dict[str, Client]:
    staff = make_user("s@example.org", is_staff=True)
    people = {"anonymous": None, "other": other_user, "owner": user, "staff": staff}
    clients = {}
    for who, person in people.items():
        clients[who] = Client()
        if person:
            clients[who].force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return clients


@pytest.fixture(autouse=True)
def _broker_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.NEEDED, "broker", lambda: None)


def get(client: Client, name: str, job: Job) -> Any:
    args = [job.job_id if arg == "JOB" else arg for arg in ACCESS[name].args]
    return client.get(reverse(name, args=args))


def test_every_address_has_its_line():
    assert set(names()) == set(ACCESS)


@pytest.mark.parametrize("who", ["anonymous", "other", "owner", "staff"])
def test_each_address_answers_everyone_as_its_line_says(clients: dict[str, Client], job: Job, who: str):
    answers = {name: get(clients[who], name, job).status_code for name in ACCESS}
    assert answers == {name: getattr(access, who) for name, access in ACCESS.items()}


def test_what_a_person_sees_after_logging_in_is_kept_by_no_cache(clients: dict[str, Client], job: Job):
    shown = [name for name, access in ACCESS.items() if access.owner == 200]
    headers = {name: get(clients["owner"], name, job).headers.get("Cache-Control", "") for name in shown}
    assert [name for name, header in headers.items() if "no-store" not in header] == []


@pytest.mark.parametrize("who", ["anonymous", "owner"])
def test_every_page_allows_no_script_or_style_within_it(clients: dict[str, Client], job: Job, who: str):
    for name in ACCESS:
        response = get(clients[who], name, job)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, name
        html = response.getvalue().decode(errors="replace")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html), name


def test_the_admin_is_for_staff(clients: dict[str, Client]):
    statuses = {who: client.get(reverse("admin:index")).status_code for who, client in clients.items()}
    assert statuses == {"anonymous": 302, "other": 302, "owner": 302, "staff": 200}
    login = {who: client.get(reverse("admin:login")).status_code for who, client in clients.items()}
    assert login == {"anonymous": 302, "other": 403, "owner": 403, "staff": 302}


def test_a_file_is_begun_and_a_job_submitted_or_cancelled_only_with_a_csrf_token(user: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    cancel = reverse("annotations:cancel_job", args=[make_job(user).job_id])
    for url in (reverse("annotations:begin_upload"), reverse("annotations:submit"), cancel):
        response = client.post(url, {"file_name": "a.vcf"})
        assert response.status_code == 403
        assert "out of date" in response.content.decode()
