"""``/imagine``: a picture from words."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.orders.attachments import MAX_TEXT_BYTES, attached
from bot.ui.orders.choices import complete_options
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.panels.undelivered import offer_waiting
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="imagine", description="Make a picture from a description")
@app_commands.rename(image_format="format")
@app_commands.describe(
    prompt="What you want to see",
    model="Model",
    size="WIDTHxHEIGHT, auto, or a shape such as 16:9, portrait, landscape, square",
    quality="Quality: higher looks better and costs more",
    look="A look that you or this server saved with /style",
    style="A style, where the model has one",
    background="Transparent or opaque, where the model has it",
    image_format="File format",
    compression="0 to 100 percent, for jpeg and webp",
    count="How many pictures",
    moderation="How strict the safety system is, where the model has it",
    complexity="How much detail, where the model has it",
    frames="How many frames a gif has",
    frame_ms="Milliseconds per frame of a gif",
    prompt_file="A text file with a long prompt; the typed one goes before it (- for the file alone)",
    preview="Show the picture while it is being drawn",
    private="Only you see the result",
)
async def imagine(
    interaction: Interaction,
    prompt: app_commands.Range[str, 1, 6000],
    model: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    look: app_commands.Range[str, 1, 100] | None = None,
    style: str | None = None,
    background: str | None = None,
    image_format: str | None = None,
    compression: app_commands.Range[int, 0, 100] | None = None,
    count: app_commands.Range[int, 1, 10] | None = None,
    moderation: str | None = None,
    complexity: str | None = None,
    frames: app_commands.Range[int, 1, 1000] | None = None,
    frame_ms: app_commands.Range[int, 1, 60000] | None = None,
    prompt_file: discord.Attachment | None = None,
    preview: bool | None = None,
    private: bool | None = None,
) -> None:
    """Everything typed, as it is; the rules say what of it can be."""
    raw = RawOptions(
        prompt=prompt,
        size=size,
        quality=quality,
        style=style,
        background=background,
        format=image_format,
        compression=compression,
        count=count,
        moderation=moderation,
        complexity=complexity,
        frames=frames,
        frame_ms=frame_ms,
        preview=preview,
        private=private,
    )
    shell = interaction.client.shell
    text = attached(shell, prompt_file, "prompt_file", max_bytes=MAX_TEXT_BYTES) if prompt_file else None
    wish = Wish(Kind.IMAGINE, raw, model=model, prompt_file=text, look=look)
    await offer_waiting(interaction, await take_on(interaction, gather(shell, wish), private=private))


complete_options(imagine, Kind.IMAGINE)


async def setup(client: HasShell) -> None:
    client.tree.add_command(imagine)
