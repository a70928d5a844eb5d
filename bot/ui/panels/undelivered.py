"""Offering pictures that were paid for but could not be shown: quietly, once the next command has its answer."""

from __future__ import annotations

import asyncio

from bot.ui.components.job_buttons import claim_view
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.who import asker_of
from bot.ui.orders.submit import Started
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say


async def offer_waiting(interaction: Interaction, started: Started | None) -> None:
    """One private message with a button per waiting picture; nothing where none waits or nothing was started.

    Only after the answer: a follow-up to a bare "thinking" would take its place, for all to see.
    """
    if started is None:
        return
    asker = asker_of(interaction)
    waiting = await interaction.client.shell.store.jobs.waiting(asker.place, asker.user_id)
    if not waiting:
        return

    async def offer() -> None:
        await asyncio.wait({started.ended})
        text = say(asker.locale, "button.waiting", count=len(waiting))
        try:
            await interaction.followup.send(text, view=claim_view(waiting, asker.locale), ephemeral=True)
        except TROUBLE:
            return  # it is offered again next time

    interaction.client.shell.tasks.start(offer(), "offer waiting pictures")
