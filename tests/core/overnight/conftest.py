"""The world of nights, whose end is checked after every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rules.ledger import JobState
from sandbox.images import ImageService
from tests.support.ledger import counts_by_state, emptied_ledger
from tests.support.nights import World, service_at


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Ends with the books balanced, nothing reserved, and no line charged more than was put on hold for it."""
    worlds: list[World] = []
    images = ImageService(night_s=60, clock=lambda: worlds[0].now.timestamp())
    await images.start()
    catalogue, adapter = service_at(images.base_url)
    made = World(tmp_path, await emptied_ledger(), images, adapter, catalogue)
    worlds.append(made)
    yield made
    assert await made.store.audit_sums() == []
    states = await counts_by_state(made.store)
    assert states[JobState.RESERVED] == states[JobState.DISPATCHED] == 0
    for job in (await made.store.people.export(1))["jobs"]:
        assert job["charged_micro_usd"] <= job["upper_micro_usd"]
    await made.lives[-1].tasks.finish(0)
    await adapter.aclose()
    await images.stop()
