"""Secrets of second factors, sealed: whoever sees the database alone can make no codes with them.

The key is made from SECRET_KEY. SECRET_KEY_FALLBACKS open what was sealed before it was changed;
`manage.py reseal` seals all anew, after which they can go.
"""

import base64
from collections.abc import Iterator
from functools import lru_cache

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SEALED = "fernet:"
# Where allauth keeps secrets, by kind of authenticator; a passkey's is a public key.
SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


class MFAAdapter(DefaultMFAAdapter):
    """What allauth asks before it writes a secret, and after it has read one."""

    def encrypt(self, text: str) -> str:
        return SEALED + _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises ImproperlyConfigured where no key fits: no secret at all would be one that anybody knows."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text  # from before secrets were sealed
        try:
            return _keys().decrypt(encrypted_text.removeprefix(SEALED).encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                "A second factor was sealed with another SECRET_KEY. Name it in GAS_SECRET_KEY_FALLBACKS."
            ) from None


def reseal() -> int:
    """Seal all secrets with the key of SECRET_KEY, also those that were not sealed; how many."""
    adapter = MFAAdapter()
    sealed = 0
    for authenticator, name in _with_secrets():
        secret = adapter.decrypt(authenticator.data[name])
        authenticator.data = authenticator.data | {name: adapter.encrypt(secret)}
        authenticator.save(update_fields=["data"])
        sealed += 1
    return sealed


def _with_secrets() -> Iterator[tuple[Authenticator, str]]:
    for kind, name in SECRETS.items():
        for authenticator in Authenticator.objects.filter(type=kind).iterator():
            if name in authenticator.data:
                yield authenticator, name


def _keys() -> MultiFernet:
    return _made((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _made(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gas second factors")
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
