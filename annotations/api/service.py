"""/references and /usage: what there is to annotate against, and what the caller may do."""

from django.http import HttpRequest
from ninja import Router

from annotations import references
from annotations.api.authentication import caller_of, scoped
from annotations.api.models import Scope
from annotations.api.schemas import KnownSourceOut, ReferenceList, ReferenceOut, Usage
from annotations.limits import limits_of, usage_of

router = Router(tags=["service"])


@router.get("/references", response=ReferenceList, auth=scoped(Scope.READ), url_name="references")
def list_references(request: HttpRequest) -> ReferenceList:
    """The reference bundles of this service, the newest version of each first."""
    return ReferenceList(
        items=[
            ReferenceOut(
                reference=references.label(bundle),
                name=bundle.name,
                version=bundle.version,
                description=bundle.description,
                checksum=bundle.checksum,
                contigs=[contig.name for contig in bundle.contigs],
                known=[
                    KnownSourceOut(name=source.name, version=source.version)
                    for source in bundle.known_sources
                ],
            )
            for bundle in references.available()
        ]
    )


@router.get("/usage", response=Usage, auth=scoped(Scope.READ), url_name="usage")
def get_usage(request: HttpRequest) -> Usage:
    """Your tier, its limits, and how much of them is used."""
    user = caller_of(request)
    limits, usage = limits_of(user), usage_of(user)
    return Usage(
        email=user.email,
        tier=limits.label,
        upload_max_bytes=limits.upload_max_bytes,
        retention_seconds=int(limits.retention.total_seconds()) if limits.retention else None,
        haplotype_aware=limits.haplotype_aware,
        jobs_at_once=limits.jobs_at_once,
        jobs_at_once_used=usage.at_once,
        jobs_a_day=limits.jobs_a_day,
        jobs_a_day_used=usage.today,
        requests_a_minute=limits.requests_a_minute,
        upgrade_url=limits.upgrade_url,
    )
