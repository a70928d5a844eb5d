"""A job from its opening to its end, and every way to find it again; everything but ids is scoped by place.

Each step is one conditional UPDATE on (id, epoch, state) and, where money moves, its counters.

Who comes second finds no row and gets ``LostLease``: that is how one process of two acts, and how cancel and dispatch
never both win.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import RowMapping, Select, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.codec import Sealer, all_jobs, batch_from_row, batch_values, dump_bill, job_from_row, plain
from bot.adapters.database.counting.counters import Counted, Counts, add
from bot.adapters.database.engine import Database
from bot.adapters.database.reserving import Reserving, refuse_duplicates
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import batches, jobs
from bot.ports import Batch
from bot.rules.ledger import GIVEN_BACK, HOLDING, WITH_PICTURES, Bill, Job, JobDraft, JobState, LostLease, advance
from bot.rules.people import Place

_SHOWN = [JobState.DELIVERED.value, JobState.SETTLED.value]


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a job: where to, what else its row then says, and whether it ends the reservation."""

    to: JobState
    values: dict[str, Any]
    charged: int | None = None  # None: the whole reservation
    images: int | None = 0  # of those counted, how many stay counted; None: all


class SqlJobs:
    """``JobStore``."""

    def __init__(self, database: Database, sealer: Sealer, reserving: Reserving) -> None:
        self._db = database
        self._sealer = sealer
        self._reserving = reserving
        self._ids = Ids()

    async def open(self, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        return await self._opened(drafts, None, now) if drafts else []

    async def open_batch(self, batch: Batch, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        return await self._opened(drafts, batch, now)

    async def _opened(self, drafts: Sequence[JobDraft], batch: Batch | None, now: datetime) -> list[Job]:
        ids = self._ids.make(now, len(drafts))

        async def work(connection: AsyncConnection) -> list[Job]:
            opened = await self._reserving.reserve(connection, drafts, now, ids)
            if batch is not None:
                await connection.execute(insert(batches), batch_values(batch))
            return opened

        async def look(connection: AsyncConnection) -> list[Job] | None:
            """Whether these jobs were kept after all."""
            found = await connection.execute(all_jobs().where(jobs.c.id.in_(ids)).order_by(jobs.c.id))
            return [self._job(row) for row in found.mappings()] or None

        try:
            return await self._db.write(work, kept=look)
        except IntegrityError:
            # Two processes took the same event at once and the other one committed first.
            await self._db.read(partial(refuse_duplicates, drafts=drafts))
            raise

    # steps

    async def dispatch(self, job: Job, now: datetime) -> Job:
        return await self._move(job, Step(JobState.DISPATCHED, {"dispatched_at": now}))

    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job:
        if bill.charged_micro_usd < 0 or bill.images < 0:
            raise ValueError("a bill is never negative")
        values = {
            "produced_at": now,
            "bill": dump_bill(bill),
            # whoever asked to be forgotten meanwhile leaves no words behind
            "revised_prompt": case(
                (jobs.c.forgotten.is_(False), None if revised_prompt is None else plain(revised_prompt))
            ),
        }
        return await self._move(job, Step(JobState.PRODUCED, values, bill.charged_micro_usd, bill.images))

    async def deliver(self, job: Job, message_id: int | None, channel_id: int | None, now: datetime) -> Job:
        values = {"message_id": message_id, "message_channel_id": channel_id, "waiting": False}
        return await self._move(job, Step(JobState.DELIVERED, values))

    async def settle(self, job: Job, now: datetime) -> Job:
        return await self._move(job, Step(JobState.SETTLED, _ended(now)))

    async def release(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.RELEASED, _ended(now, reason), charged=0))

    async def refuse(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.REFUSED, _ended(now, reason), charged=0, images=None))

    async def lose(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.UNKNOWN, _ended(now, reason), charged=None, images=None))

    async def set_waiting(self, job: Job, waiting: bool) -> Job:
        async def work(connection: AsyncConnection) -> Job:
            return await self._change(connection, job, {"waiting": waiting}, state=job.state)

        return await self._db.write(work)

    async def set_answer_message(self, job: Job, message_id: int) -> Job:
        # The queue may have moved the job on meanwhile; only the lease matters here.
        async def work(connection: AsyncConnection) -> Job:
            return await self._change(connection, job, {"answer_message_id": message_id}, state=None)

        return await self._db.write(work)

    async def mark_deleted(self, job_id: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted=True))

        await self._db.write(work)

    # finding

    async def get(self, job_id: str) -> Job | None:
        found = await self._found(all_jobs().where(jobs.c.id == job_id))
        return found[0] if found else None

    async def waiting(self, place: Place, user_id: int) -> list[Job]:
        mine = (jobs.c.place_key == place.key) & (jobs.c.user_id == user_id)
        return await self._found(
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
        return await self._found(query.order_by(jobs.c.id.desc()).limit(limit))

    # batches

    async def get_batch(self, batch_id: str) -> Batch | None:
        found = await self._db.rows(select(batches).where(batches.c.id == batch_id))
        return batch_from_row(found[0]) if found else None

    async def save_batch(self, batch: Batch) -> None:
        changing = {"message_id", "cancelled", "finished", "channel_id"}
        values = {name: value for name, value in batch_values(batch).items() if name in changing}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(batches).where(batches.c.id == batch.id).values(values))

        await self._db.write(work)

    async def unfinished_batches(self) -> list[Batch]:
        query = select(batches).where(batches.c.finished.is_(False)).order_by(batches.c.created_at, batches.c.id)
        return [batch_from_row(row) for row in await self._db.rows(query)]

    async def of_batch(self, batch_id: str) -> list[Job]:
        return await self._found(
            all_jobs().where(jobs.c.batch_id == batch_id).order_by(jobs.c.batch_line, jobs.c.created_at, jobs.c.id)
        )

    # shared

    def _job(self, row: RowMapping) -> Job:
        return job_from_row(row, self._sealer)

    async def _found(self, query: Select[Any]) -> list[Job]:
        return [self._job(row) for row in await self._db.rows(query)]

    async def _change(
        self, connection: AsyncConnection, job: Job, values: dict[str, Any], state: JobState | None
    ) -> Job:
        return self._job(await _updated(connection, job, values, state))

    async def _move(self, job: Job, step: Step) -> Job:
        advance(job.state, step.to)

        async def work(connection: AsyncConnection) -> Job:
            values = {**step.values, "state": step.to.value}
            if job.state in HOLDING and step.to not in HOLDING:
                return self._job(await _close_reservation(connection, job, step, values))
            return await self._change(connection, job, values, job.state)

        async def kept(connection: AsyncConnection) -> Job | None:
            same = (jobs.c.id == job.id) & (jobs.c.epoch == job.epoch) & (jobs.c.state == step.to.value)
            row = (await connection.execute(all_jobs().where(same))).mappings().one_or_none()
            return None if row is None else self._job(row)

        return await self._db.write(work, kept=kept)


def _ended(now: datetime, reason: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {"finished_at": now, "token": None}
    return {**values, "reason": plain(reason)} if reason else values


async def _updated(connection: AsyncConnection, job: Job, values: dict[str, Any], state: JobState | None) -> RowMapping:
    same = (jobs.c.id == job.id) & (jobs.c.epoch == job.epoch)
    if state is not None:
        same &= jobs.c.state == state.value
    found = await connection.execute(update(jobs).where(same).values(values).returning(*jobs.c))
    row = found.mappings().one_or_none()
    if row is None:
        raise LostLease(job.id)
    return row


async def _close_reservation(connection: AsyncConnection, job: Job, step: Step, values: dict[str, Any]) -> RowMapping:
    """Turns what was reserved into what is charged, and gives the rest back to every counter."""
    charged = jobs.c.upper_micro_usd if step.charged is None else step.charged
    made = jobs.c.images if step.images is None else step.images
    closed = {"reserved_micro_usd": 0, "charged_micro_usd": charged, "made_images": made}
    row = await _updated(connection, job, {**values, **closed}, job.state)
    rows = Counted.of_row(row).rows()
    images = min(row["made_images"], row["images"]) - row["images"]
    change = Counts(images=images, spent=row["charged_micro_usd"], reserved=-row["upper_micro_usd"])
    if not row["grouped"]:
        request = -1 if step.to in GIVEN_BACK else 0
        await add(connection, rows, Counts(request, images, change.spent, change.reserved, -1))
        return row
    # A batch is one request and one job at once: the last of its lines to end gives that back. The counters are
    # locked first, so of two lines that end together the later one sees the earlier one ended.
    await add(connection, rows, change)
    rest = await _rest_of_group(connection, row["group_id"])
    if rest:
        await add(connection, rows, rest)
    return row


async def _rest_of_group(connection: AsyncConnection, group_id: str) -> Counts:
    """What ends with this line: a job at once if nothing of the batch is open, a request if nothing of it is kept."""
    counted = func.max(jobs.c.made_images)
    found = await connection.execute(
        select(jobs.c.state, counted).where(jobs.c.group_id == group_id).group_by(jobs.c.state)
    )
    counted_by = {JobState(state): most for state, most in found}
    if counted_by.keys() & HOLDING:
        return Counts()
    kept = counted_by.keys() & WITH_PICTURES or any(counted_by.values())
    return Counts(requests=0 if kept else -1, running=-1)
