"""``/style``: saved looks as people see them, all in private."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.rules.styles.style import HOLE, Style
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.result import COLOUR
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.options import option_told
from bot.ui.words.text import DESCRIPTION_LIMIT, escaped

SHOWN = 1500
ROOM = DESCRIPTION_LIMIT - 600
"""For all looks of a list; the rest is for its headings and the escapes of a last word."""

FEWEST = 24


async def save(interaction: Interaction, style: Style) -> Message:
    """Keeps it, and shows what was kept."""
    old = await interaction.client.shell.styles.save(asker_of(interaction), style)
    locale = str(interaction.locale)
    key = "style.saved" if old is None else "style.changed"
    whose = say(locale, "style.of_server" if style.servers else "style.of_yours")
    head = say(locale, key, name=escaped(style.name, 80), whose=whose)
    embed = discord.Embed(colour=COLOUR, title=head[:256], description=_body(style, SHOWN, locale))
    embed.set_footer(text=say(locale, "style.how", look=style.name))
    return Message(embed=embed)


async def delete(interaction: Interaction, name: str, *, servers: bool) -> Message:
    gone = await interaction.client.shell.styles.delete(asker_of(interaction), name, servers=servers)
    return Message(say(str(interaction.locale), "style.deleted", name=escaped(gone.name, 80)))


async def listing(interaction: Interaction) -> Message:
    """One's own, then the server's."""
    known = await interaction.client.shell.styles.known(asker_of(interaction))
    locale = str(interaction.locale)
    title = say(locale, "style.title")
    count = len(known.own) + len(known.servers)
    if not count:
        return Message(
            embed=discord.Embed(colour=COLOUR, title=title, description=say(locale, "style.none", hole=HOLE))
        )
    room = max(FEWEST, ROOM // count)
    parts = [
        "\n".join([say(locale, key, count=len(some)), *(_line(style, room, locale) for style in some)])
        for key, some in (("style.own", known.own), ("style.servers", known.servers))
        if some
    ]
    return Message(embed=discord.Embed(colour=COLOUR, title=title, description=_cut("\n\n".join(parts))))


def _line(style: Style, room: int, locale: str) -> str:
    """The name, and as much of the rest as there is room for: of long words the beginning."""
    parts, options = [f"**{escaped(style.name, 80)}**"], _options(style, locale)
    left = room - len(" · ".join([*parts, *options])) - 5
    if style.prompt != HOLE and left >= FEWEST:
        parts.append(escaped(style.prompt.replace("\n", " "), left))
    return "- " + " · ".join([*parts, *options] if left >= 0 else parts)


def _cut(text: str) -> str:
    """Whole lines, as many as fit."""
    lines = text.split("\n")
    while len("\n".join(lines).encode("utf-16-le")) // 2 > DESCRIPTION_LIMIT:
        lines.pop()
    return "\n".join(lines)


def _body(style: Style, room: int, locale: str) -> str:
    return "\n".join(part for part in (escaped(style.prompt, room), " · ".join(_options(style, locale))) if part)


def _options(style: Style, locale: str) -> Sequence[str]:
    told = [("model", style.model)] if style.model else []
    return [option_told(name, value, locale) for name, value in (*told, *style.options)]
