"""Which service, and which token: from the environment (GAS_URL, GAS_TOKEN), or as `gas login` kept it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from annotations.cli.errors import UsageError


@dataclass(frozen=True)
class Credentials:
    url: str
    token: str


def config_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "gas" / "credentials.json"


def state_folder() -> Path:
    """Where it stands how far an upload is."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "gas"


def load() -> Credentials:
    """Raises UsageError."""
    kept = _kept()
    url = os.environ.get("GAS_URL") or kept.get("url", "")
    # A token belongs to the service that it was made at: it must not be shown to another one.
    token = os.environ.get("GAS_TOKEN") or (kept.get("token", "") if url == kept.get("url") else "")
    if not url or not token:
        raise UsageError("Not logged in. Run: gas login URL (or set GAS_URL and GAS_TOKEN).")
    return Credentials(url.rstrip("/"), token)


def save(credentials: Credentials) -> Path:
    """Keep them for next time, readable by nobody else."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": credentials.url, "token": credentials.token}, file)
    draft.replace(path)
    return path


def forget() -> bool:
    """Whether there was something to forget."""
    try:
        config_file().unlink()
    except FileNotFoundError:
        return False
    return True


def _kept() -> dict[str, str]:
    try:
        kept = json.loads(config_file().read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UsageError(f"{config_file()} is damaged. Remove it and run: gas login URL") from None
    return kept if isinstance(kept, dict) else {}
