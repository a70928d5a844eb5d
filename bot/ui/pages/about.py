"""Help, about, privacy, and reports: what people ask about the bot itself."""

from __future__ import annotations

import logging

import discord

from bot.rules.errors import NotFound
from bot.rules.people import Place
from bot.ui.interactions.acknowledge import acknowledge, tell
from bot.ui.interactions.failures import TROUBLE, verdict_on
from bot.ui.interactions.who import asker_of
from bot.ui.pages.links import link_to, read_message
from bot.ui.pages.result import COLOUR
from bot.ui.shell import Interaction, Shell
from bot.ui.words.catalogue import say
from bot.ui.words.text import clean, escaped

log = logging.getLogger(__name__)

SOURCE_URL = "https://github.com/easel-bot/easel"
TOPICS = ("start", "edit", "batch", "limits", "admins", "privacy")
REASON_ROOM = 1000


def help_page(topic: str, locale: str) -> discord.Embed:
    """One topic, and the names of the others."""
    embed = discord.Embed(title=say(locale, f"help.{topic}_title"), description=say(locale, f"help.{topic}"))
    embed.colour = COLOUR
    others = " · ".join(f"`{other}`" for other in TOPICS if other != topic)
    embed.add_field(name=say(locale, "help.more"), value=say(locale, "help.topics", topics=others), inline=False)
    return embed


def about_page(shell: Shell, locale: str) -> discord.Embed:
    """Which version this is, where it comes from, who draws, and where to turn."""
    config = shell.config
    embed = discord.Embed(title="Easel", description=say(locale, "about.what"), colour=COLOUR)
    service = say(locale, "about.openai" if config.is_official else "about.compatible")
    for key, value in (
        ("about.version", clean(config.version, 60)),
        ("about.source", f"<{SOURCE_URL}>"),
        ("about.service", service),
        ("about.model", f"`{clean(config.default_model, 80)}`"),
        ("about.privacy", _link(config.privacy_url) or say(locale, "about.privacy_command")),
        ("about.support", _link(config.support_url)),
    ):
        if value:
            embed.add_field(name=say(locale, key), value=value, inline=False)
    return embed


def privacy_page(shell: Shell, locale: str) -> discord.Embed:
    """What is stored and why, who else gets it, and what one can do about it."""
    embed = discord.Embed(title=say(locale, "privacy.title"), colour=COLOUR)
    for key in ("stored", "shared", "rights"):
        embed.add_field(name=say(locale, f"privacy.{key}_title"), value=say(locale, f"privacy.{key}"), inline=False)
    url = _link(shell.config.privacy_url)
    value = url or say(locale, "privacy.no_policy")
    embed.add_field(name=say(locale, "privacy.policy_title"), value=value, inline=False)
    return embed


def _link(url: str | None) -> str:
    return f"<{url}>" if url else ""


# --- reports -----------------------------------------------------------------------------------------------------


async def report(interaction: Interaction, message: str, reason: str) -> None:
    """Hands a report to the server's log channel, else to the operator's log, and says so. Raises ``NotFound``."""
    asker = asker_of(interaction)
    found = read_message(message, interaction.guild_id, asker.channel_id)
    if found is None:
        raise NotFound("message")
    link = link_to(interaction.guild_id, *found)
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
        log.warning("the log channel of %s takes no reports: %s", place.key, verdict_on(error).name)
        return False
    return True
