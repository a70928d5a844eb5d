"""Work on pixels beside the event loop: a thread for every core but one, and a bound on decoded pixels in memory.

Law: every server has a lane of its own, and lanes take turns: one server's pictures never hold up another's for longer
than the piece of work that is being done. What the image service sent has a lane too, ``RESULTS``.

Pillow releases the interpreter lock while it decodes, scales and encodes, so threads are enough (measured: stalls of
11 ms at most where inline work stalls for 300).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_PIXELS_IN_FLIGHT = 64_000_000
RESULTS = "results"


class Lanes:
    """Threads for work that stands in lanes: the next piece is the first of the lane that has waited longest.

    Where there are several threads, no lane ever has them all.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="pixels")
        self._share = max(1, threads - 1)
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[tuple[Callable[[], Any], Future[Any]]]] = {}
        self._busy: Counter[str] = Counter()

    def submit(self, lane: str, call: Callable[[], T]) -> Future[T]:
        """Raises ``RuntimeError`` where no thread can be had; the work is then not done."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.setdefault(lane, deque()).append((call, future))
        try:
            self._pool.submit(self._work)
        except BaseException:
            future.cancel()
            raise
        return future

    def _work(self) -> None:
        """Until nothing waits that may be done now; whoever ends a piece of a full lane goes on with its next."""
        while (taken := self._take()) is not None:
            lane, call, future = taken
            try:
                if future.set_running_or_notify_cancel():
                    _settle(future, call)
            finally:
                with self._lock:
                    self._busy -= Counter({lane: 1})  # keeps no lane that is idle

    def _take(self) -> tuple[str, Callable[[], Any], Future[Any]] | None:
        with self._lock:
            lane = next((lane for lane in self._waiting if self._busy[lane] < self._share), None)
            if lane is None:
                return None
            line = self._waiting.pop(lane)
            call, future = line.popleft()
            if line:
                self._waiting[lane] = line  # behind all others
            self._busy[lane] += 1
            return lane, call, future


def _settle(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001  # it belongs to who waits for it
        future.set_exception(error)


@functools.cache
def _pixels() -> Lanes:
    # One core stays with the event loop: three seconds to acknowledge matter more than a picture's fraction of one.
    return Lanes(max(1, (os.cpu_count() or 1) - 1))


@functools.cache
def _processes() -> Lanes:
    return Lanes(2)


async def offload(lane: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``fn`` returns or raises, computed in a thread when it is the turn of ``lane``: a server's key.

    A cancelled caller takes waiting work off the line; work that has begun runs to its end unseen.
    """
    return await _done(_pixels(), lane, functools.partial(fn, *args, **kwargs))


async def offload_process(lane: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """``offload`` for what only waits for a process of its own, perhaps for seconds: no pixels wait behind it."""
    return await _done(_processes(), lane, functools.partial(fn, *args, **kwargs))


async def _done(lanes: Lanes, lane: str, call: Callable[[], T]) -> T:
    return await asyncio.wrap_future(lanes.submit(lane, functools.partial(contextvars.copy_context().run, call)))


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
