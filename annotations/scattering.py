"""A large job on all the workers of the service: divide it, annotate its shards, join them.

Each of the three is a task, on whatever host, and what they hand to each other goes through the object store.
Each may run twice, late, or beside its twin:

- of two that divide a job, `Job.scatter` lets one hand it to its shards, and the other removes its files;
- of two runs of a shard, `Shard.complete` lets one deliver, and the other removes its file;
- the shard that finds all of them done sends for the gatherer, and `Job.claim_gather` lets one gather.

The sweep (`mend`) sends again what was lost on the way. A shard that is done is never done again.
"""

import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from annotations.attempts import Failure, NotOurs, attempt, fail
from annotations.divided import Divided, shards_prefix
from annotations.engine import scatter as engine
from annotations.engine.bundle import ReferenceBundle
from annotations.engine.errors import UnusableInput
from annotations.engine.layout import PLAN_NAME, Plan, Summary
from annotations.enqueue import enqueue
from annotations.inputs import open_reference
from annotations.job_queries import GIVEN_UP, MAX_ATTEMPTS
from annotations.lease import lease_kept
from annotations.leftovers import remove, remove_below
from annotations.limits import limits_of
from annotations.models import Job, Shard, ShardStatus
from annotations.publishing import publish
from annotations.reporting import Reporter
from annotations.scratch import remove_abandoned, scratch_folder
from annotations.storage import object_store

log = structlog.get_logger(__name__)


def divide(  # noqa: PLR0913  what a run has at hand
    job: Job, task_id: str, source: Path, bundle: ReferenceBundle, *, folder: Path, report: Reporter
) -> Summary | None:
    """Hand the job to its shards, or annotate it here when it makes but one: then there is a result."""
    directory = folder / "plan"
    plan = engine.plan_shards(
        source,
        bundle,
        directory,
        shard_records=settings.SHARD_RECORDS,
        haplotype_aware=job.haplotype_aware,
        progress=report,
    )
    if len(plan.shards) == 1:
        return engine.annotate_here(directory, bundle, folder / "output", progress=report)
    scatter_id = secrets.token_hex(8)
    try:
        _store_inputs(shards_prefix(job, scatter_id), directory, plan, report)
        _scatter(job, task_id, scatter_id, plan)
    except BaseException:
        remove_below(shards_prefix(job, scatter_id))
        raise
    log.info("job_divided", shards=len(plan.shards), variants=plan.records)
    send_shards(Divided(job, scatter_id, len(plan.shards)))
    return None


def _store_inputs(prefix: str, directory: Path, plan: Plan, report: Reporter) -> None:
    store = object_store()
    store.publish(directory / PLAN_NAME, prefix + PLAN_NAME)
    for shard in plan.shards:
        report("divide", None, plan.records)
        path = engine.write_input(directory, plan, shard.number)
        store.publish(path, prefix + path.name)
        path.unlink()


def _scatter(job: Job, task_id: str, scatter_id: str, plan: Plan) -> None:
    won = Job.objects.scatter(
        job.job_id, task_id, scatter_id, shard_count=len(plan.shards), variants_total=plan.records
    )
    # One that was applied, but whose reply was lost and asked for again, says that it did nothing.
    if not won and not Job.objects.filter(pk=job.job_id, scatter_id=scatter_id).exists():
        raise NotOurs


def send_shards(divided: Divided) -> None:
    """Make the shards, as far as they are missing, and send a message for each."""
    job_id = divided.job.job_id
    Shard.objects.prepare(job_id, divided.scatter_id, divided.shard_count)
    if not Job.objects.filter(pk=job_id, scatter_id=divided.scatter_id).exists():
        divided.shards.delete()  # the job was cancelled and tidied up meanwhile
        return
    task = _shard_task(divided.job)
    for number in range(divided.shard_count):
        if not enqueue(task, job_id, number):
            return  # the broker is away, and would keep us waiting for every shard


def _shard_task(job: Job) -> str:
    """Shards of a tier with priority have a queue of their own, and wait behind no other tier's."""
    has_priority = limits_of(job.user).sharding_priority > 0
    return "annotate_shard_first" if has_priority else "annotate_shard"


def run_shard(job_id: str, number: int, task_id: str, *, retry_seconds: int) -> None:
    """Annotate one shard, unless it is taken or done, or the job is no longer with its shards.

    Raises TryLater when storage or the database fails: the caller sends it again in `retry_seconds`.
    """
    remove_abandoned()
    job = Job.objects.filter(pk=job_id).first()
    divided = Divided.of(job) if job and job.is_with_shards else None
    if divided is None or not Shard.objects.claim(divided.key(number), task_id):
        log.info("shard_not_free", shard=number)
        return
    key = divided.key(number)

    def release(wait_seconds: int) -> None:
        Shard.objects.release(key, task_id, wait_seconds=wait_seconds)

    with (
        attempt(divided.job, divided.scatter_id, release, retry_seconds=retry_seconds),
        lease_kept(partial(Shard.objects.extend_lease, key, task_id)),
    ):
        _annotate_shard(divided, number, task_id)
        if divided.is_done():
            send_gather(divided)


def _annotate_shard(divided: Divided, number: int, task_id: str) -> None:
    key = divided.key(number)

    def send(stage: str, done: int | None, total: int | None) -> bool:
        return Shard.objects.report(key, task_id, done or 0) and _report_all(divided)

    report = Reporter(send)
    bundle = open_reference(divided.job.reference)
    with scratch_folder() as folder:
        # 1. Fetch.
        report("fetch", 0)
        for name in (PLAN_NAME, engine.input_name(number)):
            object_store().fetch(divided.prefix + name, folder / name)
        # 2. Annotate.
        output = engine.annotate_input(folder, number, bundle, progress=partial(report, "annotate"))
        # 3. Deliver.
        records = Plan.load(folder).shards[number].records
        _deliver(divided, key, task_id, output, records)
    log.info("shard_done", shard=number, variants=records)


def _deliver(divided: Divided, key: str, task_id: str, output: Path, records: int) -> None:
    result_key = f"{divided.prefix}{secrets.token_hex(8)}/{output.name}"
    try:
        object_store().publish(output, result_key)
    except BaseException:
        remove([result_key])
        raise
    won = (
        Shard.objects.complete(key, task_id, result_key, records)
        or Shard.objects.filter(pk=key, result_key=result_key).exists()
    )
    if not won:
        remove([result_key])
        raise NotOurs
    _report_all(divided)


def _report_all(divided: Divided) -> bool:
    return Job.objects.report_shards(divided.job.job_id, divided.scatter_id, divided.variants_done())


def send_gather(divided: Divided) -> bool:
    """Send for the gatherer; of two shards that both see that they were the last, one does."""
    divided.job.refresh_from_db(fields=["queued_at"])
    if not Job.objects.resend(divided.job.job_id, divided.job.queued_at):
        return True
    return enqueue("gather", divided.job.job_id)


def gather(job_id: str, task_id: str, *, retry_seconds: int) -> None:
    """Join the shards of a job into its result, unless they are not done or somebody else does it.

    Raises TryLater when storage or the database fails: the caller sends it again in `retry_seconds`.
    """
    remove_abandoned()
    job = Job.objects.filter(pk=job_id).first()
    divided = Divided.of(job) if job else None
    if (
        divided is None
        or not divided.is_done()
        or not Job.objects.claim_gather(job_id, task_id, divided.scatter_id)
    ):
        log.info("job_not_free", job_id=job_id)
        return

    def release(wait_seconds: int) -> None:
        Job.objects.hand_back(job_id, task_id, divided.scatter_id, wait_seconds=wait_seconds)

    with (
        attempt(divided.job, task_id, release, retry_seconds=retry_seconds),
        lease_kept(partial(Job.objects.extend_lease, job_id, task_id)),
    ):
        _gather(divided, task_id)


def _gather(divided: Divided, task_id: str) -> None:
    job, store = divided.job, object_store()
    variants = divided.variants_done()
    report = Reporter(partial(Job.objects.report, job.job_id, task_id))
    bundle = open_reference(job.reference)
    with scratch_folder() as folder:
        # 1. Fetch.
        store.fetch(divided.prefix + PLAN_NAME, folder / PLAN_NAME)
        for number, result_key in divided.shards.values_list("number", "result_key"):
            report("gather", variants, variants)
            store.fetch(result_key, folder / engine.output_name(number))
        # 2. Join.
        try:
            summary = engine.gather_shards(folder, bundle, folder / "output", progress=report)
        except UnusableInput as error:
            raise Failure("unusable_input", str(error), error.findings) from error
        # 3. Publish, and say so.
        report("store", variants, variants)
        publish(job, task_id, summary)


def mend(divided: Divided, *, shard_patience: timedelta, gather_patience: timedelta) -> bool:
    """Send again what a running job has sent in vain, or fail it when a shard takes its workers down.

    False when the broker can't be reached.
    """
    job, now = divided.job, timezone.now()
    Shard.objects.prepare(job.job_id, divided.scatter_id, divided.shard_count)
    if divided.is_done():
        return job.queued_at > now - gather_patience or send_gather(divided)
    for shard in divided.shards.exclude(status=ShardStatus.DONE):
        if shard.is_lost(now, shard_patience) and not _send_again_or_give_up(divided, shard):
            return False
    return True


def _send_again_or_give_up(divided: Divided, shard: Shard) -> bool:
    job = divided.job
    if shard.attempts >= MAX_ATTEMPTS:
        log.warning("job_given_up", job_id=job.job_id, shard=shard.number, attempts=shard.attempts)
        fail(job, divided.scatter_id, "worker_lost", GIVEN_UP)
        return True
    if not Shard.objects.resend(shard.key, shard.queued_at):
        return True  # another sweep sends it
    task = _shard_task(job)
    log.info("task_sent_again", job_id=job.job_id, task=task, shard=shard.number)
    return enqueue(task, job.job_id, shard.number)


def resume(divided: Divided) -> bool:
    """Send all that is not done, however lately it was sent. Only for who knows that no worker is left."""
    job = divided.job
    if not job.is_with_shards:
        Job.objects.hand_back(job.job_id, job.claimed_by, divided.scatter_id)
    divided.shards.release_all()
    at_once = timedelta(days=-1)
    job.refresh_from_db()
    return mend(divided, shard_patience=at_once, gather_patience=at_once)
