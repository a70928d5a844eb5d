"""The ledger on SQLite and PostgreSQL. The only package that imports SQLAlchemy and alembic.

open_store ──► SqlStore ──► opening  steps  rulebook  figures  leases  people  auditing
                               └────────┴── counters ──┴──► engine (one writer lane, two dialects)
"""

from __future__ import annotations

from bot.adapters.database.auditing import Difference
from bot.adapters.database.problems import AlreadyOpen, HalfMigrated, NewerSchema, StoreUnusable
from bot.adapters.database.schema import Fit, SchemaState
from bot.adapters.database.store import SqlStore, migrate_store, open_store, schema_state

__all__ = [
    "AlreadyOpen",
    "Difference",
    "Fit",
    "HalfMigrated",
    "NewerSchema",
    "SchemaState",
    "SqlStore",
    "StoreUnusable",
    "migrate_store",
    "open_store",
    "schema_state",
]
