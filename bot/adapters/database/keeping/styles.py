"""Saved looks in the table ``styles``; what changes of a server's is kept in its trail, in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, insert, select

from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database
from bot.adapters.database.keeping.style_rows import at, style_from_row, style_row, styles_of
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import audit, styles
from bot.adapters.database.servers import lock_place
from bot.adapters.database.trail import change_values
from bot.rules.people import Place
from bot.rules.servers.changes import StyleChanged, is_news
from bot.rules.styles.style import Style, TooManyStyles, told


class SqlStyles:
    """``StyleStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._ids = Ids()

    async def all(self, place: Place) -> tuple[Style, ...]:
        async def work(connection: Connection) -> tuple[Style, ...]:
            return await styles_of(connection, place.key)

        return await self._db.read(work)

    async def get(self, place: Place, key: str) -> Style | None:
        found = await self._db.rows(select(styles).where(*at(place.key, key)))
        return style_from_row(found[0]) if found else None

    async def save(self, place: Place, style: Style, most: int, actor_id: int, now: datetime) -> Style | None:
        async def work(connection: Connection) -> Style | None:
            await lock_place(self._db, connection, place.key)
            row = (await connection.execute(select(styles).where(*at(place.key, style.key)))).mappings().one_or_none()
            old = None if row is None else style_from_row(row)
            count = select(func.count()).select_from(styles).where(styles.c.place_key == place.key)
            if old is None and (await connection.scalar(count) or 0) >= most:
                raise TooManyStyles(most, servers=style.servers)
            await connection.execute(delete(styles).where(*at(place.key, style.key)))
            await connection.execute(insert(styles).values(style_row(place.key, style)))
            await self._record(connection, place, StyleChanged(style.name, told(old), told(style)), actor_id, now)
            return old

        return await self._db.write(work)

    async def delete(self, place: Place, key: str, actor_id: int, now: datetime) -> Style | None:
        async def work(connection: Connection) -> Style | None:
            gone = delete(styles).where(*at(place.key, key)).returning(*styles.c)
            row = (await connection.execute(gone)).mappings().one_or_none()
            if row is None:
                return None
            old = style_from_row(row)
            await self._record(connection, place, StyleChanged(old.name, told(old), ""), actor_id, now)
            return old

        return await self._db.write(work)

    async def _record(
        self, connection: Connection, place: Place, change: StyleChanged, actor_id: int, now: datetime
    ) -> None:
        """What a person does with their own looks is nobody's business."""
        if place.is_server and is_news(change):
            values = {"id": self._ids.make(now)[0], "place_key": place.key, "at": now, "actor_id": actor_id}
            await connection.execute(insert(audit), {**values, **change_values(change)})
