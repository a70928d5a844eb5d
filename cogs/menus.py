"""The menu of any message: edit its pictures, vary one, use its text as a prompt, report it, ask where it is from.

discord.py registers at most five: these are the five.
"""

from __future__ import annotations

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.components.forms import EditMessageForm, ReportForm, open_imagine
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.orders.attachments import attached
from bot.ui.orders.message_parts import pictures_of
from bot.ui.orders.message_text import own_words_of, text_of
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.panels.origins.asked import where_from
from bot.ui.panels.undelivered import offer_waiting
from bot.ui.shell import HasShell, Interaction
from bot.ui.words.errors import NoPicture

MOST_PICTURES = 16


@app_commands.context_menu(name="Edit image")
async def edit_image(interaction: Interaction, message: discord.Message) -> None:
    """Opens a form for all pictures of the message."""
    pictures = pictures_of(message, interaction.client.shell.config.api_base)[:MOST_PICTURES]
    if not pictures:
        raise NoPicture
    await interaction.response.send_modal(EditMessageForm(pictures, interaction.id, str(interaction.locale)))
    acknowledged(interaction)


@app_commands.context_menu(name="Vary image")
async def vary_image(interaction: Interaction, message: discord.Message) -> None:
    """Varies the first picture of the message."""
    shell = interaction.client.shell
    pictures = pictures_of(message, shell.config.api_base)
    if not pictures:
        raise NoPicture
    about = await own_words_of(interaction, message)
    wish = Wish(Kind.VARY, RawOptions(prompt=""), pictures=(attached(shell, pictures[0], "image"),), about=about)
    await offer_waiting(interaction, await take_on(interaction, gather(shell, wish), private=None))


@app_commands.context_menu(name="Use as prompt")
async def use_as_prompt(interaction: Interaction, message: discord.Message) -> None:
    """Opens a form with the message's text (or the prompt of the picture in it) to make a picture of."""
    text = await text_of(interaction, message)
    await open_imagine(interaction, text)


@app_commands.context_menu(name="Report picture")
async def report_picture(interaction: Interaction, message: discord.Message) -> None:
    """Opens a form for a reason."""
    form = ReportForm(interaction.channel_id or 0, message.id, interaction.id, str(interaction.locale))
    await interaction.response.send_modal(form)
    acknowledged(interaction)


@app_commands.context_menu(name="Where is this from?")
async def where_is_this_from(interaction: Interaction, message: discord.Message) -> None:
    """Tells, in private, what the ledger and the files say of the message's pictures."""
    await where_from(interaction, message)


async def setup(client: HasShell) -> None:
    for menu in (edit_image, vary_image, use_as_prompt, report_picture, where_is_this_from):
        client.tree.add_command(menu)
