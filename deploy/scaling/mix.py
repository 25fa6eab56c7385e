"""What jobs are like: how many are of which kind, and how long a core works on each.

Times are the engine's on a core (docs/engine.md) with what is around it. 60 small jobs at once took the two
processes of one machine's worker 39 s (docs/load.md), which is 1.3 s each; a million variants take some 12 s
of a core, a shard of a divided file 0.4 s more. Reading or writing 100 MB in S3 is put at 2 s. The shares are
an assumption: of a laboratory that sequences panels, some exomes, and a few genomes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One core's seconds. A divided job is cut first, its shards are tasks, and the last one is followed by
    a task that joins them."""

    name: str
    share: float
    seconds: float
    shards: int = 0
    shard_seconds: float = 0.0
    join_seconds: float = 0.0

    @property
    def work_seconds(self) -> float:
        return self.seconds + self.shards * self.shard_seconds + self.join_seconds


MIX = (
    Kind("panel, 1,000 variants", 0.6, 1.3),
    Kind("exome, 100,000 variants", 0.3, 2.5),
    Kind("genome, 5,000,000 variants", 0.1, 8.0, shards=20, shard_seconds=3.5, join_seconds=12.0),
)
MEAN_WORK_SECONDS = sum(kind.share * kind.work_seconds for kind in MIX)
