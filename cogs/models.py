"""``/models``: what each model can do and costs, which are allowed here, which end when."""

from __future__ import annotations

from discord import app_commands

from bot.ui.interactions.acknowledge import tell_message
from bot.ui.panels.models import PickModel, TurnPage, models_page
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="models", description="What each model can do and costs, and which are allowed here")
async def models(interaction: Interaction) -> None:
    """The first page, in private."""
    await tell_message(interaction, await models_page(interaction))


async def setup(client: HasShell) -> None:
    client.tree.add_command(models)
    client.add_dynamic_items(TurnPage, PickModel)
