"""The API's addresses, its documentation, and the pages of tokens."""

from django.urls import path, re_path

from annotations.api import pages
from annotations.api.api import api

urlpatterns = [
    path("api/v1/docs", pages.docs, name="api_docs"),
    path("api/v1/problems", pages.problems, name="api_problems"),
    path("api/v1/", api.urls),
    re_path(r"^api/", pages.no_such_address, name="api_no_such_address"),
    path("profile/tokens/", pages.tokens, name="tokens"),
    path("profile/tokens/<int:token_pk>/revoke/", pages.revoke_token, name="revoke_token"),
]
