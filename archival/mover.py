"""`python -m archival.mover`: one move of a result, in a process that imports nothing but the two stores.

Takes a line of JSON, [settings, verb, arguments], and answers with one: {"done": …}, or, for what the verb
raises by contract, {"raised": …, "message": …}. Anything else ends it with a traceback.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from annotations.storage import ObjectMissing, StorageError
from archival.packing import ArchiveCorrupt
from archival.storage import ArchiveMissing, ColdStorageError, NotThawed

# What the stores read of the settings; those of the whole project would import the whole project.
SETTINGS = (
    *("OBJECT_STORE", "STORAGES", "INPUTS_BUCKET", "RESULTS_BUCKET", "COLD_STORAGE", "VAULT"),
    *("ARCHIVE_BUCKET", "ARCHIVE_STORAGE_CLASS", "GLACIER_VAULT", "GLACIER_TOPIC", "USE_TZ"),
)
ERRORS: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (ObjectMissing, StorageError, ColdStorageError, NotThawed, ArchiveMissing, ArchiveCorrupt)
}


def main() -> None:
    given, verb, arguments = json.loads(sys.stdin.readline())
    settings.configure(**given)
    try:
        answer = {"done": VERBS[verb](**arguments)}
    except tuple(ERRORS.values()) as error:
        answer = {"raised": type(error).__name__, "message": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def pack_away(keys: dict[str, str], token: str) -> dict[str, Any]:
    from archival import moves  # it reads the settings

    return moves.pack_away(moves.packing_of(keys), token).as_json()


def bring_back(wanted: dict[str, Any], folder: str) -> int:
    from archival import moves

    return moves.bring_back(moves.Return.of_json(wanted), Path(folder))


VERBS: dict[str, Callable[..., Any]] = {"pack_away": pack_away, "bring_back": bring_back}


if __name__ == "__main__":
    main()
