"""What a run needs before it can begin: the uploaded file and the reference."""

import re
from pathlib import Path

import structlog
from django.conf import settings

from annotations.attempts import Failure
from annotations.engine.bundle import BundleError, ReferenceBundle
from annotations.models import Job
from annotations.storage import ObjectMissing, object_store

log = structlog.get_logger(__name__)

LONGEST_NAME = 120  # leaves room for the result's endings in a file name of 255 bytes


def fetch_input(job: Job, folder: Path) -> Path:
    """The upload as a file in `folder`. Raises Failure, StorageError."""
    path = folder / _file_name(job.input_file_name)
    try:
        object_store().fetch(job.input_key, path)
    except ObjectMissing as missing:
        raise Failure(
            "input_missing", "The uploaded file is no longer there. Please upload it again."
        ) from missing
    return path


def open_reference(reference: str) -> ReferenceBundle:
    """The bundle of the label NAME/VERSION. Raises Failure."""
    try:
        return ReferenceBundle.open(Path(settings.REFERENCES_DIR) / reference)
    except BundleError as error:
        log.exception("reference_missing", reference=reference)
        raise Failure(
            "reference_missing",
            f"The reference {reference} is no longer on this service. "
            "Please send the file again with one of those that the upload page offers.",
        ) from error


def _file_name(name: str) -> str:
    """The user's name for the file, as far as it fits a path; its end stays, for it tells the format."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-")[-LONGEST_NAME:] or "input.vcf"
