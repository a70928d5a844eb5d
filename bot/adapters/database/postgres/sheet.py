"""One transaction's view of the ledger on PostgreSQL: locked and read once, changed in memory, written once.

Law: rows are locked in one order by everybody: who may not be forgotten meanwhile, then jobs by id, then counters
sorted. What is decided on is read after the counters are locked, so whoever was faster has committed and is visible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Table, Text, any_, bindparam, select

from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import NOTHING, Counts
from bot.adapters.database.schema.tables import GROUPED, Moment, batches, jobs, to_micros

Row = tuple[str, str]

_SUMS = Counts._fields
_LOCK = (
    f"INSERT INTO uses (subject, window_key, {', '.join(_SUMS)}) "  # noqa: S608  # names of columns
    "SELECT s, w, 0, 0, 0, 0, 0 FROM unnest($1::text[], $2::text[]) AS t(s, w) "
    "ON CONFLICT (subject, window_key) DO UPDATE SET running = uses.running "
    f"RETURNING subject, window_key, {', '.join(_SUMS)}"
)
_ADD = (
    f"UPDATE uses SET {', '.join(f'{name} = t.{name}' for name in _SUMS)} "  # noqa: S608  # names of columns
    f"FROM unnest($1::text[], $2::text[], {', '.join(f'${n}::bigint[]' for n in range(3, 8))}) "
    f"AS t(subject, window_key, {', '.join(_SUMS)}) "
    "WHERE uses.subject = t.subject AND uses.window_key = t.window_key"
)
_THESE = any_(bindparam("these", type_=ARRAY(Text)))
_JOBS = select(*jobs.c).where(jobs.c.id == _THESE).order_by(jobs.c.id).with_for_update()
_LINES = select(jobs.c.id, jobs.c.group_id, jobs.c.state, jobs.c.made_images).where(jobs.c.group_id == _THESE, GROUPED)


class Sheet:
    """``jobs`` are rows as they stand now, the changes of this transaction included."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.jobs: dict[str, dict[str, Any]] = {}
        self._counters: dict[Row, Counts] = {}
        self._counted: set[Row] = set()
        self._lines: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
        self._changed: dict[str, dict[str, Any]] = defaultdict(dict)
        self._opened: list[dict[str, Any]] = []
        self._batches: list[dict[str, Any]] = []

    # reading, under locks

    async def let_in(self, user_ids: Iterable[int]) -> None:
        """The other side of ``lock_out``, for all of them."""
        ids = sorted(set(user_ids))
        if ids:
            await self._run("SELECT count(pg_advisory_xact_lock_shared(u)) FROM unnest($1::bigint[]) AS u", ids)

    async def hold_jobs(self, ids: Iterable[str]) -> None:
        these = sorted(set(ids))
        if these:
            found = await self.connection.execute(_JOBS, {"these": these})
            self.jobs = {row["id"]: dict(row) for row in found.mappings()}

    async def hold_counters(self, rows: Iterable[Row]) -> None:
        these = sorted(set(rows))
        if these:
            found = await self._run(_LOCK, [row[0] for row in these], [row[1] for row in these])
            self._counters = {(row[0], row[1]): Counts(*row[2:]) for row in found}

    async def read_lines(self, group_ids: Iterable[str]) -> None:
        these = sorted(set(group_ids))
        if these:
            for job_id, group_id, state, made in await self.connection.execute(_LINES, {"these": these}):
                self._lines[group_id][job_id] = (state, made)

    async def _run(self, statement: str, *values: Sequence[Any]) -> Any:
        return await self.connection.exec_driver_sql(statement, values)

    # in memory

    def counters(self, rows: Iterable[Row]) -> dict[Row, Counts]:
        """Those of the counters that hold anything."""
        return {row: held for row in rows if (held := self._counters.get(row, NOTHING))}

    def add(self, rows: Iterable[Row], change: Counts) -> None:
        for row in rows:
            self._counters[row] = self._counters[row].plus(change)
            self._counted.add(row)

    def change(self, job_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row with ``values`` written over it."""
        row = self.jobs[job_id]
        row.update(values)
        self._changed[job_id].update(values)
        if row["grouped"] and row["group_id"] in self._lines:
            self._lines[row["group_id"]][job_id] = (row["state"], row["made_images"])
        return row

    def lines(self, group_id: str) -> list[tuple[str, int]]:
        """State and pictures made of every job that was opened together."""
        return list(self._lines[group_id].values())

    def open(self, rows: Sequence[dict[str, Any]], batch: dict[str, Any] | None) -> None:
        self._opened += rows
        if batch is not None:
            self._batches.append(batch)

    # writing

    async def write(self) -> None:
        """All that was changed, a statement a kind."""
        by_columns: dict[tuple[str, ...], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for job_id, values in sorted(self._changed.items()):
            by_columns[tuple(sorted(values))].append((job_id, values))
        for columns, found in by_columns.items():
            given = ["id", *columns]
            sets = ", ".join(f"{name} = t.{name}" for name in columns)
            statement = f"UPDATE jobs SET {sets} FROM {_unnested(jobs, given)} WHERE jobs.id = t.id"  # noqa: S608  # names
            await self._run(statement, *_by_column(given, [{**values, "id": job_id} for job_id, values in found]))
        counted = sorted(self._counted)
        if counted:
            sums = [[self._counters[row][n] for row in counted] for n in range(len(_SUMS))]
            await self._run(_ADD, [row[0] for row in counted], [row[1] for row in counted], *sums)
        for table, rows in ((jobs, self._opened), (batches, self._batches)):
            if rows:
                given = list(rows[0])
                names = ", ".join(given)
                statement = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {_unnested(table, given)}"  # noqa: S608  # names
                await self._run(statement, *_by_column(given, rows))


def _unnested(table: Table, columns: Sequence[str]) -> str:
    """The values of many rows, a list a column, as a table ``t``."""
    lists = ", ".join(f"${n}::{_kind(table, name)}[]" for n, name in enumerate(columns, 1))
    return f"unnest({lists}) AS t({', '.join(columns)})"


def _kind(table: Table, name: str) -> str:
    match table.c[name].type:
        case Moment() | BigInteger():
            return "bigint"
        case Integer():
            return "int"
        case Boolean():
            return "bool"
        case _:
            return "text"


def _by_column(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[_stored(row[name]) for row in rows] for name in columns]


def _stored(value: Any) -> Any:
    return to_micros(value) if hasattr(value, "astimezone") else value
