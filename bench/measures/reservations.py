"""Durable reservations a second, and what one costs: Easel's ledger against the least a durable ledger can be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.figures import median, ratios
from bench.goals import POSTGRES, POSTGRES_FOUR, POSTGRES_TWO, RATE, RESERVATION_CPU, Line, medians
from bench.servers import postgres
from bench.size import Size
from bench.stage import NEVER_MET, ROOT
from bot.operator.sandbox.environment import environment

TASKS = 32


class Worker:
    """A process that reserves as long as it is asked to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def pace(self, seconds: float) -> dict[str, float]:
        """What it did: ``rate`` and ``cpu_s``."""
        await self.say(f"{TASKS} {seconds}")
        found: dict[str, float] = json.loads(await self.hear())
        return found

    async def say(self, line: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the process hears nothing")
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def hear(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the process says nothing")
        line = await asyncio.wait_for(self._process.stdout.readline(), 120)
        if not line:
            raise RuntimeError("the process that reserves has ended")
        return line.decode()

    async def end(self) -> None:
        """Lets it look at its books and end. Raises where they do not balance."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if await self._process.wait():
            raise RuntimeError("the process that reserves has failed")


@asynccontextmanager
async def worker(what: str, folder: Path, **settings: str) -> AsyncIterator[Worker]:
    env = environment(folder, token="", discord="", images=("http://127.0.0.1:9", "key"), **NEVER_MET | settings)
    del env["DISCORD_API_BASE"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.programs.reserve", what),
        cwd=ROOT,
        env={**os.environ, **env, "OPERATOR_BUDGET_USD": "1000000"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Worker(process)
    try:
        await made.hear()
        yield made
        await made.end()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def sqlite(size: Size) -> list[Line]:
    """The ledger and its twin by turns, each in a process of its own."""
    seen: dict[str, list[dict[str, float]]] = {"easel": [], "twin": []}
    async with AsyncExitStack() as stack:
        workers = {}
        for name in seen:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-bench-")))
            workers[name] = await stack.enter_async_context(worker(name, folder))
            await workers[name].pace(size.reserve_s / 4)  # warm
        for _ in range(size.rounds):
            for name, one in workers.items():
                seen[name].append(await one.pace(size.reserve_s))
    rates = {name: [one["rate"] for one in found] for name, found in seen.items()}
    cpu = {name: [one["cpu_s"] for one in found] for name, found in seen.items()}
    return [
        Line(RATE, tuple(rates["easel"]), _columns(rates)),
        Line(RESERVATION_CPU, tuple(ratios(cpu["easel"], cpu["twin"])), _columns(cpu, 1000)),
    ]


def _columns(seen: dict[str, list[float]], scale: float = 1.0) -> dict[str, float]:
    """The twin is the promise floor's own ledger."""
    return medians({"promise": seen["twin"], "ours": seen["easel"]}, scale)


async def postgresql(size: Size) -> list[Line]:
    """One process; then two, then four on one database at the same time."""
    goals = {1: POSTGRES, 2: POSTGRES_TWO, 4: POSTGRES_FOUR}
    async with AsyncExitStack() as stack:
        url = stack.enter_context(postgres())
        if url is None:
            return [Line(goal, (), {}, "no PostgreSQL here") for goal in goals.values()]
        workers = []
        for _ in range(max(goals)):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-bench-")))
            workers.append(await stack.enter_async_context(worker("easel", folder, DATABASE_URL=url)))
            await workers[-1].pace(size.reserve_s / 4)
        rates: dict[int, list[float]] = {count: [] for count in goals}
        for _ in range(size.other_rounds):
            for count, found in rates.items():
                paces = await asyncio.gather(*(one.pace(size.reserve_s) for one in workers[:count]))
                found.append(sum(pace["rate"] for pace in paces))
    return [Line(goals[count], tuple(found), {"ours": median(found)}) for count, found in rates.items()]
