"""Leases, adoption and pacing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.rules.ledger import JobState, LostLease


async def test_a_new_life_of_the_process_adopts_what_the_last_one_left(opened, sample, made):
    first = await opened(process_id="easel-0")
    jobs = [(await first.jobs.open([sample.draft(micro_usd=5)], sample.now))[0] for _ in range(3)]
    jobs[1] = await first.jobs.dispatch(jobs[1], sample.now)
    await made(first, jobs[2])
    assert await first.leases.adopt(sample.now) == []
    assert [job.id for job in await first.leases.unfinished()] == [jobs[0].id, jobs[1].id]
    await first.aclose()
    second = await opened(process_id="easel-0")
    adopted = await second.leases.adopt(sample.now)
    assert {(job.id, job.state, job.epoch) for job in adopted} == {
        (jobs[0].id, JobState.RESERVED, 2),
        (jobs[1].id, JobState.DISPATCHED, 2),
    }
    assert await second.leases.unfinished() == adopted
    assert await second.leases.adopt(sample.now) == []
    with pytest.raises(LostLease):
        await second.jobs.release(jobs[0], "", sample.now)
    by_id = {job.id: job for job in adopted}
    await second.jobs.release(by_id[jobs[0].id], "restart", sample.now)
    await second.jobs.lose(by_id[jobs[1].id], "restart", sample.now)
    assert await second.leases.unfinished() == []
    assert await second.audit_sums() == []


async def test_pacing_gives_each_its_own_slot_across_tasks(store, sample):
    starts = await asyncio.gather(*(store.leases.take_slot("openai", 5, sample.now) for _ in range(10)))
    assert sorted(starts) == [sample.now + timedelta(seconds=12) * n for n in range(10)]


async def test_a_slot_is_free_again_after_a_pause(store, sample):
    assert await store.leases.take_slot("k", 60, sample.now) == sample.now
    later = sample.now + timedelta(seconds=10)
    assert await store.leases.take_slot("k", 60, later) == later
    assert await store.leases.take_slot("k", 60, later) == later + timedelta(seconds=1)
    assert await store.leases.take_slot("other", 60, later) == later


async def test_a_request_for_four_pictures_takes_four_slots(store, sample):
    assert await store.leases.take_slot("k", 60, sample.now, cost=4) == sample.now
    assert await store.leases.take_slot("k", 60, sample.now) == sample.now + timedelta(seconds=4)


async def test_retry_after_moves_everybody_and_never_forward(store, sample):
    await store.leases.push_slots("k", sample.now + timedelta(seconds=30))
    await store.leases.push_slots("k", sample.now + timedelta(seconds=20))
    assert await store.leases.take_slot("k", 60, sample.now) == sample.now + timedelta(seconds=30)
    assert await store.leases.take_slot("k", 60, sample.now) == sample.now + timedelta(seconds=31)


async def test_a_pace_that_is_none_is_an_error(store, sample):
    for pace, cost in ((0, 1), (-1, 1), (5, 0)):
        with pytest.raises(ValueError, match=r"."):
            await store.leases.take_slot("k", pace, sample.now, cost=cost)


# several processes, which only PostgreSQL has


async def test_a_silent_process_is_dead_after_a_minute(postgres_only, opened, sample):
    first, second = await opened(), await opened()
    [job] = await first.jobs.open([sample.draft()], sample.now)
    await first.leases.heartbeat(sample.now)
    assert await second.leases.adopt(sample.now + timedelta(seconds=59)) == []
    [adopted] = await second.leases.adopt(sample.now + timedelta(seconds=61))
    assert (adopted.id, adopted.epoch) == (job.id, 2)
    with pytest.raises(LostLease):
        await first.jobs.dispatch(job, sample.now)
    assert (await second.jobs.dispatch(adopted, sample.now)).state is JobState.DISPATCHED
    assert await first.leases.unfinished() == []


async def test_two_processes_that_adopt_at_once_share_nothing(postgres_only, opened, sample):
    first = await opened()
    jobs = [(await first.jobs.open([sample.draft()], sample.now))[0] for _ in range(20)]
    others = [await opened() for _ in range(4)]
    later = sample.now + timedelta(minutes=5)
    adopted = await asyncio.gather(*(other.leases.adopt(later) for other in others))
    assert sorted(job.id for batch in adopted for job in batch) == sorted(job.id for job in jobs)
    assert {job.epoch for batch in adopted for job in batch} == {2}


async def test_a_living_process_keeps_its_jobs_when_another_starts(postgres_only, opened, sample):
    first = await opened(process_id="a")
    await first.jobs.open([sample.draft()], sample.now)
    second = await opened(process_id="b")
    assert await second.leases.adopt(sample.now) == []
    assert len(await first.leases.unfinished()) == 1


async def test_the_pace_is_shared_by_processes(postgres_only, opened, sample):
    stores = [await opened() for _ in range(3)]
    starts = await asyncio.gather(*(stores[n % 3].leases.take_slot("k", 60, sample.now) for n in range(30)))
    assert sorted(starts) == [sample.now + timedelta(seconds=n) for n in range(30)]


@pytest.fixture
def postgres_only(store_url):
    if not store_url.startswith("postgresql"):
        pytest.skip("SQLite has one process")
