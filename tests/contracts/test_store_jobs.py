"""What every store does with jobs and their money."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports import Batch
from bot.rules.ledger import FINAL, NEXT, Bill, DuplicateEvent, IllegalStep, JobState, LostLease
from bot.rules.limits.decide import Refused, Subject
from bot.rules.limits.limit import Period
from bot.rules.requests import Endpoint, Kind
from tests.support.ledger import left_delivered, use_now


async def test_an_opened_job_is_read_back_as_it_was_given(store, sample):
    asker = sample.asker(role_ids=frozenset({3, 2}), parent_id=99, can_manage=True, locale="de")
    draft = sample.draft(asker, images=2, micro_usd=1234, prompt="naïve \0 \ud800 fox 🦊", parent_id="P" * 20)
    [job] = await store.jobs.open([draft], sample.now)
    found = await store.jobs.get(job.id)
    assert found == job
    assert (found.asker, found.request, found.answer) == (asker, draft.request, draft.answer)
    assert (found.state, found.epoch, found.reserved_micro_usd) == (JobState.RESERVED, 1, 1234)
    assert len(job.id) == 20


async def test_a_job_that_is_not_there_is_none(store):
    assert await store.jobs.get("0" * 20) is None


async def test_money_moves_from_reserved_to_spent_and_the_rest_comes_back(store, sample, made):
    [job] = await store.jobs.open([sample.draft(micro_usd=1000)], sample.now)
    use = await use_now(store, sample.asker(), sample.now)
    assert use.counters[Subject.SERVER, Period.MONTH].micro_usd == 1000
    done = await made(store, job, micro_usd=400)
    assert (done.reserved_micro_usd, done.charged_micro_usd, done.state) == (0, 400, JobState.SETTLED)
    use = await use_now(store, sample.asker(), sample.now)
    assert use.counters[Subject.SERVER, Period.MONTH].micro_usd == 400
    assert use.counters[Subject.MEMBER, Period.NOW].running == 0
    assert await store.audit_sums() == []


async def test_words_count_no_picture_and_are_kept_with_their_charge(store, sample):
    draft = sample.draft(micro_usd=1000)
    asked = replace(draft.request, kind=Kind.DESCRIBE, endpoint=Endpoint.CHAT, count=0)
    [job] = await store.jobs.open([replace(draft, request=asked)], sample.now)
    job = await store.jobs.dispatch(job, sample.now)
    job = await store.jobs.produce(job, Bill(images=0, charged_micro_usd=40), "a red fox", sample.now)
    found = await store.jobs.get(job.id)
    assert (found.request, found.revised_prompt, found.charged_micro_usd) == (asked, "a red fox", 40)
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.requests, used.images, used.micro_usd) == (1, 0, 40)
    assert await store.audit_sums() == []


async def test_a_refund_counts_for_nothing(store, sample):
    [job] = await store.jobs.open([sample.draft(images=3, micro_usd=1000)], sample.now)
    job = await store.jobs.dispatch(job, sample.now)
    job = await store.jobs.release(job, "because", sample.now)
    assert (job.reserved_micro_usd, job.charged_micro_usd, job.reason) == (0, 0, "because")
    for used in (await use_now(store, sample.asker(), sample.now)).counters.values():
        assert (used.requests, used.images, used.micro_usd, used.running) == (0, 0, 0, 0)
    assert await store.audit_sums() == []


@pytest.mark.parametrize(("ending", "charged"), [("refuse", 0), ("lose", 1000)])
async def test_what_was_sent_counts_whatever_came_of_it(opened, sample, ending, charged):
    store = await opened(sample.cooldown(30), sample.limit("everyone", "images", "day", 3))
    [job] = await store.jobs.open([sample.draft(images=3, micro_usd=1000)], sample.now)
    job = await store.jobs.dispatch(job, sample.now)
    await getattr(store.jobs, ending)(job, "because", sample.now)

    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.requests, used.images, used.micro_usd, used.running) == (1, 3, charged, 0)
    with pytest.raises(Refused) as refused:
        await store.jobs.open([sample.draft()], sample.now + timedelta(seconds=1))
    assert {type(refusal.limit).__name__ for refusal in refused.value.refusals} == {"Cooldown", "Quota"}
    assert await store.audit_sums() == []


@pytest.mark.parametrize("ending", ["refuse", "lose"])
async def test_a_batch_of_which_anything_was_sent_is_one_request(store, sample, ending):
    jobs = await store.jobs.open(sample.batch(3, images=2), sample.now)
    sent = await store.jobs.dispatch(jobs[1], sample.now)
    for job, step in ((jobs[0], "release"), (sent, ending), (jobs[2], "release")):
        await getattr(store.jobs, step)(job, "", sample.now)
        assert await store.audit_sums() == []
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.requests, used.images, used.running) == (1, 2, 0)


async def test_what_may_have_been_billed_stays_charged_and_counted(store, sample):
    [job] = await store.jobs.open([sample.draft(images=3, micro_usd=1000)], sample.now)
    job = await store.jobs.lose(await store.jobs.dispatch(job, sample.now), "connection lost", sample.now)
    assert (job.state, job.reserved_micro_usd, job.charged_micro_usd) == (JobState.UNKNOWN, 0, 1000)
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.requests, used.images, used.micro_usd, used.running) == (1, 3, 1000, 0)
    [line] = await store.figures.by_day(sample.asker().place, None, sample.now - timedelta(days=1))
    assert (line.images, line.micro_usd, line.unknown_micro_usd) == (0, 1000, 1000)
    assert await store.audit_sums() == []


async def test_fewer_pictures_than_asked_give_the_others_back(store, sample, made):
    [job] = await store.jobs.open([sample.draft(images=4)], sample.now)
    await made(store, job, images=3)
    assert (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY].images == 3
    assert await store.audit_sums() == []


async def test_more_pictures_than_asked_never_pass_a_quota(opened, sample, made):
    store = await opened(sample.limit("everyone", "images", "day", 2))
    [job] = await store.jobs.open([sample.draft(images=2)], sample.now)
    await made(store, job, images=5)
    assert (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY].images == 2
    assert await store.audit_sums() == []


async def test_every_step_the_table_does_not_know_is_an_error_and_changes_nothing(store, sample):
    async def go(job, to):
        match to:
            case JobState.DISPATCHED:
                return await store.jobs.dispatch(job, sample.now)
            case JobState.PRODUCED:
                return await store.jobs.produce(job, sample.bill(5), None, sample.now)
            case JobState.DELIVERED:
                if job.state is JobState.PRODUCED:
                    return await left_delivered(store, job)
                return await store.jobs.conclude(job, 1, 2, sample.now)
            case JobState.SETTLED:
                return await store.jobs.settle(job, sample.now)
            case JobState.REFUSED:
                return await store.jobs.refuse(job, "", sample.now)
            case JobState.RELEASED:
                return await store.jobs.release(job, "", sample.now)
            case JobState.UNKNOWN:
                return await store.jobs.lose(job, "", sample.now)

    ways = {JobState.RESERVED: [], JobState.RELEASED: [JobState.RELEASED]}
    for state, before in (("DISPATCHED", ()), ("PRODUCED", ("DISPATCHED",)), ("REFUSED", ("DISPATCHED",))):
        ways[JobState[state]] = [JobState[name] for name in (*before, state)]
    ways[JobState.UNKNOWN] = [JobState.DISPATCHED, JobState.UNKNOWN]
    ways[JobState.DELIVERED] = [*ways[JobState.PRODUCED], JobState.DELIVERED]
    ways[JobState.SETTLED] = [*ways[JobState.DELIVERED], JobState.SETTLED]
    assert ways.keys() == NEXT.keys()
    for state, way in ways.items():
        [job] = await store.jobs.open([sample.draft(micro_usd=9)], sample.now)
        for step in way:
            job = await go(job, step)
        assert job.state is state
        for wrong in set(JobState) - NEXT[state] - {JobState.RESERVED}:
            with pytest.raises(IllegalStep):
                await go(job, wrong)
        assert await store.jobs.get(job.id) == job
    assert await store.audit_sums() == []


async def test_who_comes_second_gets_lost_lease(store, sample):
    [job] = await store.jobs.open([sample.draft(micro_usd=100)], sample.now)
    outcomes = await asyncio.gather(
        store.jobs.dispatch(job, sample.now), store.jobs.release(job, "cancelled", sample.now), return_exceptions=True
    )
    assert sum(isinstance(outcome, LostLease) for outcome in outcomes) == 1
    assert await store.audit_sums() == []


async def test_a_step_taken_twice_moves_money_once(store, sample):
    [job] = await store.jobs.open([sample.draft(micro_usd=100)], sample.now)
    job = await store.jobs.dispatch(job, sample.now)
    outcomes = await asyncio.gather(
        *(store.jobs.produce(job, sample.bill(60), None, sample.now) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(outcome, LostLease) for outcome in outcomes) == 4
    assert (await use_now(store, sample.asker(), sample.now)).counters[Subject.SERVER, Period.MONTH].micro_usd == 60


async def test_the_same_event_makes_one_job_however_often_it_comes(store, sample):
    drafts = [sample.draft(event="click-1") for _ in range(8)]
    outcomes = await asyncio.gather(*(store.jobs.open([draft], sample.now) for draft in drafts), return_exceptions=True)
    [[job]] = [outcome for outcome in outcomes if isinstance(outcome, list)]
    again = [outcome for outcome in outcomes if not isinstance(outcome, list)]
    assert {type(error) for error in again} == {DuplicateEvent}
    assert {error.job_id for error in again} == {job.id}
    assert await store.audit_sums() == []


async def test_a_replayed_event_is_a_duplicate_even_where_the_limit_is_used_up(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 1))
    outcomes = await asyncio.gather(
        *(store.jobs.open([sample.draft(event="click-1")], sample.now) for _ in range(6)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DuplicateEvent"] * 5 + ["list"]


async def test_a_token_is_gone_when_the_job_has_ended(store, sample, made):
    [job] = await store.jobs.open([sample.draft()], sample.now)
    assert job.answer.token == "interaction-token"
    done = await made(store, job)
    assert done.answer.token == ""
    assert (await store.jobs.get(job.id)).answer.channel_id == 100


async def test_a_token_is_wiped_when_its_interaction_has_expired(hand, opened, sample):
    store = await opened()
    [job] = await store.jobs.open([sample.draft()], sample.now)
    await hand.on(14 * 60)
    await store.leases.heartbeat()
    assert (await store.jobs.get(job.id)).answer.token == "interaction-token"
    await hand.on(60)
    await store.leases.heartbeat()
    assert (await store.jobs.get(job.id)).answer.token == ""


async def test_the_deferred_message_is_remembered_whatever_state_the_job_is_in(store, sample):
    [job] = await store.jobs.open([sample.draft()], sample.now)
    await store.jobs.dispatch(job, sample.now)
    moved = await store.jobs.set_answer_message(job, 777)
    assert (moved.answer.message_id, moved.state) == (777, JobState.DISPATCHED)


@pytest.mark.parametrize("step", ["dispatch", "release"])
async def test_the_first_step_writes_the_message_that_its_job_knows_of(store, sample, step):
    [job] = await store.jobs.open([sample.draft()], sample.now)
    acknowledged = replace(job, answer=replace(job.answer, message_id=777))
    given = (sample.now,) if step == "dispatch" else ("reason", sample.now)
    moved = await getattr(store.jobs, step)(acknowledged, *given)
    assert moved.answer.message_id == (await store.jobs.get(job.id)).answer.message_id == 777


async def test_a_step_by_somebody_who_knows_no_message_leaves_the_one_that_is_known(store, sample):
    [job] = await store.jobs.open([sample.draft()], sample.now)
    await store.jobs.set_answer_message(job, 777)
    moved = await store.jobs.dispatch(job, sample.now)
    assert moved.answer.message_id == (await store.jobs.get(job.id)).answer.message_id == 777


async def test_a_result_that_waits_is_offered_to_its_maker_in_its_place(store, sample):
    [job] = await store.jobs.open([sample.draft()], sample.now)
    job = await store.jobs.produce(await store.jobs.dispatch(job, sample.now), sample.bill(), None, sample.now)
    assert await store.jobs.waiting(sample.asker().place, 1) == []
    job = await store.jobs.set_waiting(job, True)
    assert [found.id for found in await store.jobs.waiting(sample.asker().place, 1)] == [job.id]
    assert await store.jobs.waiting(sample.asker(guild=11).place, 1) == []
    assert await store.jobs.waiting(sample.asker().place, 2) == []
    done = await store.jobs.conclude(job, 5, 6, sample.now)
    assert (done.waiting, done.message_id, done.message_channel_id) == (False, 5, 6)
    assert await store.jobs.waiting(sample.asker().place, 1) == []


@pytest.mark.parametrize("end", ["release", "refuse", "lose", "conclude"])
async def test_a_job_that_makes_no_picture_keeps_the_books_balanced(store, sample, end):
    draft = sample.draft(micro_usd=30)
    [job] = await store.jobs.open([replace(draft, request=replace(draft.request, count=0))], sample.now)
    job = await store.jobs.dispatch(job, sample.now)
    if end == "conclude":
        job = await store.jobs.produce(job, Bill(30, 0), None, sample.now)
        await store.jobs.conclude(job, None, None, sample.now)
    else:
        await getattr(store.jobs, end)(job, "", sample.now)
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    spent = 30 if end in ("lose", "conclude") else 0
    assert (used.requests, used.images, used.micro_usd) == (0 if end == "release" else 1, 0, spent)
    assert await store.audit_sums() == []


async def test_the_jobs_shown_in_a_message_are_found_by_how_their_ids_begin(store, sample, made):
    first, second, elsewhere = await store.jobs.open(sample.batch(3), sample.now)
    for job, message in ((first, 5), (second, 5), (elsewhere, 6)):
        moved = await store.jobs.produce(await store.jobs.dispatch(job, sample.now), sample.bill(), None, sample.now)
        await store.jobs.conclude(moved, message, 7, sample.now)
    begun = [job.id[:12] for job in (second, first, elsewhere)]
    assert [job.id for job in await store.jobs.shown_in(5, begun)] == [first.id, second.id]
    assert [job.id for job in await store.jobs.shown_in(6, [first.id, second.id])] == []
    assert [job.id for job in await store.jobs.shown_in(None, [elsewhere.id])] == [elsewhere.id]
    assert await store.jobs.shown_in(5, []) == []
    assert await store.jobs.shown_in(5, ["%", "ZZZZ"]) == []


# batches


async def test_a_batch_is_one_request_and_one_job_at_once(opened, sample):
    store = await opened(sample.limit("everyone", "requests", "day", 1), sample.limit("everyone", "jobs", "now", 1))
    jobs = await store.jobs.open(sample.batch(5, micro_usd=10), sample.now)
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.requests, used.images, used.micro_usd, used.running) == (1, 5, 50, 1)
    assert [job.batch_line for job in await store.jobs.of_batch("batch")] == [0, 1, 2, 3, 4]
    assert await store.audit_sums() == []
    assert [job.id for job in jobs] == sorted(job.id for job in jobs)


async def test_a_batch_is_running_until_its_last_line_has_ended(store, sample):
    jobs = await store.jobs.open(sample.batch(4), sample.now)
    for number, job in enumerate(jobs):
        used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.NOW]
        assert used.running == 1, number
        await store.jobs.release(job, "", sample.now)
        assert await store.audit_sums() == []
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.NOW]
    assert (used.running, used.requests, used.images) == (0, 0, 0)


async def test_a_batch_with_one_picture_made_is_still_one_request(store, sample, made):
    jobs = await store.jobs.open(sample.batch(3), sample.now)
    await made(store, jobs[1])
    for job in (jobs[0], jobs[2]):
        await store.jobs.release(job, "", sample.now)
    used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.DAY]
    assert (used.running, used.requests, used.images) == (0, 1, 1)
    assert await store.audit_sums() == []


async def test_lines_that_end_at_the_same_moment_end_the_batch_once(store, sample):
    for round_number in range(5):
        jobs = await store.jobs.open(sample.batch(6, name=f"batch-{round_number}"), sample.now)
        await asyncio.gather(*(store.jobs.release(job, "", sample.now) for job in jobs))
        used = (await use_now(store, sample.asker(), sample.now)).counters[Subject.MEMBER, Period.NOW]
        assert (used.running, used.requests) == (0, 0)
    assert await store.audit_sums() == []


async def test_a_batch_that_does_not_fit_is_refused_as_a_whole(opened, sample):
    store = await opened(sample.limit("server", "dollars", "month", 49))
    with pytest.raises(Refused) as refused:
        await store.jobs.open(sample.batch(5, micro_usd=10), sample.now)
    [refusal] = refused.value.refusals
    assert (refusal.used, refusal.asked) == (0, 50)
    assert await store.jobs.of_batch("batch") == []
    assert await store.audit_sums() == []


async def test_a_batch_is_kept_with_its_lines_and_its_progress(store, sample):
    asker = sample.asker()
    batch = Batch("batch", asker, ("a fox", "a \ud800 hen"), sample.now, 100, overnight=True)
    await store.jobs.open_batch(batch, sample.batch(2), sample.now)
    assert await store.jobs.get_batch("batch") == batch
    assert await store.jobs.unfinished_batches() == [batch]
    await store.jobs.save_batch(Batch("batch", asker, batch.lines, sample.now, 100, message_id=9, finished=True))
    assert (await store.jobs.get_batch("batch")).message_id == 9
    assert await store.jobs.unfinished_batches() == []
    assert await store.jobs.get_batch("none") is None


async def test_a_refused_batch_leaves_no_batch(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 1))
    with pytest.raises(Refused):
        await store.jobs.open_batch(
            Batch("batch", sample.asker(), ("a", "b"), sample.now, 100), sample.batch(2), sample.now
        )
    assert await store.jobs.get_batch("batch") is None


def test_every_final_state_is_one_the_store_wipes_tokens_in():
    assert {JobState.SETTLED, JobState.REFUSED, JobState.RELEASED, JobState.UNKNOWN} == FINAL


async def test_jobs_that_are_opened_together_have_one_asker_and_one_key(store, sample):
    for other in (sample.draft(sample.asker(2)), sample.draft(own_key=True)):
        with pytest.raises(ValueError, match="one asker and one key"):
            await store.jobs.open([sample.draft(), other], sample.now)
    assert await store.audit_sums() == []
