"""What a result was made of and by: enough to make it again, and to know its files by."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from annotations.inputs import open_reference
from annotations.models import Job

FORMAT = 1


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recorded(job: Job, files: dict[str, str]) -> dict[str, Any]:
    """What is written down when a run has made `files`, paths by kind. Raises attempts.Failure."""
    from annotations.engine.output_header import BCFTOOLS_VERSION, ENGINE_VERSION  # loads the engine

    bundle = open_reference(job.reference)
    return {
        "tools": {"engine": ENGINE_VERSION, "bcftools": BCFTOOLS_VERSION, "pysam": version("pysam")},
        "reference": {
            "name": bundle.name,
            "version": bundle.version,
            "manifest_sha256": bundle.checksum,
            "sources": {source.name: source.version for source in bundle.known_sources}
            | {source.name: source.version for source in bundle.interval_sources},
        },
        "files": {
            kind: {
                "name": Path(path).name,
                "size_bytes": Path(path).stat().st_size,
                "sha256": digest_of(Path(path)),
            }
            for kind, path in files.items()
        },
    }


def document_of(job: Job) -> dict[str, Any]:
    """The provenance of a finished job's result, to download as JSON.

    Of results that were made before it was recorded only what the job itself says; empty otherwise.
    """
    return {
        "format": FORMAT,
        "job": job.job_id,
        "submitted_at": job.submitted_at.isoformat(),
        "completed_at": job.completed_at and job.completed_at.isoformat(),
        "input": {
            "name": job.input_file_name,
            "size_bytes": job.input_bytes,
            "sha256": job.input_sha256,
        },
        "parameters": {"reference": job.reference, "haplotype_aware": job.haplotype_aware},
        "tools": {},
        "reference": {},
        "files": {},
    } | job.provenance
