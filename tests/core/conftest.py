"""The core with a real ledger in memory and everything else in the test's hands: time, service, files, delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.database import SqlStore, store_on
from bot.adapters.files.disk import DiskFiles
from bot.adapters.secrets import Secrets
from bot.core.assembly import assemble
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.recovery import Recovery
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.core.service.pace import SharedPace
from bot.core.tasks import Tasks
from bot.ports import Delivered, Delivery, Payer, Progress, WhyKept
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.ledger import HOLDING, Answer, Job, JobState
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker, Place
from bot.rules.requests import Inputs, Kind, Made, MadeImage, Partial, Usage
from tests.support.ledger import emptied_ledger

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CATALOGUE = load_catalogue(builtin_catalogue())
PICTURE = b"\x89PNG\r\n\x1a\n not looked at here"


def fault(kind: FaultKind, billed: Billed = Billed.NO, **more: Any) -> ServiceFault:
    return ServiceFault(Fault(kind, billed, **more))


@dataclass
class FakeService:
    """Answers what ``script`` says, in order, then pictures. ``gate`` holds every call while it is not set."""

    is_official = False
    script: list[Exception] = field(default_factory=list)
    calls: int = 0
    cancelled: int = 0
    gate: asyncio.Event | None = None
    payers: list[tuple[str, Payer]] = field(default_factory=list)

    async def make(self, request, inputs, *, payer, member_tag, deadline_s, on_partial=None) -> Made:
        self.calls += 1
        self.payers.append((request.prompt, payer))
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.script:
            raise self.script.pop(0)
        images = tuple(MadeImage(PICTURE, "png", 1024, 1024) for _ in range(request.count if request.calls == 1 else 1))
        return Made(images, Usage(10, 0, 196), "req_1")

    async def known_models(self, payer: Payer, *, service="default"):
        return None

    async def aclose(self) -> None: ...


@dataclass
class FakeDelivery:
    """Writes down what a person sees. ``trouble`` is raised by the next results, in order."""

    shown: list[str] = field(default_factory=list)
    told: list[Exception] = field(default_factory=list)
    kept_for: list[WhyKept] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    async def progress(self, job: Job, progress: Progress) -> None: ...
    async def preview(self, job: Job, partial: Partial) -> None: ...

    async def result(self, job: Job, made: Sequence[Made], took_s: float) -> Delivered:
        if self.trouble:
            raise self.trouble.pop(0)
        self.shown.append(job.id)
        return Delivered(77, job.asker.channel_id)

    async def kept(self, job: Job, why: WhyKept) -> None:
        assert job.waiting or why is WhyKept.ELSEWHERE
        self.kept_for.append(why)

    async def failed(self, job: Job, error: Exception) -> None:
        self.told.append(error)


class Silent:
    """A ``Notifier`` that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool, str]] = []
        self.models: list[str | None] = []

    async def budget(self, place, warning) -> None: ...
    async def changed(self, place, *entries) -> None: ...
    async def model_ends(self, model_id, ends_on, successor) -> None: ...

    async def service(self, place: Place | None, *, working: bool, why: str, model: str | None) -> None:
        self.heard.append((place.key if place else "operator", working, why))
        self.models.append(model)


class Core:
    """One life of the core on a ledger. ``wrap`` puts something between it and store, files or service."""

    def __init__(
        self, store: Any, files: Any, service: Any, *, clock=None, max_running: int = 4, catalogue=CATALOGUE
    ) -> None:
        self.now = NOON
        self.waited: list[float] = []
        self.store, self.files, self.service = store, files, service
        self.tasks = Tasks()
        self.notices = Silent()
        self.delivery = FakeDelivery()
        pace = SharedPace(store.leases, 6000)
        self.queue = FairQueue(max_running=max_running, per_minute=6000, pace=pace, tasks=self.tasks)
        self.circuit = Circuit()
        parts = assemble(
            store=store,
            service=service,
            files=files,
            queue=self.queue,
            circuit=self.circuit,
            catalogue=CurrentCatalogue(catalogue),
            notifier=self.notices,
            clock=lambda: self.now,
            tasks=self.tasks,
            default_model="gpt-image-2.5-flare",
            member_tag=str,
            deadline_s=60,
            sleep=self.wait,
        )
        self.intake, self.jobs, self.batches = parts.intake, parts.jobs, parts.batches
        self.pictures, self.settlement = parts.pictures, parts.settlement
        self.recovery = Recovery(store, self.jobs, self.settlement, self.pictures, self.delivery_for, lambda: self.now)

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)

    def delivery_for(self, job: Job) -> Delivery:
        return self.delivery

    def asker(self, user: int = 1) -> Asker:
        return Asker(user, Place(10, user), 100)

    def answer(self) -> Answer:
        return Answer(1, 2, "interaction-token", 100, self.now + timedelta(minutes=15), message_id=77)

    async def open(self, event: str = "e1", user: int = 1, model: str | None = None, **options: Any) -> Job:
        raw = RawOptions(**{"prompt": "a fox", "quality": "low", **options})
        quote = await self.intake.prepare(self.asker(user), Kind.IMAGINE, raw, model=model)
        return await self.intake.open(self.asker(user), quote, self.answer(), event_key=event)

    async def run(self, event: str = "e1", **options: Any) -> None:
        """A job from its opening to its end."""
        job = await self.open(event, **options)
        await asyncio.wait({self.jobs.start(job, Inputs(), self.delivery)})

    async def end(self) -> None:
        await self.tasks.finish(0)


async def every_job(store: SqlStore) -> list[Job]:
    exported = [await store.people.export(user) for user in (1, 2, 3)]
    ids = sorted(one["id"] for export in exported for one in export["jobs"])
    return [job for job_id in ids if (job := await store.jobs.get(job_id)) is not None]


async def assert_invariants(store: SqlStore) -> list[Job]:
    """I1 to I4 at rest: sums equal, nothing reserved, every job ended or waiting to be fetched. Returns the jobs."""
    assert await store.audit_sums() == []
    jobs = await every_job(store)
    for job in jobs:
        assert job.reserved_micro_usd == 0, job
        assert job.state not in HOLDING, job
        assert job.state is not JobState.PRODUCED or job.waiting, job
    return jobs


@pytest.fixture
async def store() -> SqlStore:
    """A ledger in a file: one in memory would be gone with its connection, which a cancelled statement costs."""
    opened = store_on(await emptied_ledger(), Secrets((KEY,)), clock=lambda: NOON)
    await opened.leases.heartbeat()
    return opened


@pytest.fixture
async def core(store: SqlStore, tmp_path: Path) -> AsyncIterator[Core]:
    made = Core(store, DiskFiles(tmp_path, floor_bytes=0), FakeService())
    yield made
    await made.end()
    await assert_invariants(store)
