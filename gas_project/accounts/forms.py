"""Forms about a person."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpRequest

User = get_user_model()
# Browsers fill in what they know by these words.
WIDGETS = {
    "name": forms.TextInput({"autocomplete": "name"}),
    "institution": forms.TextInput({"autocomplete": "organization"}),
}


class ProfileForm(forms.ModelForm):
    """Name and institution; both may stay empty."""

    class Meta:
        model = User
        fields = ("name", "institution")
        widgets = WIDGETS


class ProfileOnSignup(forms.Form):
    """The same two, asked for beside e-mail and password when signing up."""

    name = forms.CharField(label="Full name", max_length=150, required=False, widget=WIDGETS["name"])
    institution = forms.CharField(max_length=200, required=False, widget=WIDGETS["institution"])

    def signup(self, request: HttpRequest, user: "User") -> None:  # type: ignore[valid-type]
        """Called by allauth with the new account."""
        for field in ("name", "institution"):
            setattr(user, field, self.cleaned_data[field])
        user.save(update_fields=["name", "institution"])  # type: ignore[attr-defined]


class DeleteAccountForm(forms.Form):
    """The password once more: whoever finds an open browser must not be able to delete everything.

    Who logs in with an account elsewhere has no password here, and writes the e-mail address instead.
    """

    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    address = forms.EmailField(label="Your e-mail address, to be sure")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        del self.fields["address" if user.has_usable_password() else "password"]

    def clean(self) -> dict[str, Any]:
        if self._user.is_staff:
            raise forms.ValidationError("People of the staff are removed by another one, in the admin.")
        return super().clean() or {}

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if address.casefold() != self._user.email.casefold():
            raise forms.ValidationError("This is not the e-mail address of your account.")
        return address
