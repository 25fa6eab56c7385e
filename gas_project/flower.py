"""Flower's pages below the admin: behind the same login, on the same address.

Flower itself listens on this machine alone and wants a password that only this process knows how to make. A
browser never speaks to it.
"""

import base64
import hashlib
from http.client import HTTPConnection, HTTPException

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.views.decorators.csrf import csrf_exempt

from gas_project.audit import note

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
PREFIX = "admin/flower"
USER = "admin"
TIMEOUT_SECONDS = 20
XSRF = "_xsrf"  # Flower's own cookie against forged requests
PASSED_ON = ("Accept", "Content-Type", "X-Requested-With", "X-Xsrftoken", "If-None-Match")
PASSED_BACK = ("Content-Type", "Etag", "Last-Modified", "Location", "Content-Disposition")
CONTROLS = "api/"  # below it is what acts on workers and tasks; its list of tasks is read by POST, too
# The one script that stands in a page of Flower's, as it is with and without --auto_refresh.
INLINE_SCRIPTS = tuple(f"\nvar autorefresh = {value};\n" for value in (0, 1))


def _allowed(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


# Flower's pages have styles in attributes, and its charts data in images.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; script-src 'self' {' '.join(map(_allowed, INLINE_SCRIPTS))}; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def password() -> str:
    """The same in every process of the service, and kept nowhere."""
    return salted_hmac("gas_project.flower", "password", algorithm="sha256").hexdigest()


@csrf_exempt  # Flower looks for its own token, and we for where the request comes from
@login_required
def flower(request: HttpRequest, path: str = "") -> HttpResponse:
    """Pass the request on to Flower, for superusers: who controls workers can stop the service."""
    if not getattr(request.user, "is_superuser", False):
        raise PermissionDenied
    if request.method not in {"GET", "HEAD"} and not _comes_from_our_pages(request):
        raise PermissionDenied
    if path == "broker":
        return redirect("queues")  # which Flower can't show of SQS
    try:
        answer = _ask(request, path)
    except (OSError, HTTPException) as error:
        log.info("flower_not_answering", error=str(error))
        return render(request, "flower_away.html", status=502)
    if request.method not in {"GET", "HEAD"} and path.startswith(CONTROLS):
        asked = f"{request.method} {request.POST.urlencode()}".strip()
        note(request, f"Flower: {path}", f"{asked}: answered {answer.status_code}")
    return answer


def _comes_from_our_pages(request: HttpRequest) -> bool:
    """As Django's own check has it: the browser says so, and can't be made to lie."""
    origin = request.headers.get("Origin")
    return origin in {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}


def _ask(request: HttpRequest, path: str) -> HttpResponse:
    credentials = base64.b64encode(f"{USER}:{password()}".encode()).decode()
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    headers["Authorization"] = f"Basic {credentials}"
    if XSRF in request.COOKIES:
        headers["Cookie"] = f"{XSRF}={request.COOKIES[XSRF]}"
    query = request.META.get("QUERY_STRING", "")
    connection = HTTPConnection(HOST, settings.FLOWER_PORT, timeout=TIMEOUT_SECONDS)
    try:
        target = f"/{PREFIX}/{path}" + (f"?{query}" if query else "")
        connection.request(str(request.method), target, request.body or None, headers)
        answer = connection.getresponse()
        response = HttpResponse(answer.read(), status=answer.status)
        for name in PASSED_BACK:
            if value := answer.getheader(name):
                response.headers[name] = value
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == XSRF:
                response.set_cookie(XSRF, value, path=f"/{PREFIX}", samesite="Strict")
    finally:
        connection.close()
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
