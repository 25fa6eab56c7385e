"""The queues, which task goes where, and who asks which: declared here and nowhere else."""

from types import MappingProxyType

from kombu import Queue

ANNOTATE = "annotate"  # long work: one job a slot
SHARDS = "shards"  # parts of large jobs: beside `annotate`, so that a small job need not wait for all of them
SHARDS_FIRST = "shards-first"  # those of tiers with priority: they wait behind nobody else's
ARCHIVE = "archive"  # moving files: results to cold storage and back, large exports, uploads from other sites
DEFAULT = "default"  # everything that is short

QUEUE_NAMES = (ANNOTATE, SHARDS, SHARDS_FIRST, ARCHIVE, DEFAULT)
QUEUES = tuple(Queue(name) for name in QUEUE_NAMES)

# Each kind of worker with the queues that it asks. Short work has workers of its own: else a mail, a sweep or
# a result on its way back would wait until an annotation is over. On one machine a worker is of all kinds.
CONSUMERS = MappingProxyType(
    {"annotator": (ANNOTATE, SHARDS_FIRST, SHARDS), "clerk": (ARCHIVE, DEFAULT)},
)

ROUTES = {
    "tasks.annotate": {"queue": ANNOTATE},
    "tasks.annotate_shard": {"queue": SHARDS},
    "tasks.annotate_shard_first": {"queue": SHARDS_FIRST},
    "tasks.archive": {"queue": ARCHIVE},
    "tasks.discard": {"queue": ARCHIVE},
    "tasks.deliver_webhook": {"queue": DEFAULT},
    "tasks.export": {"queue": ARCHIVE},
    "tasks.fetch_upload": {"queue": ARCHIVE},
    "tasks.gather": {"queue": ANNOTATE},
    "tasks.notify": {"queue": DEFAULT},
    "tasks.notify_returned": {"queue": DEFAULT},
    "tasks.restart_retention": {"queue": DEFAULT},
    "tasks.restore": {"queue": ARCHIVE},
    "tasks.schedule_archive": {"queue": DEFAULT},
    "tasks.sweep": {"queue": DEFAULT},
    "tasks.billing_event": {"queue": DEFAULT},
    "tasks.sync_subscription": {"queue": DEFAULT},
    "tasks.billing_notice": {"queue": DEFAULT},
    "tasks.reconcile_billing": {"queue": DEFAULT},
    "tasks.thaw": {"queue": DEFAULT},
    "tasks.thaw_job": {"queue": ARCHIVE},
    "tasks.tidy": {"queue": DEFAULT},
}

# What is short and takes longer hangs: it is ended, and delivered again. Others have an annotation's limit.
SHORT_TASK_SECONDS = 600
LONG_TASKS = frozenset({"tasks.tidy"})  # of those in DEFAULT: it looks at every upload
TIME_LIMITS = {
    task: {"time_limit": SHORT_TASK_SECONDS, "soft_time_limit": SHORT_TASK_SECONDS - 30}
    for task, route in ROUTES.items()
    if route["queue"] == DEFAULT and task not in LONG_TASKS
}

TRIES = 3  # deliveries of a message before it goes to the dead-letter queue


def dead_letters(queue: str) -> str:
    """The queue that takes what `queue` delivered in vain.

    >>> dead_letters(ANNOTATE)
    'annotate-dead'
    """
    return f"{queue}-dead"
