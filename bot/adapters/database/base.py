"""What every part of the store shares: the database, who this process is, and how rows become jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.codec import Sealer, job_from_row, plain
from bot.adapters.database.engine import Database
from bot.adapters.database.ids import Ids
from bot.adapters.database.tables import audit, jobs
from bot.ports import Clock
from bot.rules.ledger import Job
from bot.rules.limits.limit import Limit


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
        self, connection: AsyncConnection, place_key: str, actor_id: int, what: str, old: str, new: str, now: datetime
    ) -> None:
        """Writes one line of the audit trail within the transaction of what it tells about."""
        values = {"id": self._ids.make(now)[0], "place_key": place_key, "at": now, "actor_id": actor_id}
        texts = {"what": plain(what), "old": plain(old), "new": plain(new)}
        await connection.execute(insert(audit), {**values, **texts})


def all_jobs() -> Select[Any]:
    """A query for whole rows of jobs."""
    return select(*jobs.c)
