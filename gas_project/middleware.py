"""Headers that every page carries."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

# Written out here rather than assembled by a library: it is the same for every page, for none has an inline
# script or style that would need a nonce, the admin's included.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",  # the QR code of an authenticator app is one
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Only this site's own scripts and styles run: text of a user's that slips through does nothing."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # Browsers hold a form's redirects to this, too.
        forms = " ".join(["form-action 'self'", *settings.FORM_TARGETS])
        response.headers.setdefault("Content-Security-Policy", "; ".join([*CONTENT_SECURITY_POLICY, forms]))
        return response

    return middleware


def private_pages(get_response: GetResponse) -> GetResponse:
    """What a person sees after logging in is kept by no cache: the next at the same desk may be another."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "Cache-Control" not in response.headers and request.user.is_authenticated:
            response.headers["Cache-Control"] = "private, no-store"
            patch_vary_headers(response, ["Cookie"])
        return response

    return middleware
