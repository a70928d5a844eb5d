"""The whole bot in the sandbox, in this process or as child processes: real discord.py, real SDK, real sockets.

Whether something is over is told by facts, never by what a line says: no interaction waits for its answer, no job is
live, nothing is under way in the bot. Every run ends with the invariants: no breach of Discord's or the image service's
rules, nothing reserved, the ledger's sums equal to its counters, at most one public result a job.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from bot.adapters.database import SqlStore, open_store
from bot.adapters.database.schema.tables import jobs as job_table
from bot.adapters.secrets import load_secrets
from bot.app import App, build
from bot.operator.sandbox.environment import environment, sqlite_url
from bot.process import close, serve
from bot.rules.ledger import HOLDING, Job
from bot.rules.limits.limit import Limit
from bot.rules.people import Place as ServerPlace
from bot.rules.servers.access import ServerSettings
from bot.settings.sources import parse_settings
from bot.ui.client.gateway import point_at
from sandbox.discord.model import Attachment, Channel, Interaction, Message, User
from sandbox.discord.server import Server
from sandbox.discord.world import World
from sandbox.images import ImageService
from sandbox.running import BotUnderTest, next_connection, while_alive
from tests.support.ledger import empty_ledger

ROOT = Path(__file__).resolve().parents[2]
BOT = (sys.executable, "-m", "bot", "run")
KEY = "test-key"
HANDLERS = ("CommandTree-invoker", "discord-ui-", "discord.py: on_")
"""How discord.py names the tasks in which it answers an interaction or an event."""

PATIENT_S = 2.5
"""Instead of ``settings_cache.QUICK_S``: of a busy machine that runs tests nobody wants to know how quick it is."""

Found = TypeVar("Found")


def specs() -> Path | None:
    """The folder with the descriptions by Discord and the image service, if it is here."""
    folder = Path(os.environ.get("EASEL_SPECS") or ROOT.parent / "shared" / "specs")
    return folder if (folder / "discord.openapi.json").exists() else None


async def until(
    happened: Callable[[], Found | Awaitable[Found]], timeout_s: float = 30, what: str = "what was waited for"
) -> Found:
    """Asks again and again, for facts that nobody announces; returns what is true."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                answer = happened()
                found = await answer if inspect.isawaitable(answer) else answer
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {timeout_s:g} s") from None


# --- what can be seen in Discord -------------------------------------------------------------------------------------


def said(interaction: Interaction) -> str:
    """All words of an interaction's messages."""
    return "\n".join(f"{message.content} {message.embeds}" for message in interaction.messages)


def private_word(interaction: Interaction) -> str:
    """What the person alone reads, nothing public of it being left."""
    (message,) = interaction.messages
    assert message.ephemeral
    return message.content


def picture_of(message: Message, number: int = 0) -> Attachment:
    return [one for one in message.attachments if (one.content_type or "").startswith("image/")][number]


def is_result(message: Message) -> bool:
    """Whether it shows finished pictures to everybody."""
    names = [attachment.filename for attachment in message.attachments]
    return not message.ephemeral and any(n.startswith("easel-") and not n.startswith("easel-preview") for n in names)


@dataclass
class Place:
    """A Discord and an image service, and a folder for bots that are connected to both."""

    discord: Server
    images: ImageService
    folder: Path
    settings: dict[str, str]

    @property
    def world(self) -> World:
        return self.discord.world

    @property
    def member(self) -> User:
        return self.world.town.member

    @property
    def painter(self) -> User:
        return self.world.town.painter

    @property
    def admin(self) -> User:
        return self.world.town.admin

    @property
    def general(self) -> Channel:
        return self.world.town.general

    def env(self, **changes: str) -> dict[str, str]:
        """The variables of a bot here."""
        return environment(
            self.folder,
            token=self.world.token,
            discord=self.discord.api_base,
            images=(self.images.base_url, KEY),
            **self.settings | changes,
        )

    async def imagine(self, user: User | None = None, channel: Channel | None = None, **options: object) -> Interaction:
        """Sends the command, and waits for nothing."""
        options.setdefault("prompt", "a red fox")
        return await self.world.slash(user or self.member, channel or self.general, "/imagine", options)

    def public_results(self, job: Job | None = None) -> list[Message]:
        """The messages that show pictures to everybody, of one job or of all."""
        every = [message for messages in self.world.messages.values() for message in messages.values()]
        return [m for m in every if is_result(m) and (job is None or job.id in str(m.components))]

    def private_words(self) -> list[str]:
        """What the member was told in private: by answers only they see, and by direct message."""
        seen = [m for channel in self.world.channels_for(self.member) for m in self.world.history(channel, self.member)]
        dm = self.world.dm(self.member).id
        return [one.content for one in seen if one.content and (one.ephemeral or one.channel_id == dm)]

    async def judge(self, store: SqlStore) -> list[Job]:
        """The invariants that hold after everything; all jobs of all people, oldest first."""
        self.discord.assert_clean()
        assert [breach for call in self.images.calls for breach in call.breaches] == []
        assert await store.audit_sums() == []
        jobs = await jobs_of(store, *self.world.users)
        assert [job.id for job in jobs if job.reserved_micro_usd or job.state in HOLDING] == []
        assert [job.id for job in jobs if len(self.public_results(job)) > 1] == []
        return jobs


async def jobs_of(store: SqlStore, *people: int) -> list[Job]:
    """Every job of these people, in any state, oldest first."""
    rows = await store.database.rows(
        select(job_table.c.id).where(job_table.c.user_id.in_(people)).order_by(job_table.c.id)
    )
    found = [await store.jobs.get(row["id"]) for row in rows]
    return [job for job in found if job is not None]


# --- the bot in this process -----------------------------------------------------------------------------------------


@dataclass
class Town(Place):
    """A place with one bot, which a test may stop and start again with other settings."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    app: App | None = None
    serving: asyncio.Task[None] | None = None
    _ends: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self, **changes: str) -> None:
        self.settings |= changes
        settings = parse_settings(self.env())
        point_at(settings.discord_api_base)
        connected = next_connection(self.discord)
        built = build(settings, clock=self.world.clock.now, sleep=self.sleep, quick_s=PATIENT_S)
        self.app = await self._ends.enter_async_context(built)
        self.serving = asyncio.create_task(serve(self.app, self.world.token))
        self._ends.push_async_callback(close, self.app, self.serving)
        await while_alive(connected, self.serving)

    async def stop(self) -> None:
        """Harmless if it does not run."""
        await self._ends.aclose()
        self.app = None

    async def restart(self, **changes: str) -> None:
        await self.stop()
        await self.start(**changes)

    # --- acting, and waiting until it is over ---

    async def imagined(
        self, user: User | None = None, channel: Channel | None = None, **options: object
    ) -> Interaction:
        """The same as ``imagine``, once it is over."""
        return await self.settled(await self.imagine(user, channel, **options))

    async def run(self, name: str, **options: object) -> Interaction:
        """A command by the member, once it is over."""
        return await self.settled(await self.world.slash(self.member, self.general, name, options))

    async def press(self, message: Message, button: str, user: User | None = None) -> Interaction:
        """A click, once all that it does is over."""
        return await self.settled(await self.world.click(message, button, user or self.member))

    async def settled(self, interaction: Interaction, timeout_s: float = 30) -> Interaction:
        """The interaction, once it is answered (or failed, as a person sees it) and the bot has nothing more to do."""
        await interaction.wait_acknowledged(timeout_s)
        await self.quiet(timeout_s)
        return interaction

    async def answer(self, interaction: Interaction, timeout_s: float = 30) -> Message:
        """What an interaction shows in the end: the pictures, or the private sentence that says why there are none."""
        await self.settled(interaction, timeout_s)
        assert interaction.messages, "nothing was answered"
        return interaction.messages[0]

    async def quiet(self, timeout_s: float = 30) -> None:
        """Waits until no job is live, nothing is under way in the bot, and no interaction is being answered."""
        await until(lambda: not self.under_way(), timeout_s, "the end of all work")

    def under_way(self) -> list[str]:
        if self.app is None:
            return []
        if busy := self.app.jobs.running_ids() or self.app.tasks.under_way():
            return list(busy)
        return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(HANDLERS)]

    @property
    def here(self) -> ServerPlace:
        """The town's server, where its admin stands, as the ledger knows it."""
        return ServerPlace(self.world.town.studio.id, self.admin.id)

    async def settings_held(self) -> ServerSettings:
        assert self.app is not None
        return await self.app.store.servers.settings(self.here)

    async def limits_held(self) -> Sequence[Limit]:
        assert self.app is not None
        return await self.app.store.servers.limits(self.here)

    async def jobs(self, user: User | None = None) -> list[Job]:
        assert self.app is not None
        return await jobs_of(self.app.store, (user or self.member).id)

    async def check(self) -> None:
        """The invariants; after a stop only those that Discord and the image service can tell."""
        if self.app is not None:
            await self.quiet()
            await self.judge(self.app.store)
        self.discord.assert_clean()


@asynccontextmanager
async def town_in(
    folder: Path,
    *,
    world: World | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    **settings: str,
) -> AsyncIterator[Town]:
    """``world`` may have a clock that the test moves: Discord and the bot go by it. ``sleep``: between two tries."""
    described = specs()
    if "DATABASE_URL" not in settings:
        await empty_ledger(folder)
    async with Server(world, specs=described, identify_every_s=0) as discord:
        images = ImageService(
            mode="compatible", key=KEY, specs=described / "openai.images.openapi.json" if described else None
        )
        await images.start()
        town = Town(discord, images, folder, settings, sleep)
        try:
            await town.start()
            yield town
        finally:
            await town.stop()
            await images.stop()


# --- bots as processes of their own ----------------------------------------------------------------------------------


@dataclass
class Processes(Place):
    """A place with as many bots as a test needs, each a process with settings of its own, to be killed."""

    bots: list[BotUnderTest] = field(default_factory=list)

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

    async def crash(self, point: str) -> tuple[Interaction, BotUnderTest]:
        """Starts a bot that dies at ``point`` of the first job, and lets it."""
        bot = await self.start(EASEL_CRASH_AT=point)
        interaction = await self.imagine(quality="low")
        assert await asyncio.wait_for(bot.wait(), 30) == -9
        return interaction, bot

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[SqlStore]:
        """The store, opened by the test; for SQLite only while no bot runs."""
        url = self.env()["DATABASE_URL"]
        store = await open_store(url, data_dir=self.folder, secrets=load_secrets(None, self.folder))
        try:
            yield store
        finally:
            await store.aclose()

    async def end(self) -> list[Job]:
        """Stops every bot, checks all invariants, and returns all jobs, oldest first."""
        await asyncio.gather(*(bot.stop() for bot in self.bots))
        async with self.ledger() as store:
            jobs = await self.judge(store)
        assert not [text for text in self.secrets() if text in self.logs()]
        return jobs

    def logs(self) -> str:
        return "\n".join(line for bot in self.bots for line in bot.log)

    def secrets(self) -> list[str]:
        return [self.world.token, KEY, *self.world.by_token]


@asynccontextmanager
async def processes_in(folder: Path, *, url: str | None = None, world: World | None = None) -> AsyncIterator[Processes]:
    """``world`` may have a clock that the test moves: then Discord takes expired tokens no more."""
    settings = {
        "DATABASE_URL": url or sqlite_url(folder),
        "DEFAULT_IMAGES_PER_DAY": "none",
        "DEFAULT_BUDGET_USD": "1000",
    }
    async with Server(world, specs=specs(), identify_every_s=0) as discord:
        images = ImageService(mode="compatible", key=KEY)
        await images.start()
        place = Processes(discord, images, folder, settings)
        try:
            yield place
        finally:
            await asyncio.gather(*(bot.kill() for bot in place.bots))
            await images.stop()
