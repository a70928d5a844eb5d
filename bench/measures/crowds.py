"""Many at once: thousands of jobs that wait, and ten thousand servers: what they weigh, and how a start fares."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys
import time
from dataclasses import replace

from bench.figures import cpu_s, median, memory_bytes, ratios
from bench.goals import PROCESS, SERVERS, START, WAITING, Line, named, ungoaled
from bench.orders import command, imagine
from bench.size import Size
from bench.stage import ROOT, Bot, NotAnswered, Stage, stage

RUNNING = 100
"""So many at work that the others are expected to be drawn within the longest wait a bot accepts."""

UNANSWERED = 40
"""Orders on their way: a bot refuses a crowd that comes all at once."""

FILLING_S = 150.0
CALM_S = 4.0
LOOKED_S = 10.0
START_S = 60.0
IDLE = 0.05
_who = itertools.count()


async def waiting(size: Size) -> list[Line]:
    """Processor time while so many jobs wait for their turn and nothing else happens."""
    running = min(RUNNING, size.waiting)
    async with stage("tiny") as place:
        bot = await place.bot("ours", MAX_CONCURRENT_JOBS=str(running))
        await place.images.set(hold=True)
        ordered = await _order(place, bot, size.waiting + running)
        await asyncio.sleep(min(CALM_S, size.phase_s))
        before, begun = cpu_s(bot.pid), time.perf_counter()
        await asyncio.sleep(min(LOOKED_S, size.phase_s))
        share = (cpu_s(bot.pid) - before) / (time.perf_counter() - begun) * 100
        await bot.process.kill()  # else each of them would be told
    number = ordered - running
    note = "" if number == size.waiting else f"only {number} could be ordered within {FILLING_S:g} s"
    return [Line(named(WAITING, n=size.waiting), (share,), {"ours": share}, note)]


async def _order(place: Stage, bot: Bot, number: int) -> int:
    """Orders so many pictures, as quickly as the bot answers; how many it took in time."""
    seen, numbers = place.discord.seen, list[str]()
    until = time.monotonic() + FILLING_S

    def answered() -> int:
        return sum(seen[one].acknowledged_s is not None for one in numbers[-2 * UNANSWERED :])

    try:
        while len(numbers) < number:
            numbers.append(await place.discord.send(imagine(bot.app, "tiny", next(_who))))
            on_their_way = min(len(numbers), 2 * UNANSWERED) - UNANSWERED
            left = until - time.monotonic()
            await place.discord.until(lambda least=on_their_way: answered() >= least, left, "an acknowledgement")  # type: ignore[misc]
        await place.discord.until(lambda: answered() >= min(number, 2 * UNANSWERED), 10, "the last acknowledgement")
    except NotAnswered:
        pass
    return sum(seen[one].acknowledged_s is not None for one in numbers)


async def servers(size: Size) -> list[Line]:
    """Resident memory with so many servers, and what each of the largest number takes."""
    weighed = dict[int, float]()
    async with stage("tiny") as place:
        for count in size.servers:
            bot = place.prepared("ours")
            await place.discord.servers(bot.app, count)
            await place.connect(bot)
            await _until_calm(bot)
            weighed[count] = memory_bytes(bot.pid)
            await bot.process.kill()
    fewest, most = size.servers[0], size.servers[-1]
    each = (weighed[most] - weighed[fewest]) / (most - fewest) / 1000
    lines = [Line(named(PROCESS, n=count), (found / 1e6,), {"ours": found / 1e6}) for count, found in weighed.items()]
    return [*lines, Line(named(SERVERS, n=most), (each,), {"ours": each})]


async def _until_calm(bot: Bot) -> None:
    """Until the bot has read what it was told."""
    share = math.inf
    while share > IDLE:
        before, begun = cpu_s(bot.pid), time.perf_counter()
        await asyncio.sleep(1.0)
        share = (cpu_s(bot.pid) - before) / (time.perf_counter() - begun)


async def start(size: Size) -> list[Line]:
    """From process start to the first answer, with the command right behind READY and before any server; against the
    same Python importing discord.py and the SDK. The ledger is there and the commands are registered.
    """
    async with stage("tiny") as place:
        bot = await place.bot("ours")
        await bot.process.stop()
        most = await _starts(place, bot, size.servers[-1], size.starts)
        few = [await _starts(place, bot, count, min(size.starts, 2)) for count in size.servers[:-1]]
    return [*(replace(line, goal=ungoaled(line.goal)) for line in few), most]


async def _starts(place: Stage, bot: Bot, servers: int, times: int) -> Line:
    answered, imported = list[float](), list[float]()
    for _ in range(times):
        imported.append(await _imports_s())
        greet = command(bot.app, "limits", next(_who))
        await place.discord.servers(bot.app, servers, greet)
        begun = time.perf_counter()
        await bot.process.start()
        one = place.discord.seen[greet["id"]]
        come = place.discord.until(lambda seen=one: seen.acknowledged_s is not None, START_S, "the first answer")  # type: ignore[misc]
        await place.explained(bot, come)
        answered.append(time.perf_counter() - begun)
        await bot.process.kill()
    note = f"the imports take {median(imported):.2f} s"
    return Line(named(START, n=servers), tuple(ratios(answered, imported)), {"ours": median(answered)}, note)


async def _imports_s() -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import discord, openai", cwd=ROOT)
    if await process.wait():
        raise RuntimeError("discord.py or the SDK cannot be imported")
    return time.perf_counter() - begun
