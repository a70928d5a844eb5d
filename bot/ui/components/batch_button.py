"""The one button of a batch on its way: stop it, keeping what is done."""

from __future__ import annotations

import discord

from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged, tell
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

STOP = "e1:batchstop:"


class StopBatch(Press, template=r"e1:batchstop:(?P<batch>[0-9]{1,20})"):
    """For its maker and moderators."""

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        acknowledged(interaction)
        released = await interaction.client.shell.batches.cancel(self.part("batch"), asker_of(interaction))
        await tell(interaction, say(str(interaction.locale), "batch.stopped", count=released))


def stop_view(batch_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(StopBatch(button(f"{STOP}{batch_id}", say(locale, "button.cancel"), emoji="✖️")))
    return view
