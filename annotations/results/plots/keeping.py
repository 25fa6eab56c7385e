"""Plots of whole files: they never change, so that a machine counts each once and keeps its numbers."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import structlog

from annotations.results.caching import cache_folder, modified_at
from annotations.results.plots.numbers import Drawing, Numbers
from annotations.results.tables import ResultTable
from annotations.results.vocabulary import CONSEQUENCES

log = structlog.get_logger(__name__)

MOST_KEPT = 2_000  # a few kilobytes each; the first of them make room


def kept(name: str, table: ResultTable, make: Callable[[], Numbers]) -> Numbers:
    """The numbers of plot `name` of all rows of `table`: read where they are kept, else made and kept."""
    path = _folder() / f"{_identity(name, table)}.json"
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    numbers = make()
    try:
        _write(path, numbers)
    except OSError as error:  # a full disk: the plot can be shown all the same
        log.warning("plot_not_kept", plot=name, error=str(error))
    return numbers


def _read(path: Path) -> Numbers:
    content = json.loads(path.read_text())
    rows = [tuple(row) for row in content["rows"]]
    return Numbers(tuple(content["columns"]), rows, content["summary"], Drawing(**content["drawing"]))


def _write(path: Path, numbers: Numbers) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    draft.write_text(json.dumps(asdict(numbers)))
    draft.replace(path)
    for old in sorted(path.parent.glob("*.json"), key=modified_at)[:-MOST_KEPT]:
        old.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "plots"


def _identity(name: str, table: ResultTable) -> str:
    """Names what is counted, in which file, and by which code."""
    status = table.path.stat()
    parts = (name, str(table.path), status.st_mtime_ns, status.st_size, _code())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _code() -> str:
    """Changes with the modules that count."""
    digest = hashlib.sha256(repr(CONSEQUENCES).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()
