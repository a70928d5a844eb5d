"""Every private part of discord.py 2.7.1 that Easel touches: the next version of it is this one file's work.

Each function says what the library has no public way for. ``tests/ui/test_internals.py`` fails when one is gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Any, TypeVar

import aiohttp
import discord
import discord.webhook.async_
from discord import app_commands
from discord.gateway import DiscordWebSocket

from bot.ui.messages import UPLOAD_LIMIT_UNKNOWN

ClientT = TypeVar("ClientT", bound=discord.Client)


def is_bot_installed_here(interaction: discord.Interaction[Any]) -> bool:
    """Whether the bot itself is a member where this happened, not only installed by the person."""
    owners = interaction._integration_owners
    return not owners or 0 in owners


_CHANNEL = "easel channel"


def keep_channel(interaction: dict[str, Any]) -> None:
    """Keeps the channel of an interaction's payload within reach: discord.py prefers the one it has in its cache."""
    data = interaction.get("data")
    if isinstance(data, dict) and isinstance(interaction.get("channel"), dict):
        data[_CHANNEL] = interaction["channel"]


def channel_of(interaction: discord.Interaction[Any]) -> dict[str, Any]:
    """The channel as Discord described it in this very interaction; empty where it did not."""
    data: Any = interaction.data or {}
    found: dict[str, Any] = data.get(_CHANNEL, {})
    return found


async def _json_or_text(response: aiohttp.ClientResponse) -> dict[str, Any] | str:
    """JSON whatever else its content type says: discord.py takes ``; charset=utf-8`` for something else."""
    text = await response.text(encoding="utf-8")
    found: dict[str, Any] | str = json.loads(text) if response.content_type == "application/json" and text else text
    return found


def read_json() -> None:
    """From now on answers are read as JSON where they say so in any way; a proxy may say it in another than Discord."""
    for module in (discord.http, discord.webhook.async_):
        vars(module)["json_or_text"] = _json_or_text


_poll_event = DiscordWebSocket.poll_event
_gives_way: ContextVar[bool] = ContextVar("gives way", default=False)


async def _poll_event_and_give_way(socket: DiscordWebSocket) -> None:
    await _poll_event(socket)
    if _gives_way.get():
        _gives_way.set(False)
        await asyncio.sleep(0)


def take_turns() -> None:
    """From now on a gateway gives way where the reader of an event says so. discord.py reads all that has arrived
    without a pause: with a thousand servers coming in, the answer to a command waited for a second.
    """
    DiscordWebSocket.poll_event = _poll_event_and_give_way  # type: ignore[assignment, method-assign]


def give_way() -> None:
    """Everything else has its turn after the event that is being read. Never after a command: a crowd of them is to be
    known in full at once, so that those who cannot be served are told in time.
    """
    _gives_way.set(True)


def complete(interaction: dict[str, Any]) -> None:
    """Fills in what Discord leaves out of an interaction and discord.py cannot do without."""
    interaction.setdefault("attachment_size_limit", UPLOAD_LIMIT_UNKNOWN)
    data = interaction.get("data")
    resolved = data.get("resolved") if isinstance(data, dict) else None
    channels = resolved.get("channels") if isinstance(resolved, dict) else None
    for one in channels.values() if isinstance(channels, dict) else ():
        if isinstance(one, dict) and "thread_metadata" in one:
            for left_out in ("owner_id", "member_count", "message_count"):
                one.setdefault(left_out, 0)


class LastResortTree(app_commands.CommandTree[ClientT]):
    """A command tree that answers for whatever happens between the event and the command, as discord.py does not."""

    async def on_unreadable(self, interaction: discord.Interaction[ClientT], error: Exception) -> None:
        """Called where not even the options could be read."""
        raise NotImplementedError

    def admission(self, interaction: discord.Interaction[ClientT]) -> AbstractAsyncContextManager[None]:
        """What a command passes through before anything is done for it; raises where it is not admitted."""
        raise NotImplementedError

    async def _call(self, interaction: discord.Interaction[ClientT]) -> None:
        try:
            async with self.admission(interaction):
                await super()._call(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001  # told and logged by the one error path
            await self.on_unreadable(interaction, error)


def role_ids_of(member: discord.User | discord.Member) -> frozenset[int]:
    """Ids of a member's roles, also of roles that are not in the cache."""
    return frozenset(getattr(member, "_roles", ()))


def webhook_of(client: discord.Client, application_id: int, token: str) -> discord.Webhook:
    """The webhook behind an interaction, sending through the client's own rate limits."""
    return discord.Webhook.from_state(
        data={"id": application_id, "type": 3, "token": token},
        state=client._connection,
    )


def commands_of(tree: app_commands.CommandTree[Any]) -> list[Any]:
    """Every command, group and menu that is registered everywhere."""
    return list(tree._get_all_commands(guild=None))


def parsers_of(client: discord.Client) -> dict[str, Callable[[Any], Any]]:
    """The reader of each gateway event, by its name; replaced in place."""
    return client._connection.parsers


def drop_guild(client: discord.Client, guild: discord.Guild) -> None:
    """Takes a server out of the cache, and tells that it is gone."""
    client._connection._remove_guild(guild)
    client.dispatch("guild_remove", guild)


def system_channel_of(guild: discord.Guild) -> int | None:
    """Where a server wants such messages; its channels themselves are not in discord.py's cache."""
    return guild._system_channel_id


def knows_component(interaction: discord.Interaction[Any]) -> bool:
    """Whether a button or menu of this id is waited for by this process."""
    store = interaction.client._connection._view_store
    data: Any = interaction.data or {}
    custom_id = str(data.get("custom_id", ""))
    if any(pattern.fullmatch(custom_id) for pattern in store._dynamic_items):
        return True
    key = (data.get("component_type"), custom_id)
    message_id = interaction.message.id if interaction.message is not None else None
    return key in store._views.get(message_id, {}) or key in store._views.get(None, {})


def knows_form(interaction: discord.Interaction[Any]) -> bool:
    """Whether a form of this id is open in this process."""
    data: Any = interaction.data or {}
    return str(data.get("custom_id", "")) in interaction.client._connection._view_store._modals


def submit(form: discord.ui.Modal, interaction: discord.Interaction[Any]) -> Awaitable[None]:
    """Hands a submitted form to an object made for it after the fact."""
    data: Any = interaction.data or {}
    return form._dispatch_submit(interaction, data.get("components", []), data.get("resolved", {}))
