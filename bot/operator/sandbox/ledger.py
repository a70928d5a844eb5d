"""A look into the bot's ledger for the page's drawer: read-only, straight from the SQLite file, without secrets."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

COLUMNS = (
    "id",
    "state",
    "model",
    "images",
    "made_images",
    "upper_micro_usd",
    "reserved_micro_usd",
    "charged_micro_usd",
    "created_at",
    "dispatched_at",
    "produced_at",
    "finished_at",
    "parent_id",
    "batch_id",
    "epoch",
    "reason",
)
NEWEST = 50


class SqliteLedger:
    """Rows of the table of jobs. A file that is not there yet has none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, interaction_id: int | None) -> Sequence[Mapping[str, Any]]:
        """The jobs of one interaction, or the newest ones."""
        return await asyncio.to_thread(self._rows, interaction_id)

    def _rows(self, interaction_id: int | None) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        where, values = ("", ()) if interaction_id is None else ("WHERE event_key LIKE ?", (f"{interaction_id}%",))
        query = f"SELECT {', '.join(COLUMNS)} FROM jobs {where} ORDER BY id DESC LIMIT {NEWEST}"  # noqa: S608 - our own names
        with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(query, values)]
            except sqlite3.OperationalError:  # the tables are being made at this moment
                return []
