"""``/style``: looks to save, and to use as the option ``look``."""

from __future__ import annotations

from discord import app_commands

from bot.rules.requests import Kind
from bot.rules.styles.style import NAME_CHARS, PROMPT_CHARS, make_style
from bot.ui.interactions.deadline import answer
from bot.ui.orders.choices import complete_options
from bot.ui.orders.looks import complete_deletion
from bot.ui.panels.own import styles
from bot.ui.shell import HasShell, Interaction

Name = app_commands.Range[str, 1, 2 * NAME_CHARS]
Word = app_commands.Range[str, 1, 40]

style = app_commands.Group(name="style", description="Looks you save once and use with the option look")


@style.command(name="save", description="Save a look, or change one")
@app_commands.rename(image_format="format", picture_style="style")
@app_commands.describe(
    name="What you will call it",
    prompt="Words of the look; {prompt} is where your prompt goes, else it comes last",
    model="Model",
    size="WIDTHxHEIGHT, auto, or a shape such as 16:9, portrait, landscape, square",
    quality="Quality: higher looks better and costs more",
    picture_style="A style, where the model has one",
    background="Transparent or opaque, where the model has it",
    image_format="File format",
    compression="0 to 100 percent, for jpeg and webp",
    server="For everybody on this server (for those who manage it)",
)
async def save(
    interaction: Interaction,
    name: Name,
    prompt: app_commands.Range[str, 1, PROMPT_CHARS],
    model: app_commands.Range[str, 1, 100] | None = None,
    size: Word | None = None,
    quality: Word | None = None,
    picture_style: Word | None = None,
    background: Word | None = None,
    image_format: Word | None = None,
    compression: app_commands.Range[int, 0, 100] | None = None,
    server: bool = False,
) -> None:
    """Checked against its model now, so that it works when it is used."""
    options = {
        "size": size,
        "quality": quality,
        "style": picture_style,
        "background": background,
        "format": image_format,
        "compression": compression,
    }
    made = make_style(name, prompt, model=model, options=options, servers=server)
    await answer(interaction, styles.save(interaction, made))


@style.command(name="list", description="Your looks, and those of this server")
async def list_styles(interaction: Interaction) -> None:
    """In private."""
    await answer(interaction, styles.listing(interaction))


@style.command(name="delete", description="Delete a look; pictures made with it stay")
@app_commands.describe(name="Which", server="One of the server's (for those who manage it)")
@app_commands.autocomplete(name=complete_deletion)
async def delete(interaction: Interaction, name: Name, server: bool = False) -> None:
    """At once: it is quickly saved again."""
    await answer(interaction, styles.delete(interaction, name, servers=server))


complete_options(save, Kind.IMAGINE)


async def setup(client: HasShell) -> None:
    client.tree.add_command(style)
