"""The page of a job's links, and the address that a link is."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.models import Job
from annotations.sharing import grants, links
from annotations.sharing.forms import ShareForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def share_links(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The links to one's job's result. POST makes one, and shows it this once."""
    job = get_object_or_404(Job, pk=str(job_id), user=request.user)
    form, address = ShareForm(request.POST or None), ""
    if form.is_bound and form.is_valid():
        try:
            _, secret = links.make(job, form.lifetime(), form.cleaned_data["note"])
            address = settings.SITE_URL + reverse("annotations:open_link", args=[secret])
            form = ShareForm()
        except links.TooManyLinks as refusal:
            form.add_error(None, str(refusal))
    context = {"job": job, "form": form, "address": address, "links": links.of(job)}
    return render(request, "sharing/links.html", context)


@login_required
@require_POST
def revoke_link(request: HttpRequest, job_id: UUID, link_pk: int) -> HttpResponse:
    """The link lets nobody in any more."""
    job = get_object_or_404(Job, pk=str(job_id), user=request.user)
    if links.revoke(job, link_pk):
        messages.success(request, "The link is revoked.")
    return redirect("annotations:share_links", job.job_id)


@never_cache
@require_safe
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Let whoever has the link in to the result, or say why it shows nothing any more."""
    link = links.find(secret)
    if link is None or not Job.objects.filter(pk=link.job_id, user_id=link.user_id).exists():
        return render(request, "sharing/no_link.html", {"link": None}, status=HTTPStatus.NOT_FOUND)
    if not link.is_good:
        return render(request, "sharing/no_link.html", {"link": link}, status=HTTPStatus.GONE)
    links.note_use(link)
    response = redirect("annotations:job", link.job_id)
    if link.user_id != request.user.pk:
        grants.let_in(response, link, secret)
    return response
