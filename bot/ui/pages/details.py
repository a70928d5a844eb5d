"""What Details shows, in private: everything about a picture and how it came about."""

from __future__ import annotations

import io

import discord

from bot.rules.ledger import Job
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.visibility import may_see
from bot.ui.interactions.who import asker_of
from bot.ui.pages import result as embeds
from bot.ui.pages.originals import offer_originals
from bot.ui.shell import Interaction

MOST_PARENTS = 8


async def show_details(interaction: Interaction, job: Job) -> None:
    """Answers with the job's details, its full text as a file where it is long."""
    shell = interaction.client.shell
    asker = asker_of(interaction)
    looks = await shell.settings_cache.looks(asker.place)
    lines = [
        embeds.parent_line(parent, asker.locale, visible=may_see(parent, asker))
        for parent in await _parents(interaction, job)
    ]
    told = embeds.details(job, lines, asker.locale, show_cost=looks.show_cost or asker.can_manage)
    files = None
    if told.full_text is not None:
        files = [discord.File(io.BytesIO(told.full_text.encode()), filename="prompt.txt")]
    await tell(interaction, embed=told.embed, files=files)
    await offer_originals(interaction, job)


async def _parents(interaction: Interaction, job: Job) -> list[Job]:
    """The jobs this one goes back to, the nearest first."""
    found: list[Job] = []
    seen = {job.id}
    parent_id = job.parent_id
    while parent_id is not None and parent_id not in seen and len(found) < MOST_PARENTS:
        seen.add(parent_id)
        parent = await interaction.client.shell.store.jobs.get(parent_id)
        if parent is None:
            break
        found.append(parent)
        parent_id = parent.parent_id
    return found
