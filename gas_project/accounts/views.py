"""The profile, and what a person may ask for about it: all their data, or that none is left."""

import requests
import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.openid_connect.views import login as openid_login
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotations import takeout
from annotations.limits import usage_of
from annotations.storage import StorageError
from billing.leaving import StillCharged
from billing.tiers import tier_of
from gas_project.accounts.deleting import delete_account
from gas_project.accounts.forms import DeleteAccountForm, ProfileForm
from gas_project.accounts.models import User

log = structlog.get_logger(__name__)


def log_in_elsewhere(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the log-in page of an OpenID provider, whose address it tells itself, unless it can't be reached."""
    try:
        return openid_login(request, provider_id)
    except requests.RequestException as error:
        log.warning("openid_provider_away", provider=provider_id, error=str(error))
        messages.error(
            request, "Its log-in page can't be reached just now. Please try again in some minutes."
        )
        return redirect("account_login")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Who I am, and what my tier gives."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    return render(
        request,
        "profile.html",
        {"form": form, "tier": tier_of(request.user), "usage": usage_of(request.user)},
    )


@login_required
@require_safe
def take_out(request: HttpRequest) -> StreamingHttpResponse:
    """All that the service has of this person, as a ZIP file."""
    user = request.user
    about = {
        "id": user.pk,
        "email_addresses": list(
            EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
        ),
        "accounts_elsewhere": list(
            SocialAccount.objects.filter(user=user).values("provider", "uid", "date_joined")
        ),
        **{
            field: getattr(user, field)
            for field in ("email", "name", "institution", "joined_at", "last_login")
        },
        "second_factors": list(
            Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
        ),
        "tier": tier_of(user).name,
        **takeout.belongings(user),
    }
    return StreamingHttpResponse(
        takeout.stream(user, about),
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="genomics-annotation-service.zip"'},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_own_account(request: HttpRequest) -> HttpResponse:
    """GET asks for the password or the address; POST removes the account with all its jobs and files."""
    form = DeleteAccountForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            delete_account(User.objects.get(email=request.user.get_username()))
        except StorageError as error:
            log.warning("storage_failed", error=str(error))
            messages.error(
                request, "Not all files could be deleted just now. Please try again in some minutes."
            )
            return redirect("delete_account")
        except StillCharged as error:
            log.warning("customer_not_deleted", user_id=str(request.user.pk), error=str(error))
            messages.error(
                request,
                "Your subscription could not be ended just now, so nothing was deleted. "
                "Please try again in some minutes.",
            )
            return redirect("delete_account")
        logout(request)
        messages.success(request, "Your account is deleted, with all your jobs and files.")
        return redirect("home")
    return render(request, "delete_account.html", {"form": form})
