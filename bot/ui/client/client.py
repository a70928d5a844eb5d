"""The discord.py client and its command tree: wired once, patient at the start, one error path.

Law: it holds nothing of ours but the frozen ``Shell``, and no part is attached after its construction.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import count

import aiohttp
import discord
from discord import app_commands

from bot.rules.errors import ShuttingDown, TooOften
from bot.ui.client.doorway import Doorway
from bot.ui.client.gateway import IdentifyPacer, find_gateway_for, guard_events, wait_for_discord
from bot.ui.client.registration import Registration
from bot.ui.client.unhandled import answer_if_nobody_does
from bot.ui.components.help.buttons import HELP_ITEMS
from bot.ui.components.result_view import DYNAMIC_ITEMS
from bot.ui.components.words import WORDS_ITEMS
from bot.ui.interactions.acknowledge import received
from bot.ui.interactions.age import InteractionAges
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import LastResortTree
from bot.ui.shell import HasShell, Interaction, Shell

log = logging.getLogger(__name__)

EXTENSIONS = (
    "cogs.imagine",
    "cogs.edit",
    "cogs.vary",
    "cogs.models",
    "cogs.describe",
    "cogs.menus",
    "cogs.batch",
    "cogs.gallery",
    "cogs.style",
    "cogs.mydefaults",
    "cogs.usage",
    "cogs.mydata",
    "cogs.about",
    "cogs.limits",
    "cogs.settings",
)

KEEPALIVE_S = 300.0
HANDLERS_FINISH_S = 3.0
HANDLER_NAMES = ("CommandTree-invoker", "discord-ui-", "discord.py: on_interaction")
"""How discord.py names the tasks in which commands, buttons and forms run."""

Furnish = Callable[[HasShell], Shell]
"""Makes the shell of a client: results and notices are sent through it."""


class Tree(LastResortTree["Client"]):
    """Refuses only what concerns every command: too late to be answered, too many at once, or shutting down."""

    def __init__(self, client: Client) -> None:
        super().__init__(
            client,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        )
        self._doorway = Doorway()

    def admission(self, interaction: discord.Interaction[Client]) -> AbstractAsyncContextManager[None]:
        received(interaction)
        is_typing = interaction.type is discord.InteractionType.autocomplete
        return nullcontext() if is_typing else self._doorway.place()

    async def interaction_check(self, interaction: discord.Interaction[Client], /) -> bool:
        received(interaction)
        if not self.client.in_time(interaction):
            return False
        if self.client.stopping:
            raise app_commands.CheckFailure from ShuttingDown()
        if interaction.type is discord.InteractionType.autocomplete:
            try:
                check_bound(interaction, Bounded.COMPLETION)
            except TooOften as error:
                raise app_commands.CheckFailure from error
        return True

    async def on_error(self, interaction: discord.Interaction[Client], error: app_commands.AppCommandError, /) -> None:
        await refuse(interaction, error)

    async def on_unreadable(self, interaction: discord.Interaction[Client], error: Exception) -> None:
        await refuse(interaction, error)


class Client(HasShell):
    """The bot as Discord sees it."""

    def __init__(
        self,
        furnish: Furnish,
        *,
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
        self.shell = furnish(self)
        self.tree = Tree(self)
        self.stopping = False
        shell = self.shell
        self._registration = Registration(self, self.tree, shell.store.notes, shell.tasks, shell.config.guild_id)
        self._lateness = InteractionAges()
        self._max_concurrency = 1
        self._identify_pacer = identify_pacer
        self._extensions = tuple(extensions)
        self._connector = connector
        self._is_set_up = False
        guard_events(self, self.shell.meter)

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
                await wait_for_discord(attempt, error)
                await self.http.close()
                self.http.clear()
            else:
                return

    async def setup_hook(self) -> None:
        """Loads every command, makes old buttons work, and registers the commands if they changed."""
        if not self._is_set_up:
            for name in self._extensions:
                await importlib.import_module(name).setup(self)
            self.add_dynamic_items(*DYNAMIC_ITEMS, *WORDS_ITEMS, *HELP_ITEMS)
            self._is_set_up = True
        await self._registration.keep()

    async def launch_shards(self) -> None:
        """Asks the REST API where the gateway is, patiently, then connects every shard of this process."""
        found = await find_gateway_for(
            self.http, lambda gateway: len(self.shard_ids or range(self.shard_count or gateway.shards))
        )
        self._max_concurrency = found.max_concurrency
        if self.shard_count is None:
            self.shard_count = found.shards
        await super().launch_shards()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if self._identify_pacer is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._identify_pacer(shard_id or 0, self._max_concurrency)

    async def close(self) -> None:
        """Lets commands that were begun come to an end, within reason: one may be in the middle of a reservation."""
        self.stopping = True
        await _finish_handlers()
        await super().close()

    # --- events --------------------------------------------------------------------------------------------------

    def in_time(self, interaction: Interaction) -> bool:
        """Whether there is still time to answer; what is too late is dropped before it can cost anything."""
        age = (self.shell.clock() - interaction.created_at).total_seconds()
        if self._lateness.is_late(age):
            self.shell.meter.discord_fault("late interaction")
            log.warning("interaction %s came %.1f s late and is dropped", interaction.id, age)
            return False
        return True

    async def on_interaction(self, interaction: Interaction) -> None:
        received(interaction)
        await answer_if_nobody_does(interaction)


async def _finish_handlers() -> None:
    running = {task for task in asyncio.all_tasks() if task.get_name().startswith(HANDLER_NAMES)}
    running.discard(asyncio.current_task())
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=HANDLERS_FINISH_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
