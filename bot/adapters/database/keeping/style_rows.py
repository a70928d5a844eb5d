"""The row of a saved look: its place, its key, its name, and the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select

from bot.adapters.database.codec import dumps, plain
from bot.adapters.database.connection import Connection
from bot.adapters.database.schema.tables import styles
from bot.rules.styles.style import OPTIONS, Style


def at(place_key: str, key: str) -> tuple[Any, Any]:
    return styles.c.place_key == place_key, styles.c.key == plain(key)


def style_row(place_key: str, style: Style) -> dict[str, Any]:
    body = {"prompt": style.prompt, "model": style.model, "options": dict(style.options)}
    names = {"key": plain(style.key), "name": plain(style.name)}
    return {"place_key": place_key, **names, "body": dumps(body)}


def style_from_row(row: RowMapping) -> Style:
    """The look a row holds; options that this version does not know are passed over."""
    body = json.loads(row["body"])
    options = tuple((name, body["options"][name]) for name in OPTIONS if name in body["options"])
    return Style(row["name"], body["prompt"], body["model"], options, row["place_key"].startswith("g"))


async def styles_of(connection: Connection, place_key: str) -> tuple[Style, ...]:
    """By their keys, on both engines alike."""
    found = await connection.execute(select(styles).where(styles.c.place_key == place_key))
    return tuple(sorted(map(style_from_row, found.mappings()), key=lambda style: style.key))


async def replace_styles(connection: Connection, place_key: str, those: Sequence[Style]) -> None:
    """These and no others."""
    await connection.execute(delete(styles).where(styles.c.place_key == place_key))
    if those:
        await connection.execute(insert(styles), [style_row(place_key, style) for style in those])
