"""Originals of pictures that were made smaller for their channel: handed out behind Details, as far as they fit."""

from __future__ import annotations

import io

import discord

from bot.rules.ledger import Job
from bot.rules.requests import MadeImage
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.who import asker_of
from bot.ui.messages import REQUEST_LIMIT
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import size_of


async def offer_originals(interaction: Interaction, job: Job) -> None:
    """Sends, in private, what the message does not show as it was made; says how large it is where it does not fit."""
    if interaction.message is None or job.deleted:
        return
    shown = {attachment.size for attachment in interaction.message.attachments}
    made = await interaction.client.shell.pictures.results(job.id)
    hidden = [(number, image) for number, image in enumerate(made, start=1) if len(image.data) not in shown]
    if not hidden:
        return
    fitting = _fitting(hidden, interaction.filesize_limit)
    locale = asker_of(interaction).locale
    lines = [say(locale, "details.original")] if fitting else []
    lines += [
        say(
            locale,
            "details.original_too_large",
            number=number,
            size=size_of(locale, len(image.data)),
            limit=size_of(locale, interaction.filesize_limit),
        )
        for number, image in hidden
        if number not in fitting
    ]
    files = [
        discord.File(io.BytesIO(image.data), filename=f"original-{number}.{image.format.replace('jpeg', 'jpg')}")
        for number, image in hidden
        if number in fitting
    ]
    await tell(interaction, "\n".join(lines), files=files or None)


def _fitting(hidden: list[tuple[int, MadeImage]], limit: int) -> frozenset[int]:
    """Numbers of the pictures that fit one by one and, in their order, together."""
    room, found = REQUEST_LIMIT, set()
    for number, image in hidden:
        if len(image.data) <= min(limit, room):
            room -= len(image.data)
            found.add(number)
    return frozenset(found)
