"""Background tasks: kept, named, logged, and awaited at shutdown.

Law: work that outlives the function that begins it is started here and nowhere else. What a function starts beside
itself it also awaits, by a ``TaskGroup``, or it is listed with its reason in ``tests/test_structure.py``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from bot.rules.errors import StorageTrouble

log = logging.getLogger(__name__)

T = TypeVar("T")

TIDY_UP_S = 10.0
"""How long cancelled work may take to tidy up after itself."""


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that must not be torn: a cancellation waits until it is done, and then goes on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=TIDY_UP_S)
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            log.error("failed while being cancelled", exc_info=error)
        raise


class Tasks:
    """Holds every background task until it ends. A task that raises is logged with its name, never lost."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lasting: set[asyncio.Task[Any]] = set()
        self._turns: list[str] = []

    def start(self, coroutine: Coroutine[Any, Any, Any], name: str, *, lasting: bool = False) -> asyncio.Task[Any]:
        """``lasting``: it goes on for as long as the bot does."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        if lasting:
            self._lasting.add(task)
        task.add_done_callback(self._ended)
        return task

    def every(
        self, seconds: float, work: Callable[[], Awaitable[object]], name: str, *, at_once: bool = True
    ) -> asyncio.Task[Any]:
        """Runs ``work`` again and again, ``seconds`` apart; a failing run is logged and the next one still comes."""
        return self.start(self._repeat(seconds, work, name, at_once), name, lasting=True)

    def under_way(self) -> list[str]:
        """Names of the work that will end by itself: one-time tasks, and the turns of regular work that run now."""
        return [task.get_name() for task in self._tasks - self._lasting] + self._turns

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[object]], name: str, at_once: bool) -> None:
        if not at_once:
            await asyncio.sleep(seconds)
        while True:
            self._turns.append(name)
            try:
                await work()
            except StorageTrouble as trouble:  # a full disk is no fault of the program: no traceback each round
                log.warning("background task %s: %s; it runs again in %.0f s", name, _said(trouble), seconds)
            except Exception:
                log.exception("background task %s failed; it runs again in %.0f s", name, seconds)
            finally:
                self._turns.remove(name)
            await asyncio.sleep(seconds)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._lasting.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StorageTrouble):
            log.warning("background task %s: %s", task.get_name(), _said(error))
        else:
            log.error("background task %s failed", task.get_name(), exc_info=error)

    async def finish(self, grace_s: float) -> int:
        """Waits up to ``grace_s`` for what runs, then cancels the rest; returns how many had to be cancelled."""
        running = set(self._tasks)
        if not running:
            return 0
        _, late = await asyncio.wait(running, timeout=grace_s) if grace_s > 0 else (set(), running)
        for task in late:
            task.cancel()
        if late:
            _, stuck = await asyncio.wait(late, timeout=TIDY_UP_S)
            for task in stuck:
                log.warning("background task %s did not end in time", task.get_name())
        return len(late)


def _said(trouble: StorageTrouble) -> str:
    return str(trouble) or type(trouble).__name__
