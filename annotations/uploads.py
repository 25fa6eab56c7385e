"""From a file to a job: a signed form lets the file in, and submitting it makes the job."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.text import get_valid_filename

from annotations import references
from annotations.enqueue import enqueue_on_commit
from annotations.limits import limits_of, note_submission, one_at_a_time, wrong_with_another_job
from annotations.models import Job, new_job_id
from annotations.storage.port import ObjectMissing, UploadForm, object_store

FORM_SECONDS = 3600
UNUSED_AFTER = timedelta(hours=2)  # twice the time in which a form lets a file in
FILE_NAME_MAX_CHARACTERS = 120
# Stands in a key for a name that is not known yet (`ObjectStore.upload_form`).
FILE_NAME_VARIABLE = "${filename}"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"(?P<user_id>{_UUID})/(?P<job_id>{_UUID})~(?P<file_name>[^/]+)")


class UploadRefused(Exception):
    """The upload can't become a job; the message tells its owner what to do."""


class OverLimit(UploadRefused):
    """The owner's tier does not allow it; a higher one may."""


@dataclass(frozen=True)
class Upload:
    """A file that has arrived and waits to be submitted."""

    key: str
    job_id: str
    file_name: str
    size_bytes: int


def begin(user: Any, file_name: str | None = None, redirect_url: str | None = None) -> UploadForm:
    """A form by which `user` can send one file within their limit.

    The file of a name that is not known yet is named by whoever sends it. After the upload `submit` wants the
    key: from the form's field `key`, or from the query of the redirect. Whether there is room for a job,
    `submit` decides; that it is full now, `limits.wrong_with_another_job` says beforehand.
    """
    name = FILE_NAME_VARIABLE if file_name is None else safe_file_name(file_name)
    return object_store().upload_form(
        key_of(user, new_job_id(), name),
        max_bytes=limits_of(user).upload_max_bytes,
        redirect_url=redirect_url,
        expires_seconds=FORM_SECONDS,
    )


def key_of(user: Any, job_id: str, file_name: str) -> str:
    """Where an upload of the user lies that may become the job of this id. The name must be a safe one."""
    return f"{user.pk}/{job_id}~{file_name}"


def arrived(user: Any, key: str) -> Upload:
    """The upload under `key`, which is one of this user's, there, not empty and within their limit.

    Raises UploadRefused; a file that may not stay is deleted.
    """
    match = _KEY.fullmatch(key)
    if match is None or match["user_id"] != str(user.pk):
        raise UploadRefused("This is not an upload of yours. Please upload the file again.")
    store = object_store()
    try:
        size_bytes = store.size_bytes(key)
    except (ObjectMissing, SuspiciousFileOperation):
        raise UploadRefused("The file has not arrived. Please upload it again.") from None
    name = safe_file_name(match["file_name"])
    limits = limits_of(user)
    if size_bytes == 0:
        store.delete(key)
        raise UploadRefused(f"{name} is empty. Please upload a VCF file that has content.")
    if size_bytes > limits.upload_max_bytes:
        store.delete(key)
        raise OverLimit(
            f"{name} has {filesizeformat(size_bytes)}; on the {limits.label} tier a file may have up to "
            f"{filesizeformat(limits.upload_max_bytes)}. Compress it with bgzip, or split it by chromosome."
        )
    return Upload(key, match["job_id"], name, size_bytes)


def job_of(user: Any, key: str) -> Job | None:
    """The job that this user's upload has become."""
    match = _KEY.fullmatch(key)
    return Job.objects.filter(pk=match["job_id"], user=user).first() if match else None


def submit(user: Any, key: str, reference: str, *, haplotype_aware: bool) -> Job:
    """Make the job of an upload and have it annotated. The same key again gives the same job.

    Raises UploadRefused.
    """
    if job := job_of(user, key):
        return job
    upload = arrived(user, key)
    if references.find(reference) is None:
        raise UploadRefused(f"There is no reference {reference}. Please choose one from the list.")
    with one_at_a_time(user):
        if job := job_of(user, key):
            return job
        if wrong := wrong_with_another_job(user, haplotype_aware=haplotype_aware):
            raise OverLimit(wrong)
        note_submission(user, upload.job_id)
        # Where accounts and jobs share no transaction, two submits of one upload may still meet here: one
        # creates the job and sends it, both get it.
        job, created = Job.objects.get_or_create(
            job_id=upload.job_id,
            defaults={
                "user": user,
                "input_file_name": upload.file_name,
                "inputs_bucket": settings.INPUTS_BUCKET,
                "input_key": upload.key,
                "input_bytes": upload.size_bytes,
                "reference": reference,
                "haplotype_aware": haplotype_aware,
            },
        )
        if created:
            enqueue_on_commit("annotate", job.job_id)
    return job


def remove_unused() -> int:
    """Remove uploads that never became a job; how many. Raises StorageError."""
    store, removed, limit = object_store(), 0, timezone.now() - UNUSED_AFTER
    uploads = ((key, match["job_id"]) for key in store.keys("") if (match := _KEY.fullmatch(key)))
    while batch := list(islice(uploads, 100)):
        submitted = set(
            Job.objects.filter(pk__in=[job_id for _, job_id in batch]).values_list("pk", flat=True)
        )
        for key, job_id in batch:
            with suppress(ObjectMissing):
                if job_id not in submitted and store.modified_at(key) < limit:
                    store.delete(key)
                    removed += 1
    return removed


def safe_file_name(name: str) -> str:
    """A name for keys, paths and headers: letters, digits, dot, dash and underscore, of bounded length.

    >>> safe_file_name("C:\\\\data\\\\My sample (1).vcf.gz")
    'My_sample_1.vcf.gz'
    >>> safe_file_name("../../.hidden")
    'hidden'
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = get_valid_filename("x" + last)[1:].lstrip(".-_") or "upload.vcf"
    if len(plain) <= FILE_NAME_MAX_CHARACTERS:
        return plain
    ending = "".join(PurePath(plain).suffixes[-2:])[-20:]
    return plain[: FILE_NAME_MAX_CHARACTERS - len(ending)] + ending
