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
from bot.process import close, serve
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from sandbox.discord.model import Event, Message, User
from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.running import BotProcess

READY_S = 60.0
PEOPLE = 40


class Bot(BotProcess):
    """The bot's process, whose costs can be read."""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the bot was never started")
        return self._process.pid


@dataclass(slots=True)
class Town:
    """``bot`` is None where the bot runs in this process."""

    discord: Server
    other: Other
    people: list[User]
    env: dict[str, str]
    bot: Bot | None = None

    @property
    def world(self) -> World:
        return self.discord.world


def environment(discord: Server, other: Other, folder: Path) -> dict[str, str]:
    """Settings for a bench: every kind of default limit is there, none of them is met."""
    return {
        "DISCORD_TOKEN": discord.world.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GUILD_ID": "",
        "OPENAI_BASE_URL": other.images_url,
        "OPENAI_API_KEY": "bench-key",
        "DATABASE_URL": f"sqlite+aiosqlite:///{(folder / 'easel.db').as_posix()}",
        "DATA_DIR": str(folder),
        "HTTP_PORT": "0",
        "SHARD_COUNT": "",
        "SHARD_IDS": "",
        "SECRET_KEY": "",
        "IMAGES_PER_MINUTE": "60000",
        "MAX_CONCURRENT_JOBS": "200",
        "DEFAULT_COOLDOWN_S": "0",
        "DEFAULT_IMAGES_PER_DAY": "100000",
        "DEFAULT_BUDGET_USD": "1000000",
        "JOB_TIMEOUT_S": "600",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }


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
        env = environment(discord, other, folder) | dict(changes or {})
        made = Town(discord, other, _people(discord.world), env)
        if in_process:
            await stack.enter_async_context(_bot_here(made))
        else:
            made.bot = Bot((sys.executable, "-m", "bot", "run"), env, ROOT)
            stack.push_async_callback(made.bot.stop)
            if start:
                await made.bot.start()
                await ready(made)
        yield made


async def ready(place: Town) -> None:
    """Waits until the bot is connected. Raises ``RuntimeError`` with its last words if it ended instead."""
    if place.bot is None:
        raise RuntimeError("the bot has no process of its own")
    waiting = asyncio.ensure_future(place.discord.wait_ready(timeout_s=READY_S))
    ended = asyncio.ensure_future(place.bot.wait())
    await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not waiting.done():
            raise RuntimeError("The bot did not start. Its last lines:\n" + "\n".join(list(place.bot.log)[-15:]))
        await waiting
    finally:
        waiting.cancel()
        ended.cancel()
        await asyncio.gather(waiting, ended, return_exceptions=True)


@asynccontextmanager
async def _bot_here(place: Town) -> AsyncIterator[None]:
    settings = parse_settings({name: value for name, value in place.env.items() if not name.startswith("PYTHON")})
    point_at(settings.discord_api_base)
    async with build(settings) as app:
        serving = asyncio.create_task(serve(app, place.world.token))
        waiting = asyncio.ensure_future(place.discord.wait_ready(timeout_s=READY_S))
        try:
            await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
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
