"""Move a result: a small one here, a large one in a process of its own.

A worker has imported all that its tasks need, and keeps what they made it take: it has its 100 MB before the
first byte moves. The process that moves a large result (`mover`) stays below that however large it is. It
takes half a second to start, as long as it takes to move what is small here.
"""

import json
import select
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from annotations.engine.child import Child, Limits, Step
from annotations.engine.errors import EngineFailure
from annotations.scratch import scratch_folder
from archival import moves
from archival.mover import ERRORS, SETTINGS
from archival.moves import Archived, Return

LARGE_BYTES = 64 * 1024 * 1024


class MoverFailed(Exception):
    """The process that was to move a result ended, or did not end, for no reason that a store gave."""


def pack_away(keys: dict[str, str], token: str) -> Archived:
    """Keep the objects, by kind, as one archive, and return what it is.

    Raises ObjectMissing, StorageError, ColdStorageError, ArchiveCorrupt, MoverFailed.
    """
    packing = moves.packing_of(keys)
    if packing.size_bytes < LARGE_BYTES:
        return moves.pack_away(packing, token)
    with scratch_folder() as folder:
        return Archived.of_json(in_own_process("pack_away", {"keys": keys, "token": token}, folder))


def bring_back(wanted: Return) -> int:
    """Take the archive's files out, check them and publish them; how many bytes.

    Raises NotThawed, ArchiveMissing, ColdStorageError, ArchiveCorrupt, StorageError, MoverFailed. What was
    published until then stays; nothing is published any more.
    """
    size_bytes = sum(packed.size_bytes for packed in wanted.recorded) or LARGE_BYTES  # or unknown
    with scratch_folder() as folder:
        if size_bytes < LARGE_BYTES:
            return moves.bring_back(wanted, folder)
        arguments = {"wanted": wanted.as_json(), "folder": str(folder)}
        return int(in_own_process("bring_back", arguments, folder))


def in_own_process(verb: str, arguments: dict[str, Any], folder: Path) -> Any:
    """What the verb of `mover` returns, or raises. The process ends with this one, and with this call."""
    given = {name: getattr(settings, name) for name in SETTINGS}
    step = Step(
        "module",
        ("archival.mover",),
        Limits(timeout_seconds=settings.CELERY_TASK_TIME_LIMIT),
        # glibc gives each thread of boto3's uploads a heap of its own, and nothing of it back.
        environment={"MALLOC_ARENA_MAX": "2"},
    )
    with Child(step, folder, takes_orders=True) as child:
        with suppress(BrokenPipeError):  # it has ended; what it died of is asked for below
            child.orders.write(json.dumps([given, verb, arguments], default=str).encode() + b"\n")
            child.orders.flush()
        if not select.select([child.answers], [], [], step.limits.timeout_seconds)[0]:
            raise MoverFailed(f"{verb} did not end within {step.limits.timeout_seconds:g} seconds.")
        line = child.answers.readline()
        try:
            child.check()
        except EngineFailure as error:
            raise MoverFailed(str(error)) from error
    answer = json.loads(line)
    if "raised" in answer:
        raise ERRORS[answer["raised"]](answer["message"])
    return answer["done"]
