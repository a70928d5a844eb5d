"""What processes share: who lives, who holds which job, and the pace at which the image service may be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, case, delete, exists, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.codec import Sealer, all_jobs, job_from_row
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import from_micros, jobs, processes, slots, to_micros
from bot.rules.ledger import FINAL, Job

DEAD_AFTER = timedelta(seconds=60)
ADOPTING = "adopting"
"""A row of ``slots`` that serialises adoption: who waits for it sees the heartbeat of who was first."""

_UNFINISHED = jobs.c.state.not_in([state.value for state in FINAL])


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Life:
    """One run of one process. Leases are held by ``name``; ``process`` is the same in its next run."""

    process: str = field(default_factory=_new_id)
    run: str = field(default_factory=lambda: _new_id()[:12])

    @property
    def name(self) -> str:
        return f"{self.process}:{self.run}"


class SqlLeases:
    """``LeaseStore``: leases of one life, and slots of everybody."""

    def __init__(self, database: Database, sealer: Sealer, life: Life) -> None:
        self._db = database
        self._sealer = sealer
        self._life = life

    async def heartbeat(self, now: datetime) -> None:
        """Also wipes the tokens of interactions that have expired: they open nothing any more."""

        async def work(connection: AsyncConnection) -> None:
            await self._beat(connection, now)
            stale = jobs.c.token.is_not(None) & (jobs.c.token_expires_at <= now)
            await connection.execute(update(jobs).where(stale).values(token=None))

        await self._db.write(work)

    async def _beat(self, connection: AsyncConnection, now: datetime) -> None:
        statement = self._db.upsert(processes).values({"id": self._life.name, "beat_at": now})
        await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"beat_at": now}))

    async def adopt(self, now: datetime) -> list[Job]:
        async def work(connection: AsyncConnection) -> list[Job]:
            await self._push(connection, ADOPTING, 0)
            await self._beat(connection, now)
            long_ago = processes.c.beat_at < now - 10 * DEAD_AFTER
            await connection.execute(delete(processes).where(long_ago))
            found = await connection.execute(
                update(jobs)
                .where(_UNFINISHED, jobs.c.holder != self._life.name, self._is_dead(now))
                .values(epoch=jobs.c.epoch + 1, holder=self._life.name)
                .returning(*jobs.c)
            )
            return sorted((job_from_row(row, self._sealer) for row in found.mappings()), key=lambda job: job.id)

        return await self._db.write(work)

    def _is_dead(self, now: datetime) -> ColumnElement[bool]:
        """Whether a job's holder is gone. One SQLite file has one process, so there everybody else is."""
        alive = exists().where(processes.c.id == jobs.c.holder, processes.c.beat_at >= now - DEAD_AFTER)
        if self._db.is_sqlite:
            return jobs.c.holder != self._life.name
        return or_(jobs.c.holder.startswith(f"{self._life.process}:", autoescape=True), ~alive)

    async def unfinished(self) -> list[Job]:
        query = all_jobs().where(_UNFINISHED, jobs.c.holder == self._life.name).order_by(jobs.c.id)
        return [job_from_row(row, self._sealer) for row in await self._db.rows(query)]

    # pacing

    async def take_slot(self, key: str, per_minute: float, now: datetime, *, cost: int = 1) -> datetime:
        """Slots are ``60 / per_minute`` seconds apart, and ``cost`` of them are taken together."""
        if per_minute <= 0 or cost < 1:
            raise ValueError("a pace and a cost are positive")
        taken, present = round(60_000_000 / per_minute) * cost, to_micros(now)
        next_free = case((slots.c.next_at > present, slots.c.next_at), else_=present)

        async def work(connection: AsyncConnection) -> int:
            statement = self._db.upsert(slots).values({"key": key, "next_at": present + taken})
            statement = statement.on_conflict_do_update(index_elements=["key"], set_={"next_at": next_free + taken})
            return int((await connection.execute(statement.returning(slots.c.next_at))).scalar_one())

        return from_micros(await self._db.write(work) - taken)

    async def push_slots(self, key: str, until: datetime) -> None:
        async def work(connection: AsyncConnection) -> None:
            await self._push(connection, key, to_micros(until))

        await self._db.write(work)

    async def _push(self, connection: AsyncConnection, key: str, until: int) -> None:
        later = case((slots.c.next_at > until, slots.c.next_at), else_=until)
        statement = self._db.upsert(slots).values({"key": key, "next_at": until})
        await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"next_at": later}))
