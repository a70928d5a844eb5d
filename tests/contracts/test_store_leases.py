"""Leases, adoption and pacing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.ports import Setup
from bot.rules.ledger import JobState, LostLease


async def test_a_new_life_of_the_process_adopts_what_the_last_one_left(opened, sample, made):
    first = await opened(process_id="easel-0")
    jobs = [(await first.jobs.open([sample.draft(micro_usd=5)], sample.now))[0] for _ in range(3)]
    jobs[1] = await first.jobs.dispatch(jobs[1], sample.now)
    await made(first, jobs[2])
    assert await first.leases.adopt() == []
    assert [job.id for job in await first.leases.unfinished()] == [jobs[0].id, jobs[1].id]
    await first.aclose()
    second = await opened(process_id="easel-0")
    assert await second.leases.held() == []
    adopted = await second.leases.adopt()
    assert {(job.id, job.state, job.epoch) for job in adopted} == {
        (jobs[0].id, JobState.RESERVED, 2),
        (jobs[1].id, JobState.DISPATCHED, 2),
    }
    assert await second.leases.unfinished() == adopted
    assert {(one.job_id, one.batch_id, one.waiting) for one in await second.leases.held()} == {
        (job.id, None, False) for job in adopted
    }
    assert await second.leases.adopt() == []
    with pytest.raises(LostLease):
        await second.jobs.release(jobs[0], "", sample.now)
    by_id = {job.id: job for job in adopted}
    await second.jobs.release(by_id[jobs[0].id], "restart", sample.now)
    await second.jobs.lose(by_id[jobs[1].id], "restart", sample.now)
    assert await second.leases.unfinished() == []
    assert await second.audit_sums() == []


# pacing


@pytest.fixture
async def paced(hand, opened):
    """Leases in a time that stands still unless the test moves it."""
    return (await opened()).leases


async def test_pacing_gives_each_its_own_slot_across_tasks(paced):
    waits = await asyncio.gather(*(paced.take_slot("openai", 5) for _ in range(10)))
    assert sorted(waits) == [12 * n for n in range(10)]


async def test_a_slot_is_free_again_after_a_pause(hand, paced):
    assert await paced.take_slot("k", 60) == 0
    await hand.on(10)
    assert await paced.take_slot("k", 60) == 0
    assert await paced.take_slot("k", 60) == 1
    assert await paced.take_slot("other", 60) == 0


async def test_a_request_for_four_pictures_takes_four_slots(paced):
    assert await paced.take_slot("k", 60, cost=4) == 0
    assert await paced.take_slot("k", 60) == 4


async def test_a_slot_that_was_not_used_is_given_back(paced):
    slot = await paced.hold_slot("k", 60, cost=10)
    await paced.give_slot("k", slot)
    assert await paced.take_slot("k", 60) == 0


async def test_a_slot_given_back_after_somebody_took_the_next_moves_nobody_together(paced):
    first = await paced.hold_slot("k", 60, cost=10)
    assert await paced.take_slot("k", 60) == 10
    await paced.give_slot("k", first)
    assert await paced.take_slot("k", 60) == 11


async def test_a_slot_given_back_never_shortens_what_the_service_asked_for(paced):
    slot = await paced.hold_slot("k", 60)
    await paced.push_slots("k", 30)
    await paced.give_slot("k", slot)
    assert await paced.take_slot("k", 60) == 30


async def test_retry_after_moves_everybody_and_never_forward(paced):
    await paced.push_slots("k", 30)
    await paced.push_slots("k", 20)
    assert await paced.take_slot("k", 60) == 30
    assert await paced.take_slot("k", 60) == 31


async def test_a_pace_that_is_none_is_an_error(store):
    for pace, cost in ((0, 1), (-1, 1), (5, 0)):
        with pytest.raises(ValueError, match=r"."):
            await store.leases.take_slot("k", pace, cost=cost)


@pytest.mark.parametrize("ahead_s", [60, 3600, 86_400 * 400], ids=["a minute", "an hour", "over a leap day"])
async def test_a_clock_that_ran_ahead_for_a_moment_holds_nobody_back(hand, paced, ahead_s):
    await hand.on(ahead_s)
    assert await paced.take_slot("identify 0", 60 / 5.1) == 0
    await paced.push_slots("images operator", 30)
    await hand.on(-ahead_s)
    assert await paced.take_slot("identify 0", 60 / 5.1) == 0
    assert await paced.take_slot("images operator", 60) == 0
    assert await paced.take_slot("identify 0", 60 / 5.1) == 5.1


async def test_no_slot_is_given_twice_when_a_clock_is_set_by_a_hair(hand, paced):
    assert await paced.take_slot("k", 60) == 0
    await hand.on(-0.5)
    assert await paced.take_slot("k", 60) == 1.5


# several processes, which only PostgreSQL has


async def beats(hand, *stores, seconds=75):
    """So many seconds in which each of them is heard as always."""
    for _ in range(seconds // 15):
        await hand.on(15)
        for store in stores:
            await store.leases.heartbeat()


@pytest.fixture
async def pair(postgres_only, hand, opened):
    """Two processes that have lived together for a while, and a job that the first one draws."""
    first, second = await opened(), await opened()
    await beats(hand, first, second)
    return first, second


@pytest.fixture
async def drawing(pair, sample):
    [job] = await pair[0].jobs.open([sample.draft()], sample.now)
    return await pair[0].jobs.dispatch(job, sample.now)


async def test_a_silent_process_is_dead_after_a_minute(pair, hand, drawing, sample):
    first, second = pair
    await beats(hand, second, seconds=60)
    assert await second.leases.adopt() == []
    await hand.on(1)
    [adopted] = await second.leases.adopt()
    assert (adopted.id, adopted.epoch) == (drawing.id, 2)
    with pytest.raises(LostLease):
        await first.jobs.produce(drawing, sample.bill(), None, sample.now)
    assert (await second.jobs.lose(adopted, "restart", sample.now)).state is JobState.UNKNOWN
    assert await first.leases.unfinished() == []


async def test_two_processes_that_adopt_at_once_share_nothing(postgres_only, hand, opened, sample):
    first = await opened()
    jobs = [(await first.jobs.open([sample.draft()], sample.now))[0] for _ in range(20)]
    others = [await opened() for _ in range(4)]
    await beats(hand, *others)
    adopted = await asyncio.gather(*(other.leases.adopt() for other in others))
    assert sorted(job.id for batch in adopted for job in batch) == sorted(job.id for job in jobs)
    assert {job.epoch for batch in adopted for job in batch} == {2}


async def test_a_living_process_keeps_its_jobs_when_another_starts(postgres_only, opened, sample):
    first = await opened(process_id="a")
    await first.jobs.open([sample.draft()], sample.now)
    second = await opened(process_id="b")
    assert await second.leases.adopt() == []
    assert len(await first.leases.unfinished()) == 1


@pytest.mark.parametrize("apart", [90, -90, 86_400], ids=["ahead", "behind", "a day ahead"])
async def test_machines_whose_clocks_differ_take_nothing_from_each_other(pair, hand, opened, drawing, apart):
    first, _ = pair
    other = await opened(clock=lambda: hand.now + timedelta(seconds=apart))
    await beats(hand, first, other, seconds=90)
    assert await other.leases.adopt() == []
    await first.leases.confirm(drawing)


@pytest.mark.parametrize("away_s", [30, 70, 600, 86_400])
async def test_after_an_outage_of_the_ledger_nobody_takes_the_jobs_of_the_living(pair, hand, drawing, away_s, sample):
    first, second = pair
    await hand.on(away_s)  # nobody could write a heartbeat; the second comes back first
    assert await second.leases.adopt() == []
    await hand.on(20)
    await first.leases.heartbeat()
    await beats(hand, first, second)
    assert await second.leases.adopt() == []
    await first.jobs.produce(drawing, sample.bill(), None, sample.now)


async def test_after_an_outage_the_jobs_of_who_died_in_it_are_taken_a_lease_later(pair, hand, drawing):
    _, second = pair
    await hand.on(600)
    assert await second.leases.adopt() == []
    await beats(hand, second, seconds=60)
    assert [job.id for job in await second.leases.adopt()] == [drawing.id]


@pytest.mark.parametrize("jump_s", [3600, -3600, 86_400 * 366])
async def test_when_the_ledgers_own_clock_is_set_nobody_takes_the_jobs_of_the_living(pair, hand, drawing, jump_s):
    first, second = pair
    hand.now += timedelta(seconds=jump_s)
    await hand.set_server(hand.now)
    assert await second.leases.adopt() == []
    await first.leases.heartbeat()
    await beats(hand, first, second)
    assert await second.leases.adopt() == []


async def test_a_dead_process_is_dead_although_the_ledgers_clock_was_set_back(pair, hand, drawing):
    _, second = pair
    hand.now -= timedelta(hours=1)
    await hand.set_server(hand.now)
    assert await second.leases.adopt() == []
    await beats(hand, second)
    assert [job.id for job in await second.leases.adopt()] == [drawing.id]


async def test_who_was_suspended_finds_out_before_anything_is_sent(pair, hand, drawing, sample):
    """The machine slept for two minutes, between writing that a job is sent and sending it."""
    first, second = pair
    await beats(hand, second, seconds=120)
    [taken] = await second.leases.adopt()
    with pytest.raises(LostLease):
        await first.leases.confirm(drawing)
    [other] = await first.jobs.open([sample.draft()], sample.now)
    await first.leases.confirm(other)
    await second.leases.confirm(taken)


async def test_who_was_suspended_and_lost_nothing_goes_on(pair, hand, drawing):
    first, second = pair
    await hand.on(120)
    await first.leases.confirm(drawing)
    assert await second.leases.adopt() == []
    await first.leases.confirm(drawing)


async def test_the_pace_is_shared_by_processes(postgres_only, hand, opened):
    stores = [await opened() for _ in range(3)]
    waits = await asyncio.gather(*(stores[n % 3].leases.take_slot("k", 60) for n in range(30)))
    assert sorted(waits) == [*range(30)]


@pytest.fixture
def postgres_only(store_url):
    if not store_url.startswith("postgresql"):
        pytest.skip("SQLite has one process")


# pictures that only one process sees


async def test_a_produced_job_that_was_left_is_taken_only_where_its_pictures_lie(opened, sample):
    at_work = await opened(process_id="a", places=("disk-a",))
    (job,) = await at_work.jobs.open([sample.draft(micro_usd=9)], sample.now)
    job = await at_work.jobs.dispatch(job, sample.now)
    job = await at_work.jobs.produce(job, sample.bill(5), None, sample.now)
    assert job.pictures_at == "disk-a"
    await at_work.leases.leave(job)
    with pytest.raises(LostLease):
        await at_work.leases.leave(job)
    await at_work.aclose()

    other = await opened(process_id="b", places=("disk-b",))
    assert await other.leases.adopt() == []
    await other.aclose()
    back = await opened(process_id="a", places=("disk-a",))
    (found,) = await back.leases.adopt()
    assert (found.id, found.state, found.epoch) == (job.id, JobState.PRODUCED, job.epoch + 2)
    assert await back.leases.adopt() == []


async def test_what_was_unknown_is_charged_as_it_was_billed_once_its_pictures_are_found(opened, sample):
    store = await opened(process_id="a", places=("disk-a",))
    drafts = [sample.draft(micro_usd=9, images=2) for _ in range(2)]
    first, second = [(await store.jobs.open([draft], sample.now))[0] for draft in drafts]
    lost = [
        await store.jobs.lose(await store.jobs.dispatch(job, sample.now), "", sample.now) for job in (first, second)
    ]
    assert await store.leases.unknown_here(sample.now) == lost

    found = await store.jobs.retrieve(lost[0], sample.bill(5), "revised", sample.now)

    assert (found.state, found.charged_micro_usd, found.finished_at) == (JobState.PRODUCED, 5, None)
    assert found.revised_prompt == "revised"
    assert await store.audit_sums() == []
    assert await store.leases.unknown_here(sample.now) == lost[1:]
    assert await store.leases.unfinished() == [found]
    with pytest.raises(LostLease):
        await store.jobs.retrieve(lost[0], sample.bill(5), None, sample.now)
    await store.jobs.conclude(found, 500, 100, sample.now)
    await store.aclose()
    other = await opened(process_id="b", places=("disk-b",))
    assert await other.leases.unknown_here(sample.now) == []


async def test_a_process_that_works_on_jobs_says_what_all_must_agree_on(opened):
    setup = Setup(4, "seal", "disk-a")
    at_work = await opened(process_id="a", setup=setup)
    await at_work.leases.heartbeat()
    assert [replace(said, ahead_s=0) for said in await at_work.leases.setups()] == [setup]


@pytest.mark.parametrize("off_s", [600, -600, 0])
async def test_a_process_says_how_far_its_clock_is_from_the_databases(opened, store_url, off_s):
    clock = lambda: datetime.now(UTC) + timedelta(seconds=off_s)  # noqa: E731
    at_work = await opened(process_id="a", setup=Setup(4, "seal", "disk-a"), clock=clock)
    await at_work.leases.heartbeat()
    (said,) = await at_work.leases.setups()
    assert said.ahead_s == 0 if store_url.startswith("sqlite") else abs(said.ahead_s - off_s) < 60
