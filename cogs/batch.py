"""``/batch``: many prompts at once, one a line, from a text file or a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.components.batch_button import NightDetails, StopBatch
from bot.ui.components.forms import BatchForm
from bot.ui.interactions.acknowledge import acknowledged, take
from bot.ui.orders.attachments import MAX_TEXT_BYTES, attached
from bot.ui.orders.batch import NAME, BatchWish, from_file, take_on_batch
from bot.ui.orders.choices import complete_options
from bot.ui.orders.looks import look_names
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="batch", description="Make many pictures at once, one for each line")
@app_commands.rename(image_format="format")
@app_commands.describe(
    file="A text file with one prompt a line, up to 50; leave it out for a form",
    model="Model",
    size="WIDTHxHEIGHT, auto, or a shape such as 16:9, portrait, landscape, square",
    quality="Quality: higher looks better and costs more",
    look="A look that you or this server saved with /style",
    style="A style, where the model has one",
    image_format="File format",
    private="Only you see the results",
    when="Now, or tonight at half price: within a day, for models that offer it",
)
async def batch(
    interaction: Interaction,
    file: discord.Attachment | None = None,
    model: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    look: app_commands.Range[str, 1, 100] | None = None,
    style: str | None = None,
    image_format: str | None = None,
    private: bool | None = None,
    when: Literal["now", "tonight"] = "now",
) -> None:
    """The file at once, or a form that goes on from there."""
    raw = RawOptions(prompt="", size=size, quality=quality, style=style, format=image_format, private=private)

    def wish(read: Callable[[], Awaitable[str]]) -> BatchWish:
        return BatchWish(read, raw, model, look, overnight=when == "tonight")

    if file is not None:
        source = attached(interaction.client.shell, file, NAME, max_bytes=MAX_TEXT_BYTES)
        await take_on_batch(interaction, wish(from_file(source)))
        return
    take(interaction)
    looks = await look_names(interaction) if look is None else ()
    await interaction.response.send_modal(BatchForm(wish, interaction.id, str(interaction.locale), looks))
    acknowledged(interaction)


complete_options(batch, Kind.IMAGINE)


async def setup(client: HasShell) -> None:
    client.tree.add_command(batch)
    client.add_dynamic_items(StopBatch, NightDetails)
