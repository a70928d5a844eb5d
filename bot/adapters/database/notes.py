"""Notes in the table ``facts``: the one file that knows how their keys and values are written.

commands <application> <guild or "global">    the digest registered last
posting:<what>                                when its post began
server <id>                                   "here", or when it removed the bot
deleted <tag>                                 when the person behind the keyed hash deleted their data
warned-end:<model>:<day>                      the day on which that was told
overnight <batch>                             how far it is at the service, as JSON
uses purged before                            from when on counters can be recomputed from jobs
jobs of k:<place>:<tag>                       which jobs hold a forgotten person back (forgotten.py)
checked                                       the revision, written to see that writing works
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import delete, select

from bot.adapters.database.codec import dump_overnight, load_overnight
from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import facts, from_micros, to_micros
from bot.rules.instants import Readings
from bot.rules.overnight import Overnight

SERVER = "server "
DELETED = "deleted "
READINGS = "clock readings"
HERE = "here"
COUNTERS_FORGOTTEN = "uses purged before"
CHECKED = "checked"
LEDGER = "ledger"
OVERNIGHT = "overnight "


class SqlNotes:
    """``NoteStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def commands(self, application_id: int, guild_id: int | None) -> str | None:
        return await self._read(_commands(application_id, guild_id))

    async def set_commands(self, application_id: int, guild_id: int | None, digest: str | None) -> None:
        await self._write(_commands(application_id, guild_id), digest)

    async def command_guilds(self, application_id: int) -> list[int]:
        return [int(name) for name in await self._all(f"commands {application_id} ") if name.isdigit()]

    async def posting(self, key: str) -> datetime | None:
        return _moment(await self._read(f"posting:{key}"))

    async def set_posting(self, key: str, began: datetime | None) -> None:
        await self._write(f"posting:{key}", _text(began))

    async def servers(self) -> dict[int, datetime | None]:
        found = await self._all(SERVER)
        return {int(name): None if value == HERE else _moment(value) for name, value in found.items()}

    async def set_server(self, server_id: int, removed: datetime | None) -> bool:
        key, value = f"{SERVER}{server_id}", HERE if removed is None else removed.isoformat()
        fresh = self._db.upsert(facts).values({"key": key, "value": value})
        noting = fresh.on_conflict_do_update(
            index_elements=["key"], set_={"value": value}, where=facts.c.value != value
        ).returning(facts.c.key)

        async def work(connection: Connection) -> bool:
            return (await connection.execute(noting)).first() is not None

        return await self._db.write(work)

    async def drop_server(self, server_id: int) -> None:
        await self._write(f"{SERVER}{server_id}", None)

    async def deletions(self) -> dict[str, datetime]:
        return {tag: datetime.fromisoformat(value) for tag, value in (await self._all(DELETED)).items()}

    async def deleted(self, member_tag: str) -> datetime | None:
        return _moment(await self._read(f"{DELETED}{member_tag}"))

    async def set_deleted(self, member_tag: str, at: datetime | None) -> None:
        await self._write(f"{DELETED}{member_tag}", _text(at))

    async def readings(self) -> Readings | None:
        found = await self._read(READINGS)
        return None if found is None else Readings(*map(datetime.fromisoformat, found.split()))

    async def set_readings(self, readings: Readings) -> None:
        await self._write(READINGS, f"{readings.borne_out.isoformat()} {readings.latest.isoformat()}")

    async def told_end(self, model_id: str, ends_on: date) -> bool:
        return await self._read(_end(model_id, ends_on)) is not None

    async def set_told_end(self, model_id: str, ends_on: date, told_on: date) -> None:
        await self._write(_end(model_id, ends_on), told_on.isoformat())

    async def ledger(self) -> str:
        async def work(connection: Connection) -> str:
            name = self._db.upsert(facts).values({"key": LEDGER, "value": uuid4().hex})
            await connection.execute(name.on_conflict_do_nothing())
            return str(await connection.scalar(select(facts.c.value).where(facts.c.key == LEDGER)))

        known = await self._read(LEDGER)
        return known if known is not None else await self._db.write(work)

    async def overnight(self, batch_id: str) -> Overnight | None:
        found = await self._read(f"{OVERNIGHT}{batch_id}")
        return None if found is None else load_overnight(found)

    async def set_overnight(self, night: Overnight) -> None:
        await self._write(f"{OVERNIGHT}{night.batch_id}", dump_overnight(night))

    async def drop_overnight(self, batch_id: str) -> None:
        await self._write(f"{OVERNIGHT}{batch_id}", None)

    async def overnights(self) -> list[Overnight]:
        return [load_overnight(value) for value in (await self._all(OVERNIGHT)).values()]

    async def _read(self, key: str) -> str | None:
        found = await self._db.rows(select(facts.c.value).where(facts.c.key == key))
        return found[0]["value"] if found else None

    async def _all(self, prefix: str) -> dict[str, str]:
        """Every note whose key begins so, by the rest of its key."""
        found = await self._db.rows(select(facts).where(facts.c.key.startswith(prefix, autoescape=True)))
        return {row["key"].removeprefix(prefix): row["value"] for row in found}

    async def _write(self, key: str, value: str | None) -> None:
        async def work(connection: Connection) -> None:
            if value is None:
                await connection.execute(delete(facts).where(facts.c.key == key))
            else:
                await write_note(self._db, connection, key, value)

        await self._db.write(work)


def _commands(application_id: int, guild_id: int | None) -> str:
    return f"commands {application_id} {guild_id or 'global'}"


def _end(model_id: str, ends_on: date) -> str:
    return f"warned-end:{model_id}:{ends_on}"


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


# within a transaction that somebody else opened


async def write_note(database: Database, connection: Connection, key: str, value: str) -> None:
    """Writes a note or replaces it."""
    statement = database.upsert(facts).values({"key": key, "value": value})
    await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


async def counters_forgotten(connection: Connection) -> datetime | None:
    """Counters of windows that ended before are gone and cannot be compared with jobs any more."""
    value = await connection.scalar(select(facts.c.value).where(facts.c.key == COUNTERS_FORGOTTEN))
    return None if value is None else from_micros(int(value))


async def set_counters_forgotten(database: Database, connection: Connection, before: datetime) -> None:
    """Remembers up to when counters were forgotten."""
    await write_note(database, connection, COUNTERS_FORGOTTEN, str(to_micros(before)))


async def notes_about(connection: Connection, user_id: int) -> dict[str, str]:
    """Notes whose key names a person between colons."""
    query = select(facts).where(facts.c.key.contains(str(user_id))).order_by(facts.c.key)
    names = {str(user_id), f"u{user_id}"}
    found = (await connection.execute(query)).mappings()
    return {row["key"]: row["value"] for row in found if names & set(row["key"].split(":"))}
