"""Reserving: all limits are read, decided and written in one transaction, so no interleaving can exceed a cap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select

from bot.adapters.database.codec import Sealer, job_from_draft, job_values
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import Counted, Counts, add, as_use, last_requests
from bot.adapters.database.counting.forgotten import kept, let_in
from bot.adapters.database.engine import Database
from bot.adapters.database.leases import Life
from bot.adapters.database.schema.tables import jobs
from bot.adapters.database.servers import limits_of, settings_of
from bot.rules.ledger import DuplicateEvent, Job, JobDraft
from bot.rules.limits.decide import Cost, Refused, decide
from bot.rules.limits.limit import Limit, Scope
from bot.rules.money import MicroUSD
from bot.rules.servers.access import check_access


class Reserving:
    """Decides and writes reserved jobs within a transaction that somebody else opened."""

    def __init__(self, database: Database, sealer: Sealer, defaults: Sequence[Limit], life: Life) -> None:
        self._db = database
        self._sealer = sealer
        self._defaults = tuple(defaults)
        self._life = life

    async def reserve(
        self, connection: Connection, drafts: Sequence[JobDraft], now: datetime, ids: list[str]
    ) -> list[Job]:
        """New jobs under ``ids``. Raises ``DuplicateEvent``, ``AccessDenied``, ``Refused``: nothing may be kept."""
        check_alike(drafts)
        first = drafts[0]
        await let_in(self._db, connection, first.asker.user_id)
        await refuse_duplicates(connection, drafts)
        settings = await settings_of(connection, first.asker.place.key)
        for model in {draft.request.model for draft in drafts}:
            check_access(settings, first.asker, model)
        await self._take(connection, drafts, now)
        opened = [job_from_draft(draft, job_id, now) for draft, job_id in zip(drafts, ids, strict=True)]
        grouped = len(drafts) > 1
        rows = [
            job_values(job, group_id=ids[0], grouped=grouped, holder=self._life.name, sealer=self._sealer)
            for job in opened
        ]
        await connection.execute(insert(jobs), rows)
        return opened

    async def _take(self, connection: Connection, drafts: Sequence[JobDraft], now: datetime) -> None:
        """Adds the cost to every counter; raises ``Refused``, which takes it all back, if a limit had no room."""
        asker, own_key = drafts[0].asker, drafts[0].own_key
        limits = limits_for(drafts[0], await limits_of(connection, asker.place.key, self._defaults))
        cost = cost_of(drafts)
        change = change_of(cost)
        counted = Counted.of_asker(asker, now, own_key=own_key)
        after = await add(connection, counted.rows(), change)
        if not self._db.is_sqlite:
            # The rows are locked now: a twin of this event that was faster has committed and is visible.
            await refuse_duplicates(connection, drafts)
        before = await kept(connection, counted, self._sealer.tag(asker.user_id))
        lasts = await last_requests(connection, limits, asker, now, also=before.jobs_of(counted.place_key))
        use = before.added_to(as_use(counted, after, change, lasts), counted.place_key)
        refusals = decide(limits, asker, cost, use, now)
        if refusals:
            raise Refused(refusals, in_server=asker.place.is_server)


def check_alike(drafts: Sequence[JobDraft]) -> None:
    """Raises ``ValueError`` for drafts that cannot be opened together."""
    first = drafts[0]
    if any(draft.asker != first.asker or draft.own_key != first.own_key for draft in drafts):
        raise ValueError("jobs opened together have one asker and one key")


def limits_for(draft: JobDraft, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """Whose money is not the operator's is not held to the operator's limits."""
    return tuple(limit for limit in limits if limit.scope is not Scope.OPERATOR) if draft.own_key else limits


def change_of(cost: Cost) -> Counts:
    """What a reservation adds to each of its counters."""
    return Counts(requests=cost.requests, images=cost.images, reserved=cost.micro_usd, running=cost.jobs)


def cost_of(drafts: Sequence[JobDraft]) -> Cost:
    """What all of them take together."""
    return Cost(
        images=sum(draft.request.count for draft in drafts),
        micro_usd=MicroUSD(sum(draft.upper_micro_usd for draft in drafts)),
    )


async def refuse_duplicates(connection: Connection, drafts: Sequence[JobDraft]) -> None:
    """Raises ``DuplicateEvent`` if one of these events has a job already."""
    keys = [draft.event_key for draft in drafts]
    found = await connection.scalar(select(jobs.c.id).where(jobs.c.event_key.in_(keys)).order_by(jobs.c.id).limit(1))
    if found is not None:
        raise DuplicateEvent(found)
