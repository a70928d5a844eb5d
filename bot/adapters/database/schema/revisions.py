"""The schema's revision: reading it, refusing what cannot be run on, and bringing it up to date."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from bot.adapters.database.engine import StoreUnusable
from bot.adapters.database.schema.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0012"
"""The newest revision in ``migrations/versions``. Written down so that a start on a current database needs no alembic,
whose import takes longer than the start; a test compares.
"""

MOVING = "moving"
"""Stands for the revision while a ledger is being moved into this database: what is there is not whole."""

MIGRATIONS = Path(__file__).parent / "migrations"
BACKUPS = "backups"


class NewerSchema(StoreUnusable):
    """A newer Easel has migrated this database; this one does not know what it means."""


class HalfMigrated(StoreUnusable):
    """Tables and the recorded revision do not fit together: a migration was interrupted or tables were removed."""


class Fit(StrEnum):
    """How the database's schema stands to this program's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    HALF = "half"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """``found`` is the revision recorded in the database, ``newest`` the one this program knows."""

    fit: Fit
    found: str | None
    newest: str
    missing: tuple[str, ...] = ()


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def known_revisions() -> tuple[str, ...]:
    """Every revision in ``migrations/versions``, the newest first."""
    from alembic.script import ScriptDirectory

    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def read_state(connection: Connection) -> SchemaState:
    """The state as one connection sees it."""
    present = set(inspect(connection).get_table_names())
    missing = tuple(sorted(set(metadata.tables) - present))
    found = None
    if "alembic_version" in present:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is None:
        begun = len(missing) < len(metadata.tables)
        return SchemaState(Fit.HALF if begun else Fit.EMPTY, None, NEWEST, missing)
    if found == MOVING:
        return SchemaState(Fit.HALF, found, NEWEST, missing)
    if found == NEWEST:
        return SchemaState(Fit.HALF if missing else Fit.CURRENT, found, NEWEST, missing)
    return SchemaState(Fit.OLDER if found in known_revisions() else Fit.NEWER, found, NEWEST)


def refuse_unusable(state: SchemaState) -> None:
    """Raises ``NewerSchema`` or ``HalfMigrated`` with what to do; every other state can be run on or migrated."""
    if state.fit is Fit.NEWER:
        raise NewerSchema(
            f"The database is at revision {state.found}, which this version of Easel ({state.newest}) does not know. "
            "Start the newer version again, or restore the backup that was made before it migrated."
        )
    if state.found == MOVING:
        raise HalfMigrated(
            "A ledger is being moved into this database, or was when that was interrupted: it is not whole. Repeat "
            "`python -m bot migrate --to`, or set DATABASE_URL back to the old ledger, which is as it was."
        )
    if state.fit is Fit.HALF:
        raise HalfMigrated(
            f"The database is half migrated: revision {state.found or 'none'}, without {', '.join(state.missing)}. "
            f"Restore the newest file in {BACKUPS}/ (`python -m bot restore`), or point DATABASE_URL at an empty one."
        )


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the schema to a revision, the newest, within the connection's transaction."""
    from alembic import command

    command.upgrade(_config(connection), revision)


def migrate_once(connection: Connection) -> None:
    """Of several processes that start on one PostgreSQL, one migrates and the others find it done."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7203519)")
    if read_state(connection).fit is not Fit.CURRENT:
        upgrade(connection)
