"""What a child process runs first: it binds itself to its parent and its limits, then does its one step.

Run by file name, never imported: `python _bootstrap.py JSON`. It needs nothing of the project for a bcftools
step, so that such a child starts in a tenth of a second.
"""

import ctypes
import json
import os
import resource
import runpy
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent_process_id: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_process_id:  # the parent was gone before the signal was asked for
        os._exit(1)


def limit_resources(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def run_bcftools(arguments: list[str]) -> int:
    """Call the bcftools inside pysam; its messages go to stderr, its output where its `-o` says."""
    import pysam
    import pysam.bcftools

    command = getattr(pysam.bcftools, arguments[0])
    try:
        command(*arguments[1:], catch_stdout=False)
    except pysam.SamtoolsError as error:
        sys.stderr.write(str(error.value))
        return 1
    sys.stderr.write(command.get_messages() or "")
    return 0


def main() -> int:
    order = json.loads(sys.argv[1])
    die_with_parent(order["parent"])
    limit_resources(order["limits"])
    if order["kind"] == "bcftools":
        return run_bcftools(order["arguments"])
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.argv = [order["arguments"][0], *order["arguments"][1:]]
    runpy.run_module(order["arguments"][0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
