"""What the bot says when it joins a server: what holds there, and where to begin. Once, and only then.

Law: who is told is the server's own choice of a channel for such things, else its owner; nobody is mentioned.
"""

from __future__ import annotations

import logging
from typing import Any

import discord

from bot.rules.limits.limit import Scope, is_open, slot_of
from bot.rules.people import Place
from bot.ui.components.forms import open_imagine
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledge
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import check_admin
from bot.ui.internals import system_channel_of
from bot.ui.pages.result import COLOUR
from bot.ui.panels import settings as acts
from bot.ui.panels.server.panel import open_panel
from bot.ui.shell import HasShell, Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.limits import amount, slot

log = logging.getLogger(__name__)

ROOMS = [discord.ChannelType.text, discord.ChannelType.news]


async def welcome(client: HasShell, guild: discord.Guild) -> None:
    """Tells the server in its system channel, with buttons; where that cannot be, its owner, with words alone."""
    locale = str(guild.preferred_locale)
    page = await _page(client, guild, locale)
    channel_id = system_channel_of(guild)
    try:
        if channel_id is not None:
            channel = client.get_partial_messageable(channel_id, guild_id=guild.id)
            await channel.send(embed=page, view=_view(locale), allowed_mentions=discord.AllowedMentions.none())
            return
    except TROUBLE:
        log.info("a server that the bot joined has a system channel in which it may not write")
    try:
        owner = await client.fetch_user(guild.owner_id or 0)
        page.set_footer(text=say(locale, "welcome.by_letter", server=guild.name))
        await owner.send(embed=page)
    except TROUBLE:
        log.info("the owner of a server that the bot joined cannot be written to")


async def _page(client: HasShell, guild: discord.Guild, locale: str) -> discord.Embed:
    limits = await client.shell.store.servers.limits(Place(guild.id, 0))
    lines = [
        say(locale, "welcome.limit", what=slot(slot_of(limit), locale), amount=amount(limit, locale))
        for limit in limits
        if limit.scope is not Scope.OPERATOR and not is_open(limit)
    ]
    held = "\n".join(lines) or say(locale, "welcome.no_limits")
    embed = discord.Embed(title=say(locale, "welcome.title"), description=say(locale, "welcome.text"), colour=COLOUR)
    embed.add_field(name=say(locale, "welcome.limits"), value=held, inline=False)
    return embed


def _view(locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    first = discord.ButtonStyle.primary
    view.add_item(FirstPicture(button(f"{VERSION}:first", say(locale, "welcome.first"), emoji="🎨", style=first)))
    view.add_item(OpenSettings(button(f"{VERSION}:opensettings", say(locale, "welcome.open"), emoji="⚙️")))
    hint = say(locale, "welcome.log")[:150]
    view.add_item(
        PickLog(discord.ui.ChannelSelect(custom_id=f"{VERSION}:picklog", channel_types=ROOMS, placeholder=hint))
    )
    return view


class FirstPicture(Press, template=rf"{VERSION}:first"):
    """Opens the form for a picture, for anybody; what holds here is checked when it comes back."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        await open_imagine(interaction)


class OpenSettings(Press, template=rf"{VERSION}:opensettings"):
    """The panel, in private to who may manage the server."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        await answer(interaction, open_panel(interaction))


class PickLog(Press, template=rf"{VERSION}:picklog"):
    """The log channel, as ``/settings log`` sets it."""

    async def press(self, interaction: Interaction) -> None:
        check_admin(interaction)
        await acknowledge(interaction, private=True)
        select: Any = self.item
        await answer(interaction, acts.log_to(interaction, select.values[0], remove=False))
