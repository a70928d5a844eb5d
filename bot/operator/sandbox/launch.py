"""Starts the sandbox: a Discord, an image service, the real bot as a child process, and the page or one command.

    sandbox                                  the page
    sandbox "/imagine prompt:a red fox"      that one command, its answer as text, its pictures saved

The bot gets a folder of its own that is gone afterwards. With ``OPENAI_API_KEY``, ``OPENAI_BASE_URL`` or
``--model-server`` the real image service is used.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.operator.sandbox.cli import people_of, run_one
from bot.operator.sandbox.environment import environment
from bot.operator.sandbox.folders import own_folder
from bot.operator.sandbox.given import MODELS, SERVICE, given, said
from bot.operator.sandbox.ledger import SqliteLedger
from bot.operator.sandbox.options import options_of
from bot.operator.sandbox.towns import easel_town
from bot.operator.sandbox.welcome import welcome
from bot.rules.requests import PICTURES
from sandbox.discord.server import Server
from sandbox.images import ImageService
from sandbox.images.service import Mode
from sandbox.images.words.chat import MODEL
from sandbox.page.server import PageServer
from sandbox.running import BotUnderTest, ends_with_us

BOT_COMMAND = (sys.executable, "-m", "bot", "run")
LATENCY_S = 4.5
"""Long enough to see previews, which the bot shows at most every three seconds."""
SLOW_S = 12.0
WORD_PRICES = "0.15/0.60"
"""Of the sandbox's model of words, made up like its answers."""
NIGHT_S = 20.0
"""What is drawn overnight takes this long."""
EXPECTED = (OSError, TimeoutError, RuntimeError)
DRAWING = frozenset((*PICTURES, "batch"))
"""Commands that have succeeded only if pictures came."""
STOPS = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(slots=True)
class Sandbox:
    """The parts, started."""

    discord: Server
    images: ImageService | None
    bot: BotUnderTest
    ledger: SqliteLedger


def main(arguments: argparse.Namespace) -> int:
    """Runs the sandbox by the rest of the command line; returns the exit code (0 if it did what was asked)."""
    options = options_of(arguments.rest)
    work = _one if options.command else _page
    try:
        return asyncio.run(_stoppable(work(options, BOT_COMMAND), stopped=1 if options.command else 0))
    except KeyboardInterrupt:  # Windows, where the loop takes no signal handlers
        return 1 if options.command else 0
    except BrokenPipeError:  # whoever reads has read enough; the command line knows what to do
        raise
    except EXPECTED as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1


async def _stoppable(work: Coroutine[Any, Any, int], *, stopped: int) -> int:
    """The work's exit code, or ``stopped`` when a signal ended it; in any case the bot has ended before."""
    task = asyncio.create_task(work, name="sandbox")
    for name in STOPS:
        with contextlib.suppress(NotImplementedError, AttributeError):
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return stopped


@asynccontextmanager
async def running(options: argparse.Namespace, bot_command: Sequence[str], **settings: str) -> AsyncIterator[Sandbox]:
    """Discord, the image service and the bot; all ended and the bot's folder removed on exit."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_folder())
        discord = await stack.enter_async_context(Server(easel_town(options.world, options.language)))
        machine = given()
        service = machine.service(options.model_server)
        images = None if service else await _images(options, stack)
        own = {"IMAGES_PER_MINUTE": "60" if images is None else "600", **settings, **machine.kept()}
        own |= {} if images is None else {"CHAT_MODEL": MODEL, "CHAT_PRICES": WORD_PRICES}
        own |= {SERVICE: options.model_server} if options.model_server else {}
        own |= {} if images is None or MODELS in machine.values else {MODELS: str(_told_of_service(folder))}
        env = environment(
            folder,
            token=discord.world.token,
            discord=discord.api_base,
            images=None if images is None else (images.base_url, "sandbox-key"),
            **own,
        )
        for line in said(service, machine.set_aside(env)):
            print(line, file=sys.stderr, flush=True)  # noqa: T201
        bot = BotUnderTest(ends_with_us(bot_command), env, Path.cwd(), echo=options.verbose)
        stack.push_async_callback(bot.stop)
        await bot.connect(discord)
        yield Sandbox(discord, images, bot, SqliteLedger(folder / "easel.db"))


def _told_of_service(folder: Path) -> Path:
    """The sandbox's own service tells whether it made a picture, and draws overnight; the bot knows that only of
    OpenAI's.
    """
    file = folder / "models.toml"
    file.write_text("[services.default]\nprovenance = true\novernight = true\n", encoding="utf-8")
    return file


async def _images(options: argparse.Namespace, stack: AsyncExitStack) -> ImageService:
    latency = SLOW_S if options.slow else 0.0 if options.command else LATENCY_S
    mode: Mode = "official" if options.official else "compatible"
    images = ImageService(mode=mode, latency_s=latency, night_s=NIGHT_S, varied=True, signs=True)
    await images.start()
    stack.push_async_callback(images.stop)
    return images


async def _one(options: argparse.Namespace, bot_command: Sequence[str]) -> int:
    async with running(options, bot_command, LOG_LEVEL="WARNING") as sandbox:
        command = run_one(
            options.command,
            sandbox.discord,
            user=people_of(sandbox.discord.world)[vars(options)["as"]],
            out=options.out,
            drawing=DRAWING,
            is_busy=sandbox.ledger.is_busy,
        )
        return await sandbox.bot.while_alive(command)


async def _page(options: argparse.Namespace, bot_command: Sequence[str]) -> int:
    """Shows the page until a signal ends it."""
    print("Starting the sandbox …", flush=True)  # noqa: T201
    async with running(options, bot_command, DEFAULT_COOLDOWN_S="2") as sandbox, show(options, sandbox) as page:
        print(f"Easel's sandbox is at {page.url} (this machine only). Ctrl-C ends it.", flush=True)  # noqa: T201
        if not options.no_browser:
            await asyncio.to_thread(_browse, page.url)
        await asyncio.get_running_loop().create_future()
    return 0


@asynccontextmanager
async def show(options: argparse.Namespace, sandbox: Sandbox) -> AsyncIterator[PageServer]:
    """The page of a started sandbox, on its usual port or on a free one if another program has that."""
    page = await _open_page(options, sandbox)
    try:
        yield page
    finally:
        await page.stop()


async def _open_page(options: argparse.Namespace, sandbox: Sandbox) -> PageServer:
    """The page on its usual port, or on a free one if another program has that."""
    for port in (options.port, 0):
        page = PageServer(
            sandbox.discord.world,
            images=sandbox.images,
            wire=sandbox.discord.wire,
            faults=sandbox.discord.faults,
            gateway=sandbox.discord.gateway,
            bot=sandbox.bot,
            ledger=sandbox.ledger,
            welcome=welcome(),
            port=port,
        )
        try:
            await page.start()
        except OSError as problem:
            if port == 0:
                raise
            taken = problem.errno == errno.EADDRINUSE
            why = "is in use" if taken else f"is not to be had ({problem.strerror or problem})"
            print(f"Port {port} {why}; taking a free one.")  # noqa: T201
            continue
        return page
    raise RuntimeError("no port for the page")


def _browse(url: str) -> None:
    """Opens the browser where there is one; the address was printed in any case."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
