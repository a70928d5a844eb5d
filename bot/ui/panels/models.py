"""``/models``: a line each, a menu for the details of one, and buttons where there are too many for one page."""

from __future__ import annotations

from typing import Any

import discord

from bot.rules.errors import NotFound
from bot.ui.components.press import Press, button, chosen
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.models import Shelf, ShelfPage, choice_line, details, pages
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.text import clean, cut

BEFORE_FIRST, AFTER_LAST = 98, 99
"""Pages that are not there: a disabled button needs an id of its own too."""


async def models_page(interaction: Interaction, page: int = 0, model_id: str | None = None) -> Message:
    """A page, the last one where there are fewer by now, or the details of one model on it."""
    shelf = await _shelf(interaction)
    shown = pages(shelf)
    page = min(page, len(shown) - 1)
    here = shown[page]
    model = next((one for one in here.models if one.id == model_id), None)
    if model_id is not None and model is None:
        raise NotFound("model")
    view = discord.ui.View(timeout=None)
    if here.models:
        view.add_item(PickModel(_menu(shelf, here, page, model_id)))
    if model is not None:
        view.add_item(TurnPage(button(f"e1:models:{page}", say(shelf.locale, "models.all"))))
        return Message(embed=details(model, shelf), view=view)
    if len(shown) > 1:
        _add_turning(view, page, len(shown), shelf.locale)
    return Message(embed=here.embed, view=view)


async def _shelf(interaction: Interaction) -> Shelf:
    shell = interaction.client.shell
    return Shelf(
        catalogue=shell.catalogue,
        settings=await shell.settings_cache.looks(asker_of(interaction).place),
        default_model=shell.config.default_model,
        official=shell.config.is_official,
        today=shell.clock().date(),
        locale=str(interaction.locale),
    )


class TurnPage(Press, template=r"e1:models:(?P<page>\d{1,2})"):
    """Shows another page; works for ever, for the models are looked up anew."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        await _show(interaction, await models_page(interaction, int(self.part("page"))))


class PickModel(Press, template=r"e1:model:(?P<page>\d{1,2})"):
    """Shows the details of the chosen model in the page's stead."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        model_id = next(iter(chosen(interaction)), "")
        await _show(interaction, await models_page(interaction, int(self.part("page")), model_id))


async def _show(interaction: Interaction, shown: Message) -> None:
    await interaction.response.edit_message(embed=shown.embed, view=shown.view)
    acknowledged(interaction)


def _menu(shelf: Shelf, page: ShelfPage, number: int, model_id: str | None) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(
            label=cut(clean(model.short_name or model.id), 100),
            value=model.id,
            description=cut(choice_line(model, shelf), 100) or None,
            default=model.id == model_id,
        )
        for model in page.models
        if len(model.id) <= 100  # what a menu can carry
    ]
    return discord.ui.Select(
        custom_id=f"e1:model:{number}", placeholder=say(shelf.locale, "models.pick")[:150], options=options
    )


def _add_turning(view: discord.ui.View, page: int, count: int, locale: str) -> None:
    previous = page - 1 if page > 0 else BEFORE_FIRST
    following = page + 1 if page + 1 < count else AFTER_LAST
    for key, other in (("models.previous", previous), ("models.next", following)):
        is_there = other not in (BEFORE_FIRST, AFTER_LAST)
        view.add_item(TurnPage(button(f"e1:models:{other}", say(locale, key), disabled=not is_there)))
