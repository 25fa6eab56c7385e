"""How an attempt at a job, or at a part of it, may end other than well."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from annotations.divided import discard_shards
from annotations.engine.check.report import Finding
from annotations.enqueue import enqueue
from annotations.leftovers import job_prefix, list_below, remove
from annotations.models import Job
from annotations.storage import StorageError

log = structlog.get_logger(__name__)


class TryLater(Exception):
    """What the work needs can't be had now; the job is free again."""


class NotOurs(Exception):
    """The job was cancelled, or another run has ended it."""


class Failure(Exception):
    """The job can't be done. `reason` is for counting; the text and a file's `findings` are for the user."""

    def __init__(self, reason: str, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.findings = findings


@contextmanager
def attempt(job: Job, holder: str, release: Callable[[int], object], *, retry_seconds: int) -> Iterator[None]:
    """Around the work: writes into the job's record why it failed, or frees it for another attempt.

    `holder`: what the job's `claimed_by` says. `release` frees what the attempt had claimed; it gets the
    seconds until a message for it will arrive.

    Raises TryLater when storage or the database fails: the caller sends the task again in `retry_seconds`.
    Whatever stops the process in an orderly way (SystemExit) frees the work on its way through.
    """
    try:
        yield
    except NotOurs:
        log.info("job_lost")
    except Failure as failure:
        fail(job, holder, failure.reason, str(failure), failure.findings)
    except StorageError as error:
        log.warning("storage_failed", error=str(error))
        release(retry_seconds)
        raise TryLater from error
    except (OperationalError, InterfaceError) as error:
        # Nothing can be written down, so the claim stays; whoever retries has the same task id and wins it.
        log.warning("database_failed", error=str(error))
        raise TryLater from error
    except SoftTimeLimitExceeded:
        hours = settings.CELERY_TASK_SOFT_TIME_LIMIT / 3600
        fail(
            job,
            holder,
            "time_limit",
            f"The annotation took longer than the {hours:.1f} hours that one file may take. "
            "Split the file, for example by chromosome, and send the parts.",
        )
    except Exception:
        failed = fail(
            job,
            holder,
            "engine_failed",
            "The annotation broke down, and it was not your file's fault as far as we can tell. "
            "Please send it once more; if that fails too, tell the people who run this service "
            "the job's number.",
        )
        if failed:
            log.exception("engine_failed")
        else:
            log.info("job_lost")  # and with it its files, which broke this run down
    except BaseException:
        # The process is being stopped, for no fault of the job.
        release(0)
        log.info("job_released")
        raise


def fail(job: Job, holder: str, reason: str, message: str, findings: Sequence[Finding] = ()) -> bool:
    """RUNNING → FAILED, unless the job is no longer `holder`'s; what runs of it have left goes."""
    leftovers = list_below(job_prefix(job), keep=frozenset({job.input_key})) or []
    if not Job.objects.fail(job.job_id, holder, reason, message, findings):
        return False
    log.info("job_failed", job_id=job.job_id, reason=reason)
    discard_shards(job)
    remove(leftovers)  # listed before: what comes afterwards is that of somebody who runs it again
    enqueue("notify", job.job_id)
    return True
