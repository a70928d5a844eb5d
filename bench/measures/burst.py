"""Pictures that arrive in one moment: what they take of memory, and how long the event loop stands still."""

from __future__ import annotations

import asyncio
import itertools

from bench.figures import MIB, forget_peak, median, memory_bytes
from bench.goals import MEMORY, STALL, Line, medians, named
from bench.orders import imagine
from bench.programs.watched import Watch
from bench.size import Size
from bench.stage import Bot, Stage, stage

CALM_S = 1.0
_who = itertools.count()


async def memory(size: Size) -> list[Line]:
    """Above what waiting took, at its highest; each bot and round in a fresh process, none inherits a heap."""
    names = ("floor", "promise", "naive", "ours")
    grown: dict[str, list[float]] = {name: [] for name in names}
    async with stage("photo", side=size.side) as place:
        for _ in range(size.fresh_rounds):
            for name in names:
                bot = await place.bot(name)
                grown[name].append(await _grown(place, bot, size.burst) / size.burst / place.sizes["photo"])
                await bot.process.stop()
    return [Line(named(MEMORY, n=size.burst), tuple(grown["ours"]), medians(grown))]


async def _grown(place: Stage, bot: Bot, pictures: int) -> float:
    await _arrive(place, bot, 1)  # what is made once, on the first picture, is no picture's
    ordered = await _held_back(place, bot, pictures)
    before = memory_bytes(bot.pid)
    forget_peak(bot.pid)
    await _let_go(place, bot, ordered)
    return memory_bytes(bot.pid, peak=True) - before


async def stall(size: Size) -> list[Line]:
    """The longest time for which a sleeper of a millisecond was not woken, in the bot's own process."""
    longest = []
    async with stage("photo", "vast", side=size.side) as place:
        bot = await place.bot("watched")
        await _arrive(place, bot, 2)
        watch = Watch(bot.folder)
        for _ in range(size.other_rounds):
            ordered = await _held_back(place, bot, size.burst, vast=1)
            watch.forget(bot.pid)
            await _let_go(place, bot, ordered)
            await asyncio.sleep(CALM_S)
            longest.append(await watch.longest_s(bot.pid) * 1000)
    note = f"the largest is {place.sizes['vast'] / MIB:.0f} MiB and has to be shrunk"
    return [Line(named(STALL, n=size.burst), tuple(longest), {"ours": median(longest)}, note)]


# --- the moment ------------------------------------------------------------------------------------------------------


async def _held_back(place: Stage, bot: Bot, pictures: int, vast: int = 0) -> list[str]:
    """Ordered, told that they are being drawn, and waiting for the service."""
    await place.images.set(latency_s=0, hold=True)
    kinds = ["photo"] * pictures + ["vast"] * vast
    ordered = [await place.discord.send(imagine(bot.app, kind, next(_who))) for kind in kinds]
    await place.explained(bot, place.images.until_waiting(len(kinds)))
    seen = place.discord.seen
    told = place.discord.until(lambda: all(seen[one].lines for one in ordered), 60, "the line that it is being drawn")
    await place.explained(bot, told)
    return ordered


async def _let_go(place: Stage, bot: Bot, ordered: list[str]) -> None:
    await place.images.set(hold=False)
    await place.explained(bot, place.discord.until_shown(ordered))


async def _arrive(place: Stage, bot: Bot, pictures: int) -> None:
    await _let_go(place, bot, await _held_back(place, bot, pictures))
