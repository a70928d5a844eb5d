"""What a person may ask of their own data: to have it, and to have it gone."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import zipfile
from typing import Any

import discord

from bot.rules.errors import NotFound
from bot.ui.components.press import Press, button
from bot.ui.delivery.review import withdraw
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, tell
from bot.ui.messages import File
from bot.ui.pages.result import COLOUR
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.numbers import moment, number

log = logging.getLogger(__name__)


async def export(interaction: Interaction) -> None:
    """Everything stored about the person as a JSON file, zipped where that alone fits Discord's limit."""
    await acknowledge(interaction, private=True)
    locale = str(interaction.locale)
    data = await interaction.client.shell.store.people.export(interaction.user.id)
    name, content = await asyncio.to_thread(_packed, data, interaction.filesize_limit)
    if len(content) > interaction.filesize_limit:
        await tell(interaction, say(locale, "mydata.too_large"))
        return
    told = say(locale, "mydata.export", jobs=number(locale, len(data.get("jobs", ()))))
    await tell(interaction, told, files=[File(name, content)])


def _packed(data: dict[str, Any], limit_bytes: int) -> tuple[str, bytes]:
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str).encode("utf-8", "replace")
    if len(text) <= limit_bytes:
        return "easel-mydata.json", text
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("easel-mydata.json", text)
    return "easel-mydata.zip", packed.getvalue()


# --- forgetting --------------------------------------------------------------------------------------------------


async def ask_whether(interaction: Interaction) -> None:
    """What would go and what would stay, and a button to go on; at most once a day."""
    locale = str(interaction.locale)
    again = await interaction.client.shell.forgettings.next_at(interaction.user.id)
    if again is not None:
        await tell(interaction, say(locale, "mydata.again", when=moment(again)))
        return
    embed = discord.Embed(title=say(locale, "mydata.ask"), colour=COLOUR)
    embed.add_field(name=say(locale, "mydata.goes"), value=say(locale, "mydata.goes_what"), inline=False)
    embed.add_field(name=say(locale, "mydata.stays"), value=say(locale, "mydata.stays_what"), inline=False)
    view = discord.ui.View(timeout=None)
    custom_id = f"e1:forget:{interaction.user.id}"
    view.add_item(Forget(button(custom_id, say(locale, "mydata.confirm"), style=discord.ButtonStyle.danger)))
    await tell(interaction, embed=embed, view=view)


class Forget(Press, template=r"e1:forget:(?P<user>\d{1,20})"):
    """The second word for deleting; an old one that is pressed again is told when there is a next time."""

    async def press(self, interaction: Interaction) -> None:
        if self.part("user") != str(interaction.user.id):
            raise NotFound("message")
        await interaction.response.defer()
        acknowledged(interaction)
        locale = str(interaction.locale)
        again = await interaction.client.shell.forgettings.next_at(interaction.user.id)
        if again is not None:
            told = say(locale, "mydata.again", when=moment(again))
            await interaction.edit_original_response(content=told, embed=None, view=None)
            return
        shell = interaction.client.shell
        held = await shell.store.reviews.of_maker(interaction.user.id)
        gone = await shell.forgettings.forget(interaction.user.id)
        shell.tasks.start(withdraw(interaction.client, held), "taking reviews away")
        told = (
            say(locale, "mydata.deleted", jobs=number(locale, gone.jobs))
            if gone.jobs
            else say(locale, "mydata.nothing")
        )
        if gone.stopped:
            told += " " + say(locale, "mydata.stopped", count=number(locale, gone.stopped))
        await interaction.edit_original_response(content=told, embed=None, view=None)
