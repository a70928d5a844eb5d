"""A night that another process took over, on a real PostgreSQL: only there is a lease asked for once more."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.images import ImageService
from tests.support.nights import Life, World, prompts, service_at

pytestmark = pytest.mark.postgres


@pytest.fixture
async def store_url(postgres, tmp_path):
    return await postgres.emptied(tmp_path)


@pytest.fixture
async def lives(hand, opened, tmp_path):
    """Two processes on one ledger, and the world around them."""
    stores = [await opened(), await opened()]
    await beats(hand, stores)
    images = ImageService(night_s=300, clock=lambda: world.now.timestamp())
    await images.start()
    catalogue, adapter = service_at(images.base_url)
    world = World(tmp_path, None, images, adapter, catalogue, now=hand.now)
    world.lives = [Life(world, store) for store in stores]
    yield world.lives
    for life in world.lives:
        await life.tasks.finish(0)
    await adapter.aclose()
    await images.stop()


async def beats(hand, stores, seconds: int = 75) -> None:
    """So many seconds in which each of them is heard as always."""
    for _ in range(seconds // 15):
        await hand.on(15)
        for store in stores:
            await store.leases.heartbeat()


@pytest.mark.parametrize(
    ("boundary", "ends"),
    [
        ("night uploaded", ["completed"]),
        ("night sent", ["completed"]),
        ("night asked", ["completed", "cancelled"]),  # it was sure of its lease just before, and asks once more
    ],
)
async def test_who_slept_through_the_loss_of_a_night_draws_nothing_twice(lives, hand, boundary, ends):
    """Its machine slept for two minutes, between writing something down and the next call."""
    first, second = lives
    world = first.world

    async def taken() -> None:
        await beats(hand, [second.real], seconds=120)
        world.now = hand.now
        assert await second.recover() == 1
        await world.handed_in()

    first.before[boundary] = taken()
    batch, task = await first.begin(2)
    await asyncio.wait_for(task, 30)
    await second.settled()
    jobs = await second.real.jobs.of_batch(batch.id)
    assert [(job.state, job.epoch) for job in jobs] == [("settled", 2)] * 2
    assert world.drawn == prompts(2)
    assert world.channel.groups == {0: [1, 2]}
    assert len(world.channel.summaries) == 1
    assert await second.real.audit_sums() == []
    await world.cleared()
    assert [one.status for one in world.images.batches.night.batches] == ends
