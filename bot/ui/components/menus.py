"""Menus of a form: what a command has options for, as far as the five places in a form go. None has to be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.ui.words.catalogue import say
from bot.ui.words.text import clean, cut

MOST_CHOICES = 25
LONGEST = 100
SHAPES = {"square": "square", "landscape": "landscape", "portrait": "portrait", "16:9": "wide"}
"""Of every model's sizes the nearest; and how each is called."""

UNKNOWN = ("–",)
"""Stands for the looks of a form that is rebuilt: what was chosen there comes with it."""

Menu = discord.ui.Select[Any]


def shape_menu(locale: str, chosen: str | None = None) -> Menu:
    shapes = {value: say(locale, f"form.size_{name}") for value, name in SHAPES.items()}
    return _menu("size", shapes, locale, chosen)


def improve_menu(locale: str) -> Menu:
    """Whether better words are shown before anything is drawn."""
    return _menu("improve", {"yes": say(locale, "form.improve_yes")}, locale)


def look_menu(names: Sequence[str], locale: str, chosen: str | None = None) -> Menu | None:
    """None where there is no look to choose."""
    offered = {name: clean(name) or "–" for name in names[:MOST_CHOICES] if len(name) <= LONGEST}
    return _menu("look", offered, locale, chosen) if offered else None


def labelled(menu: Menu, locale: str) -> discord.ui.Label[Any]:
    return discord.ui.Label(text=say(locale, f"form.{menu.custom_id}")[:45], component=menu)


def picked(menu: Menu | None) -> str | None:
    return menu.values[0] if menu is not None and menu.values else None


def _menu(name: str, offered: Mapping[str, str], locale: str, chosen: str | None = None) -> Menu:
    options = [
        discord.SelectOption(label=cut(label, LONGEST), value=value, default=value == chosen)
        for value, label in offered.items()
    ]
    hint = say(locale, f"form.{name}_hint")
    return discord.ui.Select(
        custom_id=name, placeholder=hint[:150], options=options, required=False, min_values=0, max_values=1
    )
