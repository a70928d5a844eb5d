"""``/edit``: changes pictures, everywhere or in one place. ``preview_mask`` shows the place first, for nothing."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.orders.attachments import MAX_TEXT_BYTES, attached
from bot.ui.orders.choices import complete_options
from bot.ui.orders.mask_preview import show_mask
from bot.ui.orders.submit import take_on
from bot.ui.orders.wish import Wish, gather
from bot.ui.panels.undelivered import offer_waiting
from bot.ui.shell import HasShell, Interaction

AREAS = ("circle", "centre", "left", "right", "top", "bottom", "border")


@app_commands.command(name="edit", description="Change a picture, or several into one")
@app_commands.rename(image_format="format")
@app_commands.describe(
    image="The picture to change",
    prompt="What it should become",
    mask="Where to change it: transparent or white parts",
    area="Where to change it: circle, centre, left … or percent: x,y,r or x,y,w,h",
    image2="Another input picture",
    image3="Another input picture",
    image4="Another input picture",
    fidelity="How close to stay to the picture, where the model has it",
    markup="A transparent PNG with notes drawn over the picture, where the model has it",
    preview_mask="Only show where it would be changed; costs nothing",
    model="Model",
    size="WIDTHxHEIGHT, auto, or a shape such as 16:9, portrait, landscape, square",
    quality="Quality: higher looks better and costs more",
    look="A look that you or this server saved with /style",
    background="Transparent or opaque, where the model has it",
    image_format="File format",
    compression="0 to 100 percent, for jpeg and webp",
    count="How many pictures",
    moderation="How strict the safety system is, where the model has it",
    prompt_file="A text file with a long prompt; the typed one goes before it (- for the file alone)",
    preview="Show the picture while it is being drawn",
    private="Only you see the result",
)
async def edit(
    interaction: Interaction,
    image: discord.Attachment,
    prompt: app_commands.Range[str, 1, 6000],
    mask: discord.Attachment | None = None,
    area: app_commands.Range[str, 1, 60] | None = None,
    image2: discord.Attachment | None = None,
    image3: discord.Attachment | None = None,
    image4: discord.Attachment | None = None,
    fidelity: str | None = None,
    markup: discord.Attachment | None = None,
    preview_mask: bool = False,
    model: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    look: app_commands.Range[str, 1, 100] | None = None,
    background: str | None = None,
    image_format: str | None = None,
    compression: app_commands.Range[int, 0, 100] | None = None,
    count: app_commands.Range[int, 1, 10] | None = None,
    moderation: str | None = None,
    prompt_file: discord.Attachment | None = None,
    preview: bool | None = None,
    private: bool | None = None,
) -> None:
    """Everything typed and attached, as it is; the rules say what of it can be."""
    shell = interaction.client.shell
    given = {"image": image, "image2": image2, "image3": image3, "image4": image4}
    wish = Wish(
        Kind.EDIT,
        RawOptions(
            prompt=prompt,
            size=size,
            quality=quality,
            background=background,
            format=image_format,
            compression=compression,
            count=count,
            moderation=moderation,
            fidelity=fidelity,
            preview=preview,
            private=private,
        ),
        model=model,
        prompt_file=attached(shell, prompt_file, "prompt_file", max_bytes=MAX_TEXT_BYTES) if prompt_file else None,
        pictures=tuple(attached(shell, one, name) for name, one in given.items() if one is not None),
        mask=attached(shell, mask, "mask") if mask else None,
        markup=attached(shell, markup, "markup") if markup else None,
        area=area,
        look=look,
    )
    if preview_mask:
        await show_mask(interaction, wish)
    else:
        await offer_waiting(interaction, await take_on(interaction, gather(shell, wish), private=private))


@edit.autocomplete("area")
async def complete_area(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """The areas that have a name; percent are typed."""
    return [app_commands.Choice(name=name, value=name) for name in AREAS if typed.lower() in name]


complete_options(edit, Kind.EDIT)


async def setup(client: HasShell) -> None:
    client.tree.add_command(edit)
