"""Where is this from? A private answer about the pictures of any message.

Law: the ledger speaks only of what the person could have seen in the gallery. A message of somebody else (a forward, a
file that was saved and sent again) shows a picture of ours only if it is that to the last byte, whatever it is called.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

import discord

from bot.core.people.origins import Checking
from bot.imaging.headers import sniff
from bot.rules.catalogue.services import Service
from bot.rules.ledger import DuplicateEvent, Job
from bot.rules.limits.decide import Refused
from bot.rules.origins import Unchecked
from bot.rules.uploads import BadUpload
from bot.ui.interactions.acknowledge import acknowledge, tell
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.who import answer_of, asker_of
from bot.ui.orders.attachments import MAX_BYTES, attached
from bot.ui.orders.message_parts import Picture, pictures_of
from bot.ui.pages.origin import Seen, drawn_by, origin
from bot.ui.panels.gallery import sight_of
from bot.ui.shell import Interaction
from bot.ui.words.errors import NoPicture
from bot.ui.words.uploads import upload_fault

log = logging.getLogger(__name__)

MOST_PICTURES = 4
"""Of one message: each is fetched and read."""

CHECKED = {kind: f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif")}
"""What a service takes."""

_OUR_FILE = re.compile(r"easel-([0-9a-z]{8})-(\d{1,2})\.")

MOST_COMPARED = 12
"""Jobs of one moment, as lines of a batch are."""


async def where_from(interaction: Interaction, message: discord.Message) -> None:
    """Answers the menu. Raises ``UserError`` where there is nothing to look at."""
    check_bound(interaction, Bounded.ORIGIN)
    pictures = pictures_of(message, interaction.client.shell.config.api_base)
    if not pictures:
        raise NoPicture
    await acknowledge(interaction, private=True)
    jobs = await _ours(interaction, message)
    service = None if jobs else interaction.client.shell.origins.asked  # nobody has to be asked for what we made
    looked_at, alone = pictures[:MOST_PICTURES], len(pictures) == 1 and not jobs
    try:
        checking = await _begin(interaction, service, len(looked_at))
    except DuplicateEvent:
        log.info("interaction %s came twice; the first one answers it", interaction.id)
        return
    try:
        seen = [await _look(interaction, one, checking, alone=alone) for one in looked_at]
    except BadUpload:
        await _end(checking)
        raise
    await _end(checking)
    jobs += list({one.job.id: one.job for one in seen if one.job is not None}.values())
    catalogue = interaction.client.shell.catalogue
    ours = [(job, catalogue.services[catalogue.service_of(drawn_by(job))]) for job in jobs]
    locale = asker_of(interaction).locale
    await tell(interaction, embed=origin(ours, seen, service, len(pictures[MOST_PICTURES:]), locale))


async def _ours(interaction: Interaction, message: discord.Message) -> list[Job]:
    """The jobs behind a message of ours that this person may see, the first few of a group."""
    me = interaction.client.user
    if me is None or message.author.id != me.id:
        return []
    begun = [name[1].upper() for one in message.attachments if (name := _OUR_FILE.search(one.filename))]
    return await _seen_by(interaction, message.id, list(dict.fromkeys(begun))[:MOST_PICTURES])


async def _again(interaction: Interaction, picture: Picture, data: bytes) -> Job | None:
    """The job of ours whose picture somebody shows again."""
    name = _OUR_FILE.search(urlsplit(picture.url).path)
    if name is None:
        return None
    for job in (await _seen_by(interaction, None, [name[1].upper()]))[:MOST_COMPARED]:
        image = await interaction.client.shell.pictures.result(job.id, int(name[2]) - 1)
        if image is not None and image.data == data:
            return job
    return None


async def _seen_by(interaction: Interaction, message_id: int | None, begun: list[str]) -> list[Job]:
    """Of the jobs whose ids begin so, those of this place that the person may see."""
    asker, shell = asker_of(interaction), interaction.client.shell
    may_see, found = sight_of(interaction, asker), await shell.store.jobs.shown_in(message_id, begun)
    return [job for job in found if not job.deleted and job.asker.place.key == asker.place.key and may_see(job)]


async def _begin(
    interaction: Interaction, service: Service | None, pictures: int
) -> Checking | Unchecked | Refused | None:
    """Whoever checks the pictures, or why nobody does; None where nobody is to be asked."""
    if service is None:
        return None
    answer, event_key = answer_of(interaction, private=True), str(interaction.id)
    origins, asker = interaction.client.shell.origins, asker_of(interaction)
    return await origins.begin(service, asker, pictures, answer, event_key=event_key)


async def _end(checking: Checking | Unchecked | Refused | None) -> None:
    if isinstance(checking, Checking):
        await checking.end()


async def _look(
    interaction: Interaction, picture: Picture, checking: Checking | Unchecked | Refused | None, *, alone: bool
) -> Seen:
    """Raises ``BadUpload`` for a picture that cannot be had, where it is all there is to tell of."""
    shell, asker = interaction.client.shell, asker_of(interaction)
    source = attached(shell, picture, "image", max_bytes=MAX_BYTES)
    try:
        async with shell.uploads.hold(asker.place.key, source.size):
            data = await source.read()
            marks = await shell.marks.read(data, lane=asker.place.key)
            if (job := await _again(interaction, picture, data)) is not None:
                return Seen(marks, job=job)
            mime = CHECKED.get(sniff(data) or "")
            if mime is None:
                return Seen(marks)
            check = await checking.of(data, mime) if isinstance(checking, Checking) else checking
            return Seen(marks, check=check)
    except BadUpload as bad:
        if alone:
            raise
        return Seen(trouble=upload_fault(bad, asker.locale))
