"""Why a database cannot be used at all: told to the operator at the start, never to members."""

from __future__ import annotations

from bot.ports import CannotStart


class StoreUnusable(CannotStart):
    """The database is not in a state to run on; the text says what to do. Nothing was changed."""


class AlreadyOpen(StoreUnusable):
    """Another process holds this SQLite file."""


class NewerSchema(StoreUnusable):
    """A newer Easel has migrated this database; this one does not know what it means."""


class HalfMigrated(StoreUnusable):
    """Tables and the recorded revision do not fit together: a migration was interrupted or tables were removed."""
