"""Group commit without a thread: what is asked for while a transaction is under way goes together into the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.adapters.database.steps import Opening, Step
from bot.rules.ledger import Job, JobState

MOST = 128
"""Operations in one transaction: more would make the first of them wait for the last."""


@dataclass(frozen=True, slots=True)
class Change:
    """Columns of a job to write; ``step``: because it moves on. ``state``: only from there; None: wherever it is."""

    job: Job
    values: dict[str, Any]
    state: JobState | None
    step: Step | None = None

    @property
    def ends_reservation(self) -> bool:
        return self.step is not None and self.step.ends_reservation_of(self.job)


@dataclass(slots=True, eq=False)
class Operation:
    """What one caller asked for. ``withdrawn``: nobody waits for it any more. ``answer`` is told after COMMIT."""

    asked: Opening | Change
    answer: asyncio.Future[Any]
    withdrawn: bool = False

    def tell(self, outcome: Any) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, BaseException):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Queue:
    """``write`` answers every operation it is given; it is not called again before it is done."""

    def __init__(self, write: Callable[[Sequence[Operation]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: deque[Operation] = deque()
        self._running: asyncio.Task[None] | None = None

    async def ask(self, asked: Opening | Change) -> Any:
        """The answer, once it is durable. A caller who is cancelled before COMMIT leaves nothing behind."""
        operation = Operation(asked, asyncio.get_running_loop().create_future())
        self._waiting.append(operation)
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._run())
        try:
            return await operation.answer
        except asyncio.CancelledError:
            operation.withdrawn = True
            raise

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            asked = [operation for operation in batch if not operation.withdrawn]
            try:
                if asked:
                    await self._write(asked)
            except BaseException as error:
                for operation in asked:
                    operation.tell(error if isinstance(error, Exception) else asyncio.CancelledError())
                if not isinstance(error, Exception):
                    raise
