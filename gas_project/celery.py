"""The Celery application."""

import os
import warnings
from inspect import signature
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, Task, signals
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # its stubs lack it

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas_project.settings")

app = Celery("gas_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["tasks"], related_name="pipeline")
app.autodiscover_tasks(["tasks"], related_name="billing")
app.autodiscover_tasks(["tasks"], related_name="archival")
app.autodiscover_tasks(["tasks"], related_name="incoming")
app.autodiscover_tasks(["tasks"], related_name="sweep")
app.steps["consumer"].add("tasks.visibility:VisibilityExtender")  # by name: only a worker loads them
app.steps["consumer"].add("tasks.storage_events:StorageEvents")


# It warns root because a pickled message could run anything; ours are JSON (accept_content), which can't.
warnings.filterwarnings("ignore", category=SecurityWarning)


@signals.setup_logging.connect
def leave_logging_to_django(**_: Any) -> None:
    """A receiver, whatever it does, keeps Celery from setting up logs of its own."""


@signals.task_prerun.connect
def bind_ids(task_id: str, task: Task, args: Any, **_: Any) -> None:
    """Every log line of a task bears its id and that of the job, or user, which is its first argument."""
    subject = next(iter(signature(task.run).parameters), "argument")
    structlog.contextvars.bind_contextvars(
        task=task.name, task_id=task_id, **({subject: args[0]} if args else {})
    )


@signals.task_postrun.connect
def unbind_ids(**_: Any) -> None:
    structlog.contextvars.clear_contextvars()


@signals.worker_ready.connect
def worker_is_ready(**_: Any) -> None:
    """A file says so to whoever supervises the worker: it has no port to ask."""
    ready_file().parent.mkdir(parents=True, exist_ok=True)
    ready_file().touch()


def ready_file() -> Path:
    from django.conf import settings

    return Path(settings.STATE_DIR) / "run" / "worker-ready"
