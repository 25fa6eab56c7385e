"""The queues, and which task goes where: declared here and nowhere else."""

from kombu import Queue

ANNOTATE = "annotate"  # long work: one job a slot
ARCHIVE = "archive"  # moving results to cold storage and back
DEFAULT = "default"  # everything that is short

QUEUES = tuple(Queue(name) for name in (ANNOTATE, ARCHIVE, DEFAULT))

ROUTES = {
    "tasks.annotate": {"queue": ANNOTATE},
    "tasks.notify": {"queue": DEFAULT},
    "tasks.sweep": {"queue": DEFAULT},
    "tasks.billing_event": {"queue": DEFAULT},
    "tasks.sync_subscription": {"queue": DEFAULT},
    "tasks.billing_notice": {"queue": DEFAULT},
    "tasks.reconcile_billing": {"queue": DEFAULT},
}
