"""``/models``: what each model can do and costs, which are allowed here, which end when."""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import app_commands

from bot.ui.interactions.acknowledge import acknowledged, take, tell
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.who import asker_of
from bot.ui.pages.models import Shelf, pages
from bot.ui.shell import HasShell, Interaction
from bot.ui.words.catalogue import say


@app_commands.command(name="models", description="What each model can do and costs, and which are allowed here")
async def models(interaction: Interaction) -> None:
    """The first page, in private."""
    shown = pages(await _shelf(interaction))
    view = _turning(0, len(shown), str(interaction.locale))
    await tell(interaction, embed=shown[0], view=view)


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


class TurnPage(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"e1:models:(?P<page>\d{1,2})"):
    """Shows another page; works for ever, for the models are looked up anew."""

    def __init__(self, item: discord.ui.Button[Any], page: int) -> None:
        super().__init__(item)
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(discord.ui.Button(custom_id=match.string), int(match["page"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Replaces the page in its place."""
        take(interaction)
        try:
            shown = pages(await _shelf(interaction))
            page = min(self.page, len(shown) - 1)
            view = _turning(page, len(shown), str(interaction.locale))
            await interaction.response.edit_message(embed=shown[page], view=view)
            acknowledged(interaction)
        except Exception as error:  # noqa: BLE001  # told and logged by the one error path
            await refuse(interaction, error)


def _turning(page: int, count: int, locale: str) -> discord.ui.View | None:
    if count < 2:
        return None
    view = discord.ui.View(timeout=None)
    for key, other in (("models.previous", page - 1), ("models.next", page + 1)):
        disabled = not 0 <= other < count
        custom_id = f"e1:models:{other % count if not disabled else 98 if other < 0 else 99}"
        item: discord.ui.Button[Any] = discord.ui.Button(label=say(locale, key), disabled=disabled, custom_id=custom_id)
        view.add_item(TurnPage(item, other))
    return view


async def setup(client: HasShell) -> None:
    client.tree.add_command(models)
    client.add_dynamic_items(TurnPage)
