"""A new state folder gets what it needs, once."""

import pytest
from django.test import Client

from gas_project.accounts.models import User
from gas_project.onemachine.first_start import prepare

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gas_project.onemachine.first_start.build_demo", lambda folder: None)


def test_the_accounts_are_made_once_and_their_passwords_work(client: Client) -> None:
    accounts = prepare()
    assert [account.role for account in accounts] == ["demo user", "admin"]
    for account in accounts:
        assert client.login(email=account.email, password=account.password)
        assert account.password not in User.objects.get(email=account.email).password
    assert prepare() == []


def test_only_the_admin_may_use_the_admin() -> None:
    prepare()
    assert [user.email for user in User.objects.filter(is_staff=True)] == ["admin@localhost"]


def test_a_service_that_has_users_gets_no_demo_accounts(user: User) -> None:
    assert prepare() == []
    assert User.objects.count() == 1
