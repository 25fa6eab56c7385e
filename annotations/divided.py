"""A job together with its shards."""

from dataclasses import dataclass
from typing import Self

from annotations.leftovers import job_prefix, remove_below
from annotations.models import Job, Shard, ShardStatus
from annotations.shard_queries import ShardQuerySet, shard_key


@dataclass(frozen=True)
class Divided:
    """A job that was divided, as it was when its record was read."""

    job: Job
    scatter_id: str
    shard_count: int

    @classmethod
    def of(cls, job: Job) -> Self | None:
        """None for a job without shards."""
        if job.scatter_id is None or job.shard_count is None:
            return None
        return cls(job, job.scatter_id, job.shard_count)

    @property
    def prefix(self) -> str:
        """Below it is what planner, shards and gatherer hand to each other."""
        return shards_prefix(self.job, self.scatter_id)

    @property
    def shards(self) -> ShardQuerySet:
        return Shard.objects.of(self.scatter_id, self.shard_count)

    def key(self, number: int) -> str:
        return shard_key(self.scatter_id, number)

    def variants_done(self) -> int:
        return sum(self.shards.values_list("variants_done", flat=True))

    def is_done(self) -> bool:
        """DONE is final, so it stays true once it is."""
        return list(self.shards.values_list("status", flat=True)) == [ShardStatus.DONE] * self.shard_count


def shards_prefix(job: Job, scatter_id: str) -> str:
    return f"{job_prefix(job)}shards-{scatter_id}/"


def discard_shards(job: Job) -> None:
    """The job runs no more: remove its shards and their files. Any number of times, by anybody.

    The records go first: a shard that is late can't complete from then on, and removes its file itself.
    """
    divided = Divided.of(job)
    if divided is None:
        return
    divided.shards.delete()
    if remove_below(divided.prefix):
        Job.objects.forget_shards(job.job_id, divided.scatter_id)
