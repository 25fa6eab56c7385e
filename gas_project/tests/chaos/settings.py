"""The service's settings, with an engine that only takes its time, and a sweep every few seconds."""

import os

from gas_project.settings import *  # noqa: F403

ENGINE = "gas_project.tests.chaos.engine.annotate"
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "tasks.sweep", "schedule": 3.0, "options": {"expires": 60}}}

if _redis := os.environ.get("CHAOS_REDIS_URL"):
    # The same worker on the broker that Celery knows best, to measure beside.
    globals().update(
        CELERY_BROKER_URL=_redis,
        CELERY_BROKER_TRANSPORT=None,
        CELERY_BROKER_TRANSPORT_OPTIONS={},
        CELERY_WORKER_SEND_TASK_EVENTS=False,
    )
