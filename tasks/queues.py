"""The queues, and which task goes where: declared here and nowhere else."""

from kombu import Queue

ANNOTATE = "annotate"  # long work: one job a slot
ARCHIVE = "archive"  # moving results to cold storage and back
DEFAULT = "default"  # everything that is short

QUEUES = tuple(Queue(name) for name in (ANNOTATE, ARCHIVE, DEFAULT))

ROUTES = {
    "tasks.annotate": {"queue": ANNOTATE},
    "tasks.archive": {"queue": ARCHIVE},
    "tasks.discard": {"queue": ARCHIVE},
    "tasks.notify": {"queue": DEFAULT},
    "tasks.notify_returned": {"queue": DEFAULT},
    "tasks.restart_retention": {"queue": DEFAULT},
    "tasks.restore": {"queue": ARCHIVE},
    "tasks.schedule_archive": {"queue": DEFAULT},
    "tasks.sweep": {"queue": DEFAULT},
    "tasks.thaw": {"queue": DEFAULT},
    "tasks.thaw_job": {"queue": ARCHIVE},
}
