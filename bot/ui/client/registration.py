"""Commands told to Discord where they differ from what it has; a refusal harms nothing that is registered already."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any

import discord
from discord import app_commands
from discord.http import Route

from bot.core.tasks import Tasks
from bot.ports import NoteStore
from bot.ui.delivery.notices import tell_owner
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of
from bot.ui.internals import commands_of
from bot.ui.words.catalogue import say
from bot.ui.words.commands import in_every_language

log = logging.getLogger(__name__)

AGAIN_S = 60.0
REFUSED_S = 3600.0
"""Until the next try: Discord is ill, or it refused (200 new commands a day, a form it does not take, a right)."""

_COMMAND = (
    "type",
    "name",
    "description",
    "default_member_permissions",
    "nsfw",
    "contexts",
    "integration_types",
    "options",
)
_OPTION = ("type", "name", "description", "required", "autocomplete", "choices", "channel_types", "options", "value")
_BOUNDS = ("min_value", "max_value", "min_length", "max_length")
_LOCALISED = ("name_localizations", "description_localizations")
_COMPARED = frozenset((*_COMMAND, *_OPTION, *_BOUNDS, *_LOCALISED))


def sorted_commands(tree: app_commands.CommandTree[Any]) -> list[Any]:
    """Every command and menu, in a fixed order."""
    return sorted(commands_of(tree), key=lambda one: (one.to_dict(tree)["type"], one.name))


def payloads(tree: app_commands.CommandTree[Any]) -> list[dict[str, Any]]:
    """All of them as Discord is told of them, in every language."""
    return [in_every_language(one.to_dict(tree)) for one in sorted_commands(tree)]


class Registration:
    """The commands of one tree, on one server (``guild_id``, for development) or everywhere."""

    def __init__(
        self,
        client: discord.Client,
        tree: app_commands.CommandTree[Any],
        notes: NoteStore,
        tasks: Tasks,
        guild_id: int | None,
    ) -> None:
        self._client = client
        self._tree = tree
        self._notes = notes
        self._tasks = tasks
        self._guild_id = guild_id
        self._trying: asyncio.Task[None] | None = None
        self._told = False

    async def keep(self) -> None:
        """Registers the commands where that is needed; where Discord does not take them, in the background until it
        does.
        """
        wait_s = await self._try()
        if wait_s is not None and (self._trying is None or self._trying.done()):
            self._trying = self._tasks.start(self._try_again(wait_s), "register commands", lasting=True)

    async def _try_again(self, wait_s: float | None) -> None:
        while wait_s is not None:
            await asyncio.sleep(wait_s)
            wait_s = await self._try()

    async def _try(self) -> float | None:
        """Seconds until the next try; None where all is registered."""
        try:
            await self._sync()
        except TROUBLE as problem:
            if failure_of(problem) is Failure.AGAIN:
                log.warning("the commands could not be registered (%s)", type(problem).__name__)
                return AGAIN_S
            log.error("Discord refuses to register the commands; those it has go on working: %s", problem)
            if not self._told:
                self._told = True
                await tell_owner(self._client, say("en", "notice.commands_refused"))
            return REFUSED_S
        return None

    async def _sync(self) -> None:
        application_id = self._client.application_id
        if application_id is None:
            raise RuntimeError("commands can be registered only after the login")
        payload = self._payload()
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        told = await self._notes.commands(application_id, self._guild_id)
        if told != digest or _compared(await self._registered(application_id)) != _compared(payload):
            await self._register(application_id, self._guild_id, payload)
            await self._notes.set_commands(application_id, self._guild_id, digest)
            log.info("registered %d commands (%s)", len(payload), self._guild_id or "everywhere")
        for guild_id in await self._notes.command_guilds(application_id):
            if guild_id != self._guild_id:
                await self._leave(application_id, guild_id)

    async def _leave(self, application_id: int, guild_id: int) -> None:
        """Takes the commands off a server for which they were once registered: they would stand there twice."""
        try:
            await self._register(application_id, guild_id, [])
        except discord.HTTPException as problem:
            if failure_of(problem) is Failure.AGAIN:
                raise
            log.info("the commands of server %d could not be taken back: %s", guild_id, problem)
        await self._notes.set_commands(application_id, guild_id, None)

    async def _register(self, application_id: int, guild_id: int | None, payload: list[Any]) -> None:
        if guild_id is None:
            await self._client.http.bulk_upsert_global_commands(application_id, payload=payload)
        else:
            await self._client.http.bulk_upsert_guild_commands(application_id, guild_id, payload=payload)

    def _payload(self) -> list[Any]:
        payload = payloads(self._tree)
        if self._guild_id is None:
            return payload
        return [{k: v for k, v in one.items() if k not in ("contexts", "integration_types")} for one in payload]

    async def _registered(self, application_id: int) -> list[Any] | None:
        """What Discord has now; None where it does not say."""
        where = f"/guilds/{self._guild_id}" if self._guild_id is not None else ""
        route = Route("GET", f"/applications/{application_id}{where}/commands")
        try:
            found: list[Any] = await self._client.http.request(route, params={"with_localizations": "true"})
        except TROUBLE as problem:
            log.info("the registered commands could not be read (%s); registering them again", type(problem).__name__)
            return None
        if self._guild_id is None:
            return found
        return [{k: v for k, v in one.items() if k not in ("contexts", "integration_types")} for one in found]


def _compared(commands: list[Any] | None) -> list[Any] | None:
    """What of commands makes a difference to people, alike for what is sent and what Discord answers."""
    if commands is None:
        return None
    return sorted(map(_plain, commands), key=lambda one: (one["type"], one["name"]))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _of(key, one) for key, one in value.items() if key in _COMPARED and _says(one)}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


def _of(key: str, value: Any) -> Any:
    if key in _LOCALISED:
        return value
    if key in ("contexts", "integration_types", "channel_types"):
        return sorted(value)
    return str(value) if key == "default_member_permissions" else _plain(value)


def _says(value: Any) -> bool:
    """Whether a field makes a difference: Discord leaves out, or fills in, what does not."""
    return value not in (None, False, "", [], {}) or (value == 0 and not isinstance(value, bool))
