"""``/vary``: other versions of a picture."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.orders.attachments import attached
from bot.ui.orders.choices import complete_options
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.panels.undelivered import offer_waiting
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="vary", description="Make variations of a picture")
@app_commands.describe(
    image="The picture to vary",
    hint="What should be different",
    count="How many variations",
    model="Model",
    size="WIDTHxHEIGHT, auto, or a shape such as 16:9, portrait, landscape, square",
    quality="Quality: higher looks better and costs more",
    private="Only you see the result",
)
async def vary(
    interaction: Interaction,
    image: discord.Attachment,
    hint: app_commands.Range[str, 1, 2000] | None = None,
    count: app_commands.Range[int, 1, 10] | None = None,
    model: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    private: bool | None = None,
) -> None:
    """Everything typed, as it is; the rules say what of it can be."""
    shell = interaction.client.shell
    raw = RawOptions(prompt=hint or "", size=size, quality=quality, count=count, private=private)
    wish = Wish(Kind.VARY, raw, model=model, pictures=(attached(shell, image, "image"),))
    await offer_waiting(interaction, await take_on(interaction, gather(shell, wish), private=private))


complete_options(vary, Kind.VARY)


async def setup(client: HasShell) -> None:
    client.tree.add_command(vary)
