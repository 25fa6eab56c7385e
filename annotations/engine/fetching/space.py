"""Is there room? Asked before anything is downloaded."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from annotations.engine.fetching.errors import FetchError

# Of the bundle and what its building needs for a while, to the bytes of the (compressed) download: estimates,
# on the safe side.
BUNDLE_SHARE = {"genome": 1.5, "genes": 2.0, "vcf": 1.0, "tsv": 3.0, "intervals": 3.0}


@dataclass(frozen=True)
class Need:
    """Room that one file needs: its bytes still to download, and what the bundle will have of it."""

    title: str
    download_bytes: int
    bundle_bytes: int


def check_space(
    needs: list[Need],
    cache: Path,
    references: Path,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> None:
    """Raise FetchError when the needs do not fit on the disks that hold the two folders."""
    download_bytes = sum(need.download_bytes for need in needs)
    bundle_bytes = sum(need.bundle_bytes for need in needs)
    cache, references = _existing(cache), _existing(references)
    if cache.stat().st_dev == references.stat().st_dev:
        _check(cache, download_bytes + bundle_bytes, free_bytes(cache), needs)
    else:
        _check(cache, download_bytes, free_bytes(cache), needs)
        _check(references, bundle_bytes, free_bytes(references), needs)


def readable_size(count_bytes: int) -> str:
    """The size for people: `1.4 GB`, `3 MB`, `20 kB`."""
    if count_bytes >= 10**9:
        return f"{count_bytes / 10**9:,.1f} GB"
    if count_bytes >= 10**6:
        return f"{round(count_bytes / 10**6)} MB"
    return f"{-(-count_bytes // 1000)} kB"


def _check(folder: Path, needed: int, free: int, needs: list[Need]) -> None:
    if needed <= free:
        return
    largest = sorted(needs, key=lambda need: -(need.download_bytes + need.bundle_bytes))[:5]
    listed = ", ".join(
        f"{one.title} {readable_size(one.download_bytes + one.bundle_bytes)}" for one in largest
    )
    raise FetchError(
        f"There is no room on the disk of {folder}: about {readable_size(needed)} are needed, "
        f"{readable_size(free)} are free. The largest: {listed}. Make room, take some --chromosomes, leave "
        "sources out with --without, or use other disks with --output and --cache."
    )


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
