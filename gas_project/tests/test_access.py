"""Who may see what: every address of the site has its line here, or the test fails."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotations.api import tokens
from annotations.api.models import Scope, Token
from annotations.engine.bundle import ReferenceBundle
from annotations.incoming.models import Upload
from annotations.models import Job, ResultState
from annotations.storage.port import object_store
from annotations.tests.bundles import write_bundle
from annotations.tests.factories import make_job
from annotations.tests.tables import write_empty_table
from annotations.webhooks.models import Delivery, Webhook
from billing.models import Customer, Outgoing, StripeEvent
from gas_project import health
from gas_project.accounts.models import User
from gas_project.tests.addresses import (
    ACCESS,
    DEEDS,
    GUARDED,
    NOT_FROM_A_FILE,
    NOWHERE,
    OTHER_METHODS,
    PEOPLE,
    POSTS,
    PREMIUM_DEEDS,
    UNUSED_METHODS,
)
from gas_project.tests.factories import make_premium_user, make_user

# With the jobs in DynamoDB the same walk is a long one.
DATABASES = ["default", pytest.param("dynamodb", marks=pytest.mark.journey)]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("jobs_database"),
    pytest.mark.parametrize("jobs_database", DATABASES, indirect=True),
]


def names(patterns: list[Any] | None = None, namespace: str = "") -> Iterator[str]:
    """The name of every address but the admin's, which asks for staff by itself (tested below)."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from names(entry.url_patterns, inner)
        elif (
            isinstance(entry, URLPattern) and entry.name
        ):  # allauth's former addresses have none: they redirect
            yield f"{namespace}{entry.name}"


@pytest.fixture
def job(user: User, tmp_path: Any) -> Job:
    job = make_job(user, log_key="some/log", table_key="some/table", result_state=ResultState.AVAILABLE)
    Upload.objects.create(
        pk=job.job_id, user=user, file_name="a.vcf", key="some/key", part_bytes=5, size_bytes=9
    )
    Webhook.objects.create(pk=job.job_id, user=user, url="https://example.org/")
    (tmp_path / "log").write_text("Total 1")
    write_empty_table(tmp_path / "table", ReferenceBundle.open(write_bundle(tmp_path / "references")))
    for kind in ("log", "table"):
        object_store().publish(tmp_path / kind, f"some/{kind}")
    return job


@pytest.fixture
def clients(user: User, other_user: User) -> dict[str, Client]:
    staff = make_user("s@example.org", is_staff=True)
    premium = make_premium_user()
    people = {"anonymous": None, "other": other_user, "owner": user, "premium": premium, "staff": staff}
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


@pytest.mark.parametrize("who", PEOPLE)
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
        assert not re.search(NOT_FROM_A_FILE, html), name


def test_the_admin_is_for_staff(clients: dict[str, Client]):
    statuses = {who: client.get(reverse("admin:index")).status_code for who, client in clients.items()}
    assert statuses == {"anonymous": 302, "other": 302, "owner": 302, "premium": 302, "staff": 200}
    login = {who: client.get(reverse("admin:login")).status_code for who, client in clients.items()}
    assert login == {"anonymous": 302, "other": 403, "owner": 403, "premium": 403, "staff": 302}


def test_a_file_is_begun_and_a_job_submitted_or_cancelled_only_with_a_csrf_token(user: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    cancel = reverse("annotations:cancel_job", args=[make_job(user).job_id])
    for url in (reverse("annotations:begin_upload"), reverse("annotations:submit"), cancel):
        response = client.post(url, {"file_name": "a.vcf"})
        assert response.status_code == 403
        assert "out of date" in response.content.decode()


def address(name: str, job: Job) -> str:
    return reverse(name, args=[job.job_id if arg == "JOB" else arg for arg in ACCESS[name].args])


def jobs() -> list[Job]:
    """Everybody's; asked for one by one, for no database reads the whole table."""
    return [job for user in User.objects.order_by("pk") for job in Job.objects.of(user)]


def everything() -> list[Any]:
    """All that a request could have changed."""
    others = (User, Customer, StripeEvent, Outgoing, Token, Upload, Webhook, Delivery)
    return [
        [{name: value for name, value in vars(job).items() if name != "_state"} for job in jobs()],
        *(list(model.objects.order_by("pk").values()) for model in others),
    ]


@pytest.mark.parametrize("who", PEOPLE)
def test_every_method_of_every_address_answers_everyone_as_it_should(
    clients: dict[str, Client], job: Job, who: str, sent_tasks: list[Any]
):
    client, before = clients[who], everything()
    wrong = []
    # Accounts are allauth's, whose forms take a POST from everybody; its own tests walk them.
    ours = [name for name in ACCESS if not name.startswith(("account_", "mfa_", "socialaccount_", "openid_"))]
    for name in ours:
        for method in ("head", "post", *UNUSED_METHODS):
            if who == "owner" and (name, method) in DEEDS:
                continue
            status = getattr(client, method)(address(name, job)).status_code
            if method == "head":
                allowed = {getattr(ACCESS[name], who)}
            elif (who, method) == ("owner", "post") and name in PREMIUM_DEEDS:
                allowed = {403}
            elif name in GUARDED and getattr(ACCESS[name], who) != 200:
                allowed = {405, getattr(ACCESS[name], who)}
            elif method == "post" and name in POSTS:
                allowed = {POSTS[name][who != "anonymous"]}
            elif (name, method) in OTHER_METHODS:
                allowed = {OTHER_METHODS[name, method][who != "anonymous"]}
            elif name in NOWHERE:
                allowed = {404}
            else:
                # Who has to log in first is told that first.
                allowed = {405, 302} if who == "anonymous" else {405}
            if status not in allowed:
                wrong.append((name, method, status))
    assert wrong == []
    assert everything() == before
    assert sent_tasks == []


@pytest.mark.parametrize("who", ["anonymous", "other", "owner", "premium"])
def test_no_page_of_the_admin_lets_others_than_staff_in(clients: dict[str, Client], job: Job, who: str):
    before = everything()
    open_to_all = {"admin:login", "admin:logout"}
    for name, url in admin_addresses(job):
        for method in ("get", "head", "post", "put", "delete"):
            if name not in open_to_all:
                response = getattr(clients[who], method)(url)
                assert response.status_code == 302, (name, method)
                assert response["Location"].startswith("/admin/login/"), (name, method)
    assert everything() == before


def admin_addresses(job: Job) -> Iterator[tuple[str, str]]:
    """Name and address of every page of the admin, with a thing that exists where one is needed."""
    _, admin = get_resolver().namespace_dict["admin"]
    known = {"app_label": "billing", "content_type_id": "1"}
    for name in {key for key in admin.reverse_dict if isinstance(key, str)}:
        for possibilities, *_ in admin.reverse_dict.getlist(name):
            for _, parameters in possibilities:
                args = [known.get(parameter, job.pk) for parameter in parameters]
                yield f"admin:{name}", reverse(f"admin:{name}", args=args)


class TestWhatPremiumGives:
    """No way leads around the tier: not by another address, nor by a form kept or changed."""

    @pytest.fixture(autouse=True)
    def small_files(self, settings: Any) -> None:
        write_bundle(settings.REFERENCES_DIR)
        settings.TIERS = {
            "free": replace(settings.TIERS["free"], upload_max_bytes=20, jobs_at_once=1, jobs_a_day=2),
            "premium": settings.TIERS["premium"],
        }

    def upload(self, client: Client, size_bytes: int) -> tuple[int, str]:
        """The status of the storage's answer, and the key."""
        form = client.post(reverse("annotations:begin_upload"), {"file_name": "a.vcf"}).json()
        file = SimpleUploadedFile("a.vcf", b"#" * size_bytes)
        return client.post(form["url"], form["fields"] | {"file": file}).status_code, form["fields"]["key"]

    def finish_all(self) -> None:
        for job in jobs():
            Job.objects.filter(pk=job.pk).update(status="COMPLETED")

    def submit(self, client: Client, key: str, **more: str) -> int:
        data = {"key": key, "reference": "demo/1", **more}
        return client.post(reverse("annotations:submit"), data).status_code

    @pytest.mark.parametrize(("who", "status"), [("owner", 400), ("premium", 204)])
    def test_the_storage_takes_no_more_than_the_tier_allows(
        self, clients: dict[str, Client], who: str, status: int
    ):
        assert self.upload(clients[who], 21)[0] == status

    @pytest.mark.parametrize(("who", "status"), [("owner", 400), ("premium", 302)])
    def test_what_lies_in_the_storage_is_measured_again(
        self, clients: dict[str, Client], who: str, status: int, tmp_path: Any
    ):
        _, key = self.upload(clients[who], 5)
        (tmp_path / "large").write_bytes(b"#" * 21)
        object_store().publish(tmp_path / "large", key)  # by a form from richer days
        assert self.submit(clients[who], key) == status
        assert bool(jobs()) is (status == 302)

    @pytest.mark.parametrize(("who", "status"), [("owner", 400), ("premium", 302)])
    def test_haplotypes_cannot_be_had_by_a_form_of_ones_own(
        self, clients: dict[str, Client], who: str, status: int
    ):
        _, key = self.upload(clients[who], 5)
        assert self.submit(clients[who], key, haplotype_aware="on") == status

    @pytest.mark.parametrize(("who", "statuses"), [("owner", [302, 400, 302, 400]), ("premium", [302] * 4)])
    def test_jobs_are_counted_however_their_files_came(
        self, clients: dict[str, Client], who: str, statuses: list[int]
    ):
        keys = [self.upload(clients[who], 5)[1] for _ in statuses]
        found = [self.submit(clients[who], key) for key in keys[:2]]  # the second is one too many at once
        self.finish_all()
        found.append(self.submit(clients[who], keys[2]))
        self.finish_all()
        found.append(self.submit(clients[who], keys[3]))  # and the last one too many a day
        assert found == statuses

    def test_a_stranger_submits_nothing_of_anybody(self, clients: dict[str, Client]):
        _, key = self.upload(clients["premium"], 5)
        assert self.submit(clients["owner"], key) == 400
        assert self.submit(clients["anonymous"], key) == 302
        assert not jobs()

    def test_nobody_becomes_premium_by_the_pages_of_billing(self, clients: dict[str, Client], user: User):
        for client in (clients["owner"], clients["anonymous"]):
            client.get(reverse("billing:welcome"), {"session_id": "cs_test_1", "tier": "premium"})
            client.post(reverse("billing:subscribe"), {"tier": "premium"})
            client.post(reverse("profile"), {"name": "Ada", "tier": "premium", "customer-0-tier": "premium"})
            client.post(reverse("billing:webhook"), {"type": "checkout.session.completed"})
        assert not Customer.objects.filter(user=user, tier="premium").exists()


class TestTokens:
    """A token opens the API to its user, as a session does, and nothing but the API."""

    @pytest.fixture
    def with_token(self, user: User, other_user: User) -> dict[str, Client]:
        people = {"owner": user, "other": other_user}
        secrets = {who: tokens.make(person, "script", list(Scope))[1] for who, person in people.items()}
        return {who: Client(headers={"Authorization": f"Bearer {secret}"}) for who, secret in secrets.items()}

    @pytest.mark.parametrize("who", ["owner", "other"])
    def test_they_open_what_a_session_of_the_same_user_does(
        self, with_token: dict[str, Client], job: Job, who: str
    ):
        of_the_api = {name: access for name, access in ACCESS.items() if name.startswith("api")}
        answers = {name: get(with_token[who], name, job).status_code for name in of_the_api}
        assert answers == {name: getattr(access, who) for name, access in of_the_api.items()}

    def test_the_pages_know_no_tokens(
        self, with_token: dict[str, Client], clients: dict[str, Client], job: Job
    ):
        pages = [name for name in ACCESS if not name.startswith("api")]
        answers = {name: get(with_token["owner"], name, job).status_code for name in pages}
        assert answers == {name: ACCESS[name].anonymous for name in pages}
        assert with_token["owner"].get(reverse("admin:index")).status_code == 302
