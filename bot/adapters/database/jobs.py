"""A job from its opening to its end, and every way to find it again; everything but ids is scoped by place.

What a step writes is said here; how it is written, by ``Steps``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, or_, select, update

from bot.adapters.database.codec import Sealer, all_jobs, batch_from_row, batch_values, job_from_row, plain
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import Counted, Counts, add
from bot.adapters.database.engine import Database
from bot.adapters.database.leases import Life
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import WAITING, batches, favourites, jobs, reviews
from bot.adapters.database.sqlite.reading import lasting
from bot.adapters.database.steps import Opening, Step, Steps, updated
from bot.ports import Batch, Known, Look
from bot.rules.job_ids import ALPHABET, LENGTH
from bot.rules.ledger import Bill, Job, JobDraft, JobState, advance
from bot.rules.people import Place

_SHOWN = [JobState.DELIVERED.value, JobState.SETTLED.value]

_HELD = select(reviews.c.job_id).where(reviews.c.place_key == bindparam("place"), reviews.c.approved.is_(False))
_MINE = (jobs.c.place_key == bindparam("place")) & (jobs.c.user_id == bindparam("user"))
_FREE = jobs.c.deleted.is_(False) & jobs.c.id.not_in(_HELD)
_WAITING_FOR = lasting(all_jobs().where(_MINE, WAITING, _FREE).order_by(jobs.c.id))
_WHO_WAITS: Select[Any] = lasting(select(jobs.c.place_key, jobs.c.user_id).where(WAITING).distinct())

REACH = 2000
"""How many jobs of a place, or of a member there, one look into the gallery goes through at most."""


class SqlJobs:
    """``JobStore``."""

    def __init__(self, database: Database, sealer: Sealer, steps: Steps, life: Life) -> None:
        self._db = database
        self._sealer = sealer
        self._steps = steps
        self._life = life
        self._ids = Ids()

    async def open(self, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        return await self._steps.open(Opening(drafts, self._ids.make(now, len(drafts)), now)) if drafts else []

    async def open_batch(self, batch: Batch, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        return await self._steps.open(Opening(drafts, self._ids.make(now, len(drafts)), now, batch))

    # steps

    async def dispatch(self, job: Job, now: datetime) -> Job:
        sent = {"dispatched_at": now, "pictures_at": self._life.places[0] if self._life.places else None}
        return await self._move(job, Step(JobState.DISPATCHED, sent))

    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job:
        return await self._move(job, _produced(bill, revised_prompt, now))

    async def retrieve(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job:
        advance(job.state, JobState.PRODUCED)
        held = {"epoch": job.epoch + 1, "holder": self._life.name, "finished_at": None, "reason": ""}
        charged = {"charged_micro_usd": bill.charged_micro_usd, "made_images": bill.images}
        values = {**_produced(bill, revised_prompt, now).columns(), **held, **charged}

        async def work(connection: Connection) -> Job:
            counted = await connection.scalar(select(jobs.c.made_images).where(jobs.c.id == job.id))
            row = await updated(connection, job, values, job.state)
            images = min(bill.images, row["images"]) - min(counted or 0, row["images"])
            change = Counts(images=images, spent=bill.charged_micro_usd - job.charged_micro_usd)
            await add(connection, Counted.of_row(row).rows(), change)
            return job_from_row(row, self._sealer)

        return await self._db.write(work)

    async def conclude(self, job: Job, message_id: int | None, channel_id: int | None, now: datetime) -> Job:
        advance(advance(job.state, JobState.DELIVERED), JobState.SETTLED)
        values = {"message_id": message_id, "message_channel_id": channel_id, "waiting": False, **_ended(now)}
        return await self._steps.move(job, Step(JobState.SETTLED, values))

    async def settle(self, job: Job, now: datetime) -> Job:
        return await self._move(job, Step(JobState.SETTLED, _ended(now)))

    async def release(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.RELEASED, _ended(now, reason), charged=0))

    async def refuse(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.REFUSED, _ended(now, reason), charged=0, images=None))

    async def lose(self, job: Job, reason: str, now: datetime) -> Job:
        return await self._move(job, Step(JobState.UNKNOWN, _ended(now, reason), charged=None, images=None))

    async def set_waiting(self, job: Job, waiting: bool) -> Job:
        try:
            return await self._steps.note(job, {"waiting": waiting}, job.state)
        finally:
            self._db.forget_remembered()

    async def set_pictures_at(self, job: Job, place: str) -> Job:
        return await self._steps.note(job, {"pictures_at": place}, None)

    async def set_answer_message(self, job: Job, message_id: int) -> Job:
        # The queue may have moved the job on meanwhile; only the lease matters here.
        return await self._steps.note(job, {"answer_message_id": message_id}, None)

    async def mark_deleted(self, job_id: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted=True))

        await self._db.write(work)

    # finding

    async def get(self, job_id: str) -> Job | None:
        found = await self._found(all_jobs().where(jobs.c.id == job_id))
        return found[0] if found else None

    async def shown_in(self, message_id: int | None, beginnings: Sequence[str]) -> list[Job]:
        # by the key, since no index has the message; letters alone sort everywhere alike
        begun = [jobs.c.id.between(one, one.ljust(LENGTH, ALPHABET[-1])) for one in beginnings]
        if not begun:
            return []
        there = [] if message_id is None else [jobs.c.message_id == message_id]
        return await self._found(all_jobs().where(or_(*begun), *there).order_by(jobs.c.id))

    async def waiting(self, place: Place, user_id: int) -> list[Job]:
        if self._db.remembers and (place.key, user_id) not in await self._db.remembered("who waits", _who_waits):
            return []
        return await self._found(_WAITING_FOR, {"place": place.key, "user": user_id})

    async def gallery(
        self,
        place: Place,
        *,
        member_id: int | None,
        search: str | None,
        before: str | None,
        limit: int,
        favourites_of: int | None = None,
    ) -> Look:
        here: list[ColumnElement[bool]] = [jobs.c.place_key == place.key]
        if member_id is not None:
            here.append(jobs.c.user_id == member_id)
        if before is not None:
            here.append(jobs.c.id < before)
        if favourites_of is not None:
            here.append(jobs.c.id.in_(select(favourites.c.job_id).where(favourites.c.user_id == favourites_of)))
        shown: list[ColumnElement[bool]] = [jobs.c.state.in_(_SHOWN)]
        shown += [jobs.c.deleted.is_(False), jobs.c.forgotten.is_(False), jobs.c.images > 0]  # words have none
        if member_id is None:
            mine = [] if favourites_of is None else [jobs.c.user_id == favourites_of]
            shown.append(or_(jobs.c.private.is_(False), *mine))
        words = plain(search or "").casefold().split()
        shown += [jobs.c.search_text.contains(word, autoescape=True) for word in words]

        async def work(connection: Connection) -> Look:
            newest_first = jobs.c.id.desc()
            edge = await connection.scalar(
                select(jobs.c.id).where(*here).order_by(newest_first).offset(REACH - 1).limit(1)
            )
            within = [] if edge is None else [jobs.c.id >= edge]
            query = all_jobs().where(*here, *within, *shown).order_by(newest_first).limit(limit)
            found = tuple(job_from_row(row, self._sealer) for row in (await connection.execute(query)).mappings())
            return Look(found, found[-1].id if len(found) == limit else edge)

        return await self._db.read(work)

    async def mark(self, user_id: int, job_id: str, favourite: bool) -> None:
        which = {"user_id": user_id, "job_id": job_id}

        async def work(connection: Connection) -> None:
            if favourite:
                await connection.execute(self._db.upsert(favourites).values(which).on_conflict_do_nothing())
            else:
                await connection.execute(delete(favourites).filter_by(**which))

        await self._db.write(work)

    async def favourites_among(self, user_id: int, job_ids: Sequence[str]) -> frozenset[str]:
        query = select(favourites.c.job_id)
        query = query.where(favourites.c.user_id == user_id, favourites.c.job_id.in_(job_ids))
        return frozenset(row["job_id"] for row in await self._db.rows(query))

    async def known(self, job_ids: Sequence[str]) -> dict[str, Known]:
        query = select(jobs.c.id, jobs.c.created_at, jobs.c.state).where(jobs.c.id.in_(job_ids))
        unshown = JobState.PRODUCED.value
        return {row["id"]: Known(row["created_at"], row["state"] == unshown) for row in await self._db.rows(query)}

    # batches

    async def get_batch(self, batch_id: str) -> Batch | None:
        found = await self._db.rows(select(batches).where(batches.c.id == batch_id))
        return batch_from_row(found[0]) if found else None

    async def save_batch(self, batch: Batch) -> None:
        changing = {"message_id", "cancelled", "finished", "channel_id"}
        values = {name: value for name, value in batch_values(batch).items() if name in changing}

        async def work(connection: Connection) -> None:
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

    async def _found(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Job]:
        return [job_from_row(row, self._sealer) for row in await self._db.rows(query, values)]

    async def _move(self, job: Job, step: Step) -> Job:
        advance(job.state, step.to)
        if job.state is JobState.RESERVED and job.answer is not None and job.answer.message_id is not None:
            known = {"answer_message_id": job.answer.message_id}  # since it was acknowledged
            step = replace(step, values={**step.values, **known})
        return await self._steps.move(job, step)


async def _who_waits(connection: Connection) -> frozenset[tuple[str, int]]:
    """Places and members whose pictures could not be shown yet. Shown since, they may still be among them."""
    return frozenset((row[0], row[1]) for row in await connection.execute(_WHO_WAITS))


def _produced(bill: Bill, revised_prompt: str | None, now: datetime) -> Step:
    if bill.charged_micro_usd < 0 or bill.images < 0:
        raise ValueError("a bill is never negative")
    revised = None if revised_prompt is None else plain(revised_prompt)
    values = {"produced_at": now, "revised_prompt": revised}
    return Step(JobState.PRODUCED, values, bill, bill.charged_micro_usd, bill.images)


def _ended(now: datetime, reason: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {"finished_at": now, "token": None}
    return {**values, "reason": plain(reason)} if reason else values
