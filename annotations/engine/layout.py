"""What stands between the stages: the plan of an annotation, its shards, and its summary.

Light to import, for the process that only starts and watches the stages.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RECORDS_NAME = "records"
PLAN_NAME = "plan.json"


@dataclass(frozen=True)
class Rules:
    """What an upload may be."""

    max_bytes: int = 1 << 40
    max_line_bytes: int = 64 << 20
    max_samples: int = 200_000
    max_mismatch_share: float = 0.05


@dataclass(frozen=True)
class Segment:
    """Consecutive records of one contig: a stretch of bytes of `records`."""

    contig: int  # index into Plan.contigs
    records: int
    start_byte: int
    end_byte: int


@dataclass(frozen=True)
class Chunk:
    """Consecutive segments that are worked on at once. They follow from the file alone (`cutting`)."""

    segments: tuple[Segment, ...]

    @property
    def records(self) -> int:
        return sum(segment.records for segment in self.segments)

    @property
    def start_byte(self) -> int:
        return self.segments[0].start_byte

    @property
    def end_byte(self) -> int:
        return self.segments[-1].end_byte

    def follows_on(self, before: "Chunk") -> bool:
        """Whether it goes on with the contig that `before` ends with."""
        return self.segments[0].contig == before.segments[-1].contig


@dataclass(frozen=True)
class Shard:
    """A contiguous stretch of the records, annotated by one process.

    `pieces` says how many of its chunks, in order, make each piece of the result table.
    """

    number: int
    first_record: int
    chunks: tuple[Chunk, ...]
    pieces: tuple[int, ...] = ()

    @property
    def records(self) -> int:
        return sum(chunk.records for chunk in self.chunks)

    @property
    def contigs(self) -> list[int]:
        """Numbers of its contigs, in order."""
        return [*dict.fromkeys(segment.contig for chunk in self.chunks for segment in chunk.segments)]


@dataclass(frozen=True)
class Plan:
    """`contigs` pairs the user's name of each contig, in order, with the bundle's name of it, or None."""

    name: str
    columns: list[str]
    meta: list[str]
    contigs: list[tuple[str, str | None]]
    shards: list[Shard]
    records: int
    notes: list[str]
    haplotype_aware: bool
    keep_bcsq: bool
    max_mismatch_share: float = Rules.max_mismatch_share
    started_at: float = 0.0  # Unix time at which the check began, by the clock of its host

    @property
    def samples(self) -> list[str]:
        return self.columns[9:]

    def save(self, directory: Path) -> None:
        (directory / PLAN_NAME).write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, directory: Path) -> "Plan":
        content: dict[str, Any] = json.loads((directory / PLAN_NAME).read_text())
        content["contigs"] = [tuple(pair) for pair in content["contigs"]]
        content["shards"] = [
            Shard(
                one["number"],
                one["first_record"],
                tuple(_chunk(chunk) for chunk in one["chunks"]),
                tuple(one["pieces"]),
            )
            for one in content["shards"]
        ]
        return cls(**content)


def _chunk(content: dict[str, Any]) -> Chunk:
    return Chunk(tuple(Segment(**segment) for segment in content["segments"]))


@dataclass
class Summary:
    """What became of an input: the files made and the counts."""

    name: str
    reference: str
    records_in: int
    records_out: int
    alleles: int
    known: dict[str, int]
    consequences: dict[str, int]
    impacts: dict[str, int]
    left_out: dict[str, int]
    notes: list[str]
    files: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def shard_directory(directory: Path, number: int) -> Path:
    """Where a shard leaves what it made."""
    return directory / f"shard-{number}"
