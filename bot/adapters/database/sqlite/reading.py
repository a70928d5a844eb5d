"""One thread's connection for reading: queries that stay are asked of sqlite3 itself, all others through SQLAlchemy.

Law: both see the same moment, and say the same: a query that is ``lasting`` is only ever a quicker way to what
SQLAlchemy would have answered. Of a read of half a millisecond, SQLAlchemy's own work was three quarters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import Engine, Select
from sqlalchemy.exc import MultipleResultsFound

from bot.adapters.database.sqlite.at_once import AtOnce
from bot.adapters.database.sqlite.statements import Prepared, all_stored, loaders_of

T = TypeVar("T")

_lasting: dict[int, Query] = {}


def lasting(query: Select[T]) -> Select[T]:
    """The query itself. It has to be one that stays as long as the process, with parameters for what changes."""
    _lasting[id(query)] = Query(query)
    return query


class Query:
    """A query that stays, as text, and how its columns are read."""

    __slots__ = ("_loads", "_names", "_prepared", "statement")

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement
        self._prepared: Prepared | None = None

    def ask(self, db: sqlite3.Connection, values: Mapping[str, Any] | None) -> Answer:
        if self._prepared is None:
            columns = list(self.statement.selected_columns)
            self._names = [column.name for column in columns]
            self._loads = loaders_of(columns)
            self._prepared = Prepared(self.statement)
        rows = self._prepared.run(db, all_stored(values or {})).fetchall()
        for at, load in self._loads:
            rows = [(*row[:at], None if row[at] is None else load(row[at]), *row[at + 1 :]) for row in rows]
        return Answer(self._names, rows)


class Answer:
    """What the store's work uses of SQLAlchemy's result."""

    def __init__(self, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        self._names = names
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def mappings(self) -> Mappings:
        return Mappings(dict(zip(self._names, row, strict=True)) for row in self._rows)


class Mappings(list[dict[str, Any]]):
    def one_or_none(self) -> dict[str, Any] | None:
        if len(self) > 1:
            raise MultipleResultsFound
        return self[0] if self else None


class Reader(AtOnce):
    """The same for what only reads, on a connection that stays; lasting queries take the short way."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.connect())
        self._db = cast("sqlite3.Connection", self._connection.connection.driver_connection)

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Within it all is seen as of one moment."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction():
                self._connection.rollback()
            else:
                self._db.rollback()

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        query = _lasting.get(id(statement))
        return await super().execute(statement, parameters) if query is None else query.ask(self._db, parameters)

    def close(self) -> None:
        self._connection.close()
