"""How soon people are answered: while nothing happens, while pictures are drawn, while all of them come at once.

Commands come at random (as a Poisson process) whatever became of the earlier ones, so that a stall is felt by everybody
who comes during it. They are the same in every phase, and no picture is ordered by them; the orders that keep so many
pictures in flight come beside them and are told apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import time
from dataclasses import dataclass

from bench.figures import median, percentile, ratios
from bench.goals import FLOOD, LOADED, Line, named
from bench.orders import Payload, command, completion, imagine, press
from bench.size import Size
from bench.stage import Bot, NotAnswered, Stage, stage

TYPED = ("model", "size", "quality", "format")
MIX = ("complete", "details", "complete", "edit", "complete", "limits")
SEEDS = 8
GIVEN_UP_S = 4.0
"""A second later than Discord gives up: what is answered after it counts as never."""

FLOOD_S = 4.0
CALM_S = 1.0


@dataclass(frozen=True, slots=True)
class Phase:
    """Seconds to each acknowledgement; infinite where none came."""

    acks: list[float]
    orders: list[float]

    def p99(self) -> float:
        return percentile(self.acks, 0.99)


class Crowd:
    """People who use one bot."""

    def __init__(self, place: Stage, bot: Bot) -> None:
        self._place = place
        self._bot = bot
        self._turn = itertools.count()
        self._buttons: list[str] = []
        self.ordered: list[str] = []

    async def seed(self) -> None:
        """A few results whose buttons can be pressed."""
        await self._place.images.set(latency_s=0, hold=False)
        orders = [await self.order() for _ in range(SEEDS)]
        await self.until_shown()
        self._buttons = [button for one in orders for button in self._place.discord.seen[one].buttons]

    async def order(self) -> str:
        number = await self._place.discord.send(imagine(self._bot.app, "photo", next(self._turn)))
        self.ordered.append(number)
        return number

    async def until_shown(self) -> None:
        ordered, self.ordered = self.ordered, []
        await self._place.explained(self._bot, self._place.discord.until_shown(ordered))

    async def phase(self, seconds: float, rate: float, orders_rate: float = 0.0) -> Phase:
        """Commands for so long, and orders beside them; it ends when the last was answered or given up."""
        already = len(self.ordered)
        numbers, _ = await asyncio.gather(self._commands(seconds, rate), self._orders(seconds, orders_rate))
        await asyncio.sleep(CALM_S)
        seen, orders = self._place.discord.seen, self.ordered[already:]
        with contextlib.suppress(NotAnswered):

            def all_answered() -> bool:
                return all(seen[one].acknowledged_s is not None for one in (*numbers, *orders))

            await self._place.discord.until(all_answered, GIVEN_UP_S, "the last answer")
        return Phase([self._after_s(one) for one in numbers], [self._after_s(one) for one in orders])

    def _after_s(self, number: str) -> float:
        found = self._place.discord.seen[number].acknowledged_s
        return math.inf if found is None or found > GIVEN_UP_S else found

    async def _commands(self, seconds: float, rate: float) -> list[str]:
        numbers, chance = list[str](), random.Random(1)
        begun = due = time.perf_counter()
        while (due := due + chance.expovariate(rate)) < begun + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            numbers.append(await self._place.discord.send(self._act(MIX[len(numbers) % len(MIX)])))
        return numbers

    async def _orders(self, seconds: float, rate: float) -> None:
        chance = random.Random(2)
        begun = due = time.perf_counter()
        while rate and (due := due + chance.expovariate(rate)) < begun + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await self.order()

    def _act(self, act: str) -> Payload:
        turn, app = next(self._turn), self._bot.app
        match act:
            case "complete":
                return completion(app, TYPED[turn % len(TYPED)], turn)
            case "limits":
                return command(app, "limits", turn)
            case _:
                fitting = [button for button in self._buttons if f":{act}:" in button]
                return press(app, fitting[turn % len(fitting)], turn)


async def acks(size: Size) -> list[Line]:
    """Idle, loaded and flooded by turns; every ratio is to the idle phase of its own round."""
    idle, loaded, flooded = [], [], []
    late = []
    async with stage("photo", side=size.side) as place:
        bot = await place.bot("ours")
        crowd = Crowd(place, bot)
        await crowd.seed()
        await crowd.phase(size.phase_s / 4, size.rate)  # warm: connections, compiled statements
        for _ in range(size.other_rounds):
            await asyncio.sleep(CALM_S)
            await place.discord.watch()
            idle.append(await crowd.phase(size.phase_s, size.rate))
            await _fill(place, bot, crowd, size)
            loaded.append(await crowd.phase(size.phase_s, size.rate, size.orders_rate))
            flooded.append(await _flood(place, bot, crowd, size))
            late.append(await place.discord.lateness_s())
            await crowd.until_shown()
    quiet = [one.p99() for one in idle]
    ours = [median([one.p99() for one in phases]) * 1000 for phases in (idle, loaded, flooded)]
    orders = [one for phase in loaded for one in phase.orders]
    note = f"idle {ours[0]:.0f} ms; the measuring process itself is late by {median(late) * 1000:.1f} ms at p99"
    slow = f"an order is acknowledged within {percentile(orders, 0.99) * 1000:.0f} ms at p99; {note}"
    return [
        Line(named(LOADED, n=size.burst), tuple(ratios([one.p99() for one in loaded], quiet)), {"ours": ours[1]}, slow),
        Line(named(FLOOD, n=size.burst), tuple(ratios([one.p99() for one in flooded], quiet)), {"ours": ours[2]}, note),
    ]


async def _fill(place: Stage, bot: Bot, crowd: Crowd, size: Size) -> None:
    """Brings so many pictures into flight; from then on as many a second are ready as are ordered."""
    await place.images.set(latency_s=max(1.0, size.burst / size.orders_rate), spread=0.5, hold=True)
    for _ in range(size.burst):
        await crowd.order()
        await asyncio.sleep(0.02)
    await place.explained(bot, place.images.until_waiting(size.burst))
    await place.images.set(hold=False)


async def _flood(place: Stage, bot: Bot, crowd: Crowd, size: Size) -> Phase:
    """As many as before wait for their picture, and all of them come a moment after the phase began."""
    await place.images.set(latency_s=0, hold=True, rush=True)
    waiting = (await place.images.told())["waiting"]
    for _ in range(max(0, size.burst - waiting)):
        await crowd.order()
        await asyncio.sleep(0.02)
    await place.explained(bot, place.images.until_waiting(size.burst))

    async def release() -> None:
        await asyncio.sleep(0.3)
        await place.images.set(hold=False)

    phase, _ = await asyncio.gather(crowd.phase(min(FLOOD_S, size.phase_s), size.rate), release())
    return phase
