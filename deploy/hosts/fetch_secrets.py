"""Fetch this host's secrets into files that systemd hands to the services (LoadCredential=).

They are kept in memory only: /etc/gas/credentials leads to a folder below /run. Run by gas-secrets.service at
each boot, with /etc/gas/host.env in the environment.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = Path("/etc/gas/credentials")
# Those that a unit names; one without a value is an empty file, which counts as unset.
NAMES = (
    "GAS_SECRET_KEY",
    "GAS_SECRET_KEY_FALLBACKS",
    "GAS_DATABASE_URL",
    "GAS_STRIPE_API_KEY",
    "GAS_STRIPE_WEBHOOK_SECRETS",
    "GAS_MAIL_PASSWORD",
    "GAS_METRICS_TOKEN",
)


def collected(client: Any, environ: dict[str, str]) -> dict[str, str]:
    """By name. A host whose `host.env` names no secrets, as that of beat, has none."""
    found = dict.fromkeys(NAMES, "")
    if name := environ.get("SETTINGS_SECRET"):
        found |= _read(client, name)
    if name := environ.get("DATABASE_SECRET"):
        login = _read(client, name)
        user, password = quote(login["username"], safe=""), quote(login["password"], safe="")
        found["GAS_DATABASE_URL"] = (
            f"postgresql://{user}:{password}@{environ['DATABASE_ADDRESS']}:5432/gas?sslmode=require"
        )
    return {name: found[name] for name in NAMES}


def _read(client: Any, name: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    return values


def write(folder: Path, values: dict[str, str]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in values.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(value)


def main() -> None:
    import boto3
    from botocore.config import Config

    patience = Config(
        connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5}
    )
    write(FOLDER.resolve(), collected(boto3.client("secretsmanager", config=patience), dict(os.environ)))


if __name__ == "__main__":
    main()
