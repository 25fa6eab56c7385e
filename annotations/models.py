"""The job: one VCF that a user sent, and what became of it."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, router
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from annotations.engine.check.report import Finding
from annotations.job_queries import SHARDS, JobQuerySet
from annotations.shard_queries import ShardQuerySet


def new_job_id() -> str:
    return str(uuid.uuid4())


ABOUT_TO = timedelta(minutes=10)


def new_shard() -> int:
    return random.choice(SHARDS)  # noqa: S311  spreads load, and is no secret


def cascade_within_database(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """CASCADE where jobs and accounts share a database; elsewhere `deleting` deletes a gone user's jobs."""
    if router.db_for_write(Job) == using:
        models.CASCADE(collector, field, sub_objs, using)


# Django then asks for no rows of a table that this database may not have.
cascade_within_database.lazy_sub_objs = True  # type: ignore[attr-defined]


class Status(models.TextChoices):
    """Where the work stands.

    PENDING --claim--> RUNNING --complete--> COMPLETED
       |                 | ^ `--fail-------> FAILED
       |                 | `-- claim, when the lease has run out
       `---- cancel -----`-----------------> CANCELLED

    RUNNING is in the hands of one task (`claimed_by` is its id, with a lease) or of the job's shards
    (`claimed_by` is `scatter_id`, without a lease: shards have their own, and may wait for a free worker):

    one task --scatter--> its shards --claim_gather--> one task, --complete--> COMPLETED
                               ^------- hand_back --------'
    """

    PENDING = "PENDING", "Waiting"
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class ResultState(models.TextChoices):
    """Where the result is.

    NONE --complete--> AVAILABLE --claim_archiving--> ARCHIVING --archived--> ARCHIVED
                        ^  ^ `-------- keep --------------'                       |
                        |  `- take_back, the archive being gone                   | ask_retrieval
                    restored                                                      v
                    RESTORING <-------------- claim_restore ------------------ THAWING
                        `------------------- ask_again, expired -----------------^
    """

    NONE = "NONE", "None yet"
    AVAILABLE = "AVAILABLE", "Available"
    ARCHIVING = "ARCHIVING", "Moving to the archive"
    ARCHIVED = "ARCHIVED", "Archived"
    THAWING = "THAWING", "Being retrieved"
    RESTORING = "RESTORING", "Being copied back"


class Job(models.Model):
    """One annotation of one upload.

    States change only by the verbs of `JobQuerySet`, each one conditional update: `save()` writes every field
    and would undo what another process has done meanwhile. Column names are those of existing tables of the
    service (`db_column`).
    """

    job_id = models.CharField("job", primary_key=True, max_length=36, default=new_job_id, editable=False)
    # No constraint: the accounts may live in another database than the jobs.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=cascade_within_database,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
    )
    submitted_at = models.DateTimeField(
        "submitted", default=timezone.now, editable=False, db_column="submit_time"
    )

    input_file_name = models.CharField("file", max_length=255)
    inputs_bucket = models.CharField(max_length=63, db_column="s3_inputs_bucket")
    input_key = models.CharField(max_length=700, db_column="s3_key_input_file")
    input_bytes = models.PositiveBigIntegerField("size of the input, bytes")

    reference = models.CharField(max_length=120, help_text="Reference bundle, as NAME/VERSION.")
    haplotype_aware = models.BooleanField(default=False)

    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PENDING, editable=False, db_column="job_status"
    )
    stage = models.CharField(max_length=20, blank=True, editable=False)
    variants_done = models.PositiveBigIntegerField(null=True, editable=False)
    variants_total = models.PositiveBigIntegerField(null=True, editable=False)
    claimed_by = models.CharField(
        max_length=36, blank=True, editable=False, help_text="Id of the task that has the job in hand."
    )
    # Null, so that the index has only the few jobs that are divided.
    scatter_id = models.CharField(  # noqa: DJ001
        max_length=16, null=True, editable=False, help_text="Names the shards of a job that was divided."
    )
    shard_count = models.PositiveIntegerField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    queued_at = models.DateTimeField(
        default=timezone.now, editable=False, help_text="When a message for the job was last sent."
    )

    result_state = models.CharField(
        "result", max_length=10, choices=ResultState.choices, default=ResultState.NONE, editable=False
    )
    results_bucket = models.CharField(
        max_length=63, blank=True, editable=False, db_column="s3_results_bucket"
    )
    result_key = models.CharField(max_length=700, blank=True, editable=False, db_column="s3_key_result_file")
    index_key = models.CharField(max_length=700, blank=True, editable=False)
    table_key = models.CharField(max_length=700, blank=True, editable=False)
    log_key = models.CharField(max_length=700, blank=True, editable=False, db_column="s3_key_log_file")
    result_bytes = models.PositiveBigIntegerField("size of the result, bytes", null=True, editable=False)
    completed_at = models.DateTimeField("finished", null=True, editable=False, db_column="complete_time")
    summary = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Counts, as the engine gave them."
    )

    input_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    provenance = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="What made the result: see annotations.provenance.",
    )

    failure_reason = models.CharField(max_length=40, blank=True, editable=False)
    failure_message = models.TextField(blank=True, editable=False)

    archive_id = models.CharField(  # noqa: DJ001  NULL keeps a job out of the index of the archived ones
        max_length=200, null=True, editable=False, db_column="results_file_archive_id"
    )
    archive_contents = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Name, size in bytes and SHA-256 of each file in the archive, by kind.",
    )
    archive_due_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField("archived", null=True, editable=False)
    archived_by_hand = models.BooleanField(
        default=False, editable=False, help_text="Archived because its user asked, not because its time came."
    )
    archive_task = models.CharField(
        max_length=36, blank=True, editable=False, help_text="Id of the task that has the result in hand."
    )
    archive_next_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the sweep looks at the result next; in a task's hand, the end of its lease.",
    )
    archive_shard = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="Set as long as archive_next_at is."
    )
    retrieval_option = models.CharField(max_length=10, blank=True, editable=False)
    retrieval_ticket = models.CharField(
        max_length=200, blank=True, editable=False, help_text="What cold storage calls the retrieval."
    )
    retrieval_asked_at = models.DateTimeField(null=True, editable=False)
    retrieval_expected_at = models.DateTimeField(null=True, editable=False)
    returned_at = models.DateTimeField("back from the archive", null=True, editable=False)
    return_mail_due = models.BooleanField(default=False, editable=False)
    notified_at = models.DateTimeField(null=True, editable=False)
    unsettled_shard = models.PositiveSmallIntegerField(
        null=True,
        default=new_shard,
        editable=False,
        help_text="Set while the sweep has to look after the job.",
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        # On DynamoDB these are the global secondary indexes, and every query but those by key goes by one of
        # them. The conditions make partial indexes on SQL databases and sparse ones there, of few jobs each.
        indexes = (
            models.Index(fields=["user", "-submitted_at"], name="job_user_newest"),
            models.Index(fields=["status", "-submitted_at"], name="job_status"),
            models.Index(
                fields=["user", "archive_id"],
                name="job_user_archived",
                condition=Q(archive_id__isnull=False),
            ),
            models.Index(
                fields=["archive_shard", "archive_next_at"],
                name="job_archive_due",
                condition=Q(archive_shard__isnull=False, archive_next_at__isnull=False),
            ),
            models.Index(
                fields=["unsettled_shard", "queued_at"],
                name="job_unsettled",
                condition=Q(unsettled_shard__isnull=False),
            ),
            models.Index(fields=["scatter_id"], condition=Q(scatter_id__isnull=False), name="job_scattered"),
        )

    def __str__(self) -> str:
        return f"{self.input_file_name} ({self.job_id[:8]})"

    def get_absolute_url(self) -> str:
        return reverse("annotations:job", args=[self.job_id])

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong with the file of a job that failed for it, for programs."""
        found = self.summary.get("findings", ()) if self.status == Status.FAILED else ()
        return [Finding(**one) for one in found]

    @property
    def problems(self) -> list[str]:
        """The same for people; of a job that failed before findings were kept there is nothing but this."""
        if self.status != Status.FAILED:
            return []
        return [str(one) for one in self.findings] or list(self.summary.get("problems", ()))

    @property
    def is_finished(self) -> bool:
        """Nothing more will happen to the work itself."""
        return self.status in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}

    @property
    def result_is_moving(self) -> bool:
        """The result is on its way into the archive or out of it, or about to be: its page will change."""
        if self.result_state == ResultState.AVAILABLE and self.archive_due_at is not None:
            return self.archive_due_at < timezone.now() + ABOUT_TO
        return self.result_state in {ResultState.ARCHIVING, ResultState.THAWING, ResultState.RESTORING}

    @property
    def is_with_shards(self) -> bool:
        """The shards of the job are at work, or wait for somebody to gather them."""
        return self.status == Status.RUNNING and self.claimed_by == self.scatter_id


class Submission(models.Model):
    """That a user submitted a job: what their limits are counted from.

    It lives with the accounts, whatever database the jobs are in: a user's row is the lock under which their
    jobs are submitted one by one, and DynamoDB would find the jobs of a user by an index that lags behind.
    """

    job_id = models.CharField("job", primary_key=True, max_length=36, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="submissions"
    )
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    is_over = models.BooleanField(
        default=False, editable=False, help_text="A count has found the job at its end, or gone."
    )

    class Meta:
        indexes = (models.Index(fields=["user", "submitted_at"], name="submission_user"),)

    def __str__(self) -> str:
        return f"{self.job_id[:8]}, submitted {self.submitted_at:%Y-%m-%d %H:%M}"


class ShardStatus(models.TextChoices):
    """PENDING --claim--> RUNNING --complete--> DONE. There is no failure: that of a shard is the job's."""

    PENDING = "PENDING", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"


class Shard(models.Model):
    """A part of a divided job, while that runs; it goes when the job is over.

    Its key is made of the job's `scatter_id` and its number: all shards of a job are read by their keys, and
    shards of an earlier run of the job are others. As with jobs, states change only by verbs.
    """

    key = models.CharField(primary_key=True, max_length=24, editable=False)
    job_id = models.CharField("job", max_length=36, editable=False)
    number = models.PositiveIntegerField(editable=False)
    status = models.CharField(
        max_length=10, choices=ShardStatus.choices, default=ShardStatus.PENDING, editable=False
    )
    variants_done = models.PositiveBigIntegerField(default=0, editable=False)
    claimed_by = models.CharField(max_length=36, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    result_key = models.CharField(max_length=700, blank=True, editable=False)

    objects = ShardQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.job_id[:8]}, shard {self.number}"

    def is_lost(self, now: datetime, patience: timedelta) -> bool:
        """Its message was sent longer than `patience` ago and nobody took it, or its worker went silent."""
        if self.status == ShardStatus.PENDING:
            return self.queued_at < now - patience
        return self.lease_expires_at is not None and self.lease_expires_at < now
