"""``/limits``: what applies to me here, what is left, when it starts afresh, and which rule says so."""

from __future__ import annotations

from discord import app_commands

from bot.core.jobs.intake import Quote
from bot.rules.errors import UserError
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.limits import Share, limits_page
from bot.ui.shell import HasShell, Interaction


@app_commands.command(name="limits", description="What applies to you here, what is left, and what a picture costs")
async def limits(interaction: Interaction) -> None:
    """Only the one who asked sees it."""
    await answer(interaction, _page(interaction))


async def _page(interaction: Interaction) -> Message:
    shell, asker = interaction.client.shell, asker_of(interaction)
    share = Share(
        standings=await shell.store.figures.standings(asker, shell.clock()),
        quote=await _quote(interaction),
        in_server=asker.place.is_server,
        locale=str(interaction.locale),
    )
    return Message(embed=limits_page(share))


async def _quote(interaction: Interaction) -> Quote | UserError:
    try:
        return await interaction.client.shell.intake.prepare(
            asker_of(interaction), Kind.IMAGINE, RawOptions("a picture")
        )
    except UserError as reason:
        return reason


async def setup(client: HasShell) -> None:
    client.tree.add_command(limits)
