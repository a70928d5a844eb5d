"""Proof that the books balance: every counter recomputed from the jobs, beside what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, literal, select, tuple_

from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import COUNTED, NOTHING, Counted, Counts
from bot.adapters.database.counting.forgotten import KEPT
from bot.adapters.database.engine import Database
from bot.adapters.database.notes import counters_forgotten
from bot.adapters.database.schema.tables import jobs, uses
from bot.rules.ledger import GIVEN_BACK, HOLDING, WITH_PICTURES, JobState
from bot.rules.limits.limit import Period
from bot.rules.limits.windows import window_key


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that does not say what its jobs say."""

    subject: str
    window_key: str
    expected: Counts
    actual: Counts


async def audit_sums(database: Database) -> list[Difference]:
    """Every counter that differs from its jobs, at one moment; empty when the books balance.

    Windows that a purge has removed are left out.
    """

    async def work(connection: Connection) -> list[Difference]:
        edge = await counters_forgotten(connection)
        purged = _purged_keys(edge) if edge is not None else {}
        expected = await _recomputed(connection, purged)
        found = []
        async for row, actual in _counters(connection):
            said = expected.pop(row, NOTHING)
            if said != actual and not row[0].startswith(KEPT) and not _is_purged(row, purged):
                found.append(Difference(*row, said, actual))
        found += [Difference(*row, said, NOTHING) for row, said in expected.items() if said]
        return sorted(found, key=lambda one: (one.subject, one.window_key))

    return await database.read(work, snapshot=True)


def _purged_keys(edge: datetime) -> dict[str, str]:
    keys = (window_key(period, edge) for period in COUNTED if period is not Period.NOW)
    return {key[0]: key for key in keys}


Row = tuple[str, str]
AT_ONCE = 5000
"""Jobs, and counters, that are held at a time."""


def _is_purged(row: Row, purged: Mapping[str, str]) -> bool:
    return row[1][0] in purged and row[1] < purged[row[1][0]]


_READ = (
    "id",
    "group_id",
    "grouped",
    "state",
    "place_key",
    "user_id",
    "channel_id",
    "parent_channel_id",
    "own_key",
    "images",
    "made_images",
    "reserved_micro_usd",
    "charged_micro_usd",
    "created_at",
)


async def _recomputed(connection: Connection, purged: Mapping[str, str]) -> dict[Row, Counts]:
    """By what the jobs say; a window that was purged is left out, so that this does not grow with the years."""
    sums: dict[Row, Counts] = {}
    groups: dict[str, tuple[Counted, list[tuple[bool, bool]]]] = {}
    async for row in _jobs(connection):
        counted, state = Counted.of_row(row), JobState(row["state"])
        line = (state not in GIVEN_BACK, state in HOLDING)
        money = (row["charged_micro_usd"], row["reserved_micro_usd"])
        if row["grouped"]:
            kept = state in HOLDING | WITH_PICTURES or row["made_images"] > 0
            groups.setdefault(row["group_id"], (counted, []))[1].append((kept, line[1]))
            line = (False, False)
        _add(sums, counted, purged, Counts(int(line[0]), _images(row, state), *money, int(line[1])))
    for counted, lines in groups.values():
        requests, running = (int(any(line[place] for line in lines)) for place in (0, 1))
        _add(sums, counted, purged, Counts(requests, running=running))
    return sums


async def _jobs(connection: Connection) -> AsyncIterator[RowMapping]:
    """Every job, a part at a time: there may be a million."""
    query = select(*(jobs.c[name] for name in _READ)).order_by(jobs.c.id).limit(AT_ONCE)
    last = ""
    while found := (await connection.execute(query.where(jobs.c.id > last))).mappings().all():
        for row in found:
            yield row
        last = found[-1]["id"]


async def _counters(connection: Connection) -> AsyncIterator[tuple[Row, Counts]]:
    name = tuple_(uses.c.subject, uses.c.window_key)
    query = select(uses).order_by(*uses.primary_key).limit(AT_ONCE)
    last: Row = ("", "")
    while found := (await connection.execute(query.where(name > tuple_(*map(literal, last))))).all():
        for subject, window, *values in found:
            yield (subject, window), Counts(*values)
        last = (found[-1][0], found[-1][1])


def _images(row: RowMapping, state: JobState) -> int:
    return int(row["images"]) if state in HOLDING else min(row["images"], row["made_images"])


def _add(sums: dict[Row, Counts], counted: Counted, purged: Mapping[str, str], change: Counts) -> None:
    for row in counted.rows():
        if not _is_purged(row, purged):
            sums[row] = sums.get(row, NOTHING).plus(change)
