"""What one picture costs on its way from the image service to Discord, against the floor of the same run.

    python -m bench.picture [--rounds 7] [--each 8] [--side 1024] [--burst 64]

Processor time of this process, all threads, per picture; the ways are interleaved round by round and medians taken. The
image service and Discord are in another process and cost nothing here. Then, each way in a fresh process, ``--burst``
pictures that arrive in one moment: memory above what waiting took, and how late the event loop ran.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from bench.fakes import ROOT, Other, other_process
from bench.figures import MIB, StallMeter, forget_peak, median, memory_bytes, percentile, ratio, table
from bench.floor import Floor
from bench.town import NEVER_MET
from bot.adapters.openai.images import OpenAIImages
from bot.app import App, build
from bot.operator.sandbox.environment import environment
from bot.parts import now, service_of
from bot.ports import OperatorPays
from bot.rules.ledger import Answer, Bill
from bot.rules.money import MicroUSD
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Kind, Made
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from bot.ui.delivery.conversation import DiscordConversation
from bot.ui.messages import File, Message

Way = Callable[[], Awaitable[None]]
REQUEST = ImageRequest(
    Kind.IMAGINE, Endpoint.GENERATIONS, "gpt-image-2.5-flare", "a fox", size="1024x1024", quality="low"
)
TOKEN = "MQ.bench.token"  # of no real bot
ASKER = Asker(1, Place(10, 1), 6)
EXPLAINED = {
    "floor": "bare aiohttp, incremental base64, zero-copy upload",
    "asked": "our adapter alone: SDK, bounded body, base64, structure and checksums",
    "core": "adapter and upload through discord.py, nothing kept, pixels not decoded",
    "checked": "core, and every pixel decoded in a thread",
    "kept": "checked, and on disk, flushed, before it is shown",
    "whole": "everything: reserved, queued, dispatched, kept, shown, settled",
}
FLOOR, CORE, WHOLE = "floor", "core", "whole"
BURSTS = (FLOOR, CORE, WHOLE)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time per picture; bytes of memory per picture of a burst; the loop's delays in it."""

    cpu_s: float
    memory: float = math.nan
    late_p99_s: float = math.nan
    late_max_s: float = math.nan


class Ways:
    """The ways by name; each call makes one picture."""

    def __init__(self, app: App, light: OpenAIImages, whole: OpenAIImages, floor: Floor) -> None:
        self._app = app
        self._light = light
        self._whole = whole
        self._number = count(1)
        self.ways: dict[str, Way] = {
            "floor": floor.picture,
            "asked": self._asked,
            "core": self._core,
            "checked": self._checked,
            "kept": self._kept,
            "whole": self._everything,
        }

    def _answer(self) -> Answer:
        return Answer(next(self._number), 1, "token", 6, now() + timedelta(minutes=15))

    async def _make(self, service: OpenAIImages) -> Made:
        return await service.make(REQUEST, Inputs(), payer=OperatorPays(), member_tag="tag", deadline_s=120)

    async def _show(self, made: Made) -> None:
        message = Message(content="a fox", files=(File("easel-1.png", made.images[0].data, "a fox"),))
        await DiscordConversation(self._app.client, now, self._answer()).edit(message)

    async def _asked(self) -> None:
        await self._make(self._light)

    async def _core(self) -> None:
        await self._show(await self._make(self._light))

    async def _checked(self) -> None:
        await self._show(await self._make(self._whole))

    async def _kept(self) -> None:
        made = await self._make(self._whole)
        await self._app.client.shell.pictures.keep_results(
            f"job{next(self._number):017}", [made], Bill(MicroUSD(1), 1), None
        )
        await self._show(made)

    async def _everything(self) -> None:
        shell, answer = self._app.client.shell, self._answer()
        raw = RawOptions(prompt="a fox", size="1024x1024", quality="low")
        quote = await shell.intake.prepare(ASKER, Kind.IMAGINE, raw)
        job = await shell.intake.open(ASKER, quote, answer, event_key=str(answer.interaction_id))
        await shell.jobs.start(job, Inputs(), shell.deliveries.of_job(job, limit_bytes=20 * MIB))


@asynccontextmanager
async def paths(other: Other, running: int = 16) -> AsyncIterator[Ways]:
    """A bot without a gateway connection, and the floor, both speaking to the other process."""
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-bench-", ignore_cleanup_errors=True))
        )
        settings = parse_settings(
            environment(
                folder,
                token=TOKEN,
                discord=other.discord_url,
                images=(other.images_url, "key"),
                **NEVER_MET | {"MAX_CONCURRENT_JOBS": str(running)},
            )
        )
        point_at(settings.discord_api_base)
        app = await stack.enter_async_context(build(settings))
        client = app.client
        client.http.connector = aiohttp.TCPConnector(limit=0)
        await client.http.static_login(TOKEN)
        stack.push_async_callback(client.http.close)
        stack.push_async_callback(app.tasks.finish, 0)
        services = [service_of(settings, client.shell.catalogue, thorough=thorough) for thorough in (False, True)]
        for service in services:
            stack.push_async_callback(service.aclose)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        yield Ways(app, services[0], services[1], Floor(session, other))


async def serial(rounds: int, each: int, side: int) -> dict[str, Cost]:
    """One picture after the other, the ways interleaved; medians of the rounds."""
    seen: dict[str, list[float]] = {}
    async with other_process(side) as other, paths(other) as path:
        for way in path.ways.values():
            await way()
        gc.collect()
        gc.freeze()
        for _ in range(rounds):
            for name, way in path.ways.items():
                begun = time.process_time()
                for _ in range(each):
                    await way()
                seen.setdefault(name, []).append((time.process_time() - begun) / each)
        gc.unfreeze()
    return {name: Cost(median(costs)) for name, costs in seen.items()}


async def burst(name: str, pictures: int, side: int) -> Cost:
    """So many pictures that arrive in one moment."""
    async with other_process(side) as other, paths(other, running=pictures) as path:
        way = path.ways[name]
        for _ in range(3):
            await way()
        gc.collect()
        gc.freeze()
        await other.set(hold=True)
        work = [asyncio.ensure_future(way()) for _ in range(pictures)]
        await other.until_waiting(pictures)
        before = memory_bytes()
        forget_peak()
        begun = time.process_time()
        async with StallMeter() as meter:
            await other.set(hold=False)
            await asyncio.gather(*work)
        used = time.process_time() - begun
        grown = memory_bytes(peak=True) - before
        gc.unfreeze()
    late = meter.late_s
    return Cost(used / pictures, grown / pictures, percentile(late, 0.99), max(late, default=math.nan))


async def burst_apart(name: str, pictures: int, side: int) -> Cost:
    """The same in a fresh process, so that no way inherits another one's memory."""
    words = ("--burst", str(pictures), "--side", str(side), "--only", name)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.picture", *words), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the burst by way of {name} failed")
    return Cost(**json.loads(out.splitlines()[-1]))


def told(alone: dict[str, Cost], bursts: dict[str, Cost], bytes_each: int) -> str:
    """The report in Markdown."""
    floor = alone[FLOOR].cpu_s
    rows = [
        [name, EXPLAINED[name], f"{cost.cpu_s * 1000:.2f}", ratio(cost.cpu_s, floor)] for name, cost in alone.items()
    ]
    parts = [
        f"One picture of {bytes_each / 1e6:.2f} MB after the other",
        table(["way", "what it does", "CPU ms", "of the floor"], rows),
    ]
    if bursts:
        together = bursts[FLOOR].cpu_s
        rows = [
            [
                name,
                ratio(cost.cpu_s, together),
                f"{cost.memory / bytes_each:.2f}",
                f"{cost.late_p99_s * 1000:.1f}",
                f"{cost.late_max_s * 1000:.1f}",
            ]
            for name, cost in bursts.items()
        ]
        head = ["way", "CPU of the floor", "memory per picture, in pictures", "loop late p99 ms", "max ms"]
        parts += ["Arriving in one moment", table(head, rows)]
    goals = [("G1 core path, at most 2.0 of the floor", alone[CORE].cpu_s / floor <= 2.0)]
    goals += [("G2 everything, at most 3.0 of the floor", alone[WHOLE].cpu_s / floor <= 3.0)]
    if bursts:
        goals.append(("G7 at most 0.5 of a picture in memory", bursts[WHOLE].memory / bytes_each <= 0.5))
    parts.append("\n".join(f"- {'met' if met else 'NOT MET'}: {goal}" for goal, met in goals))
    return "\n\n".join(parts)


async def _all(options: argparse.Namespace) -> str:
    alone = await serial(options.rounds, options.each, options.side)
    bursts = {name: await burst_apart(name, options.burst, options.side) for name in BURSTS if options.burst}
    return told(alone, bursts, await _size(options.side))


async def _size(side: int) -> int:
    """Bytes of the picture the fakes draw (noise of one size varies by a few)."""
    from bench.fakes import picture

    return len(await asyncio.to_thread(picture, side))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.picture", description="The cost of a picture against its floor.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--each", type=int, default=8, help="pictures a round")
    parser.add_argument("--side", type=int, default=1024, help="of the pictures, in pixels")
    parser.add_argument("--burst", type=int, default=64, help="pictures that arrive together; 0: none")
    parser.add_argument("--only", choices=list(EXPLAINED), help="the burst by this way alone, as JSON")
    options = parser.parse_args()
    if options.only:
        cost: Any = asyncio.run(burst(options.only, options.burst, options.side))
        print(json.dumps({name: getattr(cost, name) for name in Cost.__slots__}))
        return 0
    print(asyncio.run(_all(options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
