"""A ledger, whole, from one database to another: ``python -m bot migrate --to``.

Law: the old one is only read. The new one bears the mark ``MOVING`` until every row has arrived and both sides say the
same, row by row; until then no Easel starts on it, and the next try begins anew. Memory does not grow with the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Row, TableClause, column, func, insert, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.counting.audit_sums import audit_sums
from bot.adapters.database.engine import Database, StoreUnusable
from bot.adapters.database.moving.ends import file_of, mark, new_ledger, old_ledger, refuse_running
from bot.adapters.database.schema.revisions import NEWEST
from bot.adapters.database.schema.tables import Moment, metadata

AT_ONCE = 1000
"""Rows that are held, and written in one transaction."""

BARE = {
    one.name: table(
        one.name, *(column(c.name, BigInteger() if isinstance(c.type, Moment) else c.type) for c in one.columns)
    )
    for one in metadata.sorted_tables
}
"""Every table, its moments as the whole numbers they are kept as."""

Told = Callable[[int, int], None]
"""So many rows of so many are done."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What arrived: rows by table, and how many counters did not say what their jobs say, there as here."""

    rows: Mapping[str, int]
    unbalanced: int


@dataclass(slots=True)
class Digest:
    """Rows as one number, whatever order they come in: two tables that say the same have the same."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            said = hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
            self.total = (self.total + int.from_bytes(said)) % 2**128
        self.rows += len(rows)


async def move_ledger(old_url: str, new_url: str, told: Told) -> Moved:
    """Moves a ledger that nobody uses. Raises ``StoreUnusable``, and then the old one is still the ledger."""
    old, new = Database(old_url), Database(new_url)
    try:
        return await _move(old, new, told)
    finally:
        await old.aclose()
        await new.aclose()


async def _move(old: Database, new: Database, told: Told) -> Moved:
    if old.is_sqlite and new.is_sqlite and _is_one(file_of(old, "DATABASE_URL"), file_of(new, "--to")):
        raise StoreUnusable("--to: that is the ledger's own address; name another one.")
    async with old_ledger(old) as reading, new_ledger(new):
        count = sum([await _count(reading, one) for one in BARE.values()])
        done = 0
        sent: dict[str, Digest] = {}
        for one in BARE.values():
            sent[one.name] = Digest()
            async for rows in _rows_of(reading, one):
                await _write(new, one, rows)
                sent[one.name].add(rows)
                done += len(rows)
                told(done, 2 * count)
        await _compare(new, sent, lambda more: told(done + more, 2 * count))
        unbalanced = len(await audit_sums(new))
        if not old.is_sqlite:
            async with old.reading() as now:
                await refuse_running(now, "DATABASE_URL")
        async with new.writing() as connection:
            await mark(connection, NEWEST)
        told(2 * count, 2 * count)
        return Moved({name: digest.rows for name, digest in sent.items()}, unbalanced)


def _is_one(file: Path, other: Path) -> bool:
    """Whatever their names: links and hard links too."""
    return file.resolve() == other.resolve() or (file.exists() and other.exists() and file.samefile(other))


async def _count(connection: AsyncConnection, one: TableClause) -> int:
    return int(await connection.scalar(select(func.count()).select_from(one)) or 0)


async def _rows_of(connection: AsyncConnection, one: TableClause) -> AsyncIterator[Sequence[Row[Any]]]:
    result = await connection.stream(select(*one.columns).execution_options(yield_per=AT_ONCE))
    async for rows in result.partitions(AT_ONCE):
        yield rows


async def _write(new: Database, one: TableClause, rows: Sequence[Row[Any]]) -> None:
    names = one.columns.keys()
    async with new.writing() as connection:
        await connection.execute(insert(one), [dict(zip(names, row, strict=True)) for row in rows])


async def _compare(new: Database, sent: Mapping[str, Digest], told: Callable[[int], None]) -> None:
    seen = 0
    async with new.reading(snapshot=True) as connection:
        for one in BARE.values():
            arrived = Digest()
            async for rows in _rows_of(connection, one):
                arrived.add(rows)
                seen += len(rows)
                told(seen)
            if arrived != sent[one.name]:
                raise StoreUnusable(
                    f"--to: the table {one.name} did not arrive as it was sent ({arrived.rows} of "
                    f"{sent[one.name].rows} rows). The old ledger is as it was; the same command begins again."
                )
