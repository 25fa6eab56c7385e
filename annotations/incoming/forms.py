"""What the pages of uploads ask for."""

from typing import Any

from django import forms

from annotations.forms import AnnotationForm
from annotations.incoming.pasting import MOST_CHARACTERS, MOST_LINES

EXAMPLE = "21-25891784-C-T\nrs75932628\nNC_000021.9:g.25891784C>T"


class VariantsForm(AnnotationForm):
    """Variants, a line each, and what to annotate them with."""

    key = None  # type: ignore[assignment]  # it has no upload yet
    variants = forms.CharField(
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea({"rows": 10, "spellcheck": "false", "placeholder": EXAMPLE}),
        help_text=f"Up to {MOST_LINES:,} lines: chrom-pos-ref-alt, an rsID, genomic HGVS, or lines of a VCF.",
    )
    field_order = ("variants", "reference", "haplotype_aware")


class AddressForm(forms.Form):
    """Where a file is to be fetched from."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.URLInput({"placeholder": "https://example.org/sample.vcf.gz"}),
        help_text="https, and reachable from the internet. Redirects are not followed.",
    )

    def refuse(self, message: Any) -> None:
        self.add_error("url", str(message))
