"""The processor time of one picture: the whole job, the core path, a picture so small that only the fixed cost is left,
and a stream. The bots take turns round by round; nothing of two pictures is worked on at once in the serial rows.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import cpu_s, median, ratios
from bench.goals import (
    CORE,
    FIXED,
    FIXED_AGAINST,
    FIXED_OF_NAIVE,
    SERIAL,
    STREAM,
    TOGETHER,
    Line,
    medians,
    named,
)
from bench.orders import imagine
from bench.size import Size
from bench.stage import Bot, NotAnswered, Stage, stage

DRAWN_S = 1.0
"""So long that every bot tells meanwhile that it is drawing."""

SETTLED_S = 0.1
"""After the picture was shown, until the last write is done."""

STREAM_GAP_S = 0.3
WARM = 3
CAST = ("floor", "promise", "naive", "ours")
_who = itertools.count()


@dataclass(slots=True)
class Costs:
    """Seconds of processor time a picture, by bot and round."""

    by_bot: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, cost: float) -> None:
        self.by_bot.setdefault(name, []).append(cost)

    def of(self, name: str, other: str) -> tuple[float, ...]:
        return tuple(ratios(self.by_bot[name], self.by_bot[other]))

    def columns(self, names: tuple[str, ...] = CAST) -> dict[str, float]:
        """Milliseconds, for a line of the table."""
        return medians({name: self.by_bot[name] for name in names if name in self.by_bot}, 1000)


async def measured(bot: Bot, pictures: int, work: Awaitable[None]) -> float:
    """Processor time a picture of the bot's process while the work goes on."""
    before = cpu_s(bot.pid)
    await work
    await asyncio.sleep(SETTLED_S)
    return (cpu_s(bot.pid) - before) / pictures


async def one_by_one(place: Stage, bot: Bot, kind: str, number: int, gap_s: float) -> None:
    """Orders with a gap between them, each drawn for a second: while one is worked on, the others wait.

    Raises ``NotAnswered`` where nobody was told meanwhile that it is being drawn: that line is part of the job.
    """
    await place.images.set(latency_s=DRAWN_S, hold=False)
    ordered = []
    for _ in range(number):
        ordered.append(await place.discord.send(imagine(bot.app, kind, next(_who))))
        await asyncio.sleep(gap_s)
    await place.explained(bot, place.discord.until_shown(ordered))
    if not any(place.discord.seen[one].lines for one in ordered):
        raise NotAnswered(f"{bot.name} told nobody that it is drawing")


async def at_once(place: Stage, bot: Bot, kind: str, number: int) -> None:
    """All ordered in one moment, and drawn in one moment, after everybody was told that it is being drawn."""
    await place.images.set(latency_s=0, hold=True)
    ordered = [await place.discord.send(imagine(bot.app, kind, next(_who))) for _ in range(number)]
    seen = place.discord.seen
    await place.explained(bot, place.images.until_waiting(number))
    told = place.discord.until(lambda: all(seen[one].lines for one in ordered), 60, "the line that it is being drawn")
    await place.explained(bot, told)
    await place.images.set(hold=False)
    await place.explained(bot, place.discord.until_shown(ordered))


async def bare_way(place: Stage, bot: Bot, kind: str, number: int) -> None:
    """Received and delivered, strictly one after the other; no other word is said."""
    await place.images.set(latency_s=0, hold=False)
    for _ in range(number):
        order = await place.discord.send(imagine(bot.app, kind, next(_who), name="core"))
        await place.explained(bot, place.discord.until_shown([order]))


async def cast(place: Stage, *names: str) -> dict[str, Bot]:
    """The bots, connected and warm."""
    bots = {name: await place.bot(name) for name in names}
    kind = next(iter(place.sizes))
    for name, bot in bots.items():
        await (bare_way(place, bot, kind, WARM) if name == "core" else one_by_one(place, bot, kind, WARM, 0))
    return bots


# --- the rows --------------------------------------------------------------------------------------------------------


async def whole(size: Size) -> list[Line]:
    """The whole job, with pictures like photographs, with noise, and with TLS; and the core path of the first."""
    lines = []
    for at, (kind, tls) in enumerate(size.variants):
        usual = at == 0
        async with stage(kind, side=size.side, tls=tls) as place:
            bots = await cast(place, *CAST, *(("core",) if usual else ()))
            rounds = size.rounds if usual else size.fresh_rounds
            serial, together, core = Costs(), Costs(), Costs()
            for _ in range(rounds):
                for name in CAST:
                    bot = bots[name]
                    work = one_by_one(place, bot, kind, size.each, size.gap_s)
                    serial.add(name, await measured(bot, size.each, work))
                for name in CAST:
                    bot = bots[name]
                    together.add(name, await measured(bot, size.together, at_once(place, bot, kind, size.together)))
                for name in ("floor", "core") if usual else ():
                    core.add(name, await measured(bots[name], size.each, bare_way(place, bots[name], kind, size.each)))
            what = f"{kind}{' with TLS' if tls else ''}, {place.sizes[kind] / 1e6:.1f} MB"
            lines += [
                Line(named(SERIAL, kind=what), serial.of("ours", "promise"), serial.columns()),
                Line(named(TOGETHER, n=size.together, kind=what), together.of("ours", "promise"), together.columns()),
            ]
            if usual:
                columns = core.columns(("floor", "core"))
                columns["ours"] = columns.pop("core")
                lines.append(Line(CORE, core.of("core", "floor"), columns))
    return lines


async def fixed(size: Size, against: tuple[str, Path] | None = None) -> list[Line]:
    """What a job costs whatever the picture; also as a share of what another revision of Easel takes."""
    async with stage("tiny") as place:
        bots = await cast(place, *CAST)
        if against is not None:
            bots["other"] = await place.bot("ours", root=against[1])
            await one_by_one(place, bots["other"], "tiny", WARM, 0)
        costs, number = Costs(), 2 * size.each
        for _ in range(size.rounds):
            for name, bot in bots.items():
                work = one_by_one(place, bot, "tiny", number, size.gap_s / 2)
                costs.add(name, await measured(bot, number, work))
        columns = costs.columns()
        lines = [
            Line(FIXED, costs.of("ours", "promise"), columns),
            Line(FIXED_OF_NAIVE, costs.of("ours", "naive"), costs.columns(("naive", "ours"))),
        ]
        if against is not None:
            note = f"{median(costs.by_bot['other']) * 1000:.2f} ms then"
            goal = named(FIXED_AGAINST, rev=against[0])
            lines.append(Line(goal, costs.of("ours", "other"), costs.columns(("ours",)), note))
    return lines


async def stream(size: Size) -> list[Line]:
    """Three previews and a picture, all of one size, so far apart that each is shown. Both bots at the same time."""
    async with stage("photo", side=size.side) as place:
        bots = await cast(place, "floor", "ours")
        costs, shown = Costs(), dict.fromkeys(bots, 0)
        for _ in range(size.stream_rounds):
            before = {name: cpu_s(bot.pid) for name, bot in bots.items()}
            ordered: dict[str, list[str]] = {name: [] for name in bots}
            for _ in range(size.each):
                for name, bot in bots.items():
                    order = imagine(bot.app, "photo", next(_who), preview=True)
                    ordered[name].append(await place.discord.send(order))
                    await asyncio.sleep(STREAM_GAP_S / 2)
            for name, bot in bots.items():
                await place.explained(bot, place.discord.until_shown(ordered[name]))
                shown[name] += sum(place.discord.seen[one].previews for one in ordered[name])
            await asyncio.sleep(SETTLED_S)
            for name, bot in bots.items():
                costs.add(name, (cpu_s(bot.pid) - before[name]) / size.each)
        pictures = size.each * size.stream_rounds
        note = ", ".join(f"{name} showed {count / pictures:.1f} previews a picture" for name, count in shown.items())
        return [Line(STREAM, costs.of("ours", "floor"), costs.columns(("floor", "ours")), note)]
