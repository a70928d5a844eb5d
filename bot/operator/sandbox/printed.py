"""A message as text, for the terminal: who, what, and its controls in brackets, from above to below. Law: pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from sandbox.discord.components import (
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    ROW,
    SECTION,
    SELECTS,
    SEPARATOR,
    TEXT,
    THUMBNAIL,
)
from sandbox.discord.model import Json, Message

RULE = "─" * 24
_TIME = re.compile(r"<t:(-?\d{1,15})(?::[tTdDfFR])?>")
_ESCAPE = re.compile(r"\\([\\*_~`|>#\-+=.()\[\]<:@])")


def render(message: Message) -> str:
    """A message as text; its first line says who."""
    private = " (only you can see this)" if message.ephemeral else ""
    lines = [line for part in _parts(message) for line in _plain(part).splitlines()]
    return "\n".join([f"{message.author.display_name}{private}:", *(f"  {line}" for line in lines)]) + "\n"


def _plain(text: str) -> str:
    """As a terminal shows it: times written out, and no backslash before what Discord would take for markup."""
    return _ESCAPE.sub(r"\1", _TIME.sub(_moment, text))


def _moment(found: re.Match[str]) -> str:
    try:
        return f"{datetime.fromtimestamp(int(found[1]), UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return found[0]


def _parts(message: Message) -> Iterator[str]:
    if message.content:
        yield message.content
    yield from map(_embed, message.embeds)
    for one in message.components:
        yield from _component(one)


def _embed(embed: Json) -> str:
    lines = [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description")]
    lines += [f"{f['name']}: {f['value']}" for f in embed.get("fields") or ()]
    lines.append((embed.get("footer") or {}).get("text"))
    return "\n".join(line for line in lines if line)


def _component(one: Json) -> Iterator[str]:
    kind = one["type"]
    if kind == TEXT:
        yield one["content"]
    elif kind == ROW:
        yield " ".join(shown for inner in one["components"] if (shown := _control(inner)))
    elif kind in (CONTAINER, SECTION):
        for inner in one["components"]:
            yield from _component(inner)
        if kind == SECTION:
            yield _control(one["accessory"])
    elif kind == GALLERY:
        yield " ".join(map(_picture, one["items"]))
    elif kind == FILE:
        yield f"[file: {one.get('name') or 'file'}]"
    elif kind == SEPARATOR and one.get("divider", True):
        yield RULE


def _control(one: Json) -> str:
    kind = one["type"]
    if kind == THUMBNAIL:
        return _picture(one)
    if kind == BUTTON:
        return f"[{one.get('label') or (one.get('emoji') or {}).get('name') or '?'}]"
    if kind in SELECTS and "options" in one:
        return f"[{one.get('placeholder') or 'choose'}: {' | '.join(map(_option, one['options']))}]"
    return f"[{one.get('placeholder') or 'choose'}]"


def _option(option: Json) -> str:
    return f"{option['label']} ✓" if option.get("default") else str(option["label"])


def _picture(one: Json) -> str:
    return f"[picture: {one['description']}]" if one.get("description") else "[picture]"
