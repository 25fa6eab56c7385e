"""Callers of the API: a user's token, and another user's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotations.api import tokens
from annotations.api.models import Scope
from annotations.tests.conftest import limits

__all__ = ["limits"]


class Caller:
    """A script with a token: JSON out, JSON in."""

    def __init__(self, user: Any, scopes: tuple[str, ...] = tuple(Scope)) -> None:
        self.user = user
        self.token, self.secret = tokens.make(user, "a script", scopes)
        self._client = Client(enforce_csrf_checks=True)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.secret}", **headers}}
        if body is not None:
            sent |= {"data": body, "content_type": "application/json"}
        return getattr(self._client, method)(f"/api/v1{path}", **sent)

    def get(self, path: str, **headers: str) -> Any:
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("post", path, {} if body is None else body, **headers)

    def delete(self, path: str) -> Any:
        return self("delete", path)


@pytest.fixture
def call(user: Any) -> Caller:
    return Caller(user)


@pytest.fixture
def other(other_user: Any) -> Caller:
    return Caller(other_user)


@pytest.fixture
def caller_with(user: Any) -> Callable[..., Caller]:
    """A caller whose token has these scopes alone."""
    return lambda *scopes: Caller(user, scopes)
