"""``/usage me`` and ``/usage server``: figures and a chart, in private."""

from __future__ import annotations

from dataclasses import replace

from discord import app_commands

from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.interactions.acknowledge import acknowledge, tell_message
from bot.ui.interactions.who import asker_of
from bot.ui.pages.usage import View, page, read_figures, table
from bot.ui.shell import HasShell, Interaction
from bot.ui.words.errors import ServerOnly

usage = app_commands.Group(name="usage", description="Pictures made and money spent")


@usage.command(name="me", description="What you made and spent here")
async def me(interaction: Interaction) -> None:
    """One's own figures in this place; without money where the server hides what pictures cost."""
    await _answer(interaction, whole_server=False)


@usage.command(name="server", description="What this server made and spent (for admins)")
@app_commands.describe(export="Attach a table for spreadsheets: by day, member and model")
async def server(interaction: Interaction, export: bool = False) -> None:
    """Everybody's figures, budgets and what is unclear, for who may manage the server."""
    asker = asker_of(interaction)
    if not asker.place.is_server:
        raise ServerOnly
    if not asker.can_manage:
        raise AccessDenied(DeniedBecause.NOT_ADMIN)
    await _answer(interaction, whole_server=True, export=export)


async def _answer(interaction: Interaction, *, whole_server: bool, export: bool = False) -> None:
    shell = interaction.client.shell
    asker = asker_of(interaction)
    await acknowledge(interaction, private=True)
    figures = await read_figures(shell.store, asker, shell.clock(), whole_server=whole_server)
    looks = await shell.settings_cache.looks(asker.place)
    view = View(asker.locale, whole_server, with_money=whole_server or looks.show_cost)
    message = await page(figures, view, lane=asker.place.key)
    if export:
        file = await table(shell.store, asker, shell.clock())
        message = replace(message, files=(*message.files, file))
    await tell_message(interaction, message)


async def setup(client: HasShell) -> None:
    client.tree.add_command(usage)
