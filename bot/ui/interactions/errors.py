"""The one error path of commands, buttons, menus and forms: words in private, whatever happened."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import discord
from discord import app_commands

from bot.rules.errors import TooOften, UserError
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.interactions.acknowledge import ALREADY_ACKNOWLEDGED, FORGOTTEN_CODES, Forgotten, tell
from bot.ui.interactions.failures import TROUBLE
from bot.ui.shell import Helped, Interaction
from bot.ui.words.errors import ChangedCommand, ServerOnly, words
from bot.ui.words.text import CONTENT_LIMIT, cut, length

log = logging.getLogger(__name__)

HELP_LIMIT_S = 0.8
"""With what a refusal took, still within the 3 s of an interaction."""


async def refuse(interaction: Interaction, error: BaseException) -> None:
    """The one error path of commands, buttons, menus and forms: words in private, whatever happened. Never raises."""
    error = _cause(error)
    if isinstance(error, Forgotten):
        log.info("interaction %s was forgotten by Discord before it could be answered %s", interaction.id, error)
        return
    if not isinstance(error, Exception):
        raise error
    if isinstance(error, discord.HTTPException) and error.code in (*FORGOTTEN_CODES, ALREADY_ACKNOWLEDGED):
        log.info("interaction %s could not be answered: %d", interaction.id, error.code)
        return
    if interaction.type is discord.InteractionType.autocomplete:
        if not isinstance(error, TooOften):
            log.warning("completing failed", exc_info=error)
        with suppress(discord.InteractionResponded, *TROUBLE):
            await interaction.response.autocomplete([])
        return
    text = words(error, str(interaction.locale))
    helped = await _helped(interaction, error) if isinstance(error, UserError) else Helped()
    await tell(
        interaction,
        "\n".join(part for part in (cut(text, CONTENT_LIMIT - length(helped.text) - 1), helped.text) if part),
        view=helped.view,
    )


async def _helped(interaction: Interaction, error: UserError) -> Helped:
    """What would work instead, as far as that is found at once: the refusal itself does not wait for it."""
    try:
        async with asyncio.timeout(HELP_LIMIT_S):
            return await interaction.client.shell.help.for_refused(interaction, error)
    except (TimeoutError, UserError) as trouble:
        log.info("no help with a refusal: %s", type(trouble).__name__)
    except Exception:  # a bug in the help must not cost the person the reason
        log.exception("no help with a refusal (%s)", type(error).__name__)
    return Helped()


def _cause(error: BaseException) -> BaseException:
    """discord.py's wrappers taken off, and its own refusals put into ours."""
    match error:
        case app_commands.CommandInvokeError():
            return _cause(error.original)
        case app_commands.TransformerError() if error.__cause__ is not None:
            return _cause(error.__cause__)
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch() | app_commands.TransformerError():
            return ChangedCommand()
        case app_commands.NoPrivateMessage():
            return ServerOnly()
        case app_commands.MissingPermissions() | app_commands.MissingRole() | app_commands.MissingAnyRole():
            return AccessDenied(DeniedBecause.NOT_ADMIN)
        case app_commands.BotMissingPermissions():
            return AccessDenied(DeniedBecause.BOT_LACKS, lacks=tuple(error.missing_permissions))
        case app_commands.CheckFailure() if error.__cause__ is not None:
            return _cause(error.__cause__)
        case _:
            return error
