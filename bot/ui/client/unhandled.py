"""For presses and forms that nobody answers: from a version long gone, forged, or lost on the way."""

from __future__ import annotations

import asyncio

import discord

from bot.ui.components.forms import submit_unknown
from bot.ui.interactions.acknowledge import is_taken
from bot.ui.interactions.errors import refuse
from bot.ui.internals import knows_component, knows_form
from bot.ui.shell import Interaction
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
    if knows_form(interaction):
        await asyncio.sleep(OTHERS_MAY_TAKE_S)
    if not is_taken(interaction):
        await submit_unknown(interaction)


async def _component(interaction: Interaction) -> None:
    if knows_component(interaction):
        await asyncio.sleep(OTHERS_MAY_TAKE_S)
    if not is_taken(interaction):
        await refuse(interaction, StaleButton())
