"""What runs on one machine: command lines, environments, and how one sees that each is there."""

import functools
import os
import secrets
import signal
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from annotations.sweeping import resume_all
from billing.standin.account import PREMIUM_PRICE
from gas_project import flower as flower_page
from gas_project.celery import ready_file
from gas_project.checks import is_loopback
from gas_project.environment import BASE_DIR
from gas_project.onemachine.supervisor import Program
from tasks import life
from tasks.queues import CONSUMERS
from tasks.sqs import Broker

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
TRIAL_RETENTION_SECONDS = 300
HEARTBEAT_SECONDS = 30  # Celery's two would be 30 calls a minute
WARM_SECONDS = 10  # in which a stopping worker may finish what it does; then its jobs go back to the queue


def program_groups() -> list[list[Program]]:
    """In the order of their starts; the broker is only ours to start when none is named."""
    services = [web(), worker(), beat(), *([flower()] if settings.ENVIRONMENT.flower else [])]
    needed = ([broker()] if settings.BROKER_IS_EMBEDDED else []) + ([standin()] if pays_at_standin() else [])
    return [needed, services] if needed else [services]


def broker() -> Program:
    """The embedded SQS and SNS. What its environment leaves out it would do on every network interface."""
    port = settings.ENVIRONMENT.broker_port
    folder = Path(settings.STATE_DIR) / "broker"
    folder.mkdir(exist_ok=True)
    return Program(
        "broker",
        [sys.executable, "-m", "ministack"],
        _environment()
        | {
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,  # stands in the queues' addresses
            "GATEWAY_PORT": str(port),
            "SERVICES": "sqs,sns",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder),
            "TMPDIR": str(folder),
            "LOG_LEVEL": "ERROR",
        },
        is_ready=_answers(port, "/_ministack/ready"),
        when_ready=make_queues,
        stop=((signal.SIGTERM, 15),),  # in which it saves its messages
    )


def pays_at_standin() -> bool:
    """Whether premium is to be tried out here: nobody has named a Stripe account, nor another place to be."""
    environment = settings.ENVIRONMENT
    return not environment.stripe_api_key and is_loopback(settings.SITE_URL)


def standin() -> Program:
    """The stand-in for Stripe. It refuses without DEBUG, so it alone has it; it shows no page of ours."""
    return Program(
        "stripe",
        [sys.executable, "-m", "billing.standin"],
        _environment() | {"DJANGO_SETTINGS_MODULE": "gas_project.settings", "GAS_DEBUG": "true"},
        is_ready=_answers(settings.ENVIRONMENT.stripe_standin_port, "/"),
    )


def web() -> Program:
    environment = settings.ENVIRONMENT
    return Program(
        "web",
        [
            *(sys.executable, "-m", "gunicorn", "gas_project.wsgi"),
            *("--bind", f"{HOST}:{environment.port}"),
            *("--workers", str(environment.web_processes)),
            *("--threads", str(environment.web_threads)),
            *("--worker-tmp-dir", str(settings.STATE_DIR)),
            *("--log-level", "warning"),
            *("--graceful-timeout", "5"),
            "--no-control-socket",
        ],
        _environment(),
        is_ready=_answers(environment.port, "/healthz"),
    )


def worker() -> Program:
    """All kinds of work in one worker; SIGTERM lets it finish, SIGQUIT makes it give its jobs back."""
    return Program(
        "worker",
        [
            *_celery("worker"),
            *("--queues", ",".join(queue for queues in CONSUMERS.values() for queue in queues)),
            *("--hostname", "worker@onemachine"),
            *("--without-mingle", "--without-gossip"),
            *(
                ("--heartbeat-interval", str(HEARTBEAT_SECONDS))
                if settings.ENVIRONMENT.remote_control
                else ("--without-heartbeat",)
            ),
        ],
        _environment(),
        is_ready=ready_file().exists,
        before_start=before_worker,
        is_well=lambda: not life.deaf_workers(),
        stop=((signal.SIGTERM, WARM_SECONDS), (signal.SIGQUIT, 10)),
        leans_on=frozenset({"broker"}),
    )


def beat() -> Program:
    return Program(
        "beat",
        [*_celery("beat"), "--pidfile="],
        _environment(),
        is_ready=lambda: True,  # it answers nothing, and that it runs is watched
        leans_on=frozenset({"broker"}),
    )


def flower() -> Program:
    """The page about workers and tasks; `gas_project.flower` shows it below the admin."""
    port = settings.FLOWER_PORT
    return Program(
        "flower",
        [
            *_celery("flower"),
            *(f"--address={HOST}", f"--port={port}", f"--url_prefix={flower_page.PREFIX}"),
            "--enable_events=False",  # the worker sends them; asking it to, again and again, costs calls
            "--inspect_timeout=5000",  # milliseconds; a busy worker has no second to spare
            "--logging=warning",
        ],
        # Not as an argument, which every user of the machine could read.
        _environment() | {"FLOWER_BASIC_AUTH": f"{flower_page.USER}:{flower_page.password()}"},
        is_ready=_answers(port, f"/{flower_page.PREFIX}/healthcheck"),
        leans_on=frozenset({"broker"}),
    )


def make_queues() -> None:
    """As on AWS the deployment does, so that no process needs to make them while it works."""
    Broker().make_queues()


def before_worker() -> None:
    """No worker is left now, so nobody has the jobs that are RUNNING; with another broker, somebody may."""
    ready_file().unlink(missing_ok=True)
    life.forget_all()
    if not settings.BROKER_IS_EMBEDDED:
        return
    try:
        resume_all()
    except DatabaseError as error:
        log.warning("jobs_not_resumed", error=str(error))  # the sweep will do it, later


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "--app", "gas_project", command]


def _environment() -> dict[str, str]:
    """Ours; the project is found from whatever folder we run in, and output comes line by line.

    On one machine a free result is archived so soon that a newcomer sees it happen.
    """
    return (
        {"GAS_FREE_RETENTION_SECONDS": str(TRIAL_RETENTION_SECONDS)}
        | dict(os.environ)
        | {
            "PYTHONPATH": str(BASE_DIR),
            "PYTHONUNBUFFERED": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(settings.METRICS_DIR),
        }
        | (_standin_environment() if pays_at_standin() else {})
    )


@functools.cache
def _standin_environment() -> dict[str, str]:
    """What the stand-in and those who speak with it have to agree on; the secrets live as long as we do."""
    return {
        "GAS_STRIPE_STANDIN": "true",
        "GAS_STRIPE_API_KEY": f"sk_test_{secrets.token_hex(16)}",
        "GAS_STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
        "GAS_STRIPE_PRICE": PREMIUM_PRICE,
    }


def _answers(port: int, path: str) -> Callable[[], bool]:
    def answers() -> bool:
        connection = HTTPConnection(HOST, port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    return answers
