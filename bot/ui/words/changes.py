"""What an admin changed, in words: the same in the answer, in the log channel and in the audit trail.

Ids become mentions, which Discord shows by name and which never ping here; what people typed is only letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from bot.rules.servers.access import Defaults, ResultButton
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Imported,
    KeyChanged,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    LogChannelChanged,
    Look,
    LookChanged,
    Moderation,
    ModerationChanged,
    PauseChanged,
    PresetTaken,
    PreviewsChanged,
    Recorded,
    Reset,
    ReviewChanged,
    SettingChanged,
    Stop,
    StyleChanged,
    Undone,
    WordsChanged,
    is_news,
)
from bot.ui.words.catalogue import say
from bot.ui.words.limits import amount, slot
from bot.ui.words.numbers import number
from bot.ui.words.options import option_told, value_told
from bot.ui.words.text import FIELD_LIMIT, cut, escaped

VALUE_ROOM = 600
STYLE_ROOM = 200
_PAUSE = ("running", "paused")
_BLOCK = ("not_blocked", "blocked")
_SWITCH = {True: "on", False: "off", None: "automatic"}


def change_line(change: Change, locale: str) -> str:
    """``**Cooldown for everyone:** 30 s → 60 s``; says so where nothing changed."""
    match change:
        case Reset(which):
            how = say(locale, "value.defaults")
            return say(locale, "limit.done", what=say(locale, f"setting.reset_{which}"), how=how)
        case Imported():
            return say(locale, "limit.done", what=say(locale, "setting.import"), how=say(locale, "value.imported"))
        case PresetTaken(preset):
            return say(locale, "limit.done", what=say(locale, "setting.preset"), how=escaped(preset, 100))
        case Undone():
            return say(locale, "limit.done", what=say(locale, "setting.undo"), how=say(locale, "value.undone"))
        case _:
            what, old, new = _told(change, locale)
            return say(locale, "limit.change" if is_news(change) else "limit.unchanged", what=what, old=old, new=new)


def _told(change: LimitChanged | SettingChanged | StyleChanged | Recorded, locale: str) -> tuple[str, str, str]:
    """What was changed, from what, and to what."""
    match change:
        case LimitChanged(where, old, new):
            return slot(where, locale), amount(old, locale), amount(new, locale)
        case StyleChanged(name, was, became):
            none = say(locale, "value.none")
            words = [escaped(one, STYLE_ROOM) or none for one in (was, became)]
            return say(locale, "setting.style", name=escaped(name, 80)), words[0], words[1]
        case Recorded(name, was, became):
            return escaped(name, 100), escaped(was, VALUE_ROOM), escaped(became, VALUE_ROOM)
        case _:
            return _setting(change, locale)


def _setting(change: SettingChanged, locale: str) -> tuple[str, str, str]:
    def named(key: str, old: str, new: str) -> tuple[str, str, str]:
        return say(locale, f"setting.{key}"), old, new

    match change:
        case ListsChanged(which, old, new):
            return named(which, lists(which, old, locale), lists(which, new, locale))
        case DefaultsChanged(old, new):
            return named("defaults", defaults_words(old, locale), defaults_words(new, locale))
        case ModerationChanged(old, new):
            return named("moderation", _moderation(old, locale), _moderation(new, locale))
        case PreviewsChanged(old, new) | FallbackChanged(old, new):
            key = "previews" if isinstance(change, PreviewsChanged) else "fallback"
            return named(key, _switch(old, locale), _switch(new, locale))
        case LookChanged(old, new):
            return named("look", look_words(old, locale), look_words(new, locale))
        case LogChannelChanged(old, new) | ReviewChanged(old, new):
            key = "log" if isinstance(change, LogChannelChanged) else "review"
            return named(key, _channel(old, locale), _channel(new, locale))
        case PauseChanged(old, new):
            return named("pause", _stop(old, _PAUSE, locale), _stop(new, _PAUSE, locale))
        case WordsChanged():
            return named("words", *_words(change, locale))
        case BlockChanged(user_id, old, new):
            who = say(locale, "setting.block", member=f"<@{user_id}>")
            return who, _stop(old, _BLOCK, locale), _stop(new, _BLOCK, locale)
        case KeyChanged(old, new):
            return named("apikey", _hint(old, locale), _hint(new, locale))


def lists(which: Listed, held: Lists, locale: str) -> str:
    """``only: @role, @role; never: @role``, or ``all``; ``only: none`` where all that was allowed is denied."""
    parts = [
        f"{say(locale, f'value.{key}')}: {', '.join(_mention(which, one) for one in _sorted(some))}"
        for key, some in (("allow", held.allowed - held.denied), ("deny", held.denied))
        if some
    ]
    if held.is_closed:
        parts.insert(0, f"{say(locale, 'value.allow')}: {say(locale, 'value.nothing')}")
    return cut("; ".join(parts), FIELD_LIMIT) or say(locale, "value.all")


def _sorted(some: Iterable[str | int]) -> list[str | int]:
    """Names by the alphabet, ids by age."""
    return sorted(some, key=lambda one: (str(one), 0) if isinstance(one, str) else ("", one))


def _mention(which: Listed, one: str | int) -> str:
    match which:
        case Listed.MODELS:
            return escaped(str(one), 100)
        case Listed.CHANNELS:
            return f"<#{one}>"
        case Listed.ROLES:
            return f"<@&{one}>"


def defaults_words(held: Defaults, locale: str) -> str:
    """``model gpt-image-2, size 16:9, private: yes``, or ``none``."""
    parts = [
        option_told(name, value, locale)
        for name in (field.name for field in fields(held))
        if (value := getattr(held, name)) is not None
    ]
    return ", ".join(parts) or say(locale, "value.none")


def _moderation(held: Moderation, locale: str) -> str:
    parts = (
        ("level", say(locale, f"value.{held.level or 'as_asked'}")),
        ("spoiler", value_told(held.spoiler, locale)),
        ("age_restricted_only", value_told(held.age_restricted_only, locale)),
    )
    return ", ".join(
        say(locale, "option.answered", name=say(locale, f"value.{name}"), value=value) for name, value in parts
    )


def look_words(held: Look, locale: str) -> str:
    """``cost shown, embed, without Zoom out``."""
    parts = [say(locale, "value.cost_shown" if held.cost else "value.cost_hidden"), say(locale, f"value.{held.layout}")]
    hidden = [say(locale, f"result_button.{one}") for one in ResultButton if one in held.hidden]
    return ", ".join([*parts, *([say(locale, "value.without", names=", ".join(hidden))] if hidden else [])])


def _switch(on: bool | None, locale: str) -> str:
    return say(locale, f"value.{_SWITCH[on]}")


def _channel(channel_id: int | None, locale: str) -> str:
    return say(locale, "value.none") if channel_id is None else f"<#{channel_id}>"


def _stop(stop: Stop, names: tuple[str, str], locale: str) -> str:
    state = say(locale, f"value.{names[stop.stopped]}")
    return f"{state}: {escaped(stop.reason, VALUE_ROOM)}" if stop.reason else state


def _words(change: WordsChanged, locale: str) -> tuple[str, str]:
    """``3`` and ``5 (+2, -0)``."""
    new = number(locale, change.new)
    if change.added or change.removed:
        new = say(locale, "value.words", count=new, added=change.added, removed=change.removed)
    return number(locale, change.old), new


def _hint(hint: str | None, locale: str) -> str:
    return say(locale, "value.none") if hint is None else escaped(f"…{hint}", 20)
