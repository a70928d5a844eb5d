"""What an operation sees of the transaction it is in: statements, counters, and what was read before.

Law: counters are read once and written once a transaction, however many operations change them; in between they are in
memory, and only here. They, and whatever else is remembered, outlive a transaction of ours that is kept; they are
forgotten when one fails, and when any other connection has committed, which ``PRAGMA data_version`` tells exactly: it
is asked while the write lock is held, so nobody can commit between the question and the use.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import sqlite

from bot.adapters.database.counting.counters import NOTHING, Counts
from bot.adapters.database.schema.tables import uses
from bot.adapters.database.sqlite.statements import Prepared

T = TypeVar("T")
Row = tuple[str, str]

MOST_REMEMBERED = 50_000
"""Counters, and other things: some 20 MB. Then all is read again."""

_VALUES = [uses.c[name] for name in Counts._fields]
_READ = Prepared(
    select(*_VALUES).where(uses.c.subject == bindparam("subject"), uses.c.window_key == bindparam("window"))
)
_fresh = sqlite.insert(uses)
_WRITE = Prepared(
    _fresh.on_conflict_do_update(
        index_elements=["subject", "window_key"], set_={name: _fresh.excluded[name] for name in Counts._fields}
    ),
    columns=("subject", "window_key", *Counts._fields),
    in_order=True,
)


class Desk:
    """One connection's, and one thread's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._version: int | None = None
        self._counters: dict[Row, Counts] = {}
        self._changed: set[Row] = set()
        self._memory: dict[Hashable, Any] = {}
        self._additions = 0

    # for operations

    def run(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> sqlite3.Cursor:
        return statement.run(self._db, values)

    def run_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        statement.run_many(self._db, rows)

    def counter(self, row: Row) -> Counts:
        found = self._counters.get(row)
        if found is None:
            values = _READ.run(self._db, {"subject": row[0], "window": row[1]}).fetchone()
            found = self._counters[row] = NOTHING if values is None else Counts(*values)
        return found

    def add(self, rows: Iterable[Row], change: Counts) -> None:
        self._additions += 1
        for row in rows:
            self._counters[row] = self.counter(row).plus(change)
            self._changed.add(row)

    def remembered(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` found last. Only for what no operation at this desk ever changes."""
        if key not in self._memory:
            self._memory[key] = find()
        return cast("T", self._memory[key])

    # for the writer

    @property
    def written(self) -> tuple[int, int]:
        """Changes whenever something was written."""
        return self._db.total_changes, self._additions

    def still_open(self) -> None:
        """Raises where SQLite has taken the transaction back: what came next would be written by itself."""
        if not self._db.in_transaction:
            raise sqlite3.OperationalError("the transaction was taken back")

    def begin(self) -> None:
        """Raises what ``sqlite3`` says, and then nothing has begun."""
        if self._db.in_transaction:  # one that could not even be rolled back
            self._db.rollback()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
        except BaseException:
            self.roll_back()
            raise
        if version != self._version or len(self._counters) + len(self._memory) > MOST_REMEMBERED:
            self.forget()
        self._version = version

    def commit(self) -> None:
        if self._changed:
            _WRITE.run_many(self._db, [(*row, *self._counters[row]) for row in sorted(self._changed)])
        self._db.commit()
        self._changed.clear()

    def roll_back(self) -> None:
        self.forget()
        if self._db.in_transaction:
            self._db.rollback()

    def forget(self) -> None:
        self._counters.clear()
        self._changed.clear()
        self._memory.clear()
