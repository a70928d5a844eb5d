"""``/describe``: a prompt from a picture, where a service of this bot has a model of words."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.orders.attachments import attached
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.shell import HasShell, Interaction, shell_of


@app_commands.command(name="describe", description="Get a prompt from a picture; only you see it")
@app_commands.describe(image="The picture to describe")
async def describe(interaction: Interaction, image: discord.Attachment) -> None:
    """The answer is private, whatever is usual here."""
    shell = interaction.client.shell
    wish = Wish(Kind.DESCRIBE, RawOptions(prompt=""), pictures=(attached(shell, image, "image"),))
    await take_on(interaction, gather(shell, wish), private=True)


async def setup(client: HasShell) -> None:
    """A command that could never work is not shown."""
    shell = shell_of(client)
    if shell is None or shell.catalogue.chat_model is not None:
        client.tree.add_command(describe)
