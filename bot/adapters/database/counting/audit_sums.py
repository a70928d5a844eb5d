"""Proof that the books balance: every counter recomputed from the jobs, beside what it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.counting.counters import COUNTED, Counted, Counts
from bot.adapters.database.counting.forgotten import KEPT
from bot.adapters.database.engine import Database
from bot.adapters.database.notes import counters_forgotten
from bot.adapters.database.schema.tables import jobs, uses
from bot.rules.ledger import HOLDING, WITH_PICTURES, JobState
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

    async def work(connection: AsyncConnection) -> list[Difference]:
        expected = await _recomputed(connection)
        found = await connection.execute(select(uses))
        actual = {(row[0], row[1]): Counts(*row[2:]) for row in found if not row[0].startswith(KEPT)}
        edge = await counters_forgotten(connection)
        purged = _purged_keys(edge) if edge is not None else {}
        return [
            Difference(*row, expected.get(row, Counts()), actual.get(row, Counts()))
            for row in sorted({*expected, *actual})
            if expected.get(row, Counts()) != actual.get(row, Counts())
            and not (row[1][0] in purged and row[1] < purged[row[1][0]])
        ]

    return await database.read(work, snapshot=True)


def _purged_keys(edge: datetime) -> dict[str, str]:
    keys = (window_key(period, edge) for period in COUNTED if period is not Period.NOW)
    return {key[0]: key for key in keys}


AT_ONCE = 5000
"""Jobs that are held at a time."""

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


async def _recomputed(connection: AsyncConnection) -> dict[tuple[str, str], Counts]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    groups: dict[str, tuple[Counted, list[tuple[bool, bool]]]] = {}
    async for row in _jobs(connection):
        counted, state = Counted.of_row(row), JobState(row["state"])
        line = (state in HOLDING | WITH_PICTURES or row["made_images"] > 0, state in HOLDING)
        money = (row["charged_micro_usd"], row["reserved_micro_usd"])
        if row["grouped"]:
            groups.setdefault(row["group_id"], (counted, []))[1].append(line)
            line = (False, False)
        _add(sums, counted, (int(line[0]), _images(row, state), *money, int(line[1])))
    for counted, lines in groups.values():
        requests, running = (int(any(line[place] for line in lines)) for place in (0, 1))
        _add(sums, counted, (requests, 0, 0, 0, running))
    return {row: Counts(*values) for row, values in sums.items()}


async def _jobs(connection: AsyncConnection) -> AsyncIterator[RowMapping]:
    """Every job, a part at a time: there may be a million."""
    query = select(*(jobs.c[name] for name in _READ)).order_by(jobs.c.id).limit(AT_ONCE)
    last = ""
    while found := (await connection.execute(query.where(jobs.c.id > last))).mappings().all():
        for row in found:
            yield row
        last = found[-1]["id"]


def _images(row: RowMapping, state: JobState) -> int:
    return int(row["images"]) if state in HOLDING else min(row["images"], row["made_images"])


def _add(sums: dict[tuple[str, str], list[int]], counted: Counted, values: tuple[int, ...]) -> None:
    for row in counted.rows():
        held = sums[row]
        for place, value in enumerate(values):
            held[place] += value
