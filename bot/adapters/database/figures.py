"""Reading jobs: one, by kinship, the gallery, and sums for ``/usage``. Everything but ids is scoped by place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Label, RowMapping, case, cast, desc, func, literal, select
from sqlalchemy.types import BigInteger

from bot.adapters.database.base import Part, all_jobs
from bot.adapters.database.codec import plain
from bot.adapters.database.tables import EPOCH, jobs
from bot.ports import UsageLine
from bot.rules.ledger import CHARGED, Job, JobState
from bot.rules.money import MicroUSD
from bot.rules.people import Place

DAY_MICROS = 86_400_000_000
DELETED = "deleted"
"""Label of the sum over members who asked to be forgotten."""

_SHOWN = [JobState.DELIVERED.value, JobState.SETTLED.value]


class Figures(Part):
    async def get_job(self, job_id: str) -> Job | None:
        found = await self._jobs(all_jobs().where(jobs.c.id == job_id))
        return found[0] if found else None

    async def children_of(self, job_id: str) -> list[Job]:
        return await self._jobs(all_jobs().where(jobs.c.parent_id == job_id).order_by(jobs.c.id))

    async def waiting_jobs(self, place: Place, user_id: int) -> list[Job]:
        mine = (jobs.c.place_key == place.key) & (jobs.c.user_id == user_id)
        return await self._jobs(
            all_jobs().where(mine, jobs.c.waiting.is_(True), jobs.c.deleted.is_(False)).order_by(jobs.c.id)
        )

    async def gallery(
        self, place: Place, *, member_id: int | None, search: str | None, before: str | None, limit: int
    ) -> list[Job]:
        query = all_jobs().where(
            jobs.c.place_key == place.key,
            jobs.c.state.in_(_SHOWN),
            jobs.c.deleted.is_(False),
            jobs.c.forgotten.is_(False),
        )
        query = query.where(jobs.c.private.is_(False) if member_id is None else jobs.c.user_id == member_id)
        if search and search.strip():
            query = query.where(jobs.c.search_text.contains(plain(search.strip()).casefold(), autoescape=True))
        if before is not None:
            query = query.where(jobs.c.id < before)
        return await self._jobs(query.order_by(jobs.c.id.desc()).limit(limit))

    # sums

    async def usage_by_day(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]:
        """Days in UTC without gaps filled, oldest first; ``label`` is the ISO date.

        In every sum ``micro_usd`` holds ``unknown_micro_usd`` too, as the budgets do, and jobs that cost nothing are
        left out.
        """
        day = cast(jobs.c.created_at, BigInteger) // literal(DAY_MICROS, BigInteger)
        lines = await self._sums(day.label("label"), _by(place, user_id, since), dearest_first=False)
        return [_relabelled(line, (EPOCH + timedelta(days=int(line.label))).date().isoformat()) for line in lines]

    async def usage_by_model(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]:
        """Models, the dearest first."""
        return await self._sums(jobs.c.model.label("label"), _by(place, user_id, since))

    async def usage_by_member(self, place: Place, since: datetime, limit: int = 10) -> list[UsageLine]:
        """Members by id, the dearest first; those who were forgotten are one line, ``DELETED``."""
        member = case((jobs.c.user_id < 0, 0), else_=jobs.c.user_id)
        lines = await self._sums(member.label("label"), _by(place, None, since), limit=limit)
        return [_relabelled(line, DELETED if line.label == "0" else line.label) for line in lines]

    async def operator_usage(self, since: datetime) -> UsageLine:
        """What the operator's own key paid, over all places."""
        conditions = [jobs.c.created_at >= since, jobs.c.own_key.is_(False)]
        lines = await self._sums(literal("all").label("label"), conditions)
        return lines[0] if lines else UsageLine("all", 0, 0, MicroUSD(0))

    async def _sums(
        self,
        label: Label[Any],
        conditions: list[ColumnElement[bool]],
        *,
        dearest_first: bool = True,
        limit: int | None = None,
    ) -> list[UsageLine]:
        unknown = case((jobs.c.state == JobState.UNKNOWN.value, jobs.c.charged_micro_usd), else_=0)
        query = (
            select(
                label,
                func.count().label("jobs"),
                func.sum(jobs.c.made_images).label("images"),
                func.sum(jobs.c.charged_micro_usd).label("micro_usd"),
                func.sum(unknown).label("unknown"),
            )
            .where(jobs.c.state.in_([state.value for state in CHARGED]), *conditions)
            .group_by("label")
            .order_by(*([desc("micro_usd")] if dearest_first else []), "label")
            .limit(limit)
        )
        return [_line(row) for row in await self._rows(query)]

    async def counts_by_state(self) -> dict[JobState, int]:
        query = select(jobs.c.state, func.count().label("count")).group_by(jobs.c.state)
        counts = {row["state"]: row["count"] for row in await self._rows(query)}
        return {state: counts.get(state.value, 0) for state in JobState}


def _by(place: Place, user_id: int | None, since: datetime) -> list[ColumnElement[bool]]:
    conditions = [jobs.c.place_key == place.key, jobs.c.created_at >= since.astimezone(UTC)]
    return conditions if user_id is None else [*conditions, jobs.c.user_id == user_id]


def _line(row: RowMapping) -> UsageLine:
    """PostgreSQL sums whole numbers into decimals: they are made whole again."""
    money, unknown = MicroUSD(int(row["micro_usd"])), MicroUSD(int(row["unknown"]))
    return UsageLine(str(row["label"]), row["jobs"], int(row["images"]), money, unknown)


def _relabelled(line: UsageLine, label: str) -> UsageLine:
    return UsageLine(label, line.jobs, line.images, line.micro_usd, line.unknown_micro_usd)
