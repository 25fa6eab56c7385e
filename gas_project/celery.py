"""The Celery application."""

import os
import sys
import time
import warnings
from inspect import signature
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, Task, signals
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # its stubs lack it

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas_project.settings")
# Celery would run Django's system checks and drop what they find. They look at the addresses, and so a worker
# would hold every page's code, 80 MB; below are those that say something about a worker.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

log = structlog.get_logger(__name__)

_began_at: dict[str, float] = {}  # by task id

app = Celery("gas_project", control="tasks.fanout:Control", events="tasks.events:Events")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["tasks"], related_name="pipeline")
app.autodiscover_tasks(["tasks"], related_name="billing")
app.autodiscover_tasks(["tasks"], related_name="archival")
app.autodiscover_tasks(["tasks"], related_name="exports")
app.autodiscover_tasks(["tasks"], related_name="incoming")
app.autodiscover_tasks(["tasks"], related_name="webhooks")
app.autodiscover_tasks(["tasks"], related_name="sweep")
# By name: only a worker loads them.
app.steps["consumer"].add("tasks.visibility:VisibilityExtender")
app.steps["consumer"].add("tasks.storage_events:StorageEvents")
app.steps["consumer"].add("tasks.life:SignOfLife")


# It warns root because a pickled message could run anything; ours are JSON (accept_content), which can't.
warnings.filterwarnings("ignore", category=SecurityWarning)


@signals.worker_init.connect
def refuse_wrong_settings(**_: Any) -> None:
    """An exception would be logged by Celery, and the worker go on."""
    from django.core.checks import run_checks

    from gas_project.checks import OURS

    if errors := [str(message) for message in run_checks(tags=[OURS]) if message.is_serious()]:
        sys.exit("\n".join(errors))


@signals.setup_logging.connect
def leave_logging_to_django(**_: Any) -> None:
    """A receiver, whatever it does, keeps Celery from setting up logs of its own."""


@signals.task_prerun.connect
def bind_ids(task_id: str, task: Task, args: Any, **_: Any) -> None:
    """Every log line of a task bears its id and that of the job, or user, which is its first argument."""
    _began_at[task_id] = time.monotonic()
    subject = next(iter(signature(task.run).parameters), "argument")
    structlog.contextvars.bind_contextvars(
        task=task.name, task_id=task_id, **({subject: args[0]} if args else {})
    )


@signals.task_postrun.connect
def unbind_ids(task_id: str, task: Task, state: str | None = None, **_: Any) -> None:
    from gas_project.metrics import observe_stores, observe_task

    if task.name == "tasks.sweep":  # once a minute, by one of all workers
        observe_stores()
    observe_task(task.name, state or "", time.monotonic() - _began_at.pop(task_id, time.monotonic()))
    structlog.contextvars.clear_contextvars()


@signals.task_failure.connect
def note_breakdown(sender: Task, exception: BaseException, args: Any = (), **_: Any) -> None:
    """A job is failed over a message that was delivered in vain only if its task is known to have raised."""
    from gas_project.metrics import observe_failure

    observe_failure(sender.name, exception)
    log.error("task_failed", task=sender.name, args=args, exc_info=exception)
    if not args or not sender.name.startswith("tasks."):
        return
    from django.db import DatabaseError

    from annotations.models import Job

    try:
        Job.objects.note_breakdown(str(args[0]))
    except DatabaseError as error:
        log.warning("database_failed", error=str(error))


@signals.worker_ready.connect
def worker_is_ready(**_: Any) -> None:
    """A file says so to whoever supervises the worker: it has no port to ask."""
    ready_file().parent.mkdir(parents=True, exist_ok=True)
    ready_file().touch()


def ready_file() -> Path:
    from django.conf import settings

    return Path(settings.STATE_DIR) / "run" / "worker-ready"
