"""What a new state folder needs: tables, a reference to annotate against, somebody to log in."""

import secrets
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from annotations.engine.demo import build_demo

DEMO_EMAIL = "demo@localhost"
ADMIN_EMAIL = "admin@localhost"


@dataclass(frozen=True)
class Account:
    """An account just made. Its password is nowhere else: the database keeps a hash."""

    email: str
    password: str
    role: str


def prepare() -> list[Account]:
    """Bring the state folder up to date; the accounts it had to make, on the first start only."""
    for database in settings.DATABASES:
        call_command("migrate", database=database, interactive=False, verbosity=0)
    if not any(settings.REFERENCES_DIR.glob("*/*/manifest.json")):
        build_demo(settings.REFERENCES_DIR)
    if get_user_model().objects.exists():
        return []
    return [_make(DEMO_EMAIL, "demo user"), _make(ADMIN_EMAIL, "admin", is_staff=True, is_superuser=True)]


def _make(email: str, role: str, **fields: bool) -> Account:
    password = secrets.token_urlsafe(12)
    user = get_user_model().objects.create_user(email, password, name=role.capitalize(), **fields)
    # Nobody reads mail to localhost, so there is nothing to confirm.
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return Account(email, password, role)
