"""Showing where an edit would take place before anything is spent."""

from __future__ import annotations

from bot.ui.interactions.acknowledge import acknowledge, tell
from bot.ui.interactions.who import asker_of
from bot.ui.messages import File
from bot.ui.orders.wish import Wish, ready_inputs
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import NothingToPreview


async def show_mask(interaction: Interaction, wish: Wish) -> None:
    """Answers in private with the picture and its mask over it. Raises ``UserError``."""
    asker = asker_of(interaction)
    await acknowledge(interaction, private=True)
    _, ready = await ready_inputs(interaction.client.shell, asker, wish)
    preview = await ready.preview()
    if preview is None:
        raise NothingToPreview
    await tell(interaction, say(asker.locale, "mask.preview"), files=[File("mask-preview.png", preview)])
