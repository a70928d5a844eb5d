"""What every bench shares: percentiles, a stall meter, the cost of a process, and tables in Markdown."""

from __future__ import annotations

import asyncio
import math
import os
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


def ms(seconds: float) -> str:
    return "-" if math.isnan(seconds) else "never" if math.isinf(seconds) else f"{seconds * 1000:.1f}"


def ratio(value: float, floor: float) -> str:
    return f"{value / floor:.2f}" if floor and math.isfinite(value) and math.isfinite(floor) else "-"


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
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.late_s.append(time.perf_counter() - begun - TICK_S)

    def told(self) -> str:
        return f"p99 {ms(percentile(self.late_s, 0.99))} ms, max {ms(max(self.late_s, default=math.nan))} ms"


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process used so far, in all its threads; nan where the system does not say."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return math.nan
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int | str = "self", *, peak: bool = False) -> float:
    """Resident memory, or its peak since ``forget_peak``; nan where the system does not say."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.nan
    return next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith(wanted)), math.nan)


def forget_peak() -> None:
    """Begins a new peak of this process's memory."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan
