"""The star under Details: a picture is one's favourite, or none. Private to each member; `/gallery` finds them again.

Ids are ``e1:star:<job>:<what it becomes>``, so that pressing twice does no more than once.
"""

from __future__ import annotations

import discord

from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.ids import button_id, pattern
from bot.ui.interactions.visibility import may_see
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say


class Star(Press, template=pattern("star")):
    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        store, asker = interaction.client.shell.store, asker_of(interaction)
        job, liked = await store.jobs.get(self.part("job")), self.part("index") == "1"
        if job is None or job.deleted or not may_see(job, asker):
            raise NotFound("picture")
        await store.jobs.mark(asker.user_id, job.id, liked)
        await interaction.response.edit_message(view=star_view(job, str(interaction.locale), liked=liked))
        acknowledged(interaction)


def star_view(job: Job, locale: str, *, liked: bool) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    label, sign = ("button.unstar", "★") if liked else ("button.star", "☆")
    view.add_item(Star(button(button_id("star", job.id, 0 if liked else 1), f"{sign} {say(locale, label)}")))
    return view
