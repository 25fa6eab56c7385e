"""What a host is told when it boots: the filled-in user data of its role."""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.stack.configuration import Configuration

USER_DATA = Path(__file__).resolve().parent.parent / "hosts" / "user-data.yaml"
ROLES = {"web": "web", "worker": "workers", "control": "control"}  # and the stack of each
MOST_BYTES = 16 * 1024  # of user data, says EC2
OUTBOUND_PORTS = "443"  # of the security groups' ways out, the one that is not for mail or the database
PARAMETER_CHARACTERS = 4096  # of a parameter of CloudFormation


@dataclass(frozen=True)
class Installation:
    """What all hosts have in common. `outputs` are those of the stacks, `release_key` is in PEM."""

    service: str
    version: str
    config: Configuration
    outputs: Mapping[str, str]
    release_key: str


def service_environment(installation: Installation) -> dict[str, str]:
    """The settings of the service, on every host."""
    service, config, outputs = installation.service, installation.config, installation.outputs
    site = config.site
    return {
        "AWS_DEFAULT_REGION": config.region,
        "WEB_BIND": "0.0.0.0:8000",  # the load balancer's security group alone may come
        "GAS_SITE_URL": site.url,
        "GAS_ALLOWED_HOSTS": urlsplit(site.url).netloc,
        "GAS_TRUSTED_PROXIES": "1",
        "GAS_LOG_JSON": "true",
        "GAS_METRICS_CLOUDWATCH": "true",
        "GAS_REFERENCES_DIR": "/var/lib/gas/references",
        "GAS_BROKER_URL": "aws",
        "GAS_QUEUE_PREFIX": f"{service}-",
        "GAS_STORAGE_EVENTS_QUEUE": outputs["StorageEventsQueueName"],
        "GAS_JOB_RESULTS_TOPIC": outputs["JobResultsTopic"],
        "GAS_JOBS_DATABASE": "dynamodb",
        "GAS_DYNAMODB_REGION": config.region,
        "GAS_DYNAMODB_PREFIX": f"{service}-",
        "GAS_INPUTS_BUCKET": outputs["InputsBucket"],
        "GAS_RESULTS_BUCKET": outputs["ResultsBucket"],
        **_cold_storage(installation),
        "GAS_STATIC_DIR": "/var/lib/gas/static",
        "GAS_STATIC_URL": f"{outputs['StaticUrl']}static/",
        "GAS_MAIL_FROM": site.mail_from,
        "GAS_MAIL_HOST": site.smtp_host,
        "GAS_MAIL_USER": site.smtp_user,
        "GAS_STRIPE_PRICE": site.stripe_price,
        "GAS_OUTBOUND_PORTS": OUTBOUND_PORTS,
        **config.settings,
    }


def _cold_storage(installation: Installation) -> dict[str, str]:
    if vault := installation.config.site.glacier_vault:
        return {"GAS_GLACIER_VAULT": vault, "GAS_GLACIER_TOPIC": installation.outputs["RetrievalsTopic"]}
    return {"GAS_ARCHIVE_BUCKET": installation.outputs["ColdBucket"]}


def host_environment(role: str, installation: Installation) -> dict[str, str]:
    """What the host itself is; only roles that speak with the database are told where its secrets are."""
    service, outputs = installation.service, installation.outputs
    secrets = {
        "SETTINGS_SECRET": outputs["SettingsSecret"],
        "DATABASE_SECRET": outputs["DatabaseSecret"],
        "DATABASE_ADDRESS": outputs["DatabaseAddress"],
    }
    return {
        "ROLE": role,
        "SERVICE": service,
        "STACK": f"{service}-{ROLES[role]}",
        "GROUP": f"{service}-{ROLES[role]}",
        "VERSION": installation.version,
        "AWS_DEFAULT_REGION": installation.config.region,
        "RELEASES_BUCKET": outputs["ReleasesBucket"],
        **({} if role == "control" else secrets),
    }


def user_data(role: str, installation: Installation) -> str:
    """The cloud-config text."""
    values = {
        "@HOST_ENVIRONMENT@": _lines(host_environment(role, installation)),
        "@SERVICE_ENVIRONMENT@": _lines(service_environment(installation)),
        "@RELEASE_KEY@": installation.release_key.strip(),
    }
    text = USER_DATA.read_text()
    for name, value in values.items():
        text = text.replace(name, value.replace("\n", "\n      "))
    return text


def packed(text: str) -> str:
    """As a launch template takes it: cloud-init unpacks gzip itself."""
    data = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    if len(data) > PARAMETER_CHARACTERS:
        raise ValueError(f"The user data has {len(data)} characters when packed; CloudFormation takes 4096.")
    return data


def _lines(values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if any(character in value for character in "\n'\" \\$"):
            raise ValueError(f"{name} has a character that can't stand in an environment file.")
    return "\n".join(f"{name}={value}" for name, value in values.items() if value)
