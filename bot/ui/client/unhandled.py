"""For presses and forms that nobody answers: from a version long gone, forged, or lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import discord

from bot.ui.components.forms import submit_unknown
from bot.ui.interactions.acknowledge import Interaction, is_taken, refuse
from bot.ui.words.errors import StaleButton

OTHERS_MAY_TAKE_S = 1.8
"""Someone knows the id: they get this long before the person is told that nobody does."""


async def answer_if_nobody_does(interaction: Interaction) -> None:
    """Called for every interaction after its handlers were started."""
    match interaction.type:
        case discord.InteractionType.component:
            await _component(interaction)
        case discord.InteractionType.modal_submit:
            await _form(interaction)
        case _:
            return


async def _form(interaction: Interaction) -> None:
    """A form may come back before discord.py heard that it was opened: it is known then, and yet nobody was called."""
    if _knows_form(interaction):
        await asyncio.sleep(OTHERS_MAY_TAKE_S)
    if not is_taken(interaction):
        await submit_unknown(interaction)


async def _component(interaction: Interaction) -> None:
    if _knows_component(interaction):
        await asyncio.sleep(OTHERS_MAY_TAKE_S)
    if not is_taken(interaction):
        await refuse(interaction, StaleButton())


def _knows_component(interaction: Interaction) -> bool:
    store = interaction.client._connection._view_store
    data: Any = interaction.data or {}
    custom_id = str(data.get("custom_id", ""))
    if any(pattern.fullmatch(custom_id) for pattern in store._dynamic_items):
        return True
    key = (data.get("component_type"), custom_id)
    message_id = interaction.message.id if interaction.message is not None else None
    return key in store._views.get(message_id, {}) or key in store._views.get(None, {})


def _knows_form(interaction: Interaction) -> bool:
    data: Any = interaction.data or {}
    return str(data.get("custom_id", "")) in interaction.client._connection._view_store._modals
