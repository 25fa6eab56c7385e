"""The genome browser: the result's own VCF and index, and the reference, read in parts."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotations import references
from annotations.engine.bundle import GENOME_NAME
from annotations.models import Job
from annotations.results.access import for_viewers, viewable_job
from annotations.results.files import INDEX, RESULT
from annotations.results.filters import Region, ResultFilter
from annotations.results.genome import found_on
from annotations.results.problems import FilterRefused
from annotations.results.reading import FURTHEST_POSITION, ParameterReader
from annotations.results.reference_genes import transcripts_on
from annotations.results.rows import Slice, page_of_rows
from annotations.results.tables import ResultTable
from annotations.storage.serving import file_response
from annotations.views.results import frame, with_table

REFERENCE_FILES = {GENOME_NAME, f"{GENOME_NAME}.fai", f"{GENOME_NAME}.gzi"}
_STRETCH = ("contig", "start", "end")
MARGIN_BASES = 1_000
WIDEST_BASES = 1_000_000  # further out igv.js shows no variants
LOOKED_AT = 1_000  # alleles that the first view is made from


@for_viewers
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


@for_viewers
@require_safe
def result_genome_settings(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What igv.js is told: addresses of this site, which ask each time who may see the result."""
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
                "url": reverse("annotations:job_file", args=[job.job_id, RESULT]),
                "indexURL": reverse("annotations:job_file", args=[job.job_id, INDEX]),
            },
            "foundURL": reverse("annotations:result_genome_variants", args=[job.job_id]),
            "genesURL": genes,
        }
    )


@for_viewers
@require_safe
@with_table
def result_genome_variants(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """The alleles that the filter finds on `contig` from `start` to `end`, as features of igv.js."""
    try:
        wanted = ResultFilter.parse(request.GET, besides=_STRETCH)
        contig, start, end = _stretch(request)
        found = found_on(table, wanted, Region(contig, start + 1, max(start + 1, end)))
    except FilterRefused as refused:
        return JsonResponse({"problems": [str(problem) for problem in refused.problems]}, status=400)
    return JsonResponse(found, safe=False)


@for_viewers
@require_safe
def result_reference_file(request: HttpRequest, job_id: UUID, name: str) -> HttpResponseBase:
    """The reference's sequence and its indexes, whole or in part."""
    job = viewable_job(request, job_id)
    bundle = references.find(job.reference)
    path = bundle.path / name if bundle and name in REFERENCE_FILES else None
    if path is None or not path.is_file():
        raise Http404
    return file_response(request, path, name)


@for_viewers
@require_safe
def result_reference_genes(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The reference's transcripts on `contig` from `start` to `end`."""
    job = viewable_job(request, job_id)
    bundle = references.find(job.reference)
    if bundle is None:
        raise Http404
    return JsonResponse(transcripts_on(bundle, *_stretch(request)), safe=False)


def _stretch(request: HttpRequest) -> tuple[str, int, int]:
    """Contig, start and end that igv.js asks for, from 0 and half-open. Raises Http404."""
    read = ParameterReader(request.GET)
    contig = read.text("contig")
    start, end = (read.number(name, 0, FURTHEST_POSITION) for name in ("start", "end"))
    if contig is None or start is None or end is None or read.problems:
        raise Http404
    return contig, int(start), int(end)


def _locus(table: ResultTable, wanted: ResultFilter) -> str:
    """A stretch with the first alleles that the filter finds; of no filter, with the first one."""
    rows = page_of_rows(table, wanted, Slice(limit=LOOKED_AT if wanted else 1), ("chrom", "pos"))
    if not rows:
        return ""
    chrom, first = rows[0].values["chrom"], rows[0].values["pos"]
    near = [row.values["pos"] for row in rows if row.values["chrom"] == chrom]
    last = max(position for position in near if position < first + WIDEST_BASES - 2 * MARGIN_BASES)
    return f"{chrom}:{max(1, first - MARGIN_BASES)}-{last + MARGIN_BASES}"
