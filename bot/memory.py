"""The C library's allocator, told what pictures are like: blocks of megabytes that come and go all the time.

Law: nothing depends on it. glibc maps every block above a bound (128 KB at first) anew and gives it back when it is
freed, so that each picture costs a thousand page faults; with the bounds below it is taken from a heap. Nor has every
thread a heap of its own then, in which a picture's room would lie unused. Where the C library has no ``mallopt`` (musl,
macOS, Windows), nothing happens.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
LARGEST_ON_A_HEAP = 32 * 1024**2
KEPT_FREE = 64 * 1024**2
HEAPS = 2


def keep_pages_of_pictures() -> bool:
    """Says so to the C library, for the life of the process; whether it took it."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mallopt.argtypes, mallopt.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    told = ((_M_MMAP_THRESHOLD, LARGEST_ON_A_HEAP), (_M_TRIM_THRESHOLD, KEPT_FREE), (_M_ARENA_MAX, HEAPS))
    return all(mallopt(parameter, value) for parameter, value in told)
