"""Logging in with an account elsewhere, against an OpenID provider that runs here."""

import json
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from gas_project import environment
from gas_project.accounts.models import User
from gas_project.accounts.openid import OpenIDProvider
from gas_project.checks import sign_in_elsewhere_is_reachable
from gas_project.tests.factories import PASSWORD, make_user

pytestmark = [
    pytest.mark.django_db,
    # The provider runs in a thread of the tests, and warns of parts of its own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
]

LOGIN = "/accounts/oidc/lab/login/"


@pytest.fixture
def provider(settings: Any) -> Iterator[OpenIDProvider]:
    with warnings.catch_warnings(record=True):  # it stands on parts that its makers will replace, and says so
        from oidc_provider_mock import User as Person
        from oidc_provider_mock import run_server_in_thread

    people = [
        Person(sub="lab-1", claims={"email": "rosalind@example.org", "email_verified": True}),
        Person(sub="lab-2", claims={"name": "No address"}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        lab = OpenIDProvider(
            name="The lab", server_url=f"http://127.0.0.1:{server.server_port}", client_id="gas", secret="s"
        )
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [lab.as_app("lab")]}
        }
        settings.FORM_TARGETS = lab.origins
        yield lab


def log_in(client: Client, person: str, process: str = "login") -> Any:
    """What a browser does: to the provider, its form, and back. Returns the site's last answer."""
    away = client.post(f"{LOGIN}?process={process}")
    assert away.status_code == 302, away.content
    back = requests.post(away["Location"], data={"sub": person}, allow_redirects=False, timeout=10)
    returned = urlsplit(back.headers["Location"])
    return client.get(f"{returned.path}?{returned.query}", follow=True)


def test_a_first_log_in_makes_an_account_and_the_second_finds_it(provider: OpenIDProvider):
    for _ in range(2):
        answer = log_in(Client(), "lab-1")
        assert answer.redirect_chain[-1][0] == reverse("annotations:jobs")
    user = User.objects.get()
    assert user.email == "rosalind@example.org"
    assert not user.has_usable_password()


def test_the_way_to_the_provider_is_one_that_the_browser_lets_a_form_take(provider: OpenIDProvider):
    page = Client().get(reverse("account_login"))
    assert "Go on with The lab" in page.content.decode()
    assert f"form-action 'self' {provider.server_url}" in page["Content-Security-Policy"]
    away = Client().post(LOGIN)
    assert away["Location"].startswith(provider.server_url + "/")
    assert "code_challenge=" in away["Location"]


def test_who_comes_without_an_address_is_asked_for_one(provider: OpenIDProvider):
    client = Client()
    answer = log_in(client, "lab-2")
    assert answer.redirect_chain[-1][0] == reverse("socialaccount_signup")
    assert not User.objects.exists()
    client.post(reverse("socialaccount_signup"), {"email": "given@example.org", "name": "N. A."})
    assert User.objects.get().email == "given@example.org"


def test_an_account_of_the_same_address_is_not_handed_over(provider: OpenIDProvider):
    owner = make_user("rosalind@example.org")
    client = Client()
    log_in(client, "lab-1")
    assert "_auth_user_id" not in client.session
    assert not SocialAccount.objects.filter(user=owner).exists()


def test_its_owner_connects_it_and_logs_in_either_way(provider: OpenIDProvider):
    owner = make_user("rosalind@example.org")
    client = Client()
    client.post(reverse("account_login"), {"login": owner.email, "password": PASSWORD})
    log_in(client, "lab-1", process="connect")
    assert SocialAccount.objects.get().user == owner
    other = Client()
    log_in(other, "lab-1")
    assert other.session["_auth_user_id"] == str(owner.pk)


def test_an_answer_that_was_not_asked_for_is_refused(provider: OpenIDProvider):
    client = Client()
    answer = client.get("/accounts/oidc/lab/login/callback/?code=stolen&state=made-up")
    assert "_auth_user_id" not in client.session
    assert not User.objects.exists()
    assert answer.status_code in {200, 302, 401, 403}


def test_a_provider_that_is_away_is_told_as_such(provider: OpenIDProvider, settings: Any):
    gone = provider.model_copy(update={"server_url": "http://127.0.0.1:9"})
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [gone.as_app("lab")]}}
    client = Client()
    assert client.post(LOGIN)["Location"] == reverse("account_login")
    assert "can&#x27;t be reached just now" in client.get(reverse("account_login")).content.decode()


def test_who_has_no_password_here_deletes_the_account_by_its_address(provider: OpenIDProvider):
    client = Client()
    log_in(client, "lab-1")
    assert "not the e-mail address" in (
        client.post(reverse("delete_account"), {"address": "other@example.org"}).content.decode()
    )
    client.post(reverse("delete_account"), {"address": "Rosalind@example.org"})
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


def test_with_no_provider_named_the_log_in_page_speaks_of_none():
    assert "Go on with" not in Client().get(reverse("account_login")).content.decode()


def load(value: str) -> Any:
    return environment.load({"GAS_OPENID_PROVIDERS": value})


def test_known_providers_need_but_a_client():
    settings, problems, _ = load(json.dumps({"orcid": {"client_id": "APP-1", "secret": "x"}}))
    assert problems == []
    assert settings.openid_providers["orcid"].server_url == "https://orcid.org"
    assert settings.openid_providers["orcid"].origins == ["https://orcid.org"]


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[]",
        '{"lab": 1}',
        '{"lab": {"name": "Lab", "client_id": "x"}}',
        '{"globus": {"clientid": "hush"}}',
    ],
)
def test_what_does_not_fit_is_named_and_not_shown(value: str):
    _, (problem, *_), _ = load(value)
    assert problem.variable == "GAS_OPENID_PROVIDERS"
    assert "hush" not in f"{problem.found} {problem.expected}"


@pytest.mark.parametrize(("ports", "ids"), [([], []), ([443], ["gas.E010"]), ([443, 8443], [])])
def test_a_provider_behind_a_port_that_a_firewall_closes_stops_the_start(
    settings: Any, ports: list[int], ids: list[str]
):
    at_a_port = {
        "lab": {"name": "Lab", "server_url": "https://id.lab.example:8443", "client_id": "x", "secret": "x"}
    }
    settings.ENVIRONMENT, problems, _ = load(json.dumps(at_a_port))
    assert problems == []
    settings.OUTBOUND_PORTS = ports
    found = sign_in_elsewhere_is_reachable()
    assert [problem.id for problem in found] == ids
    assert all("lab at port 8443" in problem.msg for problem in found)
