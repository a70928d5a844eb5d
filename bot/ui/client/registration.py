"""Commands told to Discord, once: when they differ from what was registered last, or where Discord has lost some."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import discord
from discord import app_commands

from bot.ports import Store
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import commands_of

log = logging.getLogger(__name__)


def sorted_commands(tree: app_commands.CommandTree[Any]) -> list[Any]:
    """Every command and menu, in a fixed order."""
    return sorted(commands_of(tree), key=lambda one: (one.to_dict(tree)["type"], one.name))


class Registration:
    """The commands of one tree, on one server (``guild_id``, for development) or everywhere."""

    def __init__(
        self, client: discord.Client, tree: app_commands.CommandTree[Any], store: Store, guild_id: int | None
    ) -> None:
        self._client = client
        self._tree = tree
        self._store = store
        self._guild_id = guild_id

    async def sync(self) -> bool:
        """Registers the commands where that is needed; whether it was. Raises what Discord raises."""
        application_id = self._client.application_id
        if application_id is None:
            raise RuntimeError("commands can be registered only after the login")
        payload = await self._payload()
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        names = {str(one["name"]) for one in payload}
        if (
            await self._store.notes.commands(application_id, self._guild_id) == digest
            and await self._registered(application_id) == names
        ):
            return False
        if self._guild_id is None:
            await self._client.http.bulk_upsert_global_commands(application_id, payload=payload)
        else:
            await self._client.http.bulk_upsert_guild_commands(application_id, self._guild_id, payload=payload)
        await self._store.notes.set_commands(application_id, self._guild_id, digest)
        log.info("registered %d commands (%s)", len(payload), self._guild_id or "everywhere")
        return True

    async def _payload(self) -> list[Any]:
        translator: Any = self._tree.translator
        payload = [await one.get_translated_payload(self._tree, translator) for one in sorted_commands(self._tree)]
        if self._guild_id is None:
            return payload
        return [{k: v for k, v in one.items() if k not in ("contexts", "integration_types")} for one in payload]

    async def _registered(self, application_id: int) -> set[str] | None:
        """The names Discord has now; None where it does not say."""
        http = self._client.http
        try:
            if self._guild_id is None:
                found = await http.get_global_commands(application_id)
            else:
                found = await http.get_guild_commands(application_id, self._guild_id)
        except TROUBLE as problem:
            log.info("the registered commands could not be read (%s); registering them again", type(problem).__name__)
            return None
        return {str(one.get("name")) for one in found}
