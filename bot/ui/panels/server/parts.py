"""What a page of the panel shows, as data: texts, rows, menus and pickers; and the ids that its controls carry.

Ids are ``e1:set:<page>:<act>[:<arg>]``: a press says all there is to know, so the panel remembers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.limits.limit import Limit, slot_of
from bot.ui.interactions.ids import VERSION


class Page(StrEnum):
    """The pages, in the order of the menu."""

    WHO = "who"
    LIMITS = "limits"
    MONEY = "money"
    MODELS = "models"
    LOOK = "look"
    SAFETY = "safety"
    LOG = "log"
    PRESETS = "presets"


class Things(StrEnum):
    """What Discord's own menus offer; they search by themselves, however many there are."""

    ROLES = "roles"
    MEMBERS = "members"
    CHANNELS = "channels"
    WRITABLE = "writable"  # channels in which one can write


MOST_SHOWN = 25
"""What a menu of Discord can show as chosen."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A line between two themes."""


@dataclass(frozen=True, slots=True)
class Knob:
    act: str
    label: str
    danger: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with a button beside it."""

    text: str
    knob: Knob


@dataclass(frozen=True, slots=True)
class Knobs:
    knobs: tuple[Knob, ...]


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    note: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """Options of ours under a title; at most 25."""

    title: str
    act: str
    options: tuple[Option, ...]
    least: int = 1
    most: int = 1
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """Roles, members or channels under a title; ``chosen`` are at most 25 that still exist."""

    title: str
    act: str
    things: Things
    chosen: tuple[int, ...] = ()
    least: int = 0
    most: int = MOST_SHOWN
    hint: str = ""


Part = Text | Gap | Row | Knobs | Menu | Pick


OPENS_FORM = frozenset({"limits_form", "budget_form", "key_form", "limits_role", "limits_member", "limits_channel"})
"""Acts that open a form; their ids begin otherwise, for a form that was closed may be opened again at once."""


def control_id(page: Page, act: str) -> str:
    return f"{VERSION}:{'setask' if act in OPENS_FORM else 'set'}:{page}:{act}"


ASKING = rf"{VERSION}:setask:(?P<page>[a-z]+):(?P<act>[a-z_]+)"
CONTROL = rf"{VERSION}:set:(?P<page>[a-z]+):(?P<act>[a-z_]+)(?::(?P<arg>[A-Za-z0-9_.:-]{{0,60}}))?"


def slot_arg(limit: Limit) -> str:
    """A limit's slot in an id or a menu: ``role.images.day.5``."""
    where = slot_of(limit)
    measure, period = where.quota or ("cooldown", "")
    return f"{where.scope}.{measure}.{period}.{where.subject_id or 0}"


SLOT = r"(?P<slot>[a-z]{1,10}\.[a-z]{1,10}\.[a-z]{0,6}\.\d{1,19})"


PAGE_EMOJI: Mapping[Page, str] = {
    Page.WHO: "👥",
    Page.LIMITS: "⏱️",
    Page.MONEY: "💰",
    Page.MODELS: "🎨",
    Page.LOOK: "🖼️",
    Page.SAFETY: "🛡️",
    Page.LOG: "📋",
    Page.PRESETS: "✨",
}
