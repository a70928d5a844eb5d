"""Help, about, privacy, and reports: what people ask about the bot itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord

from bot.ui.pages.result import COLOUR
from bot.ui.shell import Shell
from bot.ui.words.catalogue import say
from bot.ui.words.text import clean

log = logging.getLogger(__name__)

SOURCE_URL = "https://github.com/easel-bot/easel"
TOPICS = ("start", "edit", "batch", "limits", "admins", "privacy")
REASON_ROOM = 1000


def help_page(topic: str, topics: Sequence[str], locale: str) -> discord.Embed:
    """One of these topics, and the names of the others."""
    embed = discord.Embed(title=say(locale, f"help.{topic}_title"), description=say(locale, f"help.{topic}"))
    embed.colour = COLOUR
    others = " · ".join(f"`{other}`" for other in topics if other != topic)
    embed.add_field(name=say(locale, "help.more"), value=say(locale, "help.topics", topics=others), inline=False)
    return embed


def about_page(shell: Shell, locale: str, *, in_server: bool) -> discord.Embed:
    """Which version this is, where it comes from, who draws, and where to turn."""
    config = shell.config
    what = "about.what" if in_server else "about.what_direct"
    embed = discord.Embed(title="Easel", description=say(locale, what), colour=COLOUR)
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
        text = say(locale, f"privacy.{key}")
        if key == "stored" and (days := shell.config.prompts_kept_days) is not None:
            text = f"{text}\n{say(locale, 'privacy.kept', count=days)}"
        if key == "shared" and shell.catalogue.knows_origins is not None:
            text = f"{text} {say(locale, 'privacy.origins')}"
        embed.add_field(name=say(locale, f"privacy.{key}_title"), value=text, inline=False)
    url = _link(shell.config.privacy_url)
    value = url or say(locale, "privacy.no_policy")
    embed.add_field(name=say(locale, "privacy.policy_title"), value=value, inline=False)
    return embed


def _link(url: str | None) -> str:
    return f"<{url}>" if url else ""


# --- reports -----------------------------------------------------------------------------------------------------
