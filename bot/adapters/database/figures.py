"""How much was used: sums for ``/usage``, scoped by place, and what is used of each limit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, RowMapping, case, cast, desc, func, literal, select
from sqlalchemy.types import BigInteger

from bot.adapters.database.codec import Sealer
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import Counted, Counts, as_use, last_requests, tally
from bot.adapters.database.counting.forgotten import kept
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import EPOCH, jobs
from bot.adapters.database.servers import limits_of
from bot.ports import UsageLine, UsageRow
from bot.rules.ledger import CHARGED, JobState
from bot.rules.limits.decide import Standing, Use, standings
from bot.rules.limits.limit import Limit
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place

DAY_MICROS = 86_400_000_000
DELETED = "deleted"
"""Label of the sum over members who asked to be forgotten."""


class SqlFigures:
    """``FigureStore``."""

    def __init__(self, database: Database, sealer: Sealer, defaults: Sequence[Limit]) -> None:
        self._db = database
        self._sealer = sealer
        self._defaults = tuple(defaults)

    async def by_day(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]:
        """Days in UTC without gaps filled, oldest first; ``label`` is the ISO date.

        In every sum ``micro_usd`` holds ``unknown_micro_usd`` too, as the budgets do, and jobs that cost nothing are
        left out.
        """
        day = cast(jobs.c.created_at, BigInteger) // literal(DAY_MICROS, BigInteger)
        lines = await self._sums(day.label("label"), _by(place, user_id, since), dearest_first=False)
        return [_relabelled(line, (EPOCH + timedelta(days=int(line.label))).date().isoformat()) for line in lines]

    async def by_model(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]:
        """Models, the dearest first."""
        return await self._sums(jobs.c.model.label("label"), _by(place, user_id, since))

    async def by_member(self, place: Place, since: datetime, limit: int = 10) -> list[UsageLine]:
        """Members by id, the dearest first; those who were forgotten are one line, ``DELETED``."""
        member = case((jobs.c.user_id < 0, 0), else_=jobs.c.user_id)
        lines = await self._sums(member.label("label"), _by(place, None, since), limit=limit)
        return [_relabelled(line, DELETED if line.label == "0" else line.label) for line in lines]

    async def rows(self, place: Place, since: datetime, limit: int) -> list[UsageRow]:
        day = cast(jobs.c.created_at, BigInteger) // literal(DAY_MICROS, BigInteger)
        member = case((jobs.c.user_id < 0, 0), else_=jobs.c.user_id)
        labels = (day.label("day"), member.label("member"), jobs.c.model.label("label"))
        query = (
            select(*labels, *_summed())
            .where(_counted(), *_by(place, None, since))
            .group_by("day", "member", "label")
            .order_by(desc("day"), "member", "label")
            .limit(limit)
        )
        return [_row(row) for row in await self._db.rows(query)]

    async def standings(self, asker: Asker, now: datetime) -> tuple[Standing, ...]:
        async def work(connection: Connection) -> tuple[Standing, ...]:
            limits = await limits_of(connection, asker.place.key, self._defaults)
            return standings(limits, asker, await use_of(connection, limits, asker, now, self._sealer), now)

        return await self._db.read(work, snapshot=True)

    async def _sums(
        self,
        label: Label[Any],
        conditions: list[ColumnElement[bool]],
        *,
        dearest_first: bool = True,
        limit: int | None = None,
    ) -> list[UsageLine]:
        query = (
            select(label, *_summed())
            .where(_counted(), *conditions)
            .group_by("label")
            .order_by(*([desc("micro_usd")] if dearest_first else []), "label")
            .limit(limit)
        )
        return [_line(row) for row in await self._db.rows(query)]


async def use_of(connection: Connection, limits: tuple[Limit, ...], asker: Asker, now: datetime, sealer: Sealer) -> Use:
    """What counts against a person's limits, as one transaction sees it."""
    counted = Counted.of_asker(asker, now, own_key=False)
    found = await tally(connection, counted.rows())
    before = await kept(connection, counted, sealer.tag(asker.user_id))
    lasts = await last_requests(connection, limits, asker, now, also=before.jobs_of(counted.place_key))
    return before.added_to(as_use(counted, found, Counts(), lasts), counted.place_key)


def _by(place: Place, user_id: int | None, since: datetime) -> list[ColumnElement[bool]]:
    conditions = [jobs.c.place_key == place.key, jobs.c.created_at >= since.astimezone(UTC)]
    return conditions if user_id is None else [*conditions, jobs.c.user_id == user_id]


def _counted() -> ColumnElement[bool]:
    return jobs.c.state.in_([state.value for state in CHARGED])


def _summed() -> tuple[Label[Any], ...]:
    """Jobs, pictures, money, and how much of that is unclear."""
    is_unknown = jobs.c.state == JobState.UNKNOWN.value
    return (
        func.count().label("jobs"),
        func.sum(case((is_unknown, 0), else_=jobs.c.made_images)).label("images"),
        func.sum(jobs.c.charged_micro_usd).label("micro_usd"),
        func.sum(case((is_unknown, jobs.c.charged_micro_usd), else_=0)).label("unknown"),
    )


def _row(row: RowMapping) -> UsageRow:
    day = (EPOCH + timedelta(days=int(row["day"]))).date().isoformat()
    line = _line(row)
    money = (line.micro_usd, line.unknown_micro_usd)
    return UsageRow(day, int(row["member"]) or None, line.label, line.jobs, line.images, *money)


def _line(row: RowMapping) -> UsageLine:
    """PostgreSQL sums whole numbers into decimals: they are made whole again."""
    money, unknown = MicroUSD(int(row["micro_usd"])), MicroUSD(int(row["unknown"]))
    return UsageLine(str(row["label"]), row["jobs"], int(row["images"]), money, unknown)


def _relabelled(line: UsageLine, label: str) -> UsageLine:
    return UsageLine(label, line.jobs, line.images, line.micro_usd, line.unknown_micro_usd)
