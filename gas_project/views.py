"""The pages that belong to no app."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.models import Job
from billing.tiers import benefits, tiers

RECENT_JOBS = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the service is; for who has logged in, their last jobs."""
    columns = tiers()
    context: dict[str, Any] = {"tiers": columns, "benefits": benefits(columns)}
    if request.user.is_authenticated:
        context["recent_jobs"] = Job.objects.of(request.user)[:RECENT_JOBS]
    return render(request, "home.html", context)
