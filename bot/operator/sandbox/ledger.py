"""A look into the bot's ledger while the bot writes it: read-only, by its own tables, without secrets."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, Select, create_engine, select
from sqlalchemy.exc import OperationalError

from bot.adapters.database.schema.tables import batches, jobs, to_micros
from bot.rules.ledger import FINAL

SHOWN = (
    jobs.c.id,
    jobs.c.state,
    jobs.c.model,
    jobs.c.images,
    jobs.c.made_images,
    jobs.c.upper_micro_usd,
    jobs.c.reserved_micro_usd,
    jobs.c.charged_micro_usd,
    jobs.c.created_at,
    jobs.c.dispatched_at,
    jobs.c.produced_at,
    jobs.c.finished_at,
    jobs.c.parent_id,
    jobs.c.batch_id,
    jobs.c.epoch,
    jobs.c.reason,
)
NEWEST = 50
WAIT_S = 2.0

Row = Mapping[str, Any]


class SqliteLedger:
    """What the bot's database says of jobs. A file that is not there yet has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        address = f"{path.resolve().as_uri()}?mode=ro"
        connect = partial(sqlite3.connect, address, uri=True, timeout=WAIT_S, check_same_thread=False)
        self._engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    async def __call__(self, interaction_id: int | None) -> Sequence[Row]:
        """The jobs of one interaction, or the newest ones. Moments are microseconds since 1970."""
        query = select(*SHOWN).order_by(jobs.c.id.desc()).limit(NEWEST)
        if interaction_id is not None:
            query = query.where(jobs.c.event_key.startswith(str(interaction_id)))
        return [{key: _plain(value) for key, value in row.items()} for row in await self._rows(query)]

    async def is_busy(self, interaction_id: int) -> bool:
        """Whether the bot still works on something this interaction asked for; what waits for its asker is done."""
        of_batch = jobs.join(batches, jobs.c.batch_id == batches.c.id, isouter=True)
        query = (
            select(jobs.c.id)
            .select_from(of_batch)
            .where(jobs.c.event_key.startswith(str(interaction_id)))
            .where((jobs.c.state.not_in(sorted(FINAL)) & jobs.c.waiting.is_(False)) | batches.c.finished.is_(False))
            .limit(1)
        )
        return bool(await self._rows(query))

    async def _rows(self, query: Select[Any]) -> list[Row]:
        return await asyncio.to_thread(self._read, query)

    def _read(self, query: Select[Any]) -> list[Row]:
        if not self._path.exists():
            return []
        try:
            with self._engine.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except OperationalError:  # the tables are being made at this moment
            return []


def _plain(value: Any) -> Any:
    return to_micros(value) if isinstance(value, datetime) else value
