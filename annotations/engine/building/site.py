"""Where a bundle is being built."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from annotations.engine.building.contig_names import ContigNames
from annotations.engine.bundle import GENOME_NAME


@dataclass(frozen=True)
class BuildSite:
    """`folder` becomes the bundle; `scratch` takes temporary files; `report` gets a line a finished step.

    `names` starts with the genome's contigs, and learns their aliases on the way.
    """

    folder: Path
    scratch: Path
    names: ContigNames
    report: Callable[[str], None]

    @property
    def genome(self) -> Path:
        return self.folder / GENOME_NAME


def some_of(names: Iterable[str]) -> str:
    """The first five of the names, and how many more there are: for messages."""
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
