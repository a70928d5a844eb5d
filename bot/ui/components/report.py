"""Reports of a message: to the server's log channel, else to the operator's log."""

from __future__ import annotations

import logging

import discord

from bot.rules.errors import NoSuchLink
from bot.rules.people import Place
from bot.ui.interactions.acknowledge import acknowledge, tell
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.failures import TROUBLE, failure_of
from bot.ui.interactions.who import asker_of
from bot.ui.pages.about import REASON_ROOM
from bot.ui.pages.links import link_to, read_message
from bot.ui.pages.result import COLOUR
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.text import clean, escaped

log = logging.getLogger(__name__)


async def report_typed(interaction: Interaction, message: str, reason: str) -> None:
    """A report of the message that was typed, by its link or number. Raises ``NoSuchLink``."""
    found = read_message(message, interaction.guild_id, asker_of(interaction).channel_id)
    if found is None:
        raise NoSuchLink
    await report(interaction, *found, reason)


async def report(interaction: Interaction, channel_id: int, message_id: int, reason: str) -> None:
    """Hands a report to the server's log channel, else to the operator's log, and says so."""
    asker = asker_of(interaction)
    check_bound(interaction, Bounded.REPORT)
    link = link_to(interaction.guild_id, channel_id, message_id)
    await acknowledge(interaction, private=True)
    to_server = await _to_log_channel(interaction, asker.place, link, reason)
    if not to_server:
        log.warning("report by user %d in %s: %s: %s", asker.user_id, asker.place.key, link, clean(reason, 300))
    await tell(interaction, say(asker.locale, "report.to_server" if to_server else "report.to_operator"))


async def _to_log_channel(interaction: Interaction, place: Place, link: str, reason: str) -> bool:
    if not place.is_server:
        return False
    channel_id = (await interaction.client.shell.settings_cache.looks(place)).log_channel_id
    if channel_id is None:
        return False
    locale = str(interaction.guild_locale or interaction.locale)
    embed = discord.Embed(title=say(locale, "report.title"), colour=COLOUR)
    embed.add_field(name=say(locale, "report.message"), value=link, inline=False)
    embed.add_field(name=say(locale, "report.by"), value=f"<@{interaction.user.id}>", inline=False)
    if reason.strip():
        embed.add_field(name=say(locale, "report.reason"), value=escaped(reason, REASON_ROOM), inline=False)
    channel = interaction.client.get_partial_messageable(channel_id)
    try:
        await channel.send(embed=embed, allowed_mentions=discord.AllowedMentions.none())
    except TROUBLE as error:
        log.warning("the log channel of %s takes no reports: %s", place.key, failure_of(error).name)
        return False
    return True
