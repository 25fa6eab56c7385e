"""The genome browser: the result's own VCF and index, and the reference, read in parts."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotations import references
from annotations.engine.bundle import GENOME_NAME
from annotations.models import Job
from annotations.results.access import viewable_job
from annotations.results.filters import ResultFilter
from annotations.results.problems import FilterRefused
from annotations.results.reading import ParameterReader
from annotations.results.reference_genes import transcripts_on
from annotations.results.rows import Slice, page_of_rows
from annotations.results.tables import ResultTable
from annotations.storage import object_store
from annotations.storage.serving import file_response
from annotations.views.results import frame, with_table

# A browser stays open over a working day; whoever holds the address can read the file so long.
LINK_SECONDS = 12 * 3600
REFERENCE_FILES = {GENOME_NAME, f"{GENOME_NAME}.fai", f"{GENOME_NAME}.gzi"}
MARGIN_BASES = 1_000
WIDEST_BASES = 1_000_000  # further out igv.js shows no variants
LOOKED_AT = 1_000  # alleles that the first view is made from


@login_required
@require_safe
@with_table
def result_genome(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """The browser, opened at the first allele that the filter finds, or at `locus`."""
    try:
        wanted = ResultFilter.parse(request.GET, besides=("locus",))
        locus = request.GET.get("locus", "")[:200] or _locus(table, wanted)
    except FilterRefused as refused:
        context = {**frame(job, table, ResultFilter(), "genome"), "problems": refused.problems}
        return render(request, "annotations/results/genome.html", context, status=400)
    context = {
        **frame(job, table, wanted, "genome"),
        "has_assets": settings.HAS_ASSETS,
        "reference": references.find(job.reference),
        "locus": locus,
    }
    return render(request, "annotations/results/genome.html", context)


@login_required
@require_safe
def result_genome_settings(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What igv.js is told: addresses of this site, and of the result's files for a day."""
    job = viewable_job(request, job_id)
    bundle = references.find(job.reference)
    if bundle is None or not job.result_key or not job.index_key:
        raise Http404
    genome = reverse("annotations:result_reference_file", args=[job.job_id, GENOME_NAME])
    genes = reverse("annotations:result_reference_genes", args=[job.job_id])
    return JsonResponse(
        {
            "reference": {
                "id": job.reference,
                "name": job.reference,
                "fastaURL": genome,
                "indexURL": f"{genome}.fai",
                "compressedIndexURL": f"{genome}.gzi",
            },
            "variants": {
                "name": job.input_file_name,
                "url": _link(job.result_key),
                "indexURL": _link(job.index_key),
            },
            "genesURL": genes,
        }
    )


@login_required
@require_safe
def result_reference_file(request: HttpRequest, job_id: UUID, name: str) -> HttpResponseBase:
    """The reference's sequence and its indexes, whole or in part."""
    job = viewable_job(request, job_id)
    bundle = references.find(job.reference)
    path = bundle.path / name if bundle and name in REFERENCE_FILES else None
    if path is None or not path.is_file():
        raise Http404
    return file_response(request, path, name)


@login_required
@require_safe
def result_reference_genes(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The reference's transcripts on `contig` from `start` to `end`."""
    job = viewable_job(request, job_id)
    bundle = references.find(job.reference)
    read = ParameterReader(request.GET)
    contig, start, end = read.text("contig"), read.number("start", 0, None), read.number("end", 0, None)
    if contig is None or start is None or end is None or read.problems or bundle is None:
        raise Http404
    return JsonResponse(transcripts_on(bundle, contig, int(start), int(end)), safe=False)


def _locus(table: ResultTable, wanted: ResultFilter) -> str:
    """A stretch with the first alleles that the filter finds; of no filter, with the first one."""
    rows = page_of_rows(table, wanted, Slice(limit=LOOKED_AT if wanted else 1), ("chrom", "pos"))
    if not rows:
        return ""
    chrom, first = rows[0].values["chrom"], rows[0].values["pos"]
    near = [row.values["pos"] for row in rows if row.values["chrom"] == chrom]
    last = max(position for position in near if position < first + WIDEST_BASES - 2 * MARGIN_BASES)
    return f"{chrom}:{max(1, first - MARGIN_BASES)}-{last + MARGIN_BASES}"


def _link(key: str) -> str:
    return object_store().download_url(key, file_name=key.rsplit("/", 1)[-1], expires_seconds=LINK_SECONDS)
