"""Whether this process lives, and whether what it needs can be reached."""

from collections.abc import Callable

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Job
from annotations.storage import StorageError, object_store
from tasks.sqs import Broker

log = structlog.get_logger(__name__)


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def jobs() -> None:
    """They may live in another database than the accounts: one question by key, whichever it is."""
    Job.objects.filter(pk="readyz").exists()


def broker() -> None:
    there = Broker()
    there.client.list_queues(QueueNamePrefix=there.prefix, MaxResults=1)


def storage() -> None:
    next(object_store().keys("readyz/"), None)


NEEDED: dict[str, Callable[[], None]] = {
    "database": database,
    "jobs": jobs,
    "broker": broker,
    "storage": storage,
}
UNREACHABLE = (DatabaseError, BotoCoreError, ClientError, StorageError, OSError)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200: this process answers. Asked by whoever would restart it."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all that requests need can be reached, else 503; which of them can't, it names."""
    states = {name: _state(name, check) for name, check in NEEDED.items()}
    ready = all(state == "ok" for state in states.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **states}, status=200 if ready else 503)


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except UNREACHABLE as error:
        log.warning("not_ready", needed=name, error=str(error))
        return "unreachable"
    return "ok"
