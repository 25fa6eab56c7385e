"""Give a run's files to its job: they are the job's from then on, or nobody's."""

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from annotations.attempts import NotOurs
from annotations.divided import discard_shards
from annotations.enqueue import enqueue
from annotations.job_queries import Outputs
from annotations.leftovers import job_prefix, list_below, remove
from annotations.models import Job
from annotations.provenance import recorded
from annotations.storage import object_store

if TYPE_CHECKING:
    from annotations.engine.layout import Summary

log = structlog.get_logger(__name__)


def publish(job: Job, task_id: str, summary: "Summary") -> None:
    """RUNNING → COMPLETED, with the files of `summary`.

    Twins publish under prefixes of their own. Raises NotOurs, and leaves no file, when another was first
    or the job was cancelled.
    """
    store = object_store()
    prefix = f"{job_prefix(job)}{secrets.token_hex(8)}/"
    keys = {kind: prefix + Path(path).name for kind, path in summary.files.items()}
    try:
        for kind, path in summary.files.items():
            store.publish(Path(path), keys[kind])
    except BaseException:
        remove(list(keys.values()))
        raise
    outputs = _outputs(job, keys, summary)
    # Listed before the job is complete: what comes below its prefix afterwards may be its result, restored.
    leftovers = list_below(job_prefix(job), keep=frozenset(keys.values()) | {job.input_key}) or []
    # A `complete` that was applied, but whose reply was lost and asked for again, says that it did nothing.
    won = (
        Job.objects.complete(job.job_id, task_id, outputs)
        or Job.objects.filter(pk=job.job_id, result_key=outputs.result_key).exists()
    )
    if not won:
        remove(list(keys.values()))
        raise NotOurs
    log.info("job_completed", seconds=round(time.time() - job.submitted_at.timestamp(), 1))
    discard_shards(job)
    remove(leftovers)
    enqueue("notify", job.job_id)
    enqueue("schedule_archive", job.job_id)


def _outputs(job: Job, keys: dict[str, str], summary: "Summary") -> Outputs:
    return Outputs(
        results_bucket=settings.RESULTS_BUCKET,
        result_key=keys["vcf"],
        index_key=keys["index"],
        table_key=keys["table"],
        log_key=keys["log"],
        result_bytes=Path(summary.files["vcf"]).stat().st_size,
        summary={name: value for name, value in summary.as_json().items() if name != "files"},
        provenance=recorded(job, summary.files),
    )
