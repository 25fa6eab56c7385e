"""Who calls: the holder of a token, or whoever is logged in on the site."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.apikey import APIKeyCookie
from ninja.utils import check_csrf

from annotations.api import tokens
from annotations.api.models import Scope
from annotations.api.pace import count_request
from annotations.api.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Genomics Annotation Service"'}


@dataclass(frozen=True)
class Caller:
    """The user behind a request."""

    user: Any


class BearerToken(HttpBearer):
    """A personal token with a scope, in the header Authorization."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def __call__(self, request: HttpRequest) -> Caller | None:
        header = request.headers.get(self.header)
        if header is None:
            return None
        # Whoever sends the header means it: a session beside it must not stand in for a wrong token.
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != self.openapi_scheme:
            raise unknown_token("The header Authorization should read: Bearer TOKEN.")
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        found = tokens.find(token)
        if found is None:
            raise unknown_token("The token is unknown, revoked or expired. Make a new one on your profile.")
        caller = _counted(request, found.user)
        if self._scope not in found.scopes:
            raise Problem(
                "not-allowed", f"The token “{found.name}” has no scope “{self._scope}”. Use one that has it."
            )
        return caller


class Session(APIKeyCookie):
    """The site's own pages: the session's cookie, and its CSRF token in X-CSRFToken where things change."""

    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> Caller | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise Problem("not-allowed", "The CSRF token is missing or out of date. Load the page again.")
        return _counted(request, request.user)


def scoped(scope: Scope) -> list[Any]:
    """What lets a caller in who wants to do what `scope` stands for."""
    return [BearerToken(scope), Session()]


def caller_of(request: HttpRequest) -> Any:
    """The user whom the request is for."""
    return request.auth.user  # type: ignore[attr-defined]  # set by ninja


def unknown_token(detail: str) -> Problem:
    return Problem("not-authenticated", detail, headers=CHALLENGE)


def _counted(request: HttpRequest, user: Any) -> Caller:
    pace = count_request(user)
    request.pace = pace  # type: ignore[attr-defined]  # for the headers of the answer
    if not pace.allowed:
        raise Problem(
            "too-many-requests",
            f"You may make {pace.limit} requests a minute. Wait {pace.wait_seconds} s.",
            headers=pace.headers(),
        )
    return Caller(user)
