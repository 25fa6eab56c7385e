"""Turn into another program that does not outlive its supervisor.

Run by file name, never imported: `python bound.py SUPERVISOR_PID PROGRAM ARGUMENT...`. On Linux the kernel
kills the program when its supervisor is gone, even by `kill -9`; the order to do so outlasts `exec`.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h

if __name__ == "__main__":
    supervisor, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it was gone before the order was given
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  no shell is wanted
