"""The text of a message that is to become a prompt: what was written, or the prompt of the picture it shows."""

from __future__ import annotations

import re

import discord

from bot.rules.servers.access import ResultButton
from bot.ui.interactions.ids import JOB, VERSION
from bot.ui.interactions.visibility import may_see
from bot.ui.interactions.who import asker_of
from bot.ui.orders.message_parts import texts_of
from bot.ui.shell import Interaction

_OWN = re.compile(rf"{VERSION}:(?:{'|'.join([*ResultButton, 'more'])}):{JOB}(?::\d+)?")
"""Any of a result's controls: servers hide some of them."""


async def text_of(interaction: Interaction, message: discord.Message) -> str:
    """The full prompt of one of our own pictures, else what is written in the message, or in what it forwards."""
    words = await own_words_of(interaction, message)
    return words or next((text for text in texts_of(message) if text.strip()), "")


async def own_words_of(interaction: Interaction, message: discord.Message) -> str:
    """The words behind one of our own pictures; empty for any other message, and where the person may not see them."""
    job_id = own_job_id(message, interaction.client.user)
    if job_id is not None:
        job = await interaction.client.shell.store.jobs.get(job_id)
        if job is not None and not job.deleted and may_see(job, asker_of(interaction)):
            return job.request.own_words
    return ""


def own_job_id(message: discord.Message, me: discord.ClientUser | None) -> str | None:
    """The job a result of ours belongs to, told by its buttons."""
    if me is None or message.author.id != me.id:
        return None
    for row in message.components:
        for child in getattr(row, "children", ()):
            found = _OWN.fullmatch(getattr(child, "custom_id", None) or "")
            if found is not None:
                return found["job"]
    return None
