"""``/settings review``: the channel in which moderators look at pictures before anybody else does."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from bot.rules.people import Place
from bot.rules.servers.changes import ReviewChanged
from bot.rules.servers.edits import SetAndRemoved, reviewed_in
from bot.ui.components.forms import Rebuild
from bot.ui.components.review_buttons import REFUSAL, RefusalForm
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.panels.refused_words import WORDS, WordsForm
from bot.ui.panels.server.answers import Shown, changed
from bot.ui.panels.server.parts import Page
from bot.ui.panels.settings_options import AnyChannel, check_here, try_channel
from bot.ui.shell import Interaction, Shell
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line

log = logging.getLogger(__name__)

SAFETY_FORMS: Mapping[re.Pattern[str], Rebuild] = {
    REFUSAL: lambda found, locale: RefusalForm(found["job"], int(found["nonce"]), locale),
    WORDS: lambda found, locale: WordsForm(int(found["nonce"]), locale),
}


async def review_in(interaction: Interaction, channel: AnyChannel | None, *, remove: bool) -> Message:
    """Tries the channel by showing something in it before it is kept. Raises ``NotHere`` or ``CannotPost``."""
    shell, asker, locale = interaction.client.shell, asker_of(interaction), str(interaction.locale)
    if remove and channel is not None:
        raise SetAndRemoved
    if channel is None and not remove:
        now = (await shell.store.servers.settings(asker.place)).review_channel_id
        hint = say(locale, "settings.how_to_remove") if now is not None else say(locale, "review.how")
        told = "\n".join([change_line(ReviewChanged(now, now), locale), hint])
        return Shown(told, page=Page.SAFETY, removable=() if now is None else (("review", ""),))
    check_here(interaction, channel)
    if channel is not None:
        await try_channel(interaction, channel.id, "review.here", pictures=True)
    done = await shell.admin.change(asker, reviewed_in(None if channel is None else channel.id))
    if channel is not None:
        shell.tasks.start(show_again(shell, asker.place), "show reviews again")
    return changed(interaction, done, say(locale, "review.holds" if channel is not None else "review.stays"))


async def show_again(shell: Shell, place: Place) -> None:
    """Puts everything that is undecided before the moderators once more: the old channel may be gone."""
    await shell.store.reviews.pending(place)
    await shell.recovery.show_unseen()
