"""The form that makes a token."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from annotations.api.models import Scope

NEVER = "never"
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "one year", NEVER: "never"}


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    name = forms.CharField(max_length=80, help_text="What it is for: the machine or the script.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ, Scope.WRITE],
        widget=forms.CheckboxSelectMultiple,
        label="It may",
    )
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), initial="90", label="It expires after")

    def made_until(self) -> datetime | None:
        """When the token expires; None: never."""
        days: Any = self.cleaned_data["lifetime"]
        return None if days == NEVER else timezone.now() + timedelta(days=int(days))
