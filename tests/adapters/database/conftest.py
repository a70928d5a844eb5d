"""Stores on a SQLite file of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.adapters.database import open_store
from bot.adapters.secrets import Secrets
from bot.rules.ledger import Answer, JobDraft
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind
from tests.support.ledger import empty_ledger

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


@pytest.fixture
async def store(tmp_path, secrets):
    store = await open_store(await empty_ledger(tmp_path), data_dir=tmp_path, secrets=secrets, clock=lambda: NOW)
    yield store
    await store.aclose()
