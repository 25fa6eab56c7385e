"""A gene with the result's alleles along it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.models import Job
from annotations.results.access import for_viewers
from annotations.results.filters import ResultFilter
from annotations.results.genes import MOST_VARIANTS, drawn, gene_view
from annotations.results.links import build_of, ensembl_link
from annotations.results.plots.catalogue import most_hit_genes
from annotations.results.problems import FilterRefused
from annotations.results.tables import ResultTable
from annotations.views.results import frame, with_table


@for_viewers
@require_safe
@with_table
def result_gene(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """The first gene of the filter; without one, the genes to choose from."""
    try:
        wanted = ResultFilter.parse(request.GET)
        context: dict[str, Any] = {**frame(job, table, wanted, "gene"), "has_charts": settings.HAS_ASSETS}
        if wanted.genes:
            name = wanted.genes[0]
            view = gene_view(table, job, wanted, name)
            context |= {"name": name, "view": view, "most_variants": MOST_VARIANTS}
            context["ensembl"] = view and ensembl_link(view.gene.gene_id, build_of(job.reference))
        else:
            context["genes"] = most_hit_genes(table, wanted)
    except FilterRefused as refused:
        context = {**frame(job, table, ResultFilter(), "gene"), "problems": refused.problems}
        return render(request, "annotations/results/gene.html", context, status=400)
    return render(request, "annotations/results/gene.html", context)


@for_viewers
@require_safe
@with_table
def result_gene_drawing(request: HttpRequest, job: Job, table: ResultTable) -> HttpResponse:
    """Transcripts and alleles of the first gene of the filter, for the page's script."""
    try:
        wanted = ResultFilter.parse(request.GET)
        view = gene_view(table, job, wanted, wanted.genes[0]) if wanted.genes else None
    except FilterRefused as refused:
        return JsonResponse({"problems": [str(problem) for problem in refused.problems]}, status=400)
    if view is None:
        return JsonResponse({"problems": ["gene: expected a gene of the reference."]}, status=404)
    return JsonResponse(drawn(view))
