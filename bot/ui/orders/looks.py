"""Saved looks, completed as one types: one's own first, then the server's.

Law: never raises; completing is a courtesy, and a look that is gone is told when it is used.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from bot.rules.styles.style import Style, offered
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.text import clean, cut

log = logging.getLogger(__name__)

MOST_CHOICES = 25
QUICK_S = 1.0

Choices = list[app_commands.Choice[str]]


async def complete_look(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """The looks that can be used here."""
    try:
        known = await interaction.client.shell.styles.known(asker_of(interaction))
        return _choices(interaction, offered(typed, known.own, known.servers))
    except Exception:
        log.exception("completing a look failed")
        return []


async def complete_deletion(interaction: discord.Interaction[Any], typed: str) -> Choices:
    """Those that could be deleted: the server's where ``server`` was chosen, else one's own."""
    try:
        known = await interaction.client.shell.styles.known(asker_of(interaction))
        servers = bool(getattr(interaction.namespace, "server", False))
        return _choices(interaction, offered(typed, () if servers else known.own, known.servers if servers else ()))
    except Exception:
        log.exception("completing a look failed")
        return []


async def look_names(interaction: Interaction) -> tuple[str, ...]:
    """The names of the looks that a form can offer; none where they cannot be read in time."""
    try:
        async with asyncio.timeout(QUICK_S):
            known = await interaction.client.shell.styles.known(asker_of(interaction))
        return tuple(style.name for style in offered("", known.own, known.servers))
    except Exception:
        log.exception("the looks of a form could not be read")
        return ()


def _choices(interaction: Interaction, styles: Sequence[Style]) -> Choices:
    return [app_commands.Choice(name=_label(style, interaction), value=style.name) for style in styles[:MOST_CHOICES]]


def _label(style: Style, interaction: Interaction) -> str:
    name = clean(style.name) or style.key
    return cut(say(str(interaction.locale), "style.servers_own", name=name) if style.servers else name, 100)
