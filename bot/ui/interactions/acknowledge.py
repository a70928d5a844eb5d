"""Answering an interaction: received, taken, acknowledged, told in private, however far it got.

Law: every interaction is answered within its 3 seconds, refusals only ever in private, and through ``refuse`` alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import discord

from bot.ui.interactions.failures import TROUBLE, failure_of
from bot.ui.messages import File, Message, new_message, opened
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)

ALREADY_ACKNOWLEDGED = 40060
FORGOTTEN_CODES = frozenset({10062, 10015, 50027})
_DEFERRED = "easel deferred"
_TAKEN = "easel taken"
_RECEIVED = "easel received"


class Forgotten(Exception):
    """Discord knows the interaction no more: it came too late, and nothing can be said in it."""


def received(interaction: Interaction) -> float:
    """The loop's time when this interaction was first seen here."""
    at: float = interaction.extras.setdefault(_RECEIVED, asyncio.get_running_loop().time())
    return at


def take(interaction: Interaction) -> None:
    """Says that somebody answers this one, so that the last resort leaves it alone."""
    received(interaction)
    interaction.extras[_TAKEN] = True


def is_taken(interaction: Interaction) -> bool:
    return _TAKEN in interaction.extras or interaction.response.is_done() or _DEFERRED in interaction.extras


def acknowledged(interaction: Interaction) -> None:
    """Counts the time it took to answer."""
    command = interaction.command
    name = command.qualified_name if command is not None else interaction.type.name
    interaction.client.shell.meter.acked(name, asyncio.get_running_loop().time() - received(interaction))


async def acknowledge(interaction: Interaction, *, private: bool) -> int | None:
    """Says "thinking", and returns the id of that message if Discord told it. Raises ``Forgotten``.

    "Already acknowledged" is no failure: discord.py repeats a call whose first try was taken but answered 500, and a
    second process with the same interaction is told apart by the ledger, not here.
    """
    take(interaction)
    interaction.extras[_DEFERRED] = private
    try:
        async with asyncio.timeout(10):
            response = await interaction.response.defer(thinking=True, ephemeral=private)
    except discord.InteractionResponded:
        return None
    except discord.HTTPException as error:
        interaction.client.shell.meter.discord_fault(str(error.code or error.status))
        if error.code == ALREADY_ACKNOWLEDGED:
            return None
        del interaction.extras[_DEFERRED]
        if error.code in FORGOTTEN_CODES or error.status == 404:
            raise Forgotten from None
        raise Forgotten(f"HTTP {error.status}") from None
    except TROUBLE as error:
        del interaction.extras[_DEFERRED]
        interaction.client.shell.meter.discord_fault(type(error).__name__)
        raise Forgotten(type(error).__name__) from None
    acknowledged(interaction)
    return response.message_id if response is not None else None


async def tell(
    interaction: Interaction,
    text: str | None = None,
    *,
    embed: discord.Embed | None = None,
    view: discord.ui.View | None = None,
    files: Sequence[File] = (),
) -> None:
    """Answers in private, however far the interaction got. Never raises for what Discord does."""
    await tell_message(interaction, Message(text, embed, tuple(files), view))


async def tell_message(interaction: Interaction, message: Message) -> None:
    """The same for a whole message."""
    take(interaction)
    try:
        with opened(message.files) as attached:
            async with asyncio.timeout(30):
                await _tell(interaction, new_message(message, attached))
    except TROUBLE as error:
        interaction.client.shell.meter.discord_fault(type(error).__name__)
        log.info("interaction %s could not be answered: %s", interaction.id, failure_of(error).name)


async def _tell(interaction: Interaction, given: dict[str, Any]) -> None:
    deferred = interaction.extras.get(_DEFERRED)
    if deferred is None and not interaction.response.is_done():
        await interaction.response.send_message(**given, ephemeral=True)
        acknowledged(interaction)
    elif deferred is True:
        files = given.pop("files", None)
        await interaction.edit_original_response(**given, **({"attachments": files} if files else {}))
        interaction.extras[_DEFERRED] = "answered"
    elif deferred is False:
        locale = str(interaction.guild_locale or interaction.locale)
        await interaction.edit_original_response(content=say(locale, "error.removed"))
        await interaction.followup.send(**given, ephemeral=True)
        await interaction.delete_original_response()
        interaction.extras[_DEFERRED] = "answered"
    else:
        await interaction.followup.send(**given, ephemeral=True)
