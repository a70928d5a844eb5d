"""A whole town for a bench: the sandbox's Discord here, the image service in another process, and the real bot in a
process of its own (or, for profiles and bounds, in this one).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.fakes import ROOT, Other, other_process
from bot.app import build
from bot.operator.sandbox.environment import environment
from bot.process import close, serve
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from sandbox.discord.model import Event, Message, User
from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.running import BotUnderTest, next_connection, while_alive

PEOPLE = 40


@dataclass(slots=True)
class Town:
    """``bot`` is None where the bot runs in this process."""

    discord: Server
    other: Other
    people: list[User]
    env: dict[str, str]
    bot: BotUnderTest | None = None

    @property
    def world(self) -> World:
        return self.discord.world


NEVER_MET = {
    "MAX_CONCURRENT_JOBS": "200",
    "DEFAULT_IMAGES_PER_DAY": "100000",
    "DEFAULT_BUDGET_USD": "1000000",
    "JOB_TIMEOUT_S": "600",
    "LOG_LEVEL": "WARNING",
}
"""Every kind of default limit is there, none of them is met."""


@asynccontextmanager
async def town(
    *, side: int = 1024, in_process: bool = False, start: bool = True, changes: Mapping[str, str] | None = None
) -> AsyncIterator[Town]:
    """Everything started and, on exit, ended. With ``start`` False the bot's own process is made but not started."""
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-bench-", ignore_cleanup_errors=True))
        )
        other = await stack.enter_async_context(other_process(side))
        discord = await stack.enter_async_context(Server())
        discord.world.subscribe(_forget_bytes)
        env = environment(
            folder,
            token=discord.world.token,
            discord=discord.api_base,
            images=(other.images_url, "bench-key"),
            **NEVER_MET,
            **(changes or {}),
        )
        made = Town(discord, other, _people(discord.world), env)
        if in_process:
            await stack.enter_async_context(_bot_here(made))
        else:
            made.bot = BotUnderTest((sys.executable, "-m", "bot", "run"), env, ROOT)
            stack.push_async_callback(made.bot.stop)
            if start:
                await made.bot.connect(discord)
        yield made


@asynccontextmanager
async def _bot_here(place: Town) -> AsyncIterator[None]:
    settings = parse_settings(place.env)
    point_at(settings.discord_api_base)
    async with build(settings) as app:
        connected = next_connection(place.discord)
        serving = asyncio.create_task(serve(app, place.world.token))
        try:
            await while_alive(connected, serving)
            yield
        finally:
            await close(app, serving)


def _people(world: World) -> list[User]:
    """Members of one server; so many that nobody presses the same button twice at once."""
    people = [world.new_user(f"Guest{number}") for number in range(PEOPLE)]
    for person in people:
        world.add_member(world.town.studio, person)
    return people


def _forget_bytes(event: Event) -> None:
    """Keeps this process small: hundreds of pictures of 2 MB need not be kept to be counted."""
    message: Message | None = event.message
    if message is not None and message.attachments and message.author.bot:
        message.attachments = [replace(one, data=b"") if one.data else one for one in message.attachments]
