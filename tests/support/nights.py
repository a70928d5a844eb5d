"""Processes that live and die while a batch is drawn overnight: a real ledger, the real SDK, the sandbox's service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.adapters.database import SqlStore, store_on
from bot.adapters.database.engine import Database
from bot.adapters.files.disk import DiskFiles
from bot.adapters.openai.clients import Account
from bot.adapters.openai.images import OpenAIImages
from bot.adapters.secrets import Secrets
from bot.core.assembly import assemble
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.tasks import Tasks
from bot.imaging.inspect import look
from bot.ports import Batch
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.ledger import Answer, Job, LostLease
from bot.rules.limits.limit import Limit
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker, Place
from sandbox.images import ImageService
from tests.support.batches import AtOnce, Channel, Delivery, Gone, Nobody
from tests.support.ledger import each_part

NOON = datetime(2026, 11, 29, 20, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MEMBER = Asker(1, Place(10, 1), 100)


class Mortal:
    """A part of the ledger, or of the service, as a process sees it that may die before a call or after it."""

    def __init__(self, part: Any, life: Life) -> None:
        self._part = part
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)
        if not callable(method):
            return method
        if name == "answers":
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._life.tick()
            self._life.calls_until -= 1
            if self._life.calls_until == 0:
                await self._life.then()
            if (first := self._life.first) is not None:
                self._life.first = None
                await first
            if name == "confirm" and self._life.lost:
                raise LostLease("taken")
            self._life.written_late += name == "set_overnight" and self._life.lost
            made = await method(*args, **kwargs)
            self._life.tick()
            return Mortal(made, self._life) if name == "nights" else made

        return call


async def _nothing() -> object: ...


class Life:
    """One process. ``dies_at`` names a boundary, ``dies_in`` counts calls, before or after which it dies."""

    def __init__(self, world: World, store: SqlStore, dies_at: str = "", dies_in: int = 0) -> None:
        self.dies_at, self.dies_in = dies_at, dies_in
        self.dead = False
        self.meanwhile: dict[str, Coroutine[Any, Any, object]] = {}  # begins at a boundary
        self.before: dict[str, Coroutine[Any, Any, object]] = {}  # happens at a boundary, before anything else does
        self.calls_until = 0
        self.then: Callable[[], Coroutine[Any, Any, object]] = _nothing
        self.upsets: dict[str, Callable[[], None]] = {}  # what happens at a boundary; it may raise
        self.written_late = 0  # notes of nights, after the lines were lost
        self.lost = False  # as where the ledger was not reached for so long that another process took the lines
        self.first: Coroutine[Any, Any, object] | None = None
        self.begun: list[asyncio.Future[object]] = []
        self.world, self.real = world, store
        self.tasks = Tasks()
        ledger: Any = each_part(store, lambda part: Mortal(part, self))
        service: Any = Mortal(world.adapter, self)
        self.circuit, self.nobody = Circuit(), Nobody()
        nobody: Any = self.nobody
        parts = assemble(
            store=ledger,
            service=service,
            files=DiskFiles(world.folder, floor_bytes=0),
            queue=FairQueue(max_running=4, per_minute=6000, pace=AtOnce(), tasks=self.tasks),
            circuit=self.circuit,
            catalogue=CurrentCatalogue(world.catalogue),
            notifier=nobody,
            clock=world.clock,
            tasks=self.tasks,
            default_model="gpt-image-2.5-flare",
            member_tag=str,
            crash_point=self.reach,
            sleep=world.pass_time,
        )
        self.batches, self.nights, self.jobs = parts.batches, parts.nights, parts.jobs
        self.recovery = Recovery(ledger, parts.jobs, parts.settlement, parts.pictures, nobody, world.clock)

    def before_call(self, number: int, then: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """``then`` happens before the call of that number from now on."""
        self.calls_until, self.then = number, then

    def reach(self, name: str) -> None:
        if name == self.dies_at:
            self.dead = True
        if self.dead:
            raise Gone
        if name in self.upsets:
            self.upsets.pop(name)()
        if name in self.before:
            self.first = self.before.pop(name)
        if name in self.meanwhile:
            self.begun.append(asyncio.ensure_future(self.meanwhile.pop(name)))

    def tick(self) -> None:
        self.dies_in -= 1
        if self.dies_in == 0:
            self.dead = True
        if self.dead:
            raise Gone

    async def open(
        self, prompts: Sequence[str], *, model: str | None = None, event: str = "1234567890", **more: Any
    ) -> tuple[Batch, list[Job]]:
        lines = list(enumerate(prompts, 1))
        raw = RawOptions("", quality="low", size="1024x1024")
        quotes = await self.batches.prepare(MEMBER, lines, raw, model=model, overnight=True)
        answer = Answer(7, 8, "interaction-token", 100, NOON + timedelta(minutes=15), message_id=77, **more)
        return await self.batches.open(MEMBER, quotes, answer, event_key=event, overnight=True)

    async def begin(self, count: int) -> tuple[Batch, asyncio.Task[None]]:
        batch, jobs = await self.open(prompts(count))
        return batch, self.batches.start(batch, jobs, Delivery(self.world.channel, self))

    async def hand_in(self, count: int) -> tuple[Batch, asyncio.Task[None]]:
        """The same, once it is known to be with the service."""
        begun = await self.begin(count)
        await self.world.handed_in()
        return begun

    async def recover(self) -> int:
        await self.recovery.adopt_and_close()
        return await self.batches.resume(lambda _batch, _jobs: Delivery(self.world.channel, self))

    async def settled(self) -> None:
        """Until every batch here has ended."""
        async with asyncio.timeout(30):
            while any(name.startswith("batch ") for name in self.tasks.under_way()):
                await asyncio.sleep(0.005)


@dataclass
class World:
    """A disk, a ledger, an image service and a Discord, and the lives of the process on them; one clock for all."""

    folder: Path
    database: Database
    images: ImageService
    adapter: OpenAIImages
    catalogue: Any
    channel: Channel = field(default_factory=Channel)
    lives: list[Life] = field(default_factory=list)
    now: datetime = NOON
    still: bool = False  # no wait ends by itself any more
    hurry: int = 1  # how much longer every wait is than it was asked for

    def clock(self) -> datetime:
        return self.now

    async def pass_time(self, seconds: float) -> None:
        if self.still:
            await asyncio.Event().wait()
        self.now += timedelta(seconds=seconds * self.hurry)
        await asyncio.sleep(0.005)

    async def live(self, *limits: Limit, dies_at: str = "", dies_in: int = 0, ends: bool = True) -> Life:
        if self.lives and ends:
            await self.lives[-1].tasks.finish(0)
        store = store_on(self.database, Secrets((KEY,)), limits, clock=self.clock)
        await store.leases.heartbeat()
        life = Life(self, store, dies_at, dies_in)
        self.lives.append(life)
        return life

    @property
    def store(self) -> SqlStore:
        return self.lives[-1].real

    def delivery(self) -> Delivery:
        return Delivery(self.channel, self.lives[-1])

    async def run(self, count: int) -> Batch:
        batch, task = await (await self.live()).begin(count)
        await asyncio.wait_for(task, 30)
        return batch

    async def states(self, batch: Batch) -> list[str]:
        return [job.state.value for job in await self.store.jobs.of_batch(batch.id)]

    async def handed_in(self) -> None:
        """Until a night is known to be with the service."""
        await until(lambda: self.channel.nights and self.channel.nights[-1].night_id)

    async def cleared(self) -> None:
        """Until nothing is left at the service, however often it takes."""
        life = self.lives[-1]
        for _ in range(50):
            await life.nights.tidy()
            if not await self.store.notes.overnights():
                break
            await self.pass_time(60)
        assert self.images.batches.files.all == []
        assert await self.store.notes.overnights() == []

    @property
    def drawn(self) -> list[str]:
        assert all(call.overnight for call in self.images.calls)
        return sorted(call.prompt for call in self.images.calls if call.rendered)


def service_at(address: str) -> tuple[Catalogue, OpenAIImages]:
    """A service that draws overnight, and the adapter to it."""
    catalogue = load_catalogue(builtin_catalogue(), "[services.default]\novernight = true").at(address)
    service = catalogue.services["default"]
    adapter = OpenAIImages(service=service, account=Account("sk-0123456789"), inspect=look, models=catalogue)
    return catalogue, adapter


def prompts(count: int) -> list[str]:
    return [f"fox {number}" for number in range(1, count + 1)]


async def until(happened: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not happened():
            await asyncio.sleep(0.005)
