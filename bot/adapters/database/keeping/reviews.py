"""Pictures that wait for moderators, in the table ``reviews``: a row a job until it is shown or refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, bindparam, delete, or_, select, update

from bot.adapters.database.connection import Connection
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.tables import jobs, reviews
from bot.adapters.database.servers import settings_of
from bot.adapters.database.sqlite.reading import lasting
from bot.rules.ledger import Job
from bot.rules.people import Place
from bot.rules.servers.review import Review

DECIDES_FOR = timedelta(minutes=2)
"""Showing a picture takes seconds; who takes longer has been cut off."""

HELD_IN = lasting(select(reviews.c.job_id).where(reviews.c.place_key == bindparam("place")))
OF_JOB = lasting(select(reviews).where(reviews.c.job_id == bindparam("job")))


class SqlReviews:
    """``ReviewStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def open(self, held: Sequence[Job]) -> list[Review]:
        ids = [job.id for job in held]
        unseen = reviews.c.job_id.in_(ids) & reviews.c.message_id.is_(None) & reviews.c.approved.is_(False)

        async def work(connection: Connection) -> list[Review]:
            rows = [
                {"job_id": job.id, "group_id": job.id, "place_key": job.asker.place.key, "approved": False}
                for job in held
            ]
            await connection.execute(self._db.upsert(reviews).values(rows).on_conflict_do_nothing())
            order = select(reviews.c.job_id).where(unseen).order_by(reviews.c.job_id)
            if first := await connection.scalar(order.limit(1)):
                await connection.execute(update(reviews).where(unseen).values(group_id=first))
            found = await connection.execute(select(reviews).where(unseen).order_by(reviews.c.job_id))
            return [_review(row) for row in found.mappings()]

        return await self._db.write(work)

    async def of_job(self, job: Job) -> tuple[int | None, Review | None]:
        if self._db.remembers:
            place_key = job.asker.place.key
            look = partial(_held_in, place_key=place_key)
            channel_id, held = await self._db.remembered(("reviews", place_key), look)
            if job.id not in held:
                return channel_id, None

        async def work(connection: Connection) -> tuple[int | None, Review | None]:
            settings = await settings_of(connection, job.asker.place.key)
            found = await connection.execute(OF_JOB, {"job": job.id})
            row = found.mappings().one_or_none()
            return settings.review_channel_id, None if row is None else _review(row)

        return await self._db.read(work)

    async def of_group(self, group_id: str) -> list[Review]:
        query = select(reviews).where(_of(group_id)).order_by(reviews.c.job_id)
        return [_review(row) for row in await self._db.rows(query)]

    async def stands(self, group_id: str, channel_id: int, message_id: int | None) -> None:
        await self._change(_of(group_id), channel_id=channel_id, message_id=message_id or 0)

    async def take(self, group_id: str, now: datetime) -> bool:
        is_free = or_(reviews.c.taken_at.is_(None), reviews.c.taken_at < now - DECIDES_FOR)
        taking = update(reviews).where(_of(group_id), is_free).values(taken_at=now).returning(reviews.c.job_id)

        async def work(connection: Connection) -> bool:
            return bool((await connection.execute(taking)).all())

        return await self._db.write(work)

    async def leave(self, group_id: str) -> None:
        await self._change(_of(group_id), taken_at=None)

    async def approve(self, group_id: str) -> None:
        await self._change(_of(group_id), approved=True)

    async def drop(self, job_id: str) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(delete(reviews).where(reviews.c.job_id == job_id))

        await self._db.write(work)

    async def of_maker(self, user_id: int) -> list[Review]:
        of_theirs = select(reviews).join(jobs, jobs.c.id == reviews.c.job_id).where(jobs.c.user_id == user_id)
        return [_review(row) for row in await self._db.rows(of_theirs.order_by(reviews.c.job_id))]

    async def unseen(self) -> list[Review]:
        query = select(reviews).where(reviews.c.message_id.is_(None), reviews.c.approved.is_(False))
        return [_review(row) for row in await self._db.rows(query.order_by(reviews.c.job_id))]

    async def pending(self, place: Place) -> list[Review]:
        undecided = (reviews.c.place_key == place.key) & reviews.c.approved.is_(False)
        await self._change(undecided, message_id=None, channel_id=None, group_id=reviews.c.job_id)
        query = select(reviews).where(undecided).order_by(reviews.c.job_id)
        return [_review(row) for row in await self._db.rows(query)]

    async def _change(self, which: ColumnElement[bool], **values: Any) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(update(reviews).where(which).values(values))

        await self._db.write(work)


async def _held_in(connection: Connection, place_key: str) -> tuple[int | None, frozenset[str]]:
    """Where a place's pictures are looked at first, and the jobs whose wait for that or were decided."""
    settings = await settings_of(connection, place_key)
    found = await connection.execute(HELD_IN, {"place": place_key})
    return settings.review_channel_id, frozenset(row[0] for row in found)


def _of(group_id: str) -> ColumnElement[bool]:
    return reviews.c.group_id == group_id


def _review(row: RowMapping) -> Review:
    names = ("job_id", "group_id", "place_key", "channel_id", "message_id", "approved")
    return Review(**{name: row[name] for name in names})
