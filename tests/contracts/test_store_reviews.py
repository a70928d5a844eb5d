"""Reviews: what stands together, who decides, and what is shown anew."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.rules.ledger import JobState
from bot.rules.people import Place
from bot.rules.servers.edits import reviewed_in

SERVER = Place(10, 1)


async def opened(store, sample, count: int = 3):
    return [(await store.jobs.open([sample.draft()], sample.now))[0] for _ in range(count)]


async def before_moderators(store, sample):
    """One whose pictures wait for the moderators."""
    (job,) = await opened(store, sample, 1)
    job = await store.jobs.dispatch(job, sample.now)
    job = await store.jobs.produce(job, sample.bill(), None, sample.now)
    await store.jobs.set_waiting(job, True)
    await store.reviews.open([job])
    return job


async def test_jobs_that_are_seen_together_are_one_group(store, sample):
    first, second, third = await opened(store, sample)
    held = await store.reviews.open([first, second])
    assert {one.group_id for one in held} == {first.id}
    assert await store.reviews.open([first, second]) == held  # nobody knows of a message yet
    await store.reviews.stands(first.id, 5, 6)
    assert await store.reviews.open([first, second]) == []

    late = await store.reviews.open([second, third])

    assert [(one.job_id, one.group_id) for one in late] == [(third.id, third.id)]
    assert [one.job_id for one in await store.reviews.of_group(first.id)] == [first.id, second.id]


async def test_what_waits_elsewhere_is_in_nobody_elses_group_and_stands_without_a_number_too(store, sample):
    first, second = await opened(store, sample, 2)
    await store.reviews.open([first])
    assert [one.job_id for one in await store.reviews.open([second])] == [second.id]
    assert [one.job_id for one in await store.reviews.of_group(second.id)] == [second.id]
    await store.reviews.stands(second.id, 5, None)
    assert await store.reviews.open([second]) == []


async def test_what_became_of_a_picture_is_told_with_the_channel_it_goes_to_by_now(store, sample):
    seen, other = await opened(store, sample, 2)
    await store.reviews.open([seen])
    channel_id, review = await store.reviews.of_job(seen)
    assert (channel_id, review is not None and review.approved) == (None, False)
    await store.servers.change_settings(SERVER, reviewed_in(77), 9, sample.now)
    await store.reviews.approve(seen.id)
    channel_id, review = await store.reviews.of_job(seen)
    assert (channel_id, review is not None and review.approved) == (77, True)
    assert await store.reviews.of_job(other) == (77, None)


async def test_of_many_who_decide_one_does_and_who_was_cut_off_leaves_it(store, sample):
    (job,) = await opened(store, sample, 1)
    await store.reviews.open([job])
    taken = await asyncio.gather(*(store.reviews.take(job.id, sample.now) for _ in range(5)))
    assert sorted(taken) == [False, False, False, False, True]
    assert not await store.reviews.take(job.id, sample.now + timedelta(minutes=1))
    assert await store.reviews.take(job.id, sample.now + timedelta(minutes=3))
    await store.reviews.leave(job.id)
    assert await store.reviews.take(job.id, sample.now + timedelta(minutes=3))


async def test_what_is_undecided_is_shown_anew_each_by_itself(store, sample):
    first, second, third = await opened(store, sample)
    await store.reviews.open([first, second])
    await store.reviews.stands(first.id, 5, 6)
    await store.reviews.open([third])
    await store.reviews.approve(third.id)
    pending = await store.reviews.pending(SERVER)
    assert [(one.job_id, one.group_id, one.message_id) for one in pending] == [
        (first.id, first.id, None),
        (second.id, second.id, None),
    ]
    assert await store.reviews.pending(Place(11, 1)) == []
    await store.reviews.drop(first.id)
    assert await store.reviews.of_job(first) == (None, None)


async def test_what_stands_in_no_message_is_known_until_it_does_or_is_approved(store, sample):
    first, second, third = await opened(store, sample)
    await store.reviews.open([first, second])
    await store.reviews.open([third])
    assert [one.job_id for one in await store.reviews.unseen()] == [first.id, second.id, third.id]
    await store.reviews.stands(first.id, 5, None)
    await store.reviews.approve(third.id)
    assert await store.reviews.unseen() == []


async def test_what_waits_of_a_person_is_known_until_they_are_forgotten_and_ends_then(store, sample):
    job = await before_moderators(store, sample)
    assert [one.job_id for one in await store.reviews.of_maker(job.asker.user_id)] == [job.id]
    assert await store.reviews.of_maker(job.asker.user_id + 1) == []
    await store.people.forget(job.asker.user_id)
    assert await store.reviews.of_maker(job.asker.user_id) == []
    ended = await store.jobs.get(job.id)
    assert (ended.state, ended.waiting, ended.deleted) == (JobState.SETTLED, False, True)
    assert ended.charged_micro_usd == job.charged_micro_usd
    assert await store.audit_sums() == []


async def test_nobody_fetches_what_waits_for_moderators(store, sample):
    job = await before_moderators(store, sample)
    assert await store.jobs.waiting(SERVER, 1) == []
    await store.reviews.approve(job.id)
    assert [one.id for one in await store.jobs.waiting(SERVER, 1)] == [job.id]
    await store.people.forget_place(SERVER)
    assert await store.reviews.of_job(job) == (None, None)
