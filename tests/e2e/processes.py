"""The bot as a child process, to be killed and started again; Discord and the image service are the test's own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.adapters.database import SqlStore, open_store
from bot.adapters.secrets import load_secrets
from bot.operator.sandbox.environment import environment, sqlite_url
from bot.rules.ledger import HOLDING, Job, JobState
from bot.rules.people import Place
from sandbox.discord.model import Interaction, Message
from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.images import ImageService
from sandbox.running import BotUnderTest
from tests.support.ledger import counts_by_state

ROOT = Path(__file__).resolve().parents[2]
BOT = (sys.executable, "-m", "bot", "run")


async def until(happened: Callable[[], Awaitable[object]], timeout_s: float = 30, what: str = "what was waited for"):
    """Asks again and again, for facts that live in another process; returns what is true."""
    async with asyncio.timeout(timeout_s):
        while not (found := await happened()):
            await asyncio.sleep(0.05)
    return found


@dataclass
class Stage:
    """Discord, images, and bots as processes: ``start`` as many as a test needs, each with its own settings."""

    discord: Server
    images: ImageService
    folder: Path
    url: str
    bots: list[BotUnderTest] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.discord.world

    async def launch(self, **changes: str) -> BotUnderTest:
        """Starts a bot without waiting for it."""
        bot = self._made(changes)
        await bot.start()
        return bot

    async def start(self, **changes: str) -> BotUnderTest:
        """Starts a bot and waits until it is connected."""
        bot = self._made(changes)
        await bot.connect(self.discord)
        return bot

    def _made(self, changes: dict[str, str]) -> BotUnderTest:
        self.bots.append(BotUnderTest(BOT, self.env(**changes), ROOT))
        return self.bots[-1]

    def env(self, **changes: str) -> dict[str, str]:
        return environment(
            self.folder,
            token=self.world.token,
            discord=self.discord.api_base,
            images=(self.images.base_url, "test-key"),
            **{"DATABASE_URL": self.url, "DEFAULT_IMAGES_PER_DAY": "none", "DEFAULT_BUDGET_USD": "1000"} | changes,
        )

    async def crash(self, point: str) -> tuple[Interaction, BotUnderTest]:
        """Starts a bot that dies at ``point`` of the first job, and lets it."""
        bot = await self.start(EASEL_CRASH_AT=point)
        interaction = await self.imagine()
        assert await asyncio.wait_for(bot.wait(), 30) == -9
        return interaction, bot

    async def imagine(self, channel=None, **options: object) -> Interaction:
        town = self.world.town
        options = {"prompt": "a red fox", "quality": "low"} | options
        return await self.world.slash(town.member, channel or town.general, "/imagine", options)

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[SqlStore]:
        """The store, opened by the test; for SQLite only while no bot runs."""
        store = await open_store(self.url, data_dir=self.folder, secrets=load_secrets(None, self.folder))
        try:
            yield store
        finally:
            await store.aclose()

    async def end(self) -> list[Job]:
        """Stops every bot, checks all invariants, and returns all jobs, oldest first."""
        await asyncio.gather(*(bot.stop() for bot in self.bots))
        async with self.ledger() as store:
            assert await store.audit_sums() == []
            counts = await counts_by_state(store)
            assert not [state for state in HOLDING if counts.get(state)], counts
            jobs = await all_jobs(store, self)
        assert all(job.reserved_micro_usd == 0 for job in jobs)
        assert at_most_one_public_result(self.world, jobs)
        assert not [text for text in self.secrets() if text in self.logs()]
        self.discord.assert_clean()
        assert [breach for call in self.images.calls for breach in call.breaches] == []
        return jobs

    def logs(self) -> str:
        return "\n".join(line for bot in self.bots for line in bot.log)

    def secrets(self) -> list[str]:
        return [self.world.token, "test-key", *self.world.by_token]

    def public_results(self) -> list[Message]:
        """Every message with pictures that others can see, wherever it is."""
        return public_results(self.world)

    def private_words(self) -> list[str]:
        """What the member was told in private: by answers only they see, and by direct message."""
        member = self.world.town.member
        seen = [
            message for channel in self.world.channels_for(member) for message in self.world.history(channel, member)
        ]
        dm = self.world.dm(member).id
        return [one.content for one in seen if one.content and (one.ephemeral or one.channel_id == dm)]


def public_results(world: World) -> list[Message]:
    every = [message for messages in world.messages.values() for message in messages.values()]
    return [one for one in every if not one.ephemeral and any(is_result(a.filename) for a in one.attachments)]


def is_result(filename: str) -> bool:
    return filename.startswith("easel-") and not filename.startswith("easel-preview")


def at_most_one_public_result(world: World, jobs: list[Job]) -> bool:
    results = public_results(world)
    return all(sum(job.id in str(message.components) for message in results) <= 1 for job in jobs)


async def all_jobs(store: SqlStore, stage: Stage) -> list[Job]:
    """Every job there is, in any state."""
    place = Place(stage.world.town.studio.id, stage.world.town.member.id)
    export = await store.people.export(place.user_id)
    found = [await store.jobs.get(one["id"]) for one in export["jobs"]]
    return sorted((job for job in found if job is not None), key=lambda job: job.id)


async def states(store: SqlStore) -> dict[JobState, int]:
    return {state: count for state, count in (await counts_by_state(store)).items() if count}


@asynccontextmanager
async def staged(folder: Path, *, url: str | None = None, world: World | None = None) -> AsyncIterator[Stage]:
    """``world`` may have a clock that the test moves: then Discord takes expired tokens no more."""
    async with Server(world) as discord:
        images = ImageService(mode="compatible", key="test-key")
        await images.start()
        stage = Stage(discord, images, folder, url or sqlite_url(folder))
        try:
            yield stage
        finally:
            await asyncio.gather(*(bot.kill() for bot in stage.bots))
            await images.stop()
