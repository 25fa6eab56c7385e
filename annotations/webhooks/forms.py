"""The form that makes a webhook."""

from typing import Any

from django import forms

from annotations.outbound import AddressRefused, checked_url


class WebhookForm(forms.Form):
    """Where to tell of jobs."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/jobs", "autocomplete": "off"}),
        help_text="https, and reachable from the internet.",
    )

    def clean_url(self) -> Any:
        url = self.cleaned_data["url"]
        try:
            checked_url(url)
        except AddressRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return url
