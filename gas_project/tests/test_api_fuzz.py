"""Ask everything that the API's description allows, and much that it does not, as two users.

Nothing may break the service, each answer must be one that the description promises, and neither user may see
or change anything of the other's. `make api-fuzz` asks long.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotations.api import tokens
from annotations.api.models import Scope
from annotations.api.tests.arriving import upload_of
from annotations.api.tests.conftest import Caller
from annotations.incoming.models import Upload
from annotations.models import Job
from annotations.results.tests.conftest import demo_files, demo_references, publish
from annotations.storage import object_store
from annotations.tests.conftest import limits
from annotations.webhooks import announcing, owning
from annotations.webhooks.models import Delivery, Webhook
from gas_project.tests.factories import make_user
from gas_project.wsgi import application

__all__ = ["demo_files", "demo_references", "limits", "publish"]
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "4"))
pytestmark = pytest.mark.django_db

schema = schemathesis.openapi.from_wsgi(reverse("api:openapi-json"), application)
OPERATIONS: dict[str, Any] = {
    found.ok().label: found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)
}
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass
class Person:
    """A user with one of each thing, all of which bear a word that stands nowhere else."""

    user: Any
    word: str
    secret: str
    ids: dict[str, str]

    @property
    def belongings(self) -> list[Any]:
        """All that is theirs, but for what a request of their own adds."""
        jobs = [(job.job_id, job.status, job.input_file_name) for job in Job.objects.of(self.user)]
        webhooks = list(Webhook.objects.of(self.user).values_list("pk", "url", "is_active"))
        uploads = list(Upload.objects.of(self.user).values_list("pk", "state"))
        deliveries = list(Delivery.objects.filter(webhook__user=self.user).values_list("pk", "state"))
        return [jobs, webhooks, uploads, deliveries, sorted(object_store().keys(f"{self.user.pk}/"))]


@pytest.fixture
def people(limits: Any, settings: Any, demo_files: Any, demo_references: Any, publish: Any) -> list[Person]:
    limits.requests_a_minute = 60_000
    limits.jobs_at_once = limits.jobs_a_day = 1_000_000
    settings.REFERENCES_DIR = demo_references
    return [_person(word, demo_files, publish) for word in ("zebrafish", "quokka")]


def _person(word: str, files: Any, publish: Any) -> Person:
    user = make_user(f"{word}@example.org")
    secret = tokens.make(user, word, list(Scope))[1]
    job = publish(user, files, input_file_name=f"{word}.vcf")
    webhook = owning.make(user, f"https://{word}.example.org/")
    announcing.announce(job)
    ids = {
        "job_id": job.job_id,
        "webhook_id": str(webhook.pk),
        "upload_id": upload_of(Caller(user), name=f"{word}.vcf"),
    }
    return Person(user, word, secret, ids)


@pytest.fixture(autouse=True)
def _connections_stay(people: list[Person]) -> Iterator[None]:
    """A server closes old connections around each request; here that would end the test's transaction.

    (Django's test client connects the signals again, so this comes after what uses it.)
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_breaks_it_or_reaches_what_is_anothers(label: str, people: list[Person]):
    operation = OPERATIONS[label]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(),
        kind=st.sampled_from(["own", "foreign", "foreign", "made up"]),
        who=st.sampled_from([0, 1]),
    )
    def ask(case: Any, kind: str, who: int) -> None:
        me, them = people[who], people[1 - who]
        if kind != "made up":
            ids = (me if kind == "own" else them).ids
            for name in set(case.path_parameters or {}) & set(ids):
                case.path_parameters[name] = ids[name]
            if isinstance(case.body, dict) and "upload_id" in case.body:
                case.body["upload_id"] = ids["upload_id"]
        before = them.belongings
        answer = case.call(headers={"Authorization": f"Bearer {me.secret}"}, cookies={})
        case.validate_response(answer, checks=CHECKS)
        assert them.word not in answer.text
        assert them.belongings == before
        if kind == "foreign" and case.path_parameters and answer.status_code not in {400, 415, 422}:
            assert answer.status_code == 404

    ask()


@pytest.mark.parametrize("label", OPERATIONS)
def test_nobody_gets_in_without_a_token(label: str, people: list[Person]):
    operation = OPERATIONS[label]
    path = operation.full_path.format(**people[0].ids, kind="log", export_id="0" * 16)
    answer = Client(enforce_csrf_checks=True).generic(operation.method.upper(), path)
    assert answer.status_code == 401
    assert people[0].word not in answer.content.decode()
