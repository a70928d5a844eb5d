"""What every part of the store shares: the database, who this process is, and how rows become jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.codec import Sealer, change_values, job_from_row
from bot.adapters.database.engine import Database
from bot.adapters.database.ids import Ids
from bot.adapters.database.tables import audit, jobs
from bot.ports import Clock
from bot.rules.ledger import Job
from bot.rules.limits.limit import Limit
from bot.rules.servers.changes import Change


class Part:
    """State common to all parts of ``SqlStore``. ``life`` names this run of this process: leases are held by it."""

    def __init__(
        self, database: Database, sealer: Sealer, defaults: Sequence[Limit], process_id: str | None, clock: Clock
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._defaults = tuple(defaults)
        self._process = process_id or uuid4().hex
        self._clock = clock
        self._ids = Ids()
        self.life = f"{self._process}:{uuid4().hex[:12]}"

    def _job(self, row: RowMapping) -> Job:
        return job_from_row(row, self._sealer)

    async def _rows(self, query: Select[Any]) -> list[RowMapping]:
        async def work(connection: AsyncConnection) -> list[RowMapping]:
            return list((await connection.execute(query)).mappings())

        return await self._db.read(work)

    async def _jobs(self, query: Select[Any]) -> list[Job]:
        return [self._job(row) for row in await self._rows(query)]

    async def _record(
        self, connection: AsyncConnection, place_key: str, actor_id: int, change: Change, now: datetime
    ) -> None:
        """Writes one line of the audit trail within the transaction of what it tells about."""
        values = {"id": self._ids.make(now)[0], "place_key": place_key, "at": now, "actor_id": actor_id}
        await connection.execute(insert(audit), {**values, **change_values(change)})


def all_jobs() -> Select[Any]:
    """A query for whole rows of jobs."""
    return select(*jobs.c)
