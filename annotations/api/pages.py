"""The API's documentation for people, and the page of one's tokens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.api import tokens as personal_tokens
from annotations.api.forms import TokenForm
from annotations.api.problems import KINDS, Problem

# Swagger UI draws its arrows with images that stand in its style sheet.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation, to read and to try."""
    response = render(request, "api/docs.html", {"openapi_url": reverse("api:openapi-json")})
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """What each `type` of problem details means."""
    return render(request, "api/problems.html", {"kinds": KINDS})


@csrf_exempt
def no_such_address(request: HttpRequest) -> HttpResponse:
    """Whatever else is asked for below /api/."""
    return Problem("not-found", "There is no such address. /api/v1/docs lists all of them.").response()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens. POST makes one, and shows it this once."""
    form, secret = TokenForm(request.POST or None), ""
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            _, secret = personal_tokens.make(request.user, data["name"], data["scopes"], form.made_until())
            form = TokenForm()
        except personal_tokens.TooManyTokens as refusal:
            form.add_error(None, str(refusal))
    context = {"form": form, "secret": secret, "tokens": personal_tokens.of(request.user)}
    return render(request, "api/tokens.html", context)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_pk: int) -> HttpResponse:
    """The token lets nobody in any more."""
    if personal_tokens.revoke(request.user, token_pk):
        messages.success(request, "The token is revoked.")
    return redirect("tokens")
