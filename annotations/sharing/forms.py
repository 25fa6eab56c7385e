from datetime import timedelta

from django import forms

LIFETIMES = {1: "a day", 7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}
DEFAULT_DAYS = 30


class ShareForm(forms.Form):
    """How long a link is to work, and whom it is for."""

    days = forms.TypedChoiceField(
        choices=list(LIFETIMES.items()), coerce=int, initial=DEFAULT_DAYS, label="It works for"
    )
    note = forms.CharField(
        max_length=80, required=False, label="Whom it is for", help_text="For yourself; nobody else sees it."
    )

    def lifetime(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
