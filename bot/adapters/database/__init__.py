"""The ledger on SQLite and PostgreSQL. The only package that imports SQLAlchemy and alembic.

open_store ──► SqlStore ──► jobs ──► steps ──► reserving   servers   figures   leases   people   notes   keeping
                               └────────┴──────────┴── counters ─┴──► engine (one writer lane, two dialects)
"""

from __future__ import annotations

from bot.adapters.database.counting.audit_sums import Difference
from bot.adapters.database.engine import StoreUnusable
from bot.adapters.database.opening import SqlStore, migrate_store, open_store, schema_state, store_on
from bot.adapters.database.schema.revisions import Fit, HalfMigrated, NewerSchema, SchemaState
from bot.adapters.database.sqlite_file import AlreadyOpen

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
    "store_on",
]
