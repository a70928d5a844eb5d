"""Becomes a command that is asked to end as soon as the process that started it is gone, however that went. Linux only.

    python with_parent.py <pid of the parent> <command> …

A program of its own, since the wish is lost in a fork and kept by ``exec``; nothing runs between fork and exec.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() == parent:  # else it ended before anything was wished
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
