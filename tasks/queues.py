"""The queues, and which task goes where: declared here and nowhere else."""

from kombu import Queue

ANNOTATE = "annotate"  # long work: one job a slot
SHARDS = "shards"  # parts of large jobs: beside `annotate`, so that a small job need not wait for all of them
ARCHIVE = "archive"  # moving results to cold storage and back
DEFAULT = "default"  # everything that is short

QUEUE_NAMES = (ANNOTATE, SHARDS, ARCHIVE, DEFAULT)
QUEUES = tuple(Queue(name) for name in QUEUE_NAMES)

ROUTES = {
    "tasks.annotate": {"queue": ANNOTATE},
    "tasks.annotate_shard": {"queue": SHARDS},
    "tasks.gather": {"queue": ANNOTATE},
    "tasks.notify": {"queue": DEFAULT},
    "tasks.sweep": {"queue": DEFAULT},
    "tasks.tidy": {"queue": DEFAULT},
}

TRIES = 3  # deliveries of a message before it goes to the dead-letter queue


def dead_letters(queue: str) -> str:
    """The queue that takes what `queue` delivered in vain.

    >>> dead_letters(ANNOTATE)
    'annotate-dead'
    """
    return f"{queue}-dead"
