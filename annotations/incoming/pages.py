"""Variants typed into a box, and files fetched from an address. Both work without JavaScript."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from annotations import uploads
from annotations.incoming import fetching, pasting
from annotations.incoming.forms import AddressForm, VariantsForm
from annotations.incoming.models import Upload
from annotations.limits import limits_of, wrong_with_another_job
from annotations.models import Job
from annotations.outbound import AddressRefused


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def paste(request: HttpRequest) -> HttpResponse:
    """Type a few variants in, and have them annotated."""
    form = VariantsForm(request.POST) if request.method == "POST" else VariantsForm()
    refusal: uploads.UploadRefused | None = None
    faults: list[pasting.Fault] = []
    if form.is_bound and form.is_valid():
        try:
            return redirect(_pasted(request, form))
        except pasting.LinesRefused as refused:
            faults = refused.faults
        except uploads.UploadRefused as refused:
            refusal = refused
    context = {
        "form": form,
        "faults": faults,
        "refusal": refusal,
        "over_limit": isinstance(refusal, uploads.OverLimit),
        "limits": limits_of(request.user),
    }
    return render(request, "incoming/paste.html", context, status=400 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Have a file fetched."""
    form = AddressForm(request.POST) if request.method == "POST" else AddressForm()
    if form.is_bound and form.is_valid():
        try:
            upload = fetching.begin(request.user, form.cleaned_data["url"].strip())
        except (AddressRefused, uploads.UploadRefused) as refused:
            form.refuse(refused)
        else:
            return redirect("incoming:upload", upload_id=upload.upload_id)
    context = {"form": form, "limits": limits_of(request.user)}
    return render(request, "incoming/address.html", context, status=400 if form.is_bound else 200)


@login_required
@require_safe
def upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """How far a fetch is; when the file is there, on to the choice of a reference."""
    found = get_object_or_404(Upload, pk=str(upload_id), user=request.user)
    if found.state == Upload.State.READY:
        return redirect(f"{reverse('annotations:submit')}?{urlencode({'key': found.key})}")
    return render(request, "incoming/upload.html", {"upload": found})


def _pasted(request: HttpRequest, form: VariantsForm) -> Job:
    """Raises LinesRefused, UploadRefused, OverLimit."""
    data = form.cleaned_data
    if wrong := wrong_with_another_job(request.user, haplotype_aware=data["haplotype_aware"]):
        raise uploads.OverLimit(wrong)
    made = pasting.begin(request.user, data["variants"], data["reference"])
    return uploads.submit(request.user, made.key, data["reference"], haplotype_aware=data["haplotype_aware"])
