"""A page of the panel as Discord draws it: one container, each menu under its title.

Law: every control is a ``Press``, so that it works after a restart; a message with these carries nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord

from bot.ui.components.press import button
from bot.ui.pages.result import COLOUR
from bot.ui.panels.server.parts import Gap, Knob, Knobs, Menu, Option, Page, Part, Pick, Row, Text, Things, control_id
from bot.ui.words.text import cut

TEXT_ROOM = 4000
"""Characters of all texts of one message."""

_Kind = discord.ChannelType
_WRITABLE = [_Kind.text, _Kind.news, _Kind.voice, _Kind.stage_voice]
CHANNEL_TYPES = {Things.WRITABLE: _WRITABLE, Things.CHANNELS: [*_WRITABLE, _Kind.forum, _Kind.media, _Kind.category]}
_DEFAULT = discord.SelectDefaultValueType

Wrap = Callable[[discord.ui.Item[Any]], discord.ui.Item[Any]]
"""Makes a control that answers of a button or menu."""


def drawn(page: Page, parts: Sequence[Part], wrap: Wrap) -> discord.ui.LayoutView:
    """All of it; texts that would not fit the message are cut at their end."""
    view = discord.ui.LayoutView(timeout=None)
    box: discord.ui.Container[Any] = discord.ui.Container(accent_colour=COLOUR)
    room = TEXT_ROOM

    def text(words: str) -> discord.ui.TextDisplay[Any]:
        nonlocal room
        fitting = cut(words, max(room, 1))
        room -= len(fitting)
        return discord.ui.TextDisplay(fitting)

    for part in parts:
        for item in _items(page, part, text, wrap):
            box.add_item(item)
    view.add_item(box)
    return view


def _items(
    page: Page, part: Part, text: Callable[[str], discord.ui.TextDisplay[Any]], wrap: Wrap
) -> list[discord.ui.Item[Any]]:
    match part:
        case Text(words):
            return [text(words)]
        case Gap():
            return [discord.ui.Separator()]
        case Row(words, knob):
            return [discord.ui.Section(text(words), accessory=wrap(_button(page, knob)))]
        case Knobs(knobs):
            return [discord.ui.ActionRow(*(wrap(_button(page, knob)) for knob in knobs))]
        case Menu() | Pick():
            control = _menu(page, part) if isinstance(part, Menu) else _pick(page, part)
            titled = [text(part.title)] if part.title else []
            return [*titled, discord.ui.ActionRow(wrap(control))]


def _button(page: Page, knob: Knob) -> discord.ui.Button[Any]:
    style = discord.ButtonStyle.secondary
    if knob.danger or knob.primary:
        style = discord.ButtonStyle.danger if knob.danger else discord.ButtonStyle.primary
    return button(control_id(page, knob.act), knob.label, style=style)


def _menu(page: Page, menu: Menu) -> discord.ui.Select[Any]:
    return discord.ui.Select(
        custom_id=control_id(page, menu.act),
        placeholder=cut(menu.hint, 150) or None,
        min_values=menu.least,
        max_values=max(1, min(menu.most, len(menu.options))),
        options=[_option(one) for one in menu.options],
    )


def _option(one: Option) -> discord.SelectOption:
    return discord.SelectOption(
        label=cut(one.label, 100), value=one.value, description=cut(one.note, 100) or None, default=one.chosen
    )


def _pick(page: Page, pick: Pick) -> discord.ui.Item[Any]:
    given: dict[str, Any] = {
        "custom_id": control_id(page, pick.act),
        "placeholder": cut(pick.hint, 150) or None,
        "min_values": pick.least,
        "max_values": pick.most,
    }

    def chosen(kind: discord.SelectDefaultValueType) -> list[discord.SelectDefaultValue]:
        # as text, as Discord documents ids; discord.py sends what it is given
        shown = (str(one) for one in pick.chosen[: pick.most])
        return [discord.SelectDefaultValue(id=one, type=kind) for one in shown]  # type: ignore[arg-type]  # see above

    match pick.things:
        case Things.ROLES:
            return discord.ui.RoleSelect(**given, default_values=chosen(_DEFAULT.role))
        case Things.MEMBERS:
            return discord.ui.UserSelect(**given, default_values=chosen(_DEFAULT.user))
        case Things.CHANNELS | Things.WRITABLE as things:
            types = CHANNEL_TYPES[things]
            return discord.ui.ChannelSelect(**given, channel_types=types, default_values=chosen(_DEFAULT.channel))
