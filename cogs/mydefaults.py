"""``/mydefaults``: one's own model, size, quality, format and privacy, wherever one chooses nothing."""

from __future__ import annotations

from discord import app_commands

from bot.rules.servers.access import Defaults
from bot.ui.interactions.deadline import answer
from bot.ui.panels.own.defaults import own_defaults
from bot.ui.panels.settings_options import complete_default
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="mydefaults", description="Your own defaults, used where you choose nothing")
@app_commands.rename(image_format="format")
@app_commands.describe(
    model="The model you like best; none: as the place has it",
    size="Such as 1024x1024, 16:9, portrait; none: as the place has it",
    quality="How carefully your pictures are drawn; none: as the place has it",
    image_format="File format; none: as the place has it",
    private="Whether only you see your results",
    reset="Forget all of them",
)
@app_commands.autocomplete(
    model=complete_default, size=complete_default, quality=complete_default, image_format=complete_default
)
async def mydefaults(
    interaction: Interaction,
    model: app_commands.Range[str, 1, 100] | None = None,
    size: app_commands.Range[str, 1, 40] | None = None,
    quality: app_commands.Range[str, 1, 40] | None = None,
    image_format: app_commands.Range[str, 1, 40] | None = None,
    private: bool | None = None,
    reset: bool = False,
) -> None:
    """In private; bare it shows what holds."""
    asked = Defaults(model, size, quality, image_format, private)
    await answer(interaction, own_defaults(interaction, asked, reset=reset))


async def setup(client: HasShell) -> None:
    client.tree.add_command(mydefaults)
