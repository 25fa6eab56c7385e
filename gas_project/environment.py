"""What the process environment may say, typed; the one place where environment variables are read.

A value that does not fit is not raised from here, half-way through an import, but kept as a `Problem`: the
system checks then name every wrong variable at once, and refuse the start.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from gas_project.accounts.openid import OpenIDProvider, with_well_known

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "GAS_"
OF_THE_COMMAND = {"url", "token"}  # GAS_URL and GAS_TOKEN are for `gas`, and mean nothing to the service
# Parts of the names of fields whose values nobody shall see.
SECRET = ("secret", "key", "token", "dsn", "password", "database_url", "openid")


def _words(value: Any) -> Any:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _pairs(value: Any) -> Any:
    return dict(word.partition("=")[::2] for word in _words(value)) if isinstance(value, str) else value


def _json(value: Any) -> Any:
    try:
        return json.loads(value or "{}") if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ValueError(
            f"JSON, which ends to make sense at character {error.pos + 1}: {error.msg}"
        ) from None


def _network(text: str) -> str:
    return str(ip_network(text))


class Environment(BaseModel, frozen=True):
    """Every variable is named GAS_ and its field in capitals: `GAS_PORT=8080`."""

    debug: bool = Field(False, description="Django's DEBUG: technical error pages. Never on a public host.")
    secret_key: str = Field(
        "", description="Django's SECRET_KEY. Empty: one is made and kept in the state folder."
    )
    secret_key_fallbacks: Annotated[list[str], BeforeValidator(_words)] = Field(
        [],
        description="Former secret keys, separated by commas: sessions, links and second factors made with "
        "them still hold.",
    )
    state_dir: Path = Field(BASE_DIR / "var", description="Where one machine keeps all its state.")
    references_dir: Path | None = Field(
        None,
        description="Folder of reference bundles, NAME/VERSION each. Default: in the state folder.",
    )
    database_url: str = Field(
        "",
        pattern=r"^$|^postgres(ql)?://[^/@]+@[^/@]+/\w+(\?.*)?$",
        description="PostgreSQL, as postgresql://USER:PASSWORD@HOST:PORT/NAME?sslmode=require. "
        "Empty: SQLite, in the state folder.",
    )
    inputs_bucket: str = Field(
        "", description="S3 bucket for uploads, with `GAS_RESULTS_BUCKET`. Empty: the state folder."
    )
    results_bucket: str = Field("", description="S3 bucket for results.")
    static_dir: Path | None = Field(
        None,
        description="Folder that `collectstatic` fills with files of hashed names. "
        "Empty: the apps' own files are served where they stand.",
    )
    static_url: str = Field(
        "",
        pattern=r"^$|^https?://.+/$",
        description="Address of a CDN that has the files of `GAS_STATIC_DIR`. Empty: the site serves them.",
    )
    port: int = Field(8000, ge=1, le=65535, description="Port of the web server.")
    broker_port: int = Field(4566, ge=1, le=65535, description="Port of the embedded SQS broker.")
    broker_url: str = Field(
        "",
        pattern=r"^$|^aws$|^https?://",
        description="`aws`, or the address of another SQS-compatible broker. "
        "Empty: the embedded one on the broker port.",
    )
    queue_prefix: str = Field(
        "gas-", pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Beginning of the name of every SQS queue."
    )
    allowed_hosts: Annotated[list[str], BeforeValidator(_words)] = Field(
        ["127.0.0.1", "localhost"], description="Host names that the site answers to, separated by commas."
    )
    site_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/]+$",
        description="Address of the site in mails. Default: 127.0.0.1 and the port.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=5,
        description="How many proxies of yours add to X-Forwarded-For: a load balancer does.",
    )
    openid_providers: Annotated[
        dict[str, OpenIDProvider], BeforeValidator(with_well_known), BeforeValidator(_json)
    ] = Field(
        {},
        description="Accounts elsewhere that people may log in with, as JSON (docs/operators.md shows it).",
    )
    mail_from: str = Field("gas@localhost", description="Sender of the service's mails.")
    mail_host: str = Field("", description="SMTP server. Empty: mails are files in the state folder.")
    mail_port: int = Field(587, ge=1, le=65535, description="Port of the SMTP server.")
    mail_user: str = Field("", description="Name to log in to the SMTP server with, if it wants one.")
    mail_password: str = Field("", description="Password for the SMTP server.")
    mail_tls: bool = Field(True, description="Speak TLS (STARTTLS) with the SMTP server.")
    job_results_topic: str = Field(
        "",
        pattern=r"^$|^arn:[^:]+:sns:[^:]+:\d+:.+$",
        description="ARN of an SNS topic that hears of every finished job. Empty: none does.",
    )
    stripe_api_key: str = Field(
        "",
        pattern=r"^$|^[sr]k_(test|live)_\w+$",
        description="Stripe's secret or restricted key. Empty: no payments.",
    )
    stripe_webhook_secrets: Annotated[list[str], BeforeValidator(_words)] = Field(
        [],
        description="Signing secrets of the webhook endpoint, separated by commas: two while one is rotated.",
    )
    stripe_price: str = Field("", description="Id of the price of the premium tier at Stripe.")
    stripe_standin: bool = Field(
        False,
        description="Pay at a stand-in for Stripe on this machine, as with `make run`. Never in public.",
    )
    stripe_standin_port: int = Field(4243, ge=1, le=65535, description="Port of the stand-in for Stripe.")
    grace_days: int = Field(
        7, ge=0, le=60, description="How long premium goes on after a payment has failed, in days."
    )
    free_retention_seconds: int = Field(
        604_800, ge=1, description="How long results stay at hand on the free tier; `make run` sets 300."
    )
    free_upload_max_bytes: int = Field(
        157_286_400, ge=1, le=5_368_709_120, description="Largest upload on the free tier."
    )
    free_jobs_at_once: int = Field(2, ge=1, description="Jobs of one free user that may wait or run.")
    free_jobs_a_day: int = Field(20, ge=1, description="Jobs that a free user may submit in 24 hours.")
    free_requests_a_minute: int = Field(
        120, ge=1, le=60_000, description="Requests that a free user may make of the API in a minute."
    )
    premium_upload_max_bytes: int = Field(
        5_368_709_120, ge=1, le=5_368_709_120, description="Largest upload on the premium tier."
    )
    premium_jobs_at_once: int = Field(20, ge=1, description="Jobs of one premium user that may wait or run.")
    premium_jobs_a_day: int = Field(500, ge=1, description="Jobs that a premium user may submit in 24 hours.")
    premium_requests_a_minute: int = Field(
        600, ge=1, le=60_000, description="Requests that a premium user may make of the API in a minute."
    )
    upload_part_bytes: int = Field(
        8_388_608,
        ge=1024,
        le=1 << 30,
        description="Size of the parts of a resumable upload. S3 takes none below 5 MB.",
    )
    web_processes: int = Field(1, ge=1, le=64, description="Web processes.")
    web_threads: int = Field(4, ge=1, le=64, description="Requests that a web process answers at once.")
    worker_concurrency: int = Field(2, ge=1, le=64, description="Jobs that a worker runs at once.")
    result_cache_bytes: int = Field(
        20_000_000_000,
        ge=0,
        description="Copies of results' tables that a host keeps for their pages, where these are in S3.",
    )
    engine_cores: int = Field(1, ge=1, le=64, description="Processor cores that one annotation may use.")
    scatter_bytes: int = Field(
        8_000_000,
        ge=0,
        le=1 << 40,
        description="Uploads larger than this are divided, and annotated by all workers.",
    )
    shard_records: int = Field(
        250_000, ge=1_000, le=10_000_000, description="Variants in one part of a divided upload, at most."
    )
    lease_seconds: int = Field(
        300,
        ge=10,
        le=43_200,
        description="How long a RUNNING job may go without a sign of life before it is sent anew.",
    )
    resend_after_seconds: int = Field(
        60, ge=1, le=3600, description="How long a PENDING job may wait before its message is taken for lost."
    )
    task_time_limit_seconds: int = Field(
        3600,
        ge=10,
        le=43_200,
        description="Longest run of one annotation; SQS keeps no message longer than 12 hours.",
    )
    visibility_timeout_seconds: int = Field(
        120,
        ge=3,
        le=43_200,
        description="How long after a worker's sudden end SQS gives its message to another.",
    )
    vault_dir: Path | None = Field(
        None, description="Folder of the local vault. Default: in the state folder."
    )
    vault_expedited_seconds: float = Field(
        10, ge=0, description="How long an expedited retrieval from the local vault takes."
    )
    vault_standard_seconds: float = Field(
        60, ge=0, description="How long a standard retrieval from the local vault takes."
    )
    vault_expedited_at_once: int = Field(
        5, ge=0, description="Expedited retrievals that the local vault has capacity for at the same time."
    )
    archive_bucket: str = Field(
        "", description="S3 bucket for archives. Empty: they stay in the local vault or a Glacier vault."
    )
    archive_storage_class: Literal["GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"] = Field(
        "GLACIER", description="Storage class of archives in the S3 bucket."
    )
    glacier_vault: str = Field(
        "", description="Glacier vault for archives, for accounts that have one, instead of a bucket."
    )
    glacier_topic: str = Field(
        "", description="ARN of the SNS topic to which the Glacier vault says that a retrieval is ready."
    )
    storage_events_queue: str = Field(
        "",
        description="SQS queue with the events of S3 or the vault. Empty: retrievals are only asked after.",
    )
    jobs_database: Literal["default", "dynamodb"] = Field(
        "default", description="Where jobs live: in the default database with the accounts, or in DynamoDB."
    )
    dynamodb_region: str = Field(
        "", description="AWS region of the jobs' table. Empty: where the AWS SDK finds it."
    )
    dynamodb_endpoint_url: str = Field(
        "",
        pattern=r"^$|^https?://",
        description="Address of DynamoDB. Empty: the region's own.",
    )
    dynamodb_prefix: str = Field(
        "gas-",
        pattern=r"^[A-Za-z0-9_.-]{0,60}$",
        description="Beginning of the name of every DynamoDB table.",
    )
    dynamodb_names: Annotated[dict[str, str], BeforeValidator(_pairs)] = Field(
        {},
        description="Tables and indexes of DynamoDB with names of their own, as "
        "annotations_job=ada_annotations,job_user_newest=user_id_index.",
    )
    outbound_allowed: Annotated[list[Annotated[str, AfterValidator(_network)]], BeforeValidator(_words)] = (
        Field(
            [],
            description="Networks besides the public internet that webhooks and uploads by address may "
            "reach, there also without TLS: 10.1.2.0/24,127.0.0.1/32.",
        )
    )
    outbound_ports: Annotated[list[Annotated[int, Field(ge=1, le=65535)]], BeforeValidator(_words)] = Field(
        [],
        description="Ports that webhooks, uploads by address and sign-in elsewhere may use, where a firewall "
        "lets no others out: 443. Empty: any.",
    )
    remote_control: bool = Field(
        True,
        description="Workers answer `celery inspect` and `celery control`, and tell Flower of themselves.",
    )
    task_events: bool = Field(True, description="Workers tell Flower of each task.")
    flower: bool = Field(True, description="`make run` starts Flower, the page about workers and tasks.")
    flower_port: int = Field(5555, ge=1, le=65535, description="Port of Flower.")
    metrics_token: str = Field(
        "", description="Whoever asks for `/metrics` must know it. Empty: there are no metrics."
    )
    metrics_cloudwatch: bool = Field(
        False,
        description="The metrics also as CloudWatch's embedded metric format, in the log, once a minute.",
    )
    sentry_dsn: str = Field(
        "", pattern=r"^$|^https?://", description="Where errors are reported, in Sentry's protocol."
    )
    log_json: bool = Field(False, description="Log lines as JSON.")


@dataclass(frozen=True)
class Problem:
    """One environment variable that does not fit."""

    variable: str
    found: str
    expected: str
    hint: str


CREDENTIALS = "CREDENTIALS_DIRECTORY"  # of systemd: LoadCredential=GAS_SECRET_KEY:/a/file


def _with_credentials(environ: Mapping[str, str]) -> Mapping[str, str]:
    """A file that systemd hands over counts as the variable of its name; an empty one as unset."""
    folder = environ.get(CREDENTIALS)
    if not folder:
        return environ
    files = {path.name: path.read_text().strip() for path in Path(folder).glob(f"{PREFIX}*")}
    return {**environ, **{name: value for name, value in files.items() if value}}


def load(environ: Mapping[str, str] = os.environ) -> tuple[Environment, list[Problem], list[Problem]]:
    """Read the environment.

    Returns the settings, with defaults in the place of what is wrong; the wrong values; and variables that
    begin like ours but mean nothing, which are most likely misspelt.
    """
    environ = _with_credentials(environ)
    ours = {
        key.removeprefix(PREFIX).lower(): value for key, value in environ.items() if key.startswith(PREFIX)
    }
    known = {name: value for name, value in ours.items() if name in Environment.model_fields}
    unknown = [
        _unknown(name) for name in ours if name not in Environment.model_fields and name not in OF_THE_COMMAND
    ]
    try:
        return Environment.model_validate(known), [], unknown
    except ValidationError as error:
        details = error.errors(include_url=False)
    wrong = {str(detail["loc"][0]) for detail in details}
    right = {name: value for name, value in known.items() if name not in wrong}
    return Environment.model_validate(right), [_wrong(detail) for detail in details], unknown


def postgresql(url: str) -> dict[str, Any]:
    """The entry of Django's DATABASES for an address of PostgreSQL; its query has libpq's parameters.

    >>> postgresql("postgresql://gas:a%40b@db:5433/gas?sslmode=require")["OPTIONS"]
    {'sslmode': 'require'}
    """
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def variable(name: str) -> str:
    """The environment variable of a field of `Environment`."""
    return PREFIX + name.upper()


def _wrong(detail: Any) -> Problem:
    name = str(detail["loc"][0])
    return Problem(
        variable=variable(name),
        found="(not shown)" if any(word in name for word in SECRET) else repr(detail["input"]),
        expected=detail["msg"],
        hint=Environment.model_fields[name].description or "",
    )


def _unknown(name: str) -> Problem:
    near = get_close_matches(name, Environment.model_fields, n=1)
    return Problem(
        variable=variable(name),
        found="(not shown)",
        expected="no setting has this name",
        hint=f"Did you mean {variable(near[0])}?" if near else "docs/operators.md lists every setting.",
    )
