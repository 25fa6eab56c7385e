"""Personal access tokens: made, found, revoked."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotations.api.models import Token

PREFIX = "gas_"  # so that people, and scanners for leaked secrets, know what they look at
SECRET_BYTES = 32
HINT_CHARACTERS = 10
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_OF_A_USER = 50


class TooManyTokens(Exception):
    """The user has as many as one may have; the message says what to do."""


def make(
    user: Any, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[Token, str]:
    """A new token and its secret, which nobody can show again. Raises TooManyTokens."""
    if Token.objects.filter(user=user).count() >= MOST_OF_A_USER:
        raise TooManyTokens(f"You have {MOST_OF_A_USER} tokens. Revoke one that you no longer use.")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = Token.objects.create(
        user=user,
        name=name,
        digest=digest_of(secret),
        hint=secret[:HINT_CHARACTERS],
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    return token, secret


def of(user: Any) -> QuerySet[Token]:
    """A user's tokens, the newest first."""
    return Token.objects.filter(user=user)


def find(secret: str) -> Token | None:
    """The token whose secret this is, unless it has expired or its user may not log in; its use is noted."""
    token = Token.objects.select_related("user").filter(digest=digest_of(secret)).first()
    if token is None or token.has_expired or not token.user.is_active:
        return None
    now = timezone.now()
    # Not at each request: that would be a write for each read.
    Token.objects.filter(
        Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY), pk=token.pk
    ).update(last_used_at=now)
    return token


def revoke(user: Any, token_pk: int) -> bool:
    """Whether there was such a token of this user's."""
    deleted, _ = Token.objects.filter(user=user, pk=token_pk).delete()
    return bool(deleted)


def digest_of(secret: str) -> str:
    """A plain hash is enough: 256 random bits can't be guessed, as passwords can."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
