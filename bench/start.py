"""From the start of the process to a bot that answers.

    python -m bench.start [--times 3]

The bot's own process against the sandbox: until READY (the gateway took it), and until the first command after that was
acknowledged. ``first`` makes the ledger and registers the commands, ``again`` finds both there. The twin is the same
interpreter importing discord.py and the SDK and doing nothing: what no bot on them can be faster than.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from dataclasses import dataclass

from bench.fakes import ROOT
from bench.figures import median, ratio, table
from bench.town import Town, town


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since the process was started."""

    ready_s: float
    answered_s: float


async def imports() -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import discord, openai", cwd=ROOT)
    if await process.wait():
        raise RuntimeError("discord.py or the SDK cannot be imported")
    return time.perf_counter() - begun


async def start(place: Town) -> Start:
    if place.bot is None:
        raise RuntimeError("the bot has no process of its own")
    begun = time.perf_counter()
    await place.bot.connect(place.discord)
    up = time.perf_counter() - begun
    asked = await place.world.slash(place.people[0], place.world.town.general, "/imagine", {"prompt": "a fox"})
    await asked.wait_acknowledged(10)
    answered = math.inf if asked.ack_s is None else time.perf_counter() - begun
    await asked.wait_idle(0.1)
    await place.bot.stop()
    return Start(up, answered)


async def measure(times: int, side: int = 256) -> str:
    first, again, least = [], [], []
    for _ in range(times):
        least.append(await imports())
        async with town(side=side, start=False) as place:
            first.append(await start(place))
            again.append(await start(place))
    floor = median(least)
    rows = [["imports alone", f"{floor:.2f}", "", "1.00"]]
    for name, seen in (("first", first), ("again", again)):
        up, answered = median([one.ready_s for one in seen]), median([one.answered_s for one in seen])
        rows.append([name, f"{up:.2f}", f"{answered:.2f}", ratio(answered, floor)])
    head = ["start", "READY s", "first acknowledgement s", "of the imports"]
    return f"From process start, medians of {times}\n\n{table(head, rows)}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.start", description="From process start to the first answer.")
    parser.add_argument("--times", type=int, default=3)
    print(asyncio.run(measure(parser.parse_args().times)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
