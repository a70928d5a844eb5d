"""Stores on a SQLite file of the test's own."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, event

from bot.adapters.database import open_store
from bot.adapters.secrets import Secrets
from bot.rules.ledger import Answer, JobDraft
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind
from tests.support.ledger import empty_ledger, one_by_one

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def secrets():
    return Secrets(("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",))


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def draft():
    """Makes drafts of one asker; ids count up."""
    events = count(1)

    def make(event=None, micro_usd=10):
        request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "model", "a fox")
        answer = Answer(1, 2, "canary-interaction-token", 100, NOW + timedelta(minutes=15))
        asker = Asker(1, Place(10, 1), 100)
        return JobDraft(event or f"event-{next(events)}", asker, request, MicroUSD(micro_usd), answer)

    return make


class Faults:
    """What goes wrong below every connection to SQLite there is, however the ledger comes by it."""

    def __init__(self):
        self.before_statement = lambda text: None
        self.before_commit = lambda connection: None
        self.connections = []

    def everywhere(self, pragma):
        for connection in self.connections:
            connection.execute(f"PRAGMA {pragma}")

    def factory(faults):  # noqa: N805 - the classes below have selves of their own
        class Cursor(sqlite3.Cursor):
            def execute(self, text, *values):
                faults.before_statement(text)
                return super().execute(text, *values)

            def executemany(self, text, rows):
                faults.before_statement(text)
                return super().executemany(text, rows)

        class Connection(sqlite3.Connection):
            def __init__(self, *given, **more):
                super().__init__(*given, **more)
                faults.connections.append(self)

            def close(self):
                faults.connections.remove(self)
                super().close()

            def cursor(self):
                return super().cursor(Cursor)

            def execute(self, *given):
                return self.cursor().execute(*given)

            def executemany(self, *given):
                return self.cursor().executemany(*given)

            def commit(self):
                faults.before_commit(self)
                super().commit()

        return Connection


@pytest.fixture
def faults():
    """Ask for it before a store is opened."""
    faults = Faults()
    factory = faults.factory()

    def connecting(_dialect, _record, _given, how):
        how["factory"] = factory

    event.listen(Engine, "do_connect", connecting)
    yield faults
    event.remove(Engine, "do_connect", connecting)


@pytest.fixture(params=["at the desk", "one by one"])
async def faulty(request, faults, store, secrets):
    """A store whose faults the test decides on; jobs are written either way, and the other way each by itself."""
    if request.param == "one by one":
        store = one_by_one(store, secrets)
    await store.notes.set_server(1, None)
    return store


@pytest.fixture
async def store(tmp_path, secrets):
    store = await open_store(await empty_ledger(tmp_path), data_dir=tmp_path, secrets=secrets, clock=lambda: NOW)
    yield store
    await store.aclose()
