"""What is kept after a refusal, in the tables ``offers`` (sealed) and ``reminders``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select

from bot.adapters.database.codec import Sealer, plain
from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import offers, reminders
from bot.adapters.database.sqlite.desk import Desk
from bot.adapters.database.sqlite.statements import Prepared, all_stored
from bot.ports.notes import Offer, Reminder
from bot.rules.people import Place

_KEEP = offers.insert()
_OLDER = delete(offers).where(
    offers.c.user_id == bindparam("whose"),
    offers.c.id.not_in(
        select(offers.c.id)
        .where(offers.c.user_id == bindparam("whose"))
        .order_by(offers.c.created_at.desc(), offers.c.id.desc())
        .limit(bindparam("most"))
    ),
)
_KEEP_AT_DESK = Prepared(_KEEP, [column.name for column in offers.c])
_OLDER_AT_DESK = Prepared(_OLDER)


class SqlOffers:
    """``OfferStore``."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._db = database
        self._sealer = sealer

    async def offer(self, offer: Offer, most: int) -> None:
        """Written together with whatever else is: many are refused in the same moment."""
        row = {
            "id": offer.id,
            "place_key": offer.place.key,
            "user_id": offer.user_id,
            "created_at": offer.created_at,
            "body": self._sealer.seal(offer.body),
        }
        bounds = {"whose": offer.user_id, "most": most}

        async def work(connection: Connection) -> None:
            await connection.execute(_KEEP, row)
            await connection.execute(_OLDER, bounds)

        def at_desk(desk: Desk) -> None:
            desk.run(_KEEP_AT_DESK, all_stored(row))
            desk.run(_OLDER_AT_DESK, bounds)

        await (self._db.write_at_desk(at_desk) if self._db.has_desk else self._db.write(work))

    async def offered(self, offer_id: str) -> Offer | None:
        found = await self._db.rows(select(offers).where(offers.c.id == plain(offer_id)))
        body = self._sealer.open(found[0]["body"]) if found else None
        if body is None:
            return None
        row = found[0]
        return Offer(row["id"], _place(row), row["user_id"], row["created_at"], body)

    async def forget_offers(self, before: datetime) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(delete(offers).where(offers.c.created_at < before))

        await self._db.write(work)

    async def remind(self, reminder: Reminder) -> None:
        row = {
            "user_id": reminder.user_id,
            "about": reminder.about,
            "place_key": reminder.place.key,
            "due_at": reminder.due_at,
            "body": plain(reminder.body),
        }

        async def work(connection: Connection) -> None:
            again = self._db.upsert(reminders).values(row)
            changed = {name: row[name] for name in ("place_key", "due_at", "body")}
            await connection.execute(again.on_conflict_do_update(index_elements=["user_id", "about"], set_=changed))

        await self._db.write(work)

    async def take_due(self, now: datetime, most: int) -> Sequence[Reminder]:
        """Looks first: nearly always there is nothing to write."""
        query = select(reminders).where(reminders.c.due_at <= now).order_by(reminders.c.due_at).limit(most)
        due = await self._db.rows(query)
        if not due:
            return ()

        async def work(connection: Connection) -> list[Reminder]:
            taken = []
            for row in due:
                this = delete(reminders).where(
                    *(reminders.c[name] == row[name] for name in ("user_id", "about", "due_at"))
                )
                gone = (await connection.execute(this.returning(*reminders.c))).mappings().one_or_none()
                taken += [] if gone is None else [_reminder(gone)]
            return taken

        return await self._db.write(work)


def _reminder(row: RowMapping) -> Reminder:
    return Reminder(row["user_id"], row["about"], _place(row), row["due_at"], row["body"])


def _place(row: RowMapping) -> Place:
    key = str(row["place_key"])
    return Place(int(key[1:]) if key.startswith("g") else None, row["user_id"])


# for what is shown to a person about themselves, and what is forgotten, within a transaction that somebody else opened


async def kept_of(connection: Connection, user_id: int, sealer: Sealer) -> dict[str, Any]:
    """What is kept for a person, as JSON can hold it."""
    mine = (await connection.execute(select(offers).where(offers.c.user_id == user_id))).mappings()
    due = (await connection.execute(select(reminders).where(reminders.c.user_id == user_id))).mappings()
    return {
        "offers": [
            {"place_key": row["place_key"], "created_at": row["created_at"].isoformat(), "wish": _opened(row, sealer)}
            for row in mine
        ],
        "reminders": [{"about": row["about"], "due_at": row["due_at"].isoformat()} for row in due],
    }


def _opened(row: RowMapping, sealer: Sealer) -> Any:
    body = sealer.open(row["body"])
    return None if body is None else json.loads(body)


async def forget_kept(connection: Connection, *, user_id: int | None = None, place_key: str | None = None) -> None:
    """Of one person everywhere, or of one place."""
    for table in (offers, reminders):
        which = table.c.user_id == user_id if user_id is not None else table.c.place_key == place_key
        await connection.execute(delete(table).where(which))


async def purge_kept(connection: Connection, before: datetime) -> None:
    await connection.execute(delete(offers).where(offers.c.created_at < before))
    await connection.execute(delete(reminders).where(reminders.c.due_at < before))
