"""The one button of a batch on its way: stop it, keeping what is done."""

from __future__ import annotations

import discord

from bot.ports import Batch
from bot.rules.errors import NotFound
from bot.rules.overnight import gives_up_at, is_late
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged, tell
from bot.ui.interactions.who import asker_of
from bot.ui.pages import batch as pages
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import moment

STOP = "e1:batchstop:"
NIGHT = "e1:night:"


class StopBatch(Press, template=r"e1:batchstop:(?P<batch>[0-9]{1,20})"):
    """For its maker and moderators."""

    async def press(self, interaction: Interaction) -> None:
        if await _put_away(interaction, self.part("batch")):
            return
        await interaction.response.defer()
        acknowledged(interaction)
        shell, locale = interaction.client.shell, str(interaction.locale)
        stopped = await shell.batches.cancel(self.part("batch"), asker_of(interaction))
        night = await shell.store.notes.overnight(self.part("batch")) if stopped.overnight else None
        if night is not None and night.is_out and await shell.nights.lacks_key(night):
            told = say(locale, "overnight.stopping_keyless", by=moment(gives_up_at(night)))
        elif stopped.overnight:
            told = say(locale, "overnight.stopping")
        else:
            told = say(locale, "batch.stopped", count=stopped.released)
        await tell(interaction, told)


class NightDetails(Press, template=r"e1:night:(?P<batch>[0-9]{1,20})"):
    """Of a batch that is drawn overnight, for everybody who sees its message."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        if await _put_away(interaction, self.part("batch")):
            return
        shell, asker = interaction.client.shell, asker_of(interaction)
        batch = await shell.store.jobs.get_batch(self.part("batch"))
        night = await shell.store.notes.overnight(self.part("batch"))
        if batch is None or night is None or batch.asker.place.key != asker.place.key:
            raise NotFound("batch")
        jobs = await shell.store.jobs.of_batch(batch.id)
        looks = await shell.settings_cache.looks(asker.place)
        shows = looks.show_cost or asker.can_manage or asker.user_id == batch.asker.user_id
        keyless = await shell.nights.lacks_key(night)
        late = is_late(night, shell.clock())
        embed = pages.overnight_details(batch, night, jobs, asker.locale, show_cost=shows, keyless=keyless, late=late)
        await tell(interaction, embed=embed)


async def _put_away(interaction: Interaction, batch_id: str) -> bool:
    """What was purged, or forgotten while nobody was there to say so, leaves a message that promises nothing more."""
    if await interaction.client.shell.store.jobs.get_batch(batch_id) is not None:
        return False
    locale = str(interaction.guild_locale or interaction.locale)
    await interaction.response.edit_message(content=say(locale, "batch.gone"), view=None)
    acknowledged(interaction)
    return True


def overnight_view(batch: Batch, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    if not batch.cancelled:
        view.add_item(StopBatch(button(f"{STOP}{batch.id}", say(locale, "button.cancel"), emoji="✖️")))
    view.add_item(NightDetails(button(f"{NIGHT}{batch.id}", say(locale, "button.details"))))
    return view


def stop_view(batch_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(StopBatch(button(f"{STOP}{batch_id}", say(locale, "button.cancel"), emoji="✖️")))
    return view
