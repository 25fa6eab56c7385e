"""Forms about an annotation."""

from typing import Any

from django import forms

from annotations import references


class AnnotationForm(forms.Form):
    """What to annotate an upload with."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=700)
    reference = forms.ChoiceField(
        widget=forms.RadioSelect, error_messages={"required": "Choose a reference."}
    )
    haplotype_aware = forms.BooleanField(required=False, label="Haplotype-aware consequences")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bundles = references.available()
        labels = [references.label(bundle) for bundle in self.bundles]
        field = self.fields["reference"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        field.choices = [(label, label) for label in labels]
        if labels:
            field.initial = labels[0]
