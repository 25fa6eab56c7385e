"""The profile of AWS, brought up on this machine: emulators, neighbours, hosts."""

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from annotations.dynamodb.tests.servers import ministack_with, postgresql
from annotations.tests.waiting import free_port, wait_until
from billing.standin.account import PREMIUM_PRICE
from deploy.stack import hosts
from deploy.stack.configuration import Configuration, Site
from deploy.tests.rehearse import account
from deploy.tests.rehearse.account import Account
from deploy.tests.rehearse.neighbours import Balancer, MailServer
from deploy.tests.rehearse.units import DEPLOY, Host, Service

ROOT = DEPLOY.parent
RECORDING = Path(__file__).parent / "recording"
RETENTION_SECONDS = 20
PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes for a part that is not the last
START_SECONDS = 60
# What differs from AWS: addresses, and times that nobody would want to wait for here.
TIMES = {
    "GAS_FREE_RETENTION_SECONDS": str(RETENTION_SECONDS),
    "GAS_FREE_JOBS_AT_ONCE": "20",
    "GAS_FREE_JOBS_A_DAY": "1000",
    "GAS_VISIBILITY_TIMEOUT_SECONDS": account.VISIBILITY_SECONDS,
    "GAS_LEASE_SECONDS": "15",
    "GAS_RESEND_AFTER_SECONDS": "10",
    "GAS_SCATTER_BYTES": "60000",
    "GAS_SHARD_RECORDS": "1000",
    "GAS_UPLOAD_PART_BYTES": str(PART_BYTES),
}


@dataclass
class Stage:
    """All that runs, and where it is."""

    site_url: str
    aws: Account
    mail: MailServer
    balancer: Balancer
    folder: Path
    web: list[Service] = field(default_factory=list)
    workers: list[Service] = field(default_factory=list)
    hosts: list[Host] = field(default_factory=list)
    host: Callable[..., Host] = field(init=False)  # one more, of a role, with its settings

    def calls_of(self, role: str) -> Path:
        return self.folder / f"{role.lower()}.calls"


@contextmanager
def service(folder: Path, **variables: str) -> Iterator[Stage]:
    """Two web hosts and two workers, and one with beat and Flower; all stops in the end."""
    with ExitStack() as stack:
        emulator = {"AUTH": "true", **account.ROOT}
        port = stack.enter_context(ministack_with("s3,sqs,sns,dynamodb,iam,sts", emulator))
        aws = account.made(f"http://127.0.0.1:{port}")
        database = stack.enter_context(postgresql())
        mail = MailServer()
        stack.callback(mail.close)
        ports = [free_port(), free_port()]
        balancer = Balancer(ports)
        stack.callback(balancer.close)
        stage = Stage(balancer.url, aws, mail, balancer, folder)
        settings = _settings(stage, variables)
        passwords = {
            "GAS_SECRET_KEY": secrets.token_urlsafe(40),
            "GAS_DATABASE_URL": _database_url(database),
            "GAS_STRIPE_API_KEY": f"sk_test_{secrets.token_hex(16)}",
            "GAS_STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
        }
        _make_references(folder / "references")
        stack.enter_context(_standin(folder, settings | passwords))

        def host(name: str, role: str, **more: str) -> Host:
            own = settings | aws.credentials[role] | {"REHEARSAL_CALLS": str(stage.calls_of(role))} | more
            made = Host(name, folder / name, own, passwords if role != "Control" else {})
            stage.hosts.append(made)
            stack.callback(made.close)
            return made

        stage.host = host
        web = [host(f"web{n}", "Web", WEB_BIND=f"127.0.0.1:{port}") for n, port in enumerate(ports)]
        web[0].run("gas-migrate.service", seconds=120)
        stage.web = [made.start("gas-web.service") for made in web]
        stage.workers = [host(f"worker{n}", "Worker").start("gas-worker.service") for n in range(2)]
        control = host("control", "Control", GAS_FLOWER_PORT=str(free_port()))
        control.start("gas-beat.service")
        control.start("gas-flower.service")
        for worker in stage.workers:
            wait_until(worker.is_ready, timeout_seconds=START_SECONDS)
        wait_until(lambda: len(balancer.healthy) == len(ports), timeout_seconds=START_SECONDS)
        yield stage


def _settings(stage: Stage, more: dict[str, str]) -> dict[str, str]:
    """Those that gas-deploy gives every host, with the addresses of this machine."""
    outputs = dict.fromkeys(
        ("SettingsSecret", "DatabaseSecret", "DatabaseAddress", "StaticUrl"), "https://unused.example/"
    )
    site = Site("https://unused.example", "", "gas@example.org", "", "", "127.0.0.1", "", PREMIUM_PRICE)
    config = Configuration(account.REGION, site)
    made = hosts.Installation("gas", "rehearsal", config, outputs | stage.aws.outputs, "")
    here = {
        "AWS_ENDPOINT_URL": stage.aws.endpoint_url,
        "GAS_SITE_URL": stage.site_url,
        "GAS_ALLOWED_HOSTS": "127.0.0.1",
        "GAS_TRUSTED_PROXIES": "0",  # the load balancer here passes bytes on, and adds no header
        "GAS_MAIL_PORT": str(stage.mail.port),
        "GAS_MAIL_TLS": "false",
        "GAS_REFERENCES_DIR": str(stage.folder / "references"),
        "GAS_STATIC_DIR": "",
        "GAS_STATIC_URL": "",
        "GAS_STRIPE_STANDIN": "true",  # the system checks let it be, for the site is of this machine alone
        "GAS_STRIPE_STANDIN_PORT": str(free_port()),
        "PYTHONPATH": f"{RECORDING}:{ROOT}",
    }
    values = hosts.service_environment(made) | here | TIMES | more
    return {name: value for name, value in values.items() if value}


def _database_url(database: dict[str, object]) -> str:
    return "postgresql://{USER}:none@{HOST}:{PORT}/{NAME}".format(**database)


def _make_references(folder: Path) -> None:
    from annotations.engine.demo import build_demo

    build_demo(folder)


@contextmanager
def _standin(folder: Path, settings: dict[str, str]) -> Iterator[None]:
    """The stand-in for Stripe refuses without DEBUG, which it alone has."""
    home = folder / "stripe"
    home.mkdir()
    environment = settings | {
        "DJANGO_SETTINGS_MODULE": "gas_project.settings",
        "GAS_STATE_DIR": str(home),
        "GAS_DEBUG": "true",
        "PYTHONPATH": str(ROOT),
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "billing.standin"], env=environment, stdout=log, stderr=log, cwd=home
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
