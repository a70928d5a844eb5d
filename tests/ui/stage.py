"""The whole shell against the pretend Discord: real client, real sockets, real ledger, pretend pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bot.app import App, build
from bot.rules.ledger import Job
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from sandbox.discord.model import Attachment, Interaction, Message
from sandbox.discord.server import Server
from sandbox.images import ImageService

PASSING = ("⏳", "🎨", "No picture came of this")
"""How the lines begin that are replaced or deleted a moment later."""


class Stage:
    """A bot on a pretend Discord. ``painter`` has the role Painters, ``member`` none, ``moderator`` may delete."""

    def __init__(self, discord: Server, images: ImageService, app: App) -> None:
        self.discord = discord
        self.images = images
        self.app = app
        self.world = discord.world
        self.town = discord.world.town

    async def imagine(self, user: Any = None, channel: Any = None, **options: Any) -> Interaction:
        return await self.ended(
            await self.world.slash(user or self.town.member, channel or self.town.general, "imagine", options)
        )

    async def run(self, name: str, **options: Any) -> Interaction:
        return await self.ended(await self.world.slash(self.town.member, self.town.general, name, options))

    async def press(self, message: Message, button: str, user: Any = None) -> Interaction:
        return await self.ended(await self.world.click(message, button, user or self.town.member))

    async def jobs_of(self, user_id: int) -> list[Job]:
        found = []
        for key in (await self.app.store.people.export(user_id))["jobs"]:
            job = await self.app.store.jobs.get(key["id"])
            found += [job] if job is not None else []
        return found

    async def until(self, happened: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                await asyncio.sleep(0.01)

    async def until_true(self, happened: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(10):
            while not await happened():
                await asyncio.sleep(0.01)

    async def until_async(self, names: Callable[[], Awaitable[Sequence[str]]]) -> None:
        async with asyncio.timeout(10):
            while await names():
                await asyncio.sleep(0.01)

    async def ended(self, interaction: Interaction) -> Interaction:
        """Waits until the interaction has its last word: pictures, a private word, or a form."""
        await interaction.changed.until(lambda: is_last_word(interaction), 20, "the last word")
        return interaction


def is_last_word(interaction: Interaction) -> bool:
    if interaction.failed or interaction.modal is not None:
        return True
    return any(m.embeds or (m.content and not m.content.startswith(PASSING)) for m in interaction.messages)


async def private_word(interaction: Interaction) -> str:
    """What the person alone reads, once nothing public of it is left."""
    await interaction.changed.until(lambda: [m.ephemeral for m in interaction.messages] == [True], 10, "a private word")
    return interaction.messages[0].content


def said(interaction: Interaction) -> str:
    return "\n".join(f"{message.content} {message.embeds}" for message in interaction.messages)


def picture_of(message: Message, number: int = 0) -> Attachment:
    return [one for one in message.attachments if (one.content_type or "").startswith("image/")][number]


@asynccontextmanager
async def played() -> AsyncIterator[tuple[Server, ImageService]]:
    """Discord and the image service; at the end nothing the bot sent may have broken Discord's rules."""
    async with Server() as discord:
        images = ImageService(mode="compatible", latency_s=0.0)
        await images.start()
        try:
            yield discord, images
        finally:
            await images.stop()
        discord.assert_clean()


@asynccontextmanager
async def running(discord: Server, images: ImageService, folder: Path, **settings: str) -> AsyncIterator[Stage]:
    values = {
        "DISCORD_TOKEN": discord.world.token,
        "DISCORD_API_BASE": discord.api_base,
        "OPENAI_BASE_URL": images.base_url,
        "OPENAI_API_KEY": "sandbox-key",
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'easel.db'}",
        "DATA_DIR": str(folder),
        "HTTP_PORT": "0",
        "IMAGES_PER_MINUTE": "600",
        "DEFAULT_COOLDOWN_S": "0",
        **settings,
    }
    point_at(discord.api_base)
    async with build(parse_settings(values)) as app:
        connecting = asyncio.create_task(app.client.start(discord.world.token))
        await discord.wait_ready()
        try:
            yield Stage(discord, images, app)
        finally:
            await app.tasks.finish(5)
            await app.client.close()
            await asyncio.gather(connecting, return_exceptions=True)


def png(edge: int = 1024, colour: str = "red") -> bytes:
    out = BytesIO()
    Image.new("RGB", (edge, edge), colour).save(out, "PNG")
    return out.getvalue()
