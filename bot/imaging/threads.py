"""Work on pixels beside the event loop: a thread for every core but one, and a bound on decoded pixels in memory.

Pillow releases the interpreter lock while it decodes, scales and encodes, so threads are enough (measured: stalls of
11 ms at most where inline work stalls for 300).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_PIXELS_IN_FLIGHT = 64_000_000


@functools.cache
def _threads() -> ThreadPoolExecutor:
    # One core stays with the event loop: three seconds to acknowledge matter more than a picture's fraction of one.
    return ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="pixels")


async def offload(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``fn`` returns or raises, computed in a thread; waits its turn when every core has work.

    A cancelled caller takes waiting work off the queue; work that has begun runs to its end unseen.
    """
    context = contextvars.copy_context()
    call = functools.partial(context.run, fn, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


class PixelGate:
    """Lets work begin while the pixels of all work in progress stay under ``limit``.

    One piece larger than the limit runs alone. A thread that is inside already passes at once (its bound was counted
    when it entered), so nested use cannot deadlock.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._busy = 0
        self._changed = threading.Condition()
        self._inside = threading.local()

    @property
    def busy(self) -> int:
        return self._busy

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Blocks the thread until ``pixels`` may be decoded, and counts them until the block ends."""
        if getattr(self._inside, "yes", False):
            yield
            return
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0 or self._busy + pixels <= self._limit)
            self._busy += pixels
        self._inside.yes = True
        try:
            yield
        finally:
            self._inside.yes = False
            with self._changed:
                self._busy -= pixels
                self._changed.notify_all()


gate = PixelGate(MAX_PIXELS_IN_FLIGHT)
