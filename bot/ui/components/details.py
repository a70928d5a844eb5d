"""What Details shows, in private: everything about a picture, how it came about, and its original."""

from __future__ import annotations

from bot.rules.ledger import Job
from bot.rules.requests import MadeImage
from bot.ui.components.star import star_view
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.visibility import may_see
from bot.ui.interactions.who import asker_of
from bot.ui.messages import REQUEST_LIMIT, File
from bot.ui.pages import details as pages
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import size_of

MOST_PARENTS = 8


async def show_details(interaction: Interaction, job: Job) -> None:
    """Answers with the job's details, its full text as a file where it is long."""
    shell = interaction.client.shell
    asker = asker_of(interaction)
    looks = await shell.settings_cache.looks(asker.place)
    lines = [
        pages.parent_line(parent, asker.locale, visible=may_see(parent, asker))
        for parent in await _parents(interaction, job)
    ]
    told = pages.details(job, lines, asker.locale, show_cost=looks.show_cost or asker.can_manage)
    files = [File("prompt.txt", told.full_text.encode())] if told.full_text is not None else []
    liked = await shell.store.jobs.favourites_among(asker.user_id, [job.id])
    view = star_view(job, asker.locale, liked=bool(liked))
    await tell(interaction, embed=told.embed, files=files, view=view)
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
        File(f"original-{number}.{image.format.replace('jpeg', 'jpg')}", image.data)
        for number, image in hidden
        if number in fitting
    ]
    await tell(interaction, "\n".join(lines), files=files)


def _fitting(hidden: list[tuple[int, MadeImage]], limit: int) -> frozenset[int]:
    """Numbers of the pictures that fit one by one and, in their order, together."""
    room, found = REQUEST_LIMIT, set()
    for number, image in hidden:
        if len(image.data) <= min(limit, room):
            room -= len(image.data)
            found.add(number)
    return frozenset(found)
