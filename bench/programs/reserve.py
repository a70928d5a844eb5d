"""Reservations and nothing else: by Easel's ledger, or by its twin, the least a durable ledger can be.

``python -m bench.programs.reserve easel|twin``: a line ``tasks seconds`` in, JSON with ``rate`` and ``cpu_s`` out.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bench.programs.ledger import Ledger
from bot.parts import now, secrets_of, store_of
from bot.rules.ledger import Answer, JobDraft
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.settings.sources import read_settings

REQUEST = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "model", "a fox", "a fox", size="1024x1024")
SERVERS, MEMBERS = 20, 50

Reserve = Callable[[int], Awaitable[object]]


def draft(number: int) -> JobDraft:
    user = 1 + number % (SERVERS * MEMBERS)
    asker = Asker(user, Place(10 + user % SERVERS, user), 100 + number % 5)
    answer = Answer(number, 2, "interaction-token", asker.channel_id, now() + timedelta(minutes=15))
    return JobDraft(f"{os.getpid()} {number}", asker, REQUEST, MicroUSD(5000), answer)


@asynccontextmanager
async def easel() -> AsyncIterator[Reserve]:
    settings = read_settings().settings
    store = await store_of(settings, secrets_of(settings), process_id=str(os.getpid()))
    try:
        yield lambda number: store.jobs.open([draft(number)], now())
        wrong = await store.audit_sums()
        if wrong:
            raise RuntimeError(f"the books do not balance: {wrong[:3]}")
    finally:
        await store.aclose()


@asynccontextmanager
async def twin() -> AsyncIterator[Reserve]:
    ledger = Ledger(Path(os.environ["DATA_DIR"]) / "twin.db")
    try:
        yield ledger.reserve
    finally:
        ledger.close()


async def pace(reserve: Reserve, numbers: itertools.count[int], tasks: int, seconds: float) -> dict[str, float]:
    """Over and over in so many tasks for so long."""
    done = 0
    begun, cpu = time.perf_counter(), time.process_time()

    async def work() -> None:
        nonlocal done
        while time.perf_counter() - begun < seconds:
            await reserve(next(numbers))
            done += 1

    await asyncio.gather(*(work() for _ in range(tasks)))
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"rate": done / took, "cpu_s": cpu / done}


async def main() -> None:
    numbers = itertools.count(1)
    async with {"easel": easel, "twin": twin}[sys.argv[1]]() as reserve:
        await reserve(next(numbers))
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks, seconds = line.split()
            print(json.dumps(await pace(reserve, numbers, int(tasks), float(seconds))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
