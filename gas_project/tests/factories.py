"""Minimal valid people."""

from typing import Any

from django.contrib.auth import get_user_model

from billing.models import Customer
from gas_project.accounts.models import User

PASSWORD = "correct horse battery"


def make_user(email: str = "ada@example.org", **fields: Any) -> User:
    user: User = get_user_model().objects.create_user(email, PASSWORD, **fields)
    return user


def make_premium_user(email: str = "grace@example.org", **fields: Any) -> User:
    user = make_user(email, **fields)
    Customer.objects.create(user=user, tier="premium")
    return user


def make_admin(email: str = "root@example.org") -> User:
    return make_user(email, is_staff=True, is_superuser=True)
