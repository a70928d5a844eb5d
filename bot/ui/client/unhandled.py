"""For what nobody answers: presses and forms of a version long gone, forged or lost; events that cannot be read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
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

LOOKS_S = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4, 0.8)
"""Someone knows the id: they get all of this before the person is told that nobody does, and are looked for in between.

Most answer at once; a press that waited for the whole of it would hold up a shutdown.
"""


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
    if not await _is_taken_by(interaction, LOOKS_S if knows_form(interaction) else ()):
        await submit_unknown(interaction)


async def _component(interaction: Interaction) -> None:
    if not await _is_taken_by(interaction, LOOKS_S if knows_component(interaction) else ()):
        await refuse(interaction, StaleButton())


async def _is_taken_by(interaction: Interaction, looks_s: Sequence[float]) -> bool:
    for pause in looks_s:
        if is_taken(interaction):
            return True
        await asyncio.sleep(pause)
    return is_taken(interaction)
