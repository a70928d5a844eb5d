"""Where is this from? A private answer about the pictures of any message.

Law: the ledger speaks only of what the person could have seen in the gallery, and only where the message is ours; a
foreign message that borrows the names of our files is a foreign message.
"""

from __future__ import annotations

import re

import discord

from bot.imaging.headers import sniff
from bot.rules.catalogue.services import Service
from bot.rules.ledger import Job
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

MOST_PICTURES = 4
"""Of one message: each is fetched and read."""

CHECKED = {kind: f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif")}
"""What a service takes."""

_OUR_FILE = re.compile(r"easel-([0-9a-z]{8})-\d+\.")


async def where_from(interaction: Interaction, message: discord.Message) -> None:
    """Answers the menu. Raises ``UserError`` where there is nothing to look at."""
    check_bound(interaction, Bounded.ORIGIN)
    pictures = pictures_of(message, interaction.client.shell.config.api_base)
    if not pictures:
        raise NoPicture
    await acknowledge(interaction, private=True)
    jobs = await _ours(interaction, message)
    service = None if jobs else interaction.client.shell.origins.asked  # nobody has to be asked for what we made
    alone = len(pictures) == 1 and not jobs
    seen = [
        await _look(interaction, place, one, service, alone=alone) for place, one in enumerate(pictures[:MOST_PICTURES])
    ]
    catalogue = interaction.client.shell.catalogue
    ours = [(job, catalogue.services[catalogue.service_of(drawn_by(job))]) for job in jobs]
    locale = asker_of(interaction).locale
    await tell(interaction, embed=origin(ours, seen, service, len(pictures[MOST_PICTURES:]), locale))


async def _ours(interaction: Interaction, message: discord.Message) -> list[Job]:
    """The jobs behind a message of ours that this person may see, the first few of a group."""
    me, asker = interaction.client.user, asker_of(interaction)
    if me is None or message.author.id != me.id:
        return []
    begun = [name[1].upper() for one in message.attachments if (name := _OUR_FILE.search(one.filename))]
    may_see, jobs = sight_of(interaction, asker), interaction.client.shell.store.jobs
    found = await jobs.shown_in(message.id, list(dict.fromkeys(begun))[:MOST_PICTURES])
    return [job for job in found if not job.deleted and job.asker.place.key == asker.place.key and may_see(job)]


async def _look(
    interaction: Interaction, place: int, picture: Picture, service: Service | None, *, alone: bool
) -> Seen:
    """Raises ``BadUpload`` for a picture that cannot be had, where it is all there is to tell of."""
    shell, asker = interaction.client.shell, asker_of(interaction)
    source = attached(shell, picture, "image", max_bytes=MAX_BYTES)
    try:
        async with shell.uploads.hold(asker.place.key, source.size):
            data = await source.read()
            marks = await shell.marks.read(data, lane=asker.place.key)
            mime = CHECKED.get(sniff(data) or "")
            if service is None or mime is None:
                return Seen(marks)
            answer, event_key = answer_of(interaction, private=True), f"{interaction.id}:{place}"
            check = await shell.origins.check(service, asker, data, mime, answer, event_key=event_key)
            return Seen(marks, check=check)
    except BadUpload as bad:
        if alone:
            raise
        return Seen(trouble=upload_fault(bad, asker.locale))
