"""What processes share: who lives, who holds which job, and the pace at which the image service may be asked.

Law: all of it is judged by one clock, the database's own (for SQLite, the one process that holds the file), and a
process is called dead only by one that has itself been heard without a gap for as long as a lease lasts. So neither
machines whose clocks differ, nor a ledger that was away, nor one whose clock was set, makes two owners of a job.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    case,
    cast,
    delete,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from bot.adapters.database.codec import Sealer, all_jobs, dumps, job_from_row
from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database, Upsert
from bot.adapters.database.schema.tables import OPEN, UNKNOWN, from_micros, jobs, processes, slots, to_micros
from bot.adapters.database.sqlite.desk import Desk
from bot.adapters.database.sqlite.statements import Prepared
from bot.ports import Clock, HeldJob, Setup, Slot
from bot.rules.instants import APART
from bot.rules.ledger import Job, JobState, LostLease

DEAD_AFTER = timedelta(seconds=60)
UNHEARD = timedelta(seconds=25)
"""A gap between two heartbeats of one's own after which the database counts as having been away: two were missed."""

BEAT_WITHIN_S = 5.0
"""So long one heartbeat waits for an answer: one that hangs for ever would let this process be called dead."""

ADOPTING = "adopting"
"""A row of ``slots`` that serialises adoption: who waits for it sees the heartbeat of who was first."""

AWAY = "away"
"""The holder of a produced job whose pictures nobody sees but the process that made them: it waits for that one."""


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class Life:
    """One run of one process. Leases are held by ``name``; ``process`` is the same in its next run.

    ``places`` names where it keeps pictures, the first one new ones; processes that share a place share its name.
    """

    process: str = field(default_factory=_new_id)
    run: str = field(default_factory=lambda: _new_id()[:12])
    places: tuple[str, ...] = ()
    setup: Setup | None = None

    @property
    def name(self) -> str:
        return f"{self.process}:{self.run}"


def _running_s() -> float:
    """Seconds that also pass while the machine is suspended, where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(slots=True)
class _Heard:
    """This process's heartbeats: the last, by the database's clock and by two of this machine's, and since when they
    have come without a gap.
    """

    at: datetime | None = None
    steady_since: datetime | None = None
    running_s: float = 0.0
    wall: datetime | None = None

    def heard(self, at: datetime, wall: datetime) -> None:
        if self.at is None or not timedelta() <= at - self.at <= UNHEARD:
            self.steady_since = at
        self.at, self.wall, self.running_s = at, wall, _running_s()

    @property
    def may_judge(self) -> bool:
        """Whether a living process would have been heard by now: none missed its chance together with this one."""
        return self.at is not None and self.steady_since is not None and self.at - self.steady_since >= DEAD_AFTER

    def is_recent(self, wall: datetime) -> bool:
        """Whether nobody can have called this process dead. A paused machine shows in the wall clock alone."""
        if self.wall is None:
            return False
        return max(timedelta(seconds=_running_s() - self.running_s), wall - self.wall) <= UNHEARD


class SqlLeases:
    """``LeaseStore``: leases of one life, and slots of everybody."""

    def __init__(self, database: Database, sealer: Sealer, life: Life, clock: Clock) -> None:
        self._db = database
        self._sealer = sealer
        self._life = life
        self._clock = clock
        self._heard = _Heard()
        self._hold = _hold(_PRESENT if database.is_sqlite else self._present(), database.upsert(slots))

    def _present(self) -> ColumnElement[int]:
        """The moment of the statement in microseconds, by the clock that judges."""
        if self._db.is_sqlite:
            return literal(to_micros(self._clock()), BigInteger)
        return cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)

    async def heartbeat(self) -> None:
        async def work(connection: Connection) -> datetime:
            stale = jobs.c.token.is_not(None) & (jobs.c.token_expires_at <= self._clock())
            await connection.execute(update(jobs).where(stale).values(token=None))
            return await self._beat(connection)

        self._heard.heard(await self._db.write(work, within_s=BEAT_WITHIN_S), self._clock())

    async def _beat(self, connection: Connection) -> datetime:
        before = self._clock()
        now = from_micros(int(await connection.scalar(select(self._present())) or 0))
        ahead_s = _ahead_s(before, now, self._clock())
        setup = None if self._life.setup is None else dumps(asdict(replace(self._life.setup, ahead_s=ahead_s)))
        said = {"beat_at": now, "setup": setup}
        statement = self._db.upsert(processes).values({"id": self._life.name, **said})
        await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=said))
        return now

    async def setups(self) -> list[Setup]:
        async def work(connection: Connection) -> list[Setup]:
            now = from_micros(int(await connection.scalar(select(self._present())) or 0))
            told = select(processes.c.setup).where(processes.c.setup.is_not(None), _near(now, DEAD_AFTER))
            found = await connection.execute(told.order_by(processes.c.id))
            return [_setup(text) for text in found.scalars()]

        return await self._db.read(work)

    async def adopt(self) -> list[Job]:
        await self.heartbeat()

        async def work(connection: Connection) -> list[Job]:
            await self._push(connection, ADOPTING, timedelta())
            now = await self._beat(connection)
            if self._heard.may_judge:
                await connection.execute(delete(processes).where(~_near(now, 10 * DEAD_AFTER)))
            found = await connection.execute(
                update(jobs)
                .where(OPEN, jobs.c.holder != self._life.name, self._is_dead(now), self._may_take())
                .values(epoch=jobs.c.epoch + 1, holder=self._life.name)
                .returning(*jobs.c)
            )
            return sorted((job_from_row(row, self._sealer) for row in found.mappings()), key=lambda job: job.id)

        return await self._db.write(work)

    def _is_dead(self, now: datetime) -> ColumnElement[bool]:
        """Whether a job's holder is gone. One SQLite file has one process, so there everybody else is."""
        if self._db.is_sqlite:
            return jobs.c.holder != self._life.name
        earlier_run = jobs.c.holder.startswith(f"{self._life.process}:", autoescape=True) | (jobs.c.holder == AWAY)
        if not self._heard.may_judge:
            return earlier_run
        alive = exists().where(processes.c.id == jobs.c.holder, _near(now, DEAD_AFTER))
        return or_(earlier_run, ~alive)

    def _may_take(self) -> ColumnElement[bool]:
        return or_(jobs.c.holder != AWAY, self._lies_here())

    def _lies_here(self) -> ColumnElement[bool]:
        return jobs.c.pictures_at.in_(self._life.places)

    async def leave(self, job: Job) -> None:
        async def work(connection: Connection) -> None:
            same = (jobs.c.id == job.id) & (jobs.c.epoch == job.epoch) & (jobs.c.state == JobState.PRODUCED.value)
            left = update(jobs).where(same).values(epoch=jobs.c.epoch + 1, holder=AWAY, waiting=False)
            if (await connection.execute(left)).rowcount == 0:
                raise LostLease(job.id)

        await self._db.write(work)

    async def unknown_here(self, since: datetime) -> list[Job]:
        if not self._life.places:
            return []
        recent = jobs.c.created_at >= since
        query = all_jobs().where(UNKNOWN, jobs.c.forgotten.is_(False), self._lies_here(), recent).order_by(jobs.c.id)
        return [job_from_row(row, self._sealer) for row in await self._db.rows(query)]

    async def confirm(self, job: Job) -> None:
        if self._db.is_sqlite or self._heard.is_recent(self._clock()):
            return
        await self.heartbeat()
        mine = select(jobs.c.id).where(
            jobs.c.id == job.id, jobs.c.epoch == job.epoch, jobs.c.holder == self._life.name, OPEN
        )
        if not await self._db.rows(mine):
            raise LostLease(job.id)

    async def held(self) -> list[HeldJob]:
        query = select(jobs.c.id, jobs.c.batch_id, jobs.c.waiting).where(OPEN, jobs.c.holder == self._life.name)

        async def work(connection: Connection) -> list[HeldJob]:
            return [HeldJob(*row) for row in await connection.execute(query)]

        return await self._db.read(work)

    async def unfinished(self) -> list[Job]:
        query = all_jobs().where(OPEN, jobs.c.holder == self._life.name).order_by(jobs.c.id)
        return [job_from_row(row, self._sealer) for row in await self._db.rows(query)]

    # pacing

    async def take_slot(self, key: str, per_minute: float, *, cost: int = 1) -> float:
        return (await self.hold_slot(key, per_minute, cost=cost)).wait_s

    async def hold_slot(self, key: str, per_minute: float, *, cost: int = 1) -> Slot:
        """Slots are ``60 / per_minute`` seconds apart, and ``cost`` of them are taken together."""
        if per_minute <= 0 or cost < 1:
            raise ValueError("a pace and a cost are positive")
        taken = round(60_000_000 / per_minute) * cost

        def values() -> dict[str, Any]:
            present = {"present": to_micros(self._clock())} if self._db.is_sqlite else {}
            return {"key": key, "taken": taken, **present}

        async def work(connection: Connection) -> Slot:
            return _slot((await connection.execute(self._hold, values())).one(), taken)

        def at_desk(desk: Desk) -> Slot:
            return _slot(desk.run(_HOLD_AT_DESK, values()).fetchone(), taken)

        return await (self._db.write_at_desk(at_desk) if self._db.has_desk else self._db.write(work))

    async def give_slot(self, key: str, slot: Slot) -> None:
        async def work(connection: Connection) -> None:
            last = (slots.c.key == key) & (slots.c.next_at == slot.ends_at)
            await connection.execute(update(slots).where(last).values(next_at=slot.begins_at))

        await self._db.write(work)

    async def push_slots(self, key: str, seconds: float) -> None:
        async def work(connection: Connection) -> None:
            await self._push(connection, key, timedelta(seconds=seconds))

        await self._db.write(work)

    async def _push(self, connection: Connection, key: str, by: timedelta) -> None:
        present = self._present()
        until = present + round(by / timedelta(microseconds=1))
        free = _free_at(present)
        later = case((free > until, free), else_=until)
        statement = self._db.upsert(slots).values({"key": key, "taken_at": present, "next_at": until})
        changed = {"taken_at": present, "next_at": later}
        await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed))


def _ahead_s(before: datetime, ledgers: datetime, after: datetime) -> float:
    """By how much the process's clock is ahead of the ledger's, which was read in between: at least by that."""
    if before > ledgers:
        return (before - ledgers).total_seconds()
    return min((after - ledgers).total_seconds(), 0.0)


_SAID = frozenset(one.name for one in fields(Setup))


def _setup(text: str) -> Setup:
    """What a process said; one of a later version may say more."""
    return Setup(**{name: value for name, value in json.loads(text).items() if name in _SAID})


def _near(now: datetime, by: timedelta) -> ColumnElement[bool]:
    """Whether a heartbeat lies within ``by`` of now, on either side: one from a time to come proves no life either."""
    return processes.c.beat_at.between(now - by, now + by)


def _free_at(present: ColumnElement[int]) -> ColumnElement[int]:
    """When a row's next slot is free. ``rules/instants.py`` in SQL: a row written in a time to come holds nobody."""
    believed = slots.c.taken_at <= present + APART // timedelta(microseconds=1)
    return case((believed & (slots.c.next_at > present), slots.c.next_at), else_=present)


def _hold(present: ColumnElement[int], fresh: Upsert) -> Any:
    """Takes the next free slots of ``key``."""
    taken = bindparam("taken", type_=BigInteger())
    first = fresh.values({"key": bindparam("key"), "taken_at": present, "next_at": present + taken})
    changed = {"taken_at": present, "next_at": _free_at(present) + taken}
    return first.on_conflict_do_update(index_elements=["key"], set_=changed).returning(
        slots.c.next_at, slots.c.taken_at
    )


def _slot(row: Sequence[int], taken: int) -> Slot:
    ends_at, taken_at = row
    begins_at = ends_at - taken
    return Slot(max(0, begins_at - taken_at) / 1_000_000, begins_at, ends_at)


_PRESENT = bindparam("present", type_=BigInteger())
_HOLD_AT_DESK = Prepared(_hold(_PRESENT, sqlite.insert(slots)))
