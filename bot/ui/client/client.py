"""The discord.py client and its command tree: wired once, guarded against what Discord may send, one error path.

Attributes are given by the constructor and read by ``setup()`` of the cogs, buttons and forms through
``interaction.client``. Nothing here is global but the address of Discord (``point_at``), which discord.py keeps so.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.core.jobs.batches import Batches
from bot.core.jobs.jobs import Jobs
from bot.core.servers.admin import Admin
from bot.core.tasks import Tasks
from bot.core.upkeep.forgettings import Forgettings
from bot.ports import Batch, Clock, Delivery, Files, Meter, NullMeter, Store
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.errors import ShuttingDown
from bot.rules.ledger import Answer, Job
from bot.rules.uploads import Note
from bot.ui.client import unhandled as last_resort
from bot.ui.client.guilds import noticing_departures
from bot.ui.components.job_buttons import DYNAMIC_ITEMS
from bot.ui.delivery.batch import BatchReach, DiscordBatchDelivery
from bot.ui.delivery.conversation import TROUBLE, UPLOAD_LIMIT_UNKNOWN, Reach
from bot.ui.delivery.job import DiscordDelivery, Manner
from bot.ui.delivery.post_once import Posting
from bot.ui.delivery.progress import Pacer
from bot.ui.interactions.acknowledge import Interaction, received, refuse
from bot.ui.interactions.age import Lateness
from bot.ui.interactions.ids import Presses
from bot.ui.interactions.settings_cache import Habits
from bot.ui.words.commands import CatalogueTranslator

log = logging.getLogger(__name__)

EXTENSIONS = (
    "cogs.imagine",
    "cogs.edit",
    "cogs.vary",
    "cogs.models",
    "cogs.menus",
    "cogs.batch",
    "cogs.gallery",
    "cogs.usage",
    "cogs.mydata",
    "cogs.about",
    "cogs.limits",
    "cogs.settings",
)

UNGUARDED_EVENTS = frozenset({"READY", "RESUMED"})
"""What cannot be read there must stop the process: nothing works without it."""

CONNECT_WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
KEEPALIVE_S = 300.0
HANDLERS_FINISH_S = 3.0
HANDLER_NAMES = ("CommandTree-invoker", "discord-ui-", "discord.py: on_interaction")
"""How discord.py names the tasks in which commands, buttons and forms run."""

IdentifyPacer = Callable[[int, int], Awaitable[None]]
"""(shard, max_concurrency): waits until this shard may identify; called before every IDENTIFY."""

Redeliver = Callable[[Job, Delivery], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class UiConfig:
    """What the operator set, as far as people see it. ``guild_id``: commands are registered on that server only."""

    default_model: str
    is_official: bool = False
    guild_id: int | None = None
    privacy_url: str | None = None
    support_url: str | None = None
    api_base: str = "https://discord.com/api/v10"
    version: str = ""


def point_at(base: str) -> None:
    """Makes discord.py speak to this REST base. The gateway's address is asked of it at each start."""
    Route.BASE = base.rstrip("/")


class Tree(app_commands.CommandTree["Easel"]):
    """Refuses only what concerns every command: too late to be answered, or shutting down."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        received(interaction)
        if not interaction.client.in_time(interaction):
            return False
        if interaction.client.stopping:
            raise app_commands.CheckFailure from ShuttingDown()
        return True

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        await refuse(interaction, error)


class Easel(discord.AutoShardedClient):
    """The bot as Discord sees it. What has no value here is given right after it is made: it needs its parts."""

    admin: Admin
    batches: Batches
    forgettings: Forgettings

    def __init__(
        self,
        *,
        jobs: Jobs,
        store: Store,
        files: Files,
        tasks: Tasks,
        config: UiConfig,
        clock: Clock,
        meter: Meter | None = None,
        shard_count: int | None = None,
        shard_ids: Sequence[int] | None = None,
        connector: aiohttp.BaseConnector | None = None,
        identify_pacer: IdentifyPacer | None = None,
        extensions: Sequence[str] = EXTENSIONS,
    ) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it draws; it will never speak
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            guild_ready_timeout=0,
            heartbeat_timeout=50.0,
            shard_count=shard_count,
            shard_ids=list(shard_ids) if shard_ids is not None else None,  # type: ignore[arg-type]  # None is its default
        )
        self.jobs = jobs
        self.store = store
        self.files = files
        self.tasks = tasks
        self.config = config
        self.clock = clock
        self.meter: Meter = meter or NullMeter()
        self.habits = Habits(store)
        self.presses = Presses()
        self.lateness = Lateness()
        self.stopping = False
        self.redeliver: Redeliver | None = None
        self.session_starts_left: int | None = None
        self.max_concurrency = 1
        self.tree = Tree(
            self,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        )
        self._identify_pacer = identify_pacer
        self._extensions = tuple(extensions)
        self._web: aiohttp.ClientSession | None = None
        self._connector = connector
        self._is_set_up = False
        self._guard_parsers()

    @property
    def catalogue(self) -> Catalogue:
        """The models as they are known now; it is replaced when the service tells which end."""
        return self.jobs.catalogue

    @property
    def web(self) -> aiohttp.ClientSession:
        """For fetching attachments: no cookies, no credentials, closed with the client."""
        if self._web is None:
            self._web = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), headers={"Accept-Encoding": "identity"}, auto_decompress=False
            )
        return self._web

    # --- deliveries ----------------------------------------------------------------------------------------------

    def delivery_for(
        self,
        job: Job,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        notes: tuple[Note, ...] = (),
        earlier: bool = False,
    ) -> DiscordDelivery:
        """The conversation about this job, of a live interaction or of an earlier process (``earlier``)."""
        if job.answer is None:
            raise LookupError(f"job {job.id} has no answer to deliver to")
        return self.delivery_at(job.answer, limit_bytes=limit_bytes, notes=notes, earlier=earlier)

    def delivery_at(
        self,
        answer: Answer,
        *,
        limit_bytes: int = UPLOAD_LIMIT_UNKNOWN,
        notes: tuple[Note, ...] = (),
        earlier: bool = False,
    ) -> DiscordDelivery:
        """The same for an answer that is not the job's own (a picture that waited)."""
        manner = Manner(limit_bytes=limit_bytes, notes=notes)
        posting = Posting(self, self.store, self.clock, answer, earlier=earlier)
        return DiscordDelivery(Reach(self, answer), self.habits.looks, Pacer(self.tasks), manner, posting=posting)

    def batch_delivery_for(
        self, batch: Batch, jobs: Sequence[Job], *, limit_bytes: int = UPLOAD_LIMIT_UNKNOWN
    ) -> DiscordBatchDelivery:
        """The conversation about a batch, of a live interaction or of what its lines remember of one."""
        known = next((job.answer for job in jobs if job.answer is not None and job.answer.token), None)
        known = known or next((job.answer for job in jobs if job.answer is not None), None)
        answer = known or Answer(0, self.application_id or 0, "", batch.channel_id, batch.created_at, can_post=False)
        reach = BatchReach(self, replace(answer, message_id=batch.message_id, private=batch.private))
        return DiscordBatchDelivery(reach, self.habits.looks, Pacer(self.tasks), limit_bytes=limit_bytes)

    # --- starting ------------------------------------------------------------------------------------------------

    async def login(self, token: str) -> None:
        """Logs in, patiently while Discord is down. Raises ``discord.LoginFailure`` for a token it does not take.

        Idle connections are kept for five minutes: a handshake would come out of the 3 seconds.
        """
        for attempt in count():
            self.http.connector = self._connector or aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S)
            try:
                await super().login(token)
            except discord.LoginFailure:
                await self.http.connector.close()  # discord.py forgets the session it tried with
                raise
            except TROUBLE as error:
                if isinstance(error, discord.HTTPException) and error.status < 500 and error.status != 429:
                    raise
                await self._wait_for_discord(attempt, error)
                await self.http.close()
                self.http.clear()
            else:
                return

    async def _wait_for_discord(self, attempt: int, error: BaseException) -> None:
        wait = CONNECT_WAITS_S[min(attempt, len(CONNECT_WAITS_S) - 1)]
        log.warning("Discord cannot be reached (%s); trying again in %.0f s", type(error).__name__, wait)
        await asyncio.sleep(wait)

    async def setup_hook(self) -> None:
        """Loads every command, makes old buttons work, and registers the commands if they changed."""
        if self._is_set_up:
            await self.sync_if_changed()
            return
        await self.tree.set_translator(CatalogueTranslator())
        for name in self._extensions:
            await importlib.import_module(name).setup(self)
        self.add_dynamic_items(*DYNAMIC_ITEMS)
        self._is_set_up = True
        await self.sync_if_changed()

    async def sync_if_changed(self) -> bool:
        """Registers the commands where they differ from what was registered last, or where Discord has lost some."""
        translator: Any = self.tree.translator
        payload = [await command.get_translated_payload(self.tree, translator) for command in self.commands()]
        guild_id = self.config.guild_id
        if guild_id is not None:
            payload = [{k: v for k, v in one.items() if k not in ("contexts", "integration_types")} for one in payload]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        key = f"commands {self.application_id} {guild_id or 'global'}"
        if self.application_id is None:
            raise RuntimeError("commands can be registered only after the login")
        names = {str(one["name"]) for one in payload}
        if await self.store.fact(key) == digest and await self._registered(self.application_id) == names:
            return False
        if guild_id is None:
            await self.http.bulk_upsert_global_commands(self.application_id, payload=payload)
        else:
            await self.http.bulk_upsert_guild_commands(self.application_id, guild_id, payload=payload)
        await self.store.set_fact(key, digest)
        log.info("registered %d commands (%s)", len(payload), guild_id or "everywhere")
        return True

    async def _registered(self, application_id: int) -> set[str] | None:
        """The names Discord has now; None where it does not say."""
        guild_id = self.config.guild_id
        try:
            if guild_id is None:
                found = await self.http.get_global_commands(application_id)
            else:
                found = await self.http.get_guild_commands(application_id, guild_id)
        except TROUBLE as problem:
            log.info("the registered commands could not be read (%s); registering them again", type(problem).__name__)
            return None
        return {str(one.get("name")) for one in found}

    def commands(self) -> list[Any]:
        """Every command and menu, in a fixed order."""
        return sorted(
            self.tree._get_all_commands(guild=None), key=lambda one: (one.to_dict(self.tree)["type"], one.name)
        )

    async def launch_shards(self) -> None:
        """Asks the REST API where the gateway is, patiently, then connects every shard of this process."""
        while not self.is_closed():
            url, shards, left, self.max_concurrency = await self._gateway()
            self.session_starts_left = left
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
            if self.shard_count is None:
                self.shard_count = shards
            wanted = len(self.shard_ids or range(self.shard_count or 1))
            if left >= wanted:
                break
            log.critical("Discord allows %d more session starts today, %d are needed; waiting an hour", left, wanted)
            await asyncio.sleep(3600)
        await super().launch_shards()

    async def _gateway(self) -> tuple[str, int, int, int]:
        for attempt in count():
            try:
                told: Any = await self.http.request(Route("GET", "/gateway/bot"))
                limit = told.get("session_start_limit", {})
                left, at_once = int(limit.get("remaining", 1000)), int(limit.get("max_concurrency", 1))
                return str(told["url"]), int(told.get("shards", 1)), left, max(1, at_once)
            except TROUBLE as error:
                if isinstance(error, discord.HTTPException) and error.status == 401:
                    raise
                await self._wait_for_discord(attempt, error)
        raise AssertionError("count() ends never")

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if self._identify_pacer is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._identify_pacer(shard_id or 0, self.max_concurrency)

    async def close(self) -> None:
        """Lets commands that were begun come to an end, within reason: one may be in the middle of a reservation."""
        self.stopping = True
        await _finish_handlers()
        if self._web is not None:
            await self._web.close()
        await super().close()

    # --- events --------------------------------------------------------------------------------------------------

    def _guard_parsers(self) -> None:
        """discord.py ends the process over one event it cannot read; here that event is logged and left out."""
        parsers = self._connection.parsers
        parsers["READY"] = noticing_departures(self, parsers["READY"])
        for name, parser in list(parsers.items()):
            if name not in UNGUARDED_EVENTS:
                parsers[name] = self._guarded(name, parser)

    def _guarded(self, name: str, parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def parse(data: Any) -> Any:
            if name == "INTERACTION_CREATE" and isinstance(data, dict):
                data.setdefault("attachment_size_limit", UPLOAD_LIMIT_UNKNOWN)
            try:
                return parser(data)
            except Exception:
                self.meter.discord_fault(f"unreadable {name}")
                log.exception("an event %s could not be read and is left out", name)
                return None

        return parse

    def in_time(self, interaction: Interaction) -> bool:
        """Whether there is still time to answer; what is too late is dropped before it can cost anything."""
        age = (self.clock() - interaction.created_at).total_seconds()
        if self.lateness.is_late(age):
            self.meter.discord_fault("late interaction")
            log.warning("interaction %s came %.1f s late and is dropped", interaction.id, age)
            return False
        return True

    async def on_interaction(self, interaction: Interaction) -> None:
        received(interaction)
        await last_resort.answer_if_nobody_does(interaction)


async def _finish_handlers() -> None:
    running = {task for task in asyncio.all_tasks() if task.get_name().startswith(HANDLER_NAMES)}
    running.discard(asyncio.current_task())
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=HANDLERS_FINISH_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
