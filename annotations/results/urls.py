"""The pages of one job's result."""

from django.urls import path

from annotations.views import result_exports, result_genes, result_genome, result_plots, results

urlpatterns = [
    path("", results.result, name="result"),
    path("rows/<int:number>/", results.result_row, name="result_row"),
    path("plots/", result_plots.result_plots, name="result_plots"),
    path("plots/<slug:name>/", result_plots.result_plot, name="result_plot"),
    path("plots/<slug:name>.<slug:form>", result_plots.result_plot_numbers, name="result_plot_numbers"),
    path("gene/", result_genes.result_gene, name="result_gene"),
    path("gene.json", result_genes.result_gene_drawing, name="result_gene_drawing"),
    path("genome/", result_genome.result_genome, name="result_genome"),
    path("genome/settings.json", result_genome.result_genome_settings, name="result_genome_settings"),
    path("genome/variants.json", result_genome.result_genome_variants, name="result_genome_variants"),
    path("genome/genes.json", result_genome.result_reference_genes, name="result_reference_genes"),
    path("genome/<str:name>", result_genome.result_reference_file, name="result_reference_file"),
    path("export/", result_exports.result_export, name="result_export"),
    path("exports/", result_exports.result_exports, name="result_exports"),
    path("exports/<slug:export_id>/", result_exports.result_export_file, name="result_export_file"),
    path("exports/<slug:export_id>/cancel/", result_exports.cancel_export, name="cancel_export"),
]
