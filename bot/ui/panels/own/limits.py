"""``/limits``: what applies to the one who asks, here and now."""

from __future__ import annotations

from bot.core.jobs.intake import Quote
from bot.rules.errors import UserError
from bot.rules.options.table import RawOptions
from bot.rules.requests import Kind
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.limits import Share, limits_page
from bot.ui.shell import Interaction


async def own_limits(interaction: Interaction) -> Message:
    """With what a picture would cost, or why there would be none."""
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
