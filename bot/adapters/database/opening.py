"""Reserving: all limits are read, decided and written in one transaction, so no interleaving can exceed a cap."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.base import all_jobs
from bot.adapters.database.codec import batch_from_row, batch_values, job_from_draft, job_values
from bot.adapters.database.counters import Change, Counted, add, as_use, kept, last_requests, with_kept
from bot.adapters.database.engine import Work
from bot.adapters.database.rulebook import Rulebook
from bot.adapters.database.tables import batches, jobs
from bot.ports import Batch
from bot.rules.ledger import DuplicateEvent, Job, JobDraft
from bot.rules.limits.decide import Cost, Refused, decide
from bot.rules.limits.limit import Scope
from bot.rules.money import MicroUSD
from bot.rules.servers.access import check_access


class Opening(Rulebook):
    """``open_jobs`` and the batches that are opened with it."""

    async def open_jobs(self, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        async def work(connection: AsyncConnection) -> list[Job]:
            return await self._open(connection, drafts, now, ids)

        ids = self._ids.make(now, len(drafts))
        return await self._opened(drafts, self._db.write(work, kept=self._all_of(ids))) if drafts else []

    async def open_batch(self, batch: Batch, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        async def work(connection: AsyncConnection) -> list[Job]:
            opened = await self._open(connection, drafts, now, ids)
            await connection.execute(insert(batches), batch_values(batch))
            return opened

        ids = self._ids.make(now, len(drafts))
        return await self._opened(drafts, self._db.write(work, kept=self._all_of(ids)))

    def _all_of(self, ids: list[str]) -> Work[list[Job] | None]:
        """Looks whether these jobs were kept after all."""

        async def look(connection: AsyncConnection) -> list[Job] | None:
            found = await connection.execute(all_jobs().where(jobs.c.id.in_(ids)).order_by(jobs.c.id))
            return [self._job(row) for row in found.mappings()] or None

        return look

    async def _opened(self, drafts: Sequence[JobDraft], writing: Awaitable[list[Job]]) -> list[Job]:
        try:
            return await writing
        except IntegrityError:
            # Two processes took the same event at once and the other one committed first.
            await self._db.read(partial(_refuse_duplicates, drafts=drafts))
            raise

    async def _open(
        self, connection: AsyncConnection, drafts: Sequence[JobDraft], now: datetime, ids: list[str]
    ) -> list[Job]:
        first = drafts[0]
        if any(draft.asker != first.asker or draft.own_key != first.own_key for draft in drafts):
            raise ValueError("jobs opened together have one asker and one key")
        await _refuse_duplicates(connection, drafts)
        settings = await self._settings(connection, first.asker.place.key)
        for model in {draft.request.model for draft in drafts}:
            check_access(settings, first.asker, model)
        await self._take(connection, drafts, now)
        opened = [job_from_draft(draft, job_id, now) for draft, job_id in zip(drafts, ids, strict=True)]
        grouped = len(drafts) > 1
        rows = [
            job_values(job, group_id=ids[0], grouped=grouped, holder=self.life, sealer=self._sealer) for job in opened
        ]
        await connection.execute(insert(jobs), rows)
        return opened

    async def _take(self, connection: AsyncConnection, drafts: Sequence[JobDraft], now: datetime) -> None:
        """Adds the cost to every counter; raises ``Refused``, which takes it all back, if a limit had no room."""
        asker, own_key = drafts[0].asker, drafts[0].own_key
        limits = await self._limits(connection, asker.place.key)
        if own_key:
            limits = tuple(limit for limit in limits if limit.scope is not Scope.OPERATOR)
        cost = _cost(drafts)
        change = Change(requests=cost.requests, images=cost.images, reserved=cost.micro_usd, running=cost.jobs)
        counted = Counted.of_asker(asker, now, own_key=own_key)
        after = await add(connection, counted.rows(), change)
        if not self._db.is_sqlite:
            # The rows are locked now: a twin of this event that was faster has committed and is visible.
            await _refuse_duplicates(connection, drafts)
        lasts = await last_requests(connection, limits, asker, now)
        before = await kept(connection, counted, self._sealer.tag(asker.user_id))
        use = with_kept(as_use(counted, after, change, lasts), before, counted.place_key)
        refusals = decide(limits, asker, cost, use, now)
        if refusals:
            raise Refused(refusals)

    # batches

    async def get_batch(self, batch_id: str) -> Batch | None:
        found = await self._rows(select(batches).where(batches.c.id == batch_id))
        return batch_from_row(found[0]) if found else None

    async def save_batch(self, batch: Batch) -> None:
        changing = {"message_id", "cancelled", "finished", "channel_id"}
        values = {name: value for name, value in batch_values(batch).items() if name in changing}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(batches).where(batches.c.id == batch.id).values(values))

        await self._db.write(work)

    async def unfinished_batches(self) -> list[Batch]:
        query = select(batches).where(batches.c.finished.is_(False)).order_by(batches.c.created_at, batches.c.id)
        return [batch_from_row(row) for row in await self._rows(query)]

    async def jobs_of_batch(self, batch_id: str) -> list[Job]:
        return await self._jobs(
            all_jobs().where(jobs.c.batch_id == batch_id).order_by(jobs.c.batch_line, jobs.c.created_at, jobs.c.id)
        )


def _cost(drafts: Sequence[JobDraft]) -> Cost:
    return Cost(
        images=sum(draft.request.count for draft in drafts),
        micro_usd=MicroUSD(sum(draft.upper_micro_usd for draft in drafts)),
    )


async def _refuse_duplicates(connection: AsyncConnection, drafts: Sequence[JobDraft]) -> None:
    keys = [draft.event_key for draft in drafts]
    found = await connection.scalar(select(jobs.c.id).where(jobs.c.event_key.in_(keys)).order_by(jobs.c.id).limit(1))
    if found is not None:
        raise DuplicateEvent(found)
