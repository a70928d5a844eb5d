"""SQLAlchemy's statements as text for sqlite3, compiled once.

Law: the tables of ``schema/tables.py`` stay the only truth about the schema; here they only become text, and values
become what their columns hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ClauseElement, ColumnElement, Table
from sqlalchemy.dialects import sqlite

from bot.adapters.database.schema.tables import Moment, from_micros, to_micros

_NAMED, _IN_ORDER = sqlite.dialect(paramstyle="named"), sqlite.dialect(paramstyle="qmark")


class Prepared:
    """One statement. ``columns``: those that an INSERT or UPDATE without values of its own is given, by name or
    ``in_order``.
    """

    __slots__ = ("_fixed", "text")

    def __init__(
        self, statement: ClauseElement, columns: Iterable[str] | None = None, *, in_order: bool = False
    ) -> None:
        names = None if columns is None else list(columns)
        dialect = _IN_ORDER if in_order else _NAMED
        compiled = dialect.statement_compiler(dialect, statement, column_keys=names)
        if in_order and compiled.positiontup != names:
            raise ValueError("the table has its columns in another order")
        expanded = compiled.construct_expanded_state(compiled.params)
        given = {name for name, value in compiled.params.items() if value is None}
        self.text = expanded.statement
        self._fixed = {name: stored(value) for name, value in expanded.parameters.items() if name not in given}

    def run(self, db: sqlite3.Connection, values: Mapping[str, Any] | None = None) -> sqlite3.Cursor:
        return db.execute(self.text, {**self._fixed, **(values or {})})

    def run_many(self, db: sqlite3.Connection, rows: Sequence[Mapping[str, Any] | tuple[Any, ...]]) -> None:
        db.executemany(self.text, rows)


def stored(value: Any) -> Any:
    """A value as its column holds it."""
    return to_micros(value) if isinstance(value, datetime) else value


def all_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_micros(value) if isinstance(value, datetime) else value for name, value in values.items()}


def loaders_of(columns: Sequence[ColumnElement[Any]]) -> list[tuple[int, Callable[[Any], Any]]]:
    """How what sqlite3 gives becomes what SQLAlchemy would have said, for the columns that differ, by their place."""
    found = ((at, _load_of(column.type)) for at, column in enumerate(columns))
    return [(at, load) for at, load in found if load is not None]


def reader_of(table: Table) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """The same for whole rows of a table, by name."""
    columns = [(column.name, _load_of(column.type)) for column in table.columns]

    def read(row: Sequence[Any]) -> dict[str, Any]:
        return {
            name: value if value is None or load is None else load(value)
            for (name, load), value in zip(columns, row, strict=True)
        }

    return read


def _load_of(kind: object) -> Callable[[Any], Any] | None:
    match kind:
        case Moment():
            return from_micros
        case Boolean():
            return bool
        case _:
            return None
