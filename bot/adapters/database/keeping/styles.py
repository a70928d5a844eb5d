"""Saved looks in the table ``styles``: the row of a look is its place, its key, its name and the rest as JSON."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.codec import dumps, plain
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import styles
from bot.adapters.database.servers import lock_place
from bot.rules.people import Place
from bot.rules.styles.style import OPTIONS, Style, TooManyStyles


class SqlStyles:
    """``StyleStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def all(self, place: Place) -> tuple[Style, ...]:
        query = select(styles).where(styles.c.place_key == place.key).order_by(styles.c.key)
        return tuple(sorted(map(style_from_row, await self._db.rows(query)), key=lambda style: style.key))

    async def get(self, place: Place, key: str) -> Style | None:
        found = await self._db.rows(select(styles).where(*_at(place, key)))
        return style_from_row(found[0]) if found else None

    async def save(self, place: Place, style: Style, most: int) -> Style | None:
        async def work(connection: AsyncConnection) -> Style | None:
            await lock_place(self._db, connection, place.key)
            old = (await connection.execute(select(styles).where(*_at(place, style.key)))).mappings().one_or_none()
            count = select(func.count()).select_from(styles).where(styles.c.place_key == place.key)
            if old is None and (await connection.scalar(count) or 0) >= most:
                raise TooManyStyles(most, servers=style.servers)
            await connection.execute(delete(styles).where(*_at(place, style.key)))
            await connection.execute(insert(styles).values(_row(place, style)))
            return None if old is None else style_from_row(old)

        return await self._db.write(work)

    async def delete(self, place: Place, key: str) -> Style | None:
        async def work(connection: AsyncConnection) -> Style | None:
            gone = delete(styles).where(*_at(place, key)).returning(*styles.c)
            row = (await connection.execute(gone)).mappings().one_or_none()
            return None if row is None else style_from_row(row)

        return await self._db.write(work)


def _at(place: Place, key: str) -> tuple[Any, Any]:
    return styles.c.place_key == place.key, styles.c.key == plain(key)


def _row(place: Place, style: Style) -> dict[str, Any]:
    body = {"prompt": style.prompt, "model": style.model, "options": dict(style.options)}
    names = {"key": plain(style.key), "name": plain(style.name)}
    return {"place_key": place.key, **names, "body": dumps(body)}


def style_from_row(row: RowMapping) -> Style:
    """The look a row holds; options that this version does not know are passed over."""
    body = json.loads(row["body"])
    options = tuple((name, body["options"][name]) for name in OPTIONS if name in body["options"])
    servers = row["place_key"].startswith("g")
    return Style(row["name"], body["prompt"], body["model"], options, servers)
