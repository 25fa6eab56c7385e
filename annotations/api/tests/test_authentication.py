"""Tokens and sessions: who gets in, and how far."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotations.api import tokens
from annotations.api.models import Scope, Token
from annotations.api.tests.conftest import Caller

pytestmark = pytest.mark.django_db


def get(secret: str, path: str = "/usage") -> Any:
    return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})


def test_the_database_knows_no_secret(call: Caller):
    row = Token.objects.values().get(pk=call.token.pk)
    assert call.secret.startswith("gas_") and len(call.secret) > 40
    assert call.secret not in str(row)


def test_a_token_lets_its_user_in_and_its_use_is_noted(call: Caller):
    assert get(call.secret).json()["email"] == call.user.email
    call.token.refresh_from_db()
    assert call.token.last_used_at is not None


@pytest.mark.parametrize(
    "header", ["Bearer gas_nonsense", "Bearer ", "Bearer", "Basic YTpi", "gas_nonsense", "Bearer ä", ""]
)
def test_whatever_else_is_no_token(header: str, db: None):
    answer = Client().get("/api/v1/usage", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("not-authenticated")


def test_a_token_that_has_expired_or_was_revoked_lets_nobody_in(call: Caller):
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert get(call.secret).status_code == 401
    Token.objects.update(expires_at=timezone.now() + timedelta(seconds=60))
    assert get(call.secret).status_code == 200
    assert not tokens.revoke(None, call.token.pk)
    assert tokens.revoke(call.user, call.token.pk)
    assert get(call.secret).status_code == 401


def test_a_token_of_somebody_who_may_not_log_in_lets_nobody_in(call: Caller):
    call.user.is_active = False
    call.user.save()
    assert get(call.secret).status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_session(user: Any):
    client = Client()
    client.force_login(user)
    assert client.get("/api/v1/usage").status_code == 200
    assert client.get("/api/v1/usage", headers={"Authorization": "Bearer gas_x"}).status_code == 401


def test_a_session_changes_nothing_without_the_csrf_token(user: Any):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    body = {"file_name": "a.vcf", "size_bytes": 3}
    answer = client.post("/api/v1/uploads", body, content_type="application/json")
    assert answer.status_code == 403 and answer.headers["Content-Type"] == "application/problem+json"
    client.get("/profile/")
    token = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/uploads", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 201


def test_a_token_does_no_more_than_its_scopes(caller_with: Any):
    reader = caller_with(Scope.READ)
    assert reader.get("/usage").status_code == 200
    answer = reader.post("/uploads", {"file_name": "a.vcf", "size_bytes": 3})
    assert answer.status_code == 403 and "scope “write”" in answer.json()["detail"]
    assert caller_with(Scope.WRITE).get("/usage").status_code == 403


class TestThePageOfTokens:
    def test_it_shows_a_new_token_once(self, client: Client, user: Any):
        client.force_login(user)
        answer = client.post("/profile/tokens/", {"name": "laptop", "scopes": ["read"], "lifetime": "30"})
        token = Token.objects.get()
        secret = answer.context["secret"]
        assert secret in answer.content.decode() and tokens.digest_of(secret) == token.digest
        assert token.expires_at and timedelta(days=29) < token.expires_at - timezone.now() < timedelta(
            days=31
        )
        page = client.get("/profile/tokens/").content.decode()
        assert secret not in page and "laptop" in page

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["admin"]}, {"lifetime": "9999"}]
    )
    def test_it_makes_none_of_a_wrong_form(self, client: Client, user: Any, wrong: dict[str, Any]):
        client.force_login(user)
        client.post("/profile/tokens/", {"name": "laptop", "scopes": ["read"], "lifetime": "30"} | wrong)
        assert not Token.objects.exists()

    def test_one_revokes_ones_own_alone(self, client: Client, call: Caller, other: Caller):
        client.force_login(call.user)
        for token in (call.token, other.token):
            client.post(f"/profile/tokens/{token.pk}/revoke/")
        assert list(Token.objects.all()) == [other.token]

    def test_nobody_piles_tokens_up(self, user: Any, monkeypatch: pytest.MonkeyPatch, client: Client):
        monkeypatch.setattr(tokens, "MOST_OF_A_USER", 1)
        tokens.make(user, "one", [Scope.READ])
        client.force_login(user)
        page = client.post(
            "/profile/tokens/", {"name": "two", "scopes": ["read"], "lifetime": "never"}
        ).content.decode()
        assert "Revoke one" in page and Token.objects.count() == 1
