"""What an installation is to be: one TOML file, deploy/example.toml shows all of it."""

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class ConfigurationError(Exception):
    """The file does not say what is needed; the message says where, and what was expected."""


@dataclass(frozen=True)
class Site:
    url: str
    certificate: str
    mail_from: str
    alarm_address: str
    mail_domain: str = ""
    smtp_host: str = ""
    smtp_user: str = ""
    stripe_price: str = ""
    glacier_vault: str = ""


@dataclass(frozen=True)
class Sizes:
    """Empty and 0 leave the template's default."""

    zones: tuple[str, str] = ("", "")
    nat_per_zone: bool = False
    web_instance: str = ""
    worker_instances: tuple[str, ...] = ()
    on_demand_percentage: int = 100
    backlog_per_instance: int = 0
    database_class: str = ""
    database_in_two_zones: bool = False
    monthly_budget: int = 0


@dataclass(frozen=True)
class Configuration:
    region: str
    site: Site
    sizes: Sizes = field(default_factory=Sizes)
    settings: dict[str, str] = field(default_factory=dict)  # of the service, by variable


def load(path: Path) -> Configuration:
    """Raises ConfigurationError."""
    try:
        found = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be read ({error.strerror}). Copy deploy/example.toml to it, and fill it in."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}.") from None
    region = found.pop("region", "")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ConfigurationError(f'{path}: region is {region!r}; expected one as "eu-central-1".')
    settings = {name: str(value) for name, value in found.pop("settings", {}).items()}
    if wrong := [name for name in settings if not name.startswith("GAS_")]:
        raise ConfigurationError(f"{path}: [settings] has {wrong[0]}; its names begin with GAS_.")
    site = _part(path, "site", Site, found.pop("site", {}))
    sizes = _part(path, "sizes", Sizes, found.pop("sizes", {}))
    if found:
        raise ConfigurationError(f"{path}: {next(iter(found))} means nothing here; see deploy/example.toml.")
    if not re.fullmatch(r"https://[^/]+", site.url):
        raise ConfigurationError(f'{path}: [site] url is {site.url!r}; expected "https://" and a name.')
    return Configuration(region, site, sizes, settings)


def _part(path: Path, name: str, kind: Any, found: dict[str, Any]) -> Any:
    known = {part.name: part for part in fields(kind)}
    if unknown := [key for key in found if key not in known]:
        raise ConfigurationError(f"{path}: [{name}] {unknown[0]} means nothing; expected {', '.join(known)}.")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    try:
        return kind(**values)
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error))
        raise ConfigurationError(f"{path}: [{name}] lacks {', '.join(missing)}.") from None
