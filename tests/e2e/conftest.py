"""A town for a test: a Discord, an image service and a bot connected to both; at the end every invariant holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.discord.clock import HandClock
from sandbox.discord.world import World
from tests.support.running import Town, town_in


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path) as made:
        yield made
        await made.check()


@pytest.fixture
async def late(tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose time the test moves."""
    async with town_in(tmp_path, world=World(clock=HandClock())) as made:
        yield made
        await made.check()
