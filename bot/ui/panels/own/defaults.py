"""``/mydefaults``: what one always wants, shown and changed in private."""

from __future__ import annotations

from dataclasses import fields, replace

import discord

from bot.core.people.own_defaults import EVERY
from bot.rules.servers.access import Defaults
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.result import COLOUR
from bot.ui.panels.settings_options import NO_DEFAULT
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.changes import defaults_words


async def own_defaults(interaction: Interaction, asked: Defaults, *, reset: bool) -> Message:
    """Shows them where nothing is asked; ``none`` takes one back, ``reset`` all."""
    mine, asker = interaction.client.shell.own_defaults, asker_of(interaction)
    dropped = frozenset(name for name in EVERY if str(getattr(asked, name) or "").strip().lower() == NO_DEFAULT)
    wanted = replace(asked, **dict.fromkeys(dropped))
    if reset:
        await mine.reset(asker)
    if wanted != Defaults() or dropped:
        return _page(interaction, await mine.change(asker, wanted, dropped), "mydefaults.changed")
    return _page(interaction, await mine.held(asker), "mydefaults.reset" if reset else "mydefaults.held")


def _page(interaction: Interaction, held: Defaults, key: str) -> Message:
    locale = str(interaction.locale)
    is_set = any(getattr(held, field.name) is not None for field in fields(held))
    embed = discord.Embed(colour=COLOUR, title=say(locale, "mydefaults.title"))
    told = say(locale, key) if is_set or key == "mydefaults.reset" else say(locale, "mydefaults.none")
    embed.description = f"{told}\n\n{defaults_words(held, locale)}" if is_set else told
    embed.set_footer(text=say(locale, "mydefaults.footer"))
    return Message(embed=embed)
