"""Forms about a person."""

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpRequest

User = get_user_model()


class ProfileForm(forms.ModelForm):
    """Name and institution; both may stay empty."""

    class Meta:
        model = User
        fields = ("name", "institution")


class ProfileOnSignup(forms.Form):
    """The same two, asked for beside e-mail and password when signing up."""

    name = forms.CharField(label="Full name", max_length=150, required=False)
    institution = forms.CharField(max_length=200, required=False)

    def signup(self, request: HttpRequest, user: "User") -> None:  # type: ignore[valid-type]
        """Called by allauth with the new account."""
        for field in ("name", "institution"):
            setattr(user, field, self.cleaned_data[field])
        user.save(update_fields=["name", "institution"])  # type: ignore[attr-defined]
