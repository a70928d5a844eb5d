"""For what nobody answers: presses and forms of a version long gone, forged or lost; events that cannot be read."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
from discord.http import Route

from bot.ui.components.forms import submit_unknown
from bot.ui.interactions.acknowledge import is_taken
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.failures import TROUBLE
from bot.ui.internals import knows_component, knows_form
from bot.ui.shell import Interaction
from bot.ui.words.errors import ChangedCommand, StaleButton, words

log = logging.getLogger(__name__)

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


async def tell_unreadable(client: discord.Client, data: dict[str, Any]) -> None:
    """Answers an interaction of which nothing but its id and token is known to be whole."""
    try:
        text = words(ChangedCommand(), str(data.get("locale", "en")))
        answer = {"type": 4, "data": {"content": text, "flags": discord.MessageFlags(ephemeral=True).value}}
        if data.get("type") == discord.InteractionType.autocomplete.value:
            answer = {"type": 8, "data": {"choices": []}}
        route = Route("POST", f"/interactions/{int(data['id'])}/{data['token']}/callback")
        await client.http.request(route, json=answer)
    except (KeyError, ValueError, *TROUBLE) as error:
        log.info("an interaction that cannot be read could not be answered: %s", type(error).__name__)


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
