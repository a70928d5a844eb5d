"""``/limits``: what applies to me here, what is left, when it starts afresh, and which rule says so."""

from __future__ import annotations

from discord import app_commands

from bot.ui.interactions.deadline import answer
from bot.ui.panels.own.limits import own_limits
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="limits", description="What applies to you here, what is left, and what a picture costs")
async def limits(interaction: Interaction) -> None:
    """Only the one who asked sees it."""
    await answer(interaction, own_limits(interaction))


async def setup(client: HasShell) -> None:
    client.tree.add_command(limits)
