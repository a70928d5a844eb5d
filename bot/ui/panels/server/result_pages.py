"""The pages about results, as data: models and defaults, how they look, safety; and the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.ports import AuditEntry
from bot.rules.options.build import suggest
from bot.rules.requests import Kind
from bot.rules.servers.access import Layout, ResultButton, model_by_default
from bot.rules.servers.undo import undoable
from bot.ui.panels.server.answers import EPOCH
from bot.ui.panels.server.pages import Desk
from bot.ui.panels.server.parts import (
    MOST_SHOWN,
    Gap,
    Knob,
    Knobs,
    Menu,
    Option,
    Part,
    Pick,
    Row,
    Text,
    Things,
)
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line
from bot.ui.words.numbers import number
from bot.ui.words.text import cut

MOST_CHANGES = 5
NOBODYS = "none"
"""The default that is left to the operator or the model, as in ``/settings defaults``."""


# --- models ------------------------------------------------------------------------------------------------------


def models(desk: Desk) -> list[Part]:
    settings = desk.office.settings
    allowed, denied = settings.allowed_models - settings.denied_models, settings.denied_models
    defaults = settings.defaults
    default = model_by_default(defaults, desk.office.default_model)
    model = next((one for one in desk.models if one.id == default), None)
    chosen = {"size": defaults.size, "quality": defaults.quality, "format": defaults.format}
    return [
        _model_menu(desk, "models_allow", settings.allowed_models, chosen=allowed, least=1),
        *([Knobs((Knob("models_open", say(desk.locale, "panel.models_open")),))] if settings.allowed_models else []),
        _model_menu(desk, "models_deny", denied, chosen=denied, least=0),
        Gap(),
        _default_menu(desk, "model", [one.id for one in desk.models], defaults.model),
        *(
            _default_menu(desk, name, suggest(name, "", model, Kind.IMAGINE), held)
            for name, held in chosen.items()
            if model is not None and suggest(name, "", model, Kind.IMAGINE)
        ),
    ]


def _model_menu(desk: Desk, key: str, listed: frozenset[str], *, chosen: frozenset[str], least: int) -> Menu:
    """Those on offer, and what is on the list though it is not on offer any more."""
    names = {one.id: one.short_name for one in desk.models}
    every = [*names, *sorted(listed - set(names))][:MOST_SHOWN]
    options = tuple(Option(name, name, names.get(name) or "", chosen=name in chosen) for name in every)
    hint = say(desk.locale, f"panel.{key}_hint")
    return Menu(f"**{say(desk.locale, f'panel.{key}')}**", key, options, least=least, most=len(options), hint=hint)


def _default_menu(desk: Desk, name: str, values: Sequence[str], held: str | None) -> Menu:
    others = [one for one in values if len(one) <= 100][: MOST_SHOWN - 2]
    every = [*others, *([held] if held is not None and held not in others else [])]
    options = (
        Option(NOBODYS, say(desk.locale, f"panel.default_{name}_none"), chosen=held is None),
        *(Option(one, one, chosen=one == held) for one in every),
    )
    return Menu(f"**{say(desk.locale, f'panel.default_{name}')}**", f"default_{name}", options)


# --- look and safety ---------------------------------------------------------------------------------------------


def look(desk: Desk) -> list[Part]:
    settings = desk.office.settings
    buttons = tuple(
        Option(one, say(desk.locale, f"result_button.{one}"), chosen=one not in settings.hidden_buttons)
        for one in ResultButton
    )
    previews = {None: "auto", True: "on", False: "off"}[settings.previews]
    return [
        _switch(desk, "cost", settings.show_cost),
        _switch(desk, "plain", settings.layout is Layout.PLAIN),
        _switch(desk, "private", bool(settings.defaults.private)),
        Gap(),
        Menu(
            f"**{say(desk.locale, 'panel.buttons')}**",
            "buttons",
            buttons,
            least=0,
            most=len(buttons),
            hint=say(desk.locale, "panel.no_button"),
        ),
        Menu(
            f"**{say(desk.locale, 'settings.previews')}**",
            "previews",
            tuple(
                Option(
                    one,
                    say(desk.locale, f"panel.previews_{one}"),
                    say(desk.locale, f"panel.previews_{one}_about"),
                    chosen=one == previews,
                )
                for one in ("auto", "on", "off")
            ),
        ),
    ]


def safety(desk: Desk) -> list[Part]:
    settings = desk.office.settings
    levels = (("as_asked", "as_asked"), ("auto", "level_auto"), ("low", "level_low"))
    level = settings.moderation or "as_asked"
    return [
        _switch(desk, "pause", settings.paused),
        Gap(),
        Menu(
            f"**{say(desk.locale, 'settings.moderation')}**",
            "level",
            tuple(
                Option(
                    one,
                    say(desk.locale, f"settings.{key}"),
                    say(desk.locale, f"panel.{key}_about"),
                    chosen=one == level,
                )
                for one, key in levels
                if one != "as_asked" or one == level
            ),
        ),
        _switch(desk, "spoiler", settings.spoiler),
        _switch(desk, "age", settings.age_restricted_only),
        Gap(),
        *_room(desk, "review", settings.review_channel_id),
        Text(
            f"**{say(desk.locale, 'setting.words')}:** {number(desk.locale, len(settings.refused_words))}\n"
            f"-# {say(desk.locale, 'panel.words_about')}"
        ),
    ]


def _room(desk: Desk, act: str, channel_id: int | None) -> list[Part]:
    """A channel to choose, and a button that chooses none."""
    label = say(desk.locale, "setting.review" if act == "review" else "settings.log")
    return [
        Pick(
            f"**{label}**\n-# {say(desk.locale, f'panel.{act}_about')}",
            act,
            Things.WRITABLE,
            (channel_id,) if channel_id is not None else (),
            least=1,
            most=1,
            hint=say(desk.locale, f"panel.{act}_none"),
        ),
        *([Knobs((Knob(f"{act}_off", say(desk.locale, f"panel.{act}_off")),))] if channel_id is not None else []),
    ]


def _switch(desk: Desk, act: str, on: bool) -> Row:
    """What is so, and a button that makes it otherwise; the id says what it is to become."""
    state = say(desk.locale, "value.on" if on else "value.off")
    text = f"**{say(desk.locale, f'panel.{act}')}:** {state}\n-# {say(desk.locale, f'panel.{act}_about')}"
    return Row(
        text, Knob(f"{act}:{'off' if on else 'on'}", say(desk.locale, "panel.turn_off" if on else "panel.turn_on"))
    )


# --- the trail ---------------------------------------------------------------------------------------------------


def trail(desk: Desk) -> list[Part]:
    return [
        *_room(desk, "log", desk.office.settings.log_channel_id),
        Gap(),
        Text(f"**{say(desk.locale, 'settings.audit_title')}**"),
        *(_entry(desk, together) for together in _in_one_go(desk.trail)[:MOST_CHANGES]),
        *([] if desk.trail else [Text(say(desk.locale, "settings.audit_empty"))]),
    ]


def _in_one_go(trail: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """Entries of one change together, newest first."""
    found: list[list[AuditEntry]] = []
    for entry in trail:
        if found and (found[-1][0].at, found[-1][0].actor_id) == (entry.at, entry.actor_id):
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def _entry(desk: Desk, together: Sequence[AuditEntry]) -> Part:
    """A line; with *Undo* where it is one's own and can be taken back."""
    first = together[-1]
    more = f" {say(desk.locale, 'panel.and_more', count=len(together) - 1)}" if len(together) > 1 else ""
    change = cut(change_line(first.change, desk.locale), 300)
    at = int(first.at.timestamp())
    line = say(desk.locale, "settings.audit_line", at=at, actor=first.actor_id, change=f"{change}{more}")
    if first.actor_id != desk.reader_id or not undoable([one.change for one in together]):
        return Text(line)
    arg = f"{first.actor_id}:{(first.at - EPOCH) // timedelta(microseconds=1)}"
    return Row(line, Knob(f"take_back:{arg}", say(desk.locale, "settings.undo")))
