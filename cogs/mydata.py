"""``/mydata export`` and ``/mydata delete``: everything stored about oneself, to keep or to be rid of."""

from __future__ import annotations

from discord import app_commands

from bot.ui.panels.own_data import Forget, ask_whether
from bot.ui.panels.own_data import export as export_data
from bot.ui.shell import HasShell, Interaction

mydata = app_commands.Group(name="mydata", description="What is stored about you")


@mydata.command(name="export", description="Everything stored about you, as a file")
async def export(interaction: Interaction) -> None:
    """In private, as JSON."""
    await export_data(interaction)


@mydata.command(name="delete", description="Delete what is stored about you")
async def delete(interaction: Interaction) -> None:
    """Asks first; the button does it."""
    await ask_whether(interaction)


async def setup(client: HasShell) -> None:
    client.tree.add_command(mydata)
    client.add_dynamic_items(Forget)
