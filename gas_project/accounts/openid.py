"""Accounts elsewhere that people may log in with, by OpenID Connect."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

# Issuers as their discovery documents name them, at /.well-known/openid-configuration of these addresses.
WELL_KNOWN: dict[str, dict[str, Any]] = {
    "globus": {"name": "Globus", "server_url": "https://auth.globus.org"},
    "google": {"name": "Google", "server_url": "https://accounts.google.com"},
    "orcid": {"name": "ORCID", "server_url": "https://orcid.org", "scope": ["openid"]},
}


class OpenIDProvider(BaseModel):
    """One provider, as the operator describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=40, description="What stands on the button.")
    server_url: str = Field(pattern=r"^https://[^/]|^http://127\.0\.0\.1[:/]")
    client_id: str = Field(min_length=1)
    secret: str = ""
    scope: list[str] = ["openid", "profile", "email"]
    also_at: list[str] = Field(
        default=[], description="Origins that its log-in page redirects to, besides its own."
    )

    @property
    def origins(self) -> list[str]:
        """Where the way to its log-in page leads: `https://host` each."""
        parts = urlsplit(self.server_url)
        return [f"{parts.scheme}://{parts.netloc}", *self.also_at]

    def as_app(self, provider_id: str) -> dict[str, Any]:
        """The provider as allauth's settings take it."""
        return {
            "provider_id": provider_id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": self.server_url, "scope": self.scope},
        }


def with_well_known(providers: Any) -> Any:
    """Names and addresses of providers that everybody knows need not be written out."""
    if not isinstance(providers, dict):
        return providers
    return {
        key: {**WELL_KNOWN.get(key, {}), **value} if isinstance(value, dict) else value
        for key, value in providers.items()
    }
