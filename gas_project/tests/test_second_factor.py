"""A second factor, and passkeys instead of a password."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from gas_project.accounts.models import User
from gas_project.tests.factories import PASSWORD, make_user

PERIOD_SECONDS = 30


def log_in(client: Client, user: User) -> Any:
    return client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})


def code(secret: str, periods_on: int = 0) -> str:
    """What an authenticator app shows."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_SECONDS + periods_on))


def with_app(user: User) -> tuple[Client, str]:
    """The user, logged in, with an authenticator app that knows the secret."""
    client = Client()
    log_in(client, user)
    client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD}
    )  # as for all that guards an account
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    assert client.post(reverse("mfa_activate_totp"), {"code": code(secret)}).status_code == 302
    return client, secret


@pytest.mark.django_db
def test_with_an_app_the_password_alone_does_not_log_in(user: User):
    _, secret = with_app(user)
    client = Client()
    assert log_in(client, user)["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "_auth_user_id" not in client.session
    client.post(reverse("mfa_authenticate"), {"code": code(secret, 1)})
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_each_recovery_code_opens_once(user: User):
    owner, _ = with_app(user)
    owner.post(reverse("mfa_generate_recovery_codes"), {})
    saved = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).wrap()
    recovery = saved.get_unused_codes()[0]
    for opens in (True, False):
        client = Client()
        log_in(client, user)
        client.post(reverse("mfa_authenticate"), {"code": recovery})
        assert ("_auth_user_id" in client.session) is opens


@pytest.mark.django_db
def test_secrets_are_sealed_in_the_database_and_a_changed_key_opens_them_while_the_old_one_is_known(
    user: User, settings: Any
):
    owner, secret = with_app(user)
    owner.post(reverse("mfa_generate_recovery_codes"), {})
    (app,) = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    (codes,) = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES)
    assert secret not in str(app.data)
    unused = codes.wrap().get_unused_codes()

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another" * 10
    assert codes.wrap().get_unused_codes() == unused
    call_command("reseal")
    settings.SECRET_KEY_FALLBACKS = []
    app.refresh_from_db()
    assert app.wrap().validate_code(code(secret, 1))

    settings.SECRET_KEY = "a third one" * 10
    with pytest.raises(ImproperlyConfigured, match="GAS_SECRET_KEY_FALLBACKS"):
        app.wrap().validate_code(code("", 0))
    with pytest.raises(CommandError, match="GAS_SECRET_KEY_FALLBACKS"):
        call_command("reseal")


@pytest.mark.django_db
def test_a_secret_from_before_they_were_sealed_still_holds_and_is_sealed(user: User):
    _, secret = with_app(user)
    Authenticator.objects.update(data={"secret": secret})
    assert Authenticator.objects.get(type=Authenticator.Type.TOTP).wrap().validate_code(code(secret, 1))
    call_command("reseal")
    assert secret not in str(Authenticator.objects.get(type=Authenticator.Type.TOTP).data)


@pytest.mark.django_db
def test_the_staff_cannot_go_round_it_by_the_admin(user: User):
    User.objects.filter(pk=user.pk).update(is_staff=True)
    with_app(user)
    client = Client()
    log_in(client, user)
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.fixture
def page(chromium: Any, live_server: Any) -> Iterator[Any]:
    """A browser with an authenticator of its own, at the name that browsers take passkeys for."""
    context = chromium.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    yield page
    context.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_logs_in_without_a_password(page: Any, picture: Callable[[Any, str], None]):
    user = make_user("ada@example.org")
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/jobs/")

    page.get_by_role("link", name="Profile").click()
    page.get_by_role("link", name="Second factor and passkeys").click()
    picture(page, "second-factor")
    page.get_by_role("link", name="Add").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda url: "/webauthn/add" not in url)
    assert Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()

    page.get_by_role("button", name="Log out").click()
    if page.url.endswith("/logout/"):
        page.get_by_role("button", name="Log out").last.click()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/jobs/")
