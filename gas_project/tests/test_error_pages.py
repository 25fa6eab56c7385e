"""The pages for what goes wrong look like the site and tell nothing of its inside."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.views import defaults


def test_an_unknown_address_gets_our_page(db: None):
    response = Client().get("/no/such/page")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (defaults.bad_request, 400, "makes no sense"),
        (defaults.permission_denied, 403, "You may not see this"),
        (defaults.server_error, 500, "Something broke on our side"),
    ],
)
def test_each_error_has_its_page_without_its_cause(view: Any, status: int, words: str):
    arguments = [] if view is defaults.server_error else [ValueError("secret detail")]
    response = view(RequestFactory().get("/"), *arguments)
    page = response.content.decode()
    assert (response.status_code, words in page) == (status, True)
    assert "Genomics Annotation Service" in page and "secret detail" not in page


def test_a_key_that_tries_to_leave_the_storage_is_a_bad_request(user: Any):
    client = Client()
    client.force_login(user)
    key = f"{user.pk}/00000000-0000-0000-0000-000000000000~.."
    response = client.get("/jobs/submit/", {"key": key + "\0"})
    assert response.status_code == 400
