"""The steps of a job. Each is one conditional UPDATE on (id, epoch, state) and, where money moves, its counters.

Who comes second finds no row and gets ``LostLease``: that is how one process of two acts, and how cancel and dispatch
never both win.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.base import Part, all_jobs
from bot.adapters.database.codec import dump_bill, plain
from bot.adapters.database.counters import Change, Counted, add
from bot.adapters.database.tables import jobs
from bot.rules.ledger import CHARGED, GIVEN_BACK, HOLDING, Bill, Job, JobState, LostLease, advance


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a job: where to, what else its row then says, and whether it ends the reservation."""

    to: JobState
    values: dict[str, Any]
    charged: int | None = None  # None: the whole reservation
    images: int = 0  # of those counted, how many stay counted


class Steps(Part):
    async def dispatch(self, job: Job, now: datetime) -> Job:
        return await self._move(job, Step(JobState.DISPATCHED, {"dispatched_at": now}))

    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job:
        if bill.charged_micro_usd < 0 or bill.images < 0:
            raise ValueError("a bill is never negative")
        values = {
            "produced_at": now,
            "bill": dump_bill(bill),
            "made_images": bill.images,
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
        return await self._move(job, Step(JobState.REFUSED, _ended(now, reason), charged=0))

    async def lose(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.UNKNOWN, _ended(now, reason), charged=None))

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
    row = await _updated(connection, job, {**values, "reserved_micro_usd": 0, "charged_micro_usd": charged}, job.state)
    rows = Counted.of_row(row).rows()
    images = min(step.images, row["images"]) - row["images"]
    change = Change(images=images, spent=row["charged_micro_usd"], reserved=-row["upper_micro_usd"])
    if not row["grouped"]:
        request = -1 if step.to in GIVEN_BACK else 0
        await add(connection, rows, Change(request, images, change.spent, change.reserved, -1))
        return row
    # A batch is one request and one job at once: the last of its lines to end gives that back. The counters are
    # locked first, so of two lines that end together the later one sees the earlier one ended.
    await add(connection, rows, change)
    rest = await _rest_of_group(connection, row["group_id"])
    if rest:
        await add(connection, rows, rest)
    return row


async def _rest_of_group(connection: AsyncConnection, group_id: str) -> Change:
    """What ends with this line: a job at once if nothing of the batch is open, a request if nothing of it is kept."""
    found = await connection.execute(
        select(jobs.c.state, func.count()).where(jobs.c.group_id == group_id).group_by(jobs.c.state)
    )
    states = {JobState(state) for state, _ in found}
    if states & HOLDING:
        return Change()
    kept = states & (CHARGED - GIVEN_BACK)
    return Change(requests=0 if kept else -1, running=-1)
