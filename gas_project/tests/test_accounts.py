"""Signing up, logging in, and the profile."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from billing.models import Customer
from gas_project.accounts.models import User
from gas_project.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW = {
    "email": "new@example.org",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "name": "Rosalind Franklin",
    "institution": "King's College",
}


def log_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(reverse("account_login"), {"login": email, "password": password}).status_code


def test_whoever_signs_up_is_logged_in_with_name_and_institution():
    client = Client()
    response = client.post(reverse("account_signup"), NEW)
    assert response["Location"] == reverse("annotations:jobs")
    user = User.objects.get()
    assert (user.email, user.name, user.institution) == ("new@example.org", NEW["name"], NEW["institution"])
    assert client.get(reverse("profile")).status_code == 200


def test_signing_up_sends_a_mail_to_confirm_the_address():
    client = Client()
    client.post(reverse("account_signup"), NEW)
    (message,) = mail.outbox
    assert message.subject.startswith("[Genomics Annotation Service]")
    link = re.search(r"http\S+/accounts/confirm-email/\S+", str(message.body))
    assert link
    assert "Yes, confirm it" in client.get(link[0]).content.decode()
    client.post(link[0])
    assert "confirmed" in client.get(reverse("account_email")).content.decode()


def test_the_address_is_the_name_to_log_in_with_in_any_case(user: User):
    assert log_in(Client(), "ADA@example.org") == 302
    assert log_in(Client(), "ada@example.org", "wrong") == 200


def test_guessing_passwords_is_stopped(user: User):
    client = Client()
    for _ in range(6):
        log_in(client, user.email, "wrong")
    assert log_in(client, user.email) != 302


def test_a_forgotten_password_is_set_anew_by_a_link_in_a_mail(user: User):
    client = Client()
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert link
    form = client.get(link[0], follow=True)
    new = "another long password"
    done = client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True)
    assert "The new password is set" in done.content.decode()
    assert log_in(Client(), user.email, new) == 302


def test_asking_for_a_password_tells_nobody_who_has_an_account(user: User):
    answers = {
        Client().post(reverse("account_reset_password"), {"email": email})["Location"]
        for email in (user.email, "nobody@example.org")
    }
    assert answers == {reverse("account_reset_password_done")}


def test_name_and_institution_can_be_changed(user: User):
    client = Client()
    client.force_login(user)
    client.post(reverse("profile"), {"name": "Ada King", "institution": "<b>Lovelace</b>"})
    shown = client.get(reverse("profile")).content.decode()
    assert "Ada King" in shown
    assert "<b>Lovelace" not in shown


def test_the_profile_says_what_the_tier_gives():
    user = make_user()
    client = Client()
    client.force_login(user)
    assert "7 days, then archived" in client.get(reverse("profile")).content.decode()
    Customer.objects.create(user=user, tier="premium")
    assert "Tier: Premium" in client.get(reverse("profile")).content.decode()


def test_cookies_are_for_this_site_alone_and_out_of_reach_of_scripts(user: User):
    client = Client()
    log_in(client, user.email)
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"] and session["samesite"] == "Lax"
