"""What every measurement shares: percentiles, a stall meter, what a process used, and tables in Markdown."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

MIB = 2**20
TICK_S = 0.001


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all are not above; nan for none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


def ratios(values: Sequence[float], floors: Sequence[float]) -> list[float]:
    """Round by round: what took turns in one round met the same machine."""
    return [value / floor if floor else math.nan for value, floor in zip(values, floors, strict=True)]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


class StallMeter:
    """How late the event loop wakes a sleeper, all the while: ``late_s`` holds each delay."""

    def __init__(self) -> None:
        self.late_s: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    def begin(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.late_s.append(time.perf_counter() - begun - TICK_S)


PROCESS_CPU = 2


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process used so far, in all its threads, to the nanosecond (Linux)."""
    return time.clock_gettime((~pid << 3) | PROCESS_CPU)


def memory_bytes(pid: int, *, peak: bool = False) -> float:
    """Resident memory of a process, or its peak since ``forget_peak`` (Linux)."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith(wanted))


def forget_peak(pid: int) -> None:
    """Begins a new peak of a process's memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
