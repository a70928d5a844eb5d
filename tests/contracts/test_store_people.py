"""What is shown to a person about themselves, what is forgotten, and that amounts stay."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial

import pytest

from bot.adapters.database import SqlStore
from bot.adapters.database.notes import write_note
from bot.ports import Batch
from bot.rules.errors import OwnKeyGone
from bot.rules.ledger import JobState
from bot.rules.limits.decide import Refused, Subject
from bot.rules.limits.limit import Period
from bot.rules.people import Place
from bot.rules.servers.access import Block, ServerSettings
from tests.support.ledger import use_now
from tests.support.people import becomes

SERVER = Place(10, 1)
ME = 4242424242


async def noted(store: SqlStore, key: str, value: str) -> None:
    await store.database.write(partial(write_note, store.database, key=key, value=value))


async def everything(store):
    """All text of all tables, to look for what must be gone."""
    from sqlalchemy import select

    from bot.adapters.database.schema.tables import metadata

    async with store.database.reading() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in await connection.execute(select(table))]
    return "\n".join(rows)


async def test_forgetting_a_member_takes_words_and_ids_and_leaves_amounts(opened, sample, made):
    store = await opened(sample.limit("server", "dollars", "month", 1000))
    me, other = sample.asker(ME), sample.asker(2)
    mine = [
        await made(
            store,
            (await store.jobs.open([sample.draft(who, prompt="my secret wish", micro_usd=100)], sample.now))[0],
            90,
        )
        for who in (me, me, sample.asker(ME, guild=None))
    ]
    theirs = await made(store, (await store.jobs.open([sample.draft(other, micro_usd=100)], sample.now))[0], 50)
    await store.jobs.open_batch(Batch("b", me, ("my secret wish",), sample.now, 100), sample.batch(1, me), sample.now)
    await noted(store, f"seen:{ME}", "yes")
    before = await use_now(store, other, sample.now)
    gone = await store.people.forget(ME)
    assert set(gone) >= {job.id for job in mine}
    left = await everything(store)
    assert "secret wish" not in left
    assert str(ME) not in left
    assert await store.audit_sums() == []
    after = await use_now(store, other, sample.now)
    for subject in (Subject.SERVER, Subject.OPERATOR):
        assert after.counters[subject, Period.MONTH] == before.counters[subject, Period.MONTH]
    assert await store.jobs.get(theirs.id) == theirs
    assert (await store.jobs.get(mine[0].id)).charged_micro_usd == 90
    assert {line.label: line.micro_usd for line in await store.figures.by_member(SERVER, sample.now)} == {
        "2": 50,
        "deleted": 180,
    }
    assert await store.people.forget(ME) == []


async def test_a_running_job_ends_well_after_its_maker_was_forgotten(store, sample):
    me = sample.asker(ME)
    [job] = await store.jobs.open([sample.draft(me, micro_usd=100)], sample.now)
    [alone] = await store.jobs.open([sample.draft(sample.asker(ME, guild=None), micro_usd=100)], sample.now)
    [other] = await store.jobs.open([sample.draft(me, micro_usd=100)], sample.now)
    await store.people.forget(ME)
    assert await store.audit_sums() == []
    job = await store.jobs.dispatch(job, sample.now)
    job = await store.jobs.produce(job, sample.bill(80), "a revised wish", sample.now)
    job = await store.jobs.conclude(job, 1, 2, sample.now)
    await store.jobs.release(other, "", sample.now)
    await store.jobs.lose(await store.jobs.dispatch(alone, sample.now), "", sample.now)
    assert (job.state, job.charged_micro_usd, job.revised_prompt) == (JobState.SETTLED, 80, None)
    assert await store.audit_sums() == []
    assert str(ME) not in await everything(store)


async def test_a_block_and_a_limit_on_a_person_survive_forgetting(store, sample):
    await store.servers.change_settings(SERVER, becomes(ServerSettings(blocked=(Block(ME, "spam"),))), 9, sample.now)
    await store.servers.set_limit(SERVER, sample.limit("member", "images", "day", 0, ME), 9, sample.now)
    await store.people.forget(ME)
    assert (await store.servers.settings(SERVER)).blocked == (Block(ME, "spam"),)
    assert [limit.subject_id for limit in await store.servers.limits(SERVER)] == [ME]


async def test_an_export_is_complete_only_ones_own_and_without_secrets(store, sample, made):
    me = sample.asker(ME)
    [job] = await store.jobs.open([sample.draft(me, prompt="my wish", micro_usd=9)], sample.now)
    await made(store, job, 8)
    await store.jobs.open([sample.draft(sample.asker(2), prompt="their wish")], sample.now)
    await store.jobs.open_batch(Batch("b", me, ("line one",), sample.now, 100), sample.batch(1, me), sample.now)
    await noted(store, f"seen:{ME}", "yes")
    await noted(store, f"seen:{ME}1", "no")
    await store.servers.set_limit(SERVER, sample.limit("member", "images", "day", 50, ME), 9, sample.now)
    await store.servers.change_settings(SERVER, becomes(ServerSettings(blocked=(Block(ME, "x"),))), ME, sample.now)
    found = await store.people.export(ME)
    text = json.dumps(found)
    assert [entry["request"]["prompt"] for entry in found["jobs"]] == ["my wish", "a fox"]
    assert found["batches"][0]["lines"] == ["line one"]
    assert found["facts"] == {f"seen:{ME}": "yes"}
    assert found["blocked_in"] == ["g10"]
    assert (len(found["limits"]), len(found["settings_changed"])) == (1, 1)
    assert found["counters"]
    assert "their wish" not in text
    assert "interaction-token" not in text


async def test_forgetting_a_server_leaves_only_what_the_operator_paid(opened, sample, made):
    store = await opened(sample.limit("operator", "dollars", "month", 1000))
    done = await made(store, (await store.jobs.open([sample.draft(prompt="wish", micro_usd=90)], sample.now))[0], 80)
    [running] = await store.jobs.open([sample.draft(prompt="wish", micro_usd=90)], sample.now)
    [elsewhere] = await store.jobs.open([sample.draft(sample.asker(guild=100))], sample.now)
    await store.servers.set_limit(SERVER, sample.cooldown(5), 9, sample.now)
    await store.servers.set_api_key(SERVER, "sk-secret", 9, sample.now)
    assert set(await store.people.forget_place(SERVER)) == {done.id, running.id}
    assert "wish" not in await everything(store)
    assert "'g10'" not in await everything(store)
    assert await store.servers.settings(SERVER) == ServerSettings()
    with pytest.raises(OwnKeyGone):
        await store.servers.api_key(SERVER)
    assert await store.servers.audit(SERVER) == []
    await store.jobs.release(running, "", sample.now)
    use = await use_now(store, sample.asker(), sample.now)
    assert use.counters[Subject.OPERATOR, Period.MONTH].micro_usd == 80
    assert (Subject.SERVER, Period.MONTH) not in use.counters
    assert await store.audit_sums() == []
    assert await store.jobs.get(elsewhere.id) == elsewhere
    assert await store.people.forget_place(SERVER) == []


async def test_a_purge_forgets_the_words_of_what_ended_before(store, sample, made):
    old = await made(store, (await store.jobs.open([sample.draft(prompt="old wish", micro_usd=5)], sample.now))[0], 5)
    later = sample.now + timedelta(days=40)
    [job] = await store.jobs.open([sample.draft(prompt="new wish")], later)
    new = await store.jobs.release(job, "", later)
    [open_job] = await store.jobs.open([sample.draft(prompt="open wish")], sample.now)
    assert await store.people.purge(sample.now + timedelta(days=30)) == [old.id]
    left = await everything(store)
    assert "old wish" not in left
    assert "new wish" in left
    assert "open wish" in left
    assert await store.jobs.get(new.id) == new
    assert (await store.jobs.get(old.id)).charged_micro_usd == 5
    assert await store.audit_sums() == []
    await store.jobs.release(open_job, "", later)
    assert await store.people.purge(sample.now + timedelta(days=30)) == []
    assert await store.audit_sums() == []


async def test_a_purge_gives_up_what_waited_too_long_for_delivery(store, sample):
    [job] = await store.jobs.open([sample.draft(micro_usd=5)], sample.now)
    job = await store.jobs.produce(await store.jobs.dispatch(job, sample.now), sample.bill(5), None, sample.now)
    await store.jobs.set_waiting(job, True)
    assert await store.people.purge(sample.now) == []
    cut = sample.now + timedelta(days=30)
    assert await store.people.purge(cut) == [job.id]
    found = await store.jobs.get(job.id)
    assert (found.state, found.waiting, found.charged_micro_usd) == (JobState.SETTLED, False, 5)
    assert await store.people.purge(cut) == []
    assert await store.audit_sums() == []


async def test_counters_of_windows_long_gone_are_purged_and_those_of_now_are_not(opened, sample, made):
    store = await opened(sample.limit("everyone", "images", "month", 1))
    await made(store, (await store.jobs.open([sample.draft()], sample.now))[0])
    await store.people.purge(sample.now + timedelta(hours=2))
    with pytest.raises(Refused):
        await store.jobs.open([sample.draft()], sample.now)
    assert await store.audit_sums() == []
    next_year = sample.now + timedelta(days=365)
    await made(store, (await store.jobs.open([sample.draft()], next_year))[0])
    await store.people.purge(next_year)
    assert await store.audit_sums() == []
    assert "h2026-03-14T12" not in await everything(store)
    with pytest.raises(Refused):
        await store.jobs.open([sample.draft()], next_year)


async def test_forgetting_is_no_way_around_a_quota_or_a_budget(opened, sample, made):
    defaults = (
        sample.limit("everyone", "images", "month", 2),
        sample.limit("server", "dollars", "month", 150),
    )
    store = await opened(*defaults)
    for guild in (10, None):
        me = sample.asker(ME, guild=guild)
        for _ in range(2):  # forgotten twice: what was kept is added to, not replaced
            await made(store, (await store.jobs.open([sample.draft(me, micro_usd=60)], sample.now))[0], 60)
            await store.people.forget(ME)

            assert str(ME) not in await everything(store)
            assert await store.audit_sums() == []

        with pytest.raises(Refused) as refused:
            await store.jobs.open([sample.draft(me, micro_usd=60)], sample.now)
        assert {(r.limit.measure, r.used) for r in refused.value.refusals} >= {("images", 2)}
        standing = {s.limit.measure: s.used for s in await store.figures.standings(me, sample.now)}
        assert standing["images"] == 2
        assert standing["dollars"] == 120

    later = sample.now + timedelta(days=31)
    assert await store.jobs.open([sample.draft(sample.asker(ME, guild=None), micro_usd=60)], later)


@pytest.mark.parametrize("guild", [10, None])
async def test_forgetting_is_no_way_around_a_cooldown(opened, sample, made, guild):
    store = await opened(sample.cooldown(86400))
    me = sample.asker(ME, guild=guild)
    await made(store, (await store.jobs.open([sample.draft(me)], sample.now))[0])
    for hours in (1, 2):  # forgotten twice: the second time there is nothing new
        await store.people.forget(ME)
        assert str(ME) not in await everything(store)
        with pytest.raises(Refused) as refused:
            await store.jobs.open([sample.draft(me)], sample.now + timedelta(hours=hours))
        assert refused.value.refusals[0].resets_at == sample.now + timedelta(days=1)
    assert await store.jobs.open([sample.draft(sample.asker(2, guild=guild))], sample.now)
    assert await store.jobs.open([sample.draft(me)], sample.now + timedelta(days=1))


@pytest.mark.parametrize("guild", [10, None])
async def test_forgetting_is_no_way_around_jobs_at_once(opened, sample, made, guild):
    store = await opened(sample.limit("everyone", "jobs", "now", 1))
    me = sample.asker(ME, guild=guild)
    [drawn] = await store.jobs.open([sample.draft(me)], sample.now)
    await store.jobs.dispatch(drawn, sample.now)
    await store.people.forget(ME)
    assert str(ME) not in await everything(store)
    with pytest.raises(Refused):
        await store.jobs.open([sample.draft(me)], sample.now)
    assert {s.used for s in await store.figures.standings(me, sample.now) if s.limit.measure == "jobs"} == {1}

    found = await store.jobs.get(drawn.id)
    await store.jobs.lose(found, "", sample.now)
    [mine] = await store.jobs.open([sample.draft(me)], sample.now)
    await store.jobs.release(mine, "", sample.now)
    assert await store.audit_sums() == []


async def test_forgetting_again_and_again_frees_no_place(opened, sample):
    store = await opened(sample.limit("everyone", "jobs", "now", 3))
    me = sample.asker(ME)
    for jobs in (2, 1):  # both of the first time count, and they count with that of the second
        for _ in range(jobs):
            await store.jobs.open([sample.draft(me)], sample.now)
        await store.people.forget(ME)
    with pytest.raises(Refused) as refused:
        await store.jobs.open([sample.draft(me)], sample.now)
    assert refused.value.refusals[0].used == 3


async def test_what_is_on_hold_counts_as_used_for_whoever_is_forgotten(opened, sample):
    store = await opened(sample.limit("everyone", "dollars", "month", 100))
    me = sample.asker(ME)
    await store.jobs.open([sample.draft(me, micro_usd=60)], sample.now)
    await store.people.forget(ME)
    with pytest.raises(Refused) as refused:
        await store.jobs.open([sample.draft(me, micro_usd=60)], sample.now)
    assert refused.value.refusals[0].used == 60


async def test_what_was_given_back_hides_no_request_before_it(opened, sample, made):
    store = await opened()
    me = sample.asker(ME)
    await made(store, (await store.jobs.open([sample.draft(me)], sample.now))[0])
    [given_back] = await store.jobs.open([sample.draft(me)], sample.now)
    await store.jobs.release(given_back, "", sample.now)
    await store.people.forget(ME)
    await store.servers.set_limit(SERVER, sample.cooldown(60), 9, sample.now)
    with pytest.raises(Refused):
        await store.jobs.open([sample.draft(me)], sample.now + timedelta(seconds=30))


async def test_whoever_asks_and_forgets_at_the_same_time_gets_no_more_than_one(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 3), sample.limit("everyone", "jobs", "now", 2))
    me = sample.asker(ME)
    [first] = await store.jobs.open([sample.draft(me)], sample.now)

    async def ask() -> int:
        try:
            return len(await store.jobs.open([sample.draft(me)], sample.now))
        except Refused:
            return 0

    given = await asyncio.gather(*(ask() if n % 3 else store.people.forget(ME) for n in range(18)))
    assert 1 + sum(one for one in given if isinstance(one, int)) == 2
    assert await store.audit_sums() == []
    assert (await store.jobs.get(first.id)).state is JobState.RESERVED


async def test_what_held_a_forgotten_person_back_is_forgotten_too(opened, sample, made):
    store = await opened(sample.cooldown(60))
    await made(store, (await store.jobs.open([sample.draft(sample.asker(ME))], sample.now))[0])
    await store.people.forget(ME)
    assert "jobs of k:g10:" in await everything(store)
    await store.people.forget_counters(sample.now + timedelta(days=60))
    assert "jobs of k:g10:" not in await everything(store)
