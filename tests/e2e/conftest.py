"""The whole bot in the sandbox: real discord.py, real SDK, real sockets, in this process.

A ``Town`` fixture is a Discord, an image service and a bot connected to both. Every test ends with the invariants:
no breach of Discord's or the service's rules, nothing reserved, the ledger's sums equal to its counters.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.app import App, build
from bot.process import close, serve
from bot.rules.ledger import HOLDING, Job
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from sandbox.discord.model import Interaction, Message, User
from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.images import ImageService

ROOT = Path(__file__).resolve().parents[2]


def specs() -> Path | None:
    folder = Path(os.environ.get("EASEL_SPECS") or ROOT.parent / "shared" / "specs")
    return folder if (folder / "discord.openapi.json").exists() else None


@dataclass
class TestTown:
    """What a test works with: ``discord``, ``images``, and the bot, which it may stop and start again."""

    __test__ = False

    discord: Server
    images: ImageService
    folder: Path
    env: dict[str, str]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    app: App | None = None
    _serving: asyncio.Task[None] | None = None
    _stack: object = None
    extra_breaches: list[str] = field(default_factory=list)

    @property
    def world(self):
        return self.discord.world

    @property
    def member(self) -> User:
        return self.world.town.member

    @property
    def admin(self) -> User:
        return self.world.town.admin

    @property
    def general(self):
        return self.world.town.general

    async def start(self, **changes: str) -> None:
        self.env |= changes
        settings = parse_settings(self.env)
        point_at(settings.discord_api_base)
        self._stack = build(settings, clock=self.world.clock.now, sleep=self.sleep)
        self.app = await self._stack.__aenter__()
        self._serving = asyncio.create_task(serve(self.app, self.world.token))
        ready = asyncio.create_task(self.discord.wait_ready())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            ready.cancel()
            self._serving.result()

    async def stop(self) -> None:
        if self.app is None:
            return
        await close(self.app, self._serving)
        await self._stack.__aexit__(None, None, None)
        self.app = None

    async def restart(self, **changes: str) -> None:
        await self.stop()
        await self.start(**changes)

    async def imagine(self, user: User | None = None, channel=None, **options: object) -> Interaction:
        options.setdefault("prompt", "a red fox")
        return await self.world.slash(user or self.member, channel or self.general, "/imagine", options)

    async def answer(self, interaction: Interaction, timeout_s: float = 30) -> Message:
        """The last word of an interaction: the pictures, or the private sentence that says why there are none."""
        await interaction.wait_until(lambda one: last_word(one) is not None, timeout_s, "the last word")
        found = last_word(interaction)
        assert found is not None
        return found

    async def quiet(self) -> None:
        """Waits until no job is live in the bot."""
        assert self.app is not None
        for _ in range(3000):
            if not self.app.jobs.running_ids():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"jobs still live: {self.app.jobs.running_ids()}")

    async def check(self) -> None:
        """The invariants that hold after everything."""
        self.discord.assert_clean()
        assert [breach for call in self.images.calls for breach in call.breaches] == []
        if self.app is not None:
            await self.quiet()
            assert await self.app.store.audit_sums() == []
            jobs = await self.jobs()
            assert [job.id for job in jobs if job.reserved_micro_usd or job.state in HOLDING] == []
            assert [job.id for job in jobs if len(self.public_results(job)) > 1] == []

    async def jobs(self) -> list[Job]:
        """Every job of the member, in any state, oldest first."""
        assert self.app is not None
        exported = await self.app.store.people.export(self.member.id)
        found = [await self.app.store.jobs.get(one["id"]) for one in exported["jobs"]]
        return sorted((job for job in found if job is not None), key=lambda job: job.id)

    def public_results(self, job: Job) -> list[Message]:
        """The messages that show this job's pictures to everybody."""
        every = [message for messages in self.world.messages.values() for message in messages.values()]
        return [m for m in every if not m.ephemeral and shows(m, job.id)]


def shows(message: Message, job_id: str) -> bool:
    """Whether it is the result of the job: pictures, and buttons with the job's id."""
    pictures = [a for a in message.attachments if not a.filename.startswith("easel-preview")]
    return bool(pictures) and job_id in str(message.components)


def last_word(interaction: Interaction) -> Message | None:
    """The message that ends an interaction, if it is there: progress carries a Cancel button, a last word does not."""
    for message in reversed(interaction.messages):
        if message.attachments and not message.attachments[0].filename.startswith("easel-preview"):
            return message
        if message.embeds or (message.ephemeral and message.content and not message.components):
            return message
    return None


@asynccontextmanager
async def town_in(
    folder: Path,
    *,
    world: World | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    **env: str,
) -> AsyncIterator[TestTown]:
    """``world`` may have a clock that the test moves: Discord and the bot go by it. ``sleep``: between tries."""
    async with Server(world, specs=specs()) as discord:
        images = ImageService(mode="compatible", key="test-key", specs=_images_spec())
        await images.start()
        base = {
            "DISCORD_TOKEN": discord.world.token,
            "DISCORD_API_BASE": discord.api_base,
            "OPENAI_BASE_URL": images.base_url,
            "OPENAI_API_KEY": "test-key",
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'easel.db'}",
            "DATA_DIR": str(folder),
            "HTTP_PORT": "0",
            "IMAGES_PER_MINUTE": "60000",
            "DEFAULT_COOLDOWN_S": "0",
        }
        town = TestTown(discord, images, folder, base | env, sleep)
        try:
            await town.start()
            yield town
        finally:
            await town.stop()
            await images.stop()


def _images_spec() -> Path | None:
    folder = specs()
    return folder / "openai.images.openapi.json" if folder else None


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[TestTown]:
    async with town_in(tmp_path) as made:
        yield made
        await made.check()
