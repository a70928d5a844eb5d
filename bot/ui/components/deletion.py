"""Delete, which asks first. The question is private and its buttons outlive a restart.

Law: only the maker and moderators; asked again at the second press.
"""

from __future__ import annotations

import asyncio
import logging

import discord

from bot.rules.ledger import Job
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.components.job_buttons import JobItem, job_button
from bot.ui.interactions.acknowledge import acknowledged, tell
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import pattern
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

log = logging.getLogger(__name__)


class Delete(JobItem, template=pattern("delete")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        _check(job, interaction)
        await interaction.response.defer()  # this press can remove its message later, wherever that is
        acknowledged(interaction)
        shell = interaction.client.shell
        shell.questions.put((job.id, interaction.user.id), interaction, asyncio.get_running_loop().time())
        locale = str(interaction.locale)
        await tell(interaction, say(locale, "delete.ask"), view=delete_view(job.id, locale))


class DeleteForGood(JobItem, template=pattern("gone")):
    """Removes message and originals; the ledger keeps its row."""

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        _check(job, interaction)
        await interaction.response.defer()
        acknowledged(interaction)
        shell = interaction.client.shell
        await shell.store.jobs.mark_deleted(job.id)
        await shell.pictures.forget(job.id)
        removed = await _remove(job, interaction)
        said = say(str(interaction.locale), "delete.done" if removed else "delete.message_stays")
        await interaction.edit_original_response(content=said, view=None)


class Keep(JobItem, template=pattern("keep")):
    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await interaction.response.edit_message(content=say(str(interaction.locale), "delete.kept"), view=None)
        acknowledged(interaction)


def _check(job: Job, interaction: Interaction) -> None:
    asker = asker_of(interaction)
    if job.asker.user_id != asker.user_id and not asker.can_moderate:
        raise AccessDenied(DeniedBecause.NOT_YOURS)


async def _remove(job: Job, interaction: Interaction) -> bool:
    """The message with the pictures: through the press that asked, else as the bot; whether it is gone."""
    questions, key = interaction.client.shell.questions, (job.id, interaction.user.id)
    asked = questions.get(key, asyncio.get_running_loop().time())
    questions.forget(key)
    if asked is not None:
        try:
            await asked.delete_original_response()
        except TROUBLE as error:
            log.info("deleting through the press failed (%s); trying as the bot", type(error).__name__)
        else:
            return True
    message_id = job.message_id or (job.answer.message_id if job.answer is not None else None)
    if message_id is None:
        return False
    channel = interaction.client.get_partial_messageable(job.message_channel_id or job.asker.channel_id)
    try:
        await channel.get_partial_message(message_id).delete()
    except discord.NotFound:
        return not job.request.private
    except TROUBLE as error:
        log.info("job %s: its message could not be deleted: %s", job.id, type(error).__name__)
        return False
    return True


def delete_view(job_id: str, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    red = discord.ButtonStyle.danger
    view.add_item(DeleteForGood(job_button("gone", job_id, say(locale, "delete.yes"), "🗑️", style=red)))
    view.add_item(Keep(job_button("keep", job_id, say(locale, "delete.no"), "↩️")))
    return view
