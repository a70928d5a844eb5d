"""The pages of ``/models``, and the buttons that turn them."""

from __future__ import annotations

import discord

from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.models import Shelf, pages
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

BEFORE_FIRST, AFTER_LAST = 98, 99
"""Pages that are not there: a disabled button needs an id of its own too."""


async def models_page(interaction: Interaction, page: int = 0) -> Message:
    """A page, the last one where there are fewer by now, with buttons to its neighbours."""
    shell = interaction.client.shell
    shelf = Shelf(
        catalogue=shell.catalogue,
        settings=await shell.settings_cache.looks(asker_of(interaction).place),
        default_model=shell.config.default_model,
        official=shell.config.is_official,
        today=shell.clock().date(),
        locale=str(interaction.locale),
    )
    shown = pages(shelf)
    page = min(page, len(shown) - 1)
    return Message(embed=shown[page], view=_turning(page, len(shown), shelf.locale))


class TurnPage(Press, template=r"e1:models:(?P<page>\d{1,2})"):
    """Shows another page; works for ever, for the models are looked up anew."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        shown = await models_page(interaction, int(self.part("page")))
        await interaction.response.edit_message(embed=shown.embed, view=shown.view)
        acknowledged(interaction)


def _turning(page: int, count: int, locale: str) -> discord.ui.View | None:
    if count < 2:
        return None
    view = discord.ui.View(timeout=None)
    previous = page - 1 if page > 0 else BEFORE_FIRST
    following = page + 1 if page + 1 < count else AFTER_LAST
    for key, other in (("models.previous", previous), ("models.next", following)):
        is_there = other not in (BEFORE_FIRST, AFTER_LAST)
        view.add_item(TurnPage(button(f"e1:models:{other}", say(locale, key), disabled=not is_there)))
    return view
