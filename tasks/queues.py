"""The queues, and which task goes where: declared here and nowhere else."""

from kombu import Queue

ANNOTATE = "annotate"  # long work: one job a slot
SHARDS = "shards"  # parts of large jobs: beside `annotate`, so that a small job need not wait for all of them
ARCHIVE = "archive"  # moving results to cold storage and back
DEFAULT = "default"  # everything that is short

QUEUES = tuple(Queue(name) for name in (ANNOTATE, SHARDS, ARCHIVE, DEFAULT))

ROUTES = {
    "tasks.annotate": {"queue": ANNOTATE},
    "tasks.annotate_shard": {"queue": SHARDS},
    "tasks.gather": {"queue": ANNOTATE},
    "tasks.notify": {"queue": DEFAULT},
    "tasks.sweep": {"queue": DEFAULT},
    "tasks.billing_event": {"queue": DEFAULT},
    "tasks.sync_subscription": {"queue": DEFAULT},
    "tasks.billing_notice": {"queue": DEFAULT},
    "tasks.reconcile_billing": {"queue": DEFAULT},
}
