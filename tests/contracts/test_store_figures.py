"""The gallery and the sums of ``/usage``."""

from __future__ import annotations

from datetime import timedelta

from bot.adapters.database import jobs
from bot.ports import Known, UsageLine, UsageRow
from bot.rules.limits.decide import Subject
from bot.rules.limits.limit import Period
from bot.rules.money import MicroUSD
from bot.rules.people import Place
from tests.support.ledger import use_now

SERVER = Place(10, 1)


async def pictures(store, sample, made, drafts):
    return [await made(store, (await store.jobs.open([draft], sample.now))[0]) for draft in drafts]


async def look(store, **more):
    values = {"member_id": None, "search": None, "before": None, "limit": 10, **more}
    return await store.jobs.gallery(more.get("place", SERVER), **{k: v for k, v in values.items() if k != "place"})


async def gallery(store, **more):
    return list((await look(store, **more)).jobs)


async def test_the_gallery_is_paged_newest_first_without_gaps_or_doubles(store, sample, made):
    opened = []
    for minute in range(7):
        [job] = await store.jobs.open([sample.draft()], sample.now + timedelta(minutes=minute))
        opened.append(await made(store, job))
    seen, before = [], None
    while page := await gallery(store, before=before, limit=3):
        seen += page
        before = page[-1].id
    assert [job.id for job in seen] == [job.id for job in reversed(opened)]


async def test_the_gallery_shows_only_delivered_undeleted_public_pictures_of_this_place(store, sample, made):
    [shown, deleted, private, other] = await pictures(
        store,
        sample,
        made,
        [
            sample.draft(),
            sample.draft(),
            sample.draft(private=True),
            sample.draft(sample.asker(2, guild=11)),
        ],
    )
    await store.jobs.open([sample.draft()], sample.now)
    await store.jobs.mark_deleted(deleted.id)
    assert [job.id for job in await gallery(store)] == [shown.id]
    assert {job.id for job in await gallery(store, member_id=1)} == {shown.id, private.id}
    assert await gallery(store, member_id=2) == []
    assert [job.id for job in await gallery(store, place=Place(11, 1))] == [other.id]


async def test_search_takes_every_character_as_itself_and_ignores_case(store, sample, made):
    prompts = ["100% wool", "100 wool", "snake_case", "snakeXcase", "back\\slash", "Ärger im WALD"]
    await pictures(store, sample, made, [sample.draft(prompt=prompt) for prompt in prompts])

    async def found(words):
        return {job.request.prompt for job in await gallery(store, search=words)}

    assert await found("100%") == {"100% wool"}
    assert await found("e_c") == {"snake_case"}
    assert await found("\\") == {"back\\slash"}
    assert await found("ÄRGER im wald") == {"Ärger im WALD"}
    assert await found("'; DROP TABLE jobs; --") == set()
    assert await found("  ") == set(prompts)


async def test_a_search_reaches_only_so_far_at_once_and_leaves_nothing_out(store, sample, made, monkeypatch):
    monkeypatch.setattr(jobs, "REACH", 2)
    prompts = ["a fox", "a cat", "a dog", "a fox", "a cat", "a cow"]
    for minute, prompt in enumerate(prompts):
        [job] = await store.jobs.open([sample.draft(prompt=prompt)], sample.now + timedelta(minutes=minute))
        await made(store, job)
    found, before, looks = [], None, []
    while True:
        one = await look(store, search="fox", member_id=1, before=before)
        found += [job.request.prompt for job in one.jobs]
        looks.append(len(one.jobs))
        before = one.next_before
        if before is None:
            break
    assert found == ["a fox", "a fox"]
    assert looks == [0, 1, 1, 0]


async def test_what_tells_whether_pictures_are_kept_is_read_for_many_jobs_at_once(store, sample, made):
    [one, other] = await pictures(store, sample, made, [sample.draft(), sample.draft()])
    found = await store.jobs.known([one.id, "unknown", other.id])
    assert found == {job.id: Known(sample.now, unshown=False) for job in (one, other)}
    assert await store.jobs.known([]) == {}


async def test_sums_by_day_model_and_member_are_of_one_place(store, sample, made):
    plan = [
        (0, 1, "a", 100, 2, 10),
        (0, 2, "b", 50, 1, 10),
        (1, 1, "a", 25, 1, 10),
        (1, 3, "a", 1000, 4, 11),
    ]
    for day, user, model, micro_usd, images, guild in plan:
        now = sample.now + timedelta(days=day)
        draft = sample.draft(sample.asker(user, guild=guild), model=model, images=images, micro_usd=micro_usd)
        [job] = await store.jobs.open([draft], now)
        await made(store, job, micro_usd, images)
    [lost] = await store.jobs.open([sample.draft(micro_usd=7, model="b")], sample.now)
    await store.jobs.lose(await store.jobs.dispatch(lost, sample.now), "", sample.now)
    [free] = await store.jobs.open([sample.draft(micro_usd=9999)], sample.now)
    await store.jobs.release(free, "", sample.now)
    since = sample.now - timedelta(days=3)
    assert await store.figures.by_day(SERVER, None, since) == [
        UsageLine("2026-03-14", 3, 3, 157, 7),
        UsageLine("2026-03-15", 1, 1, 25, 0),
    ]
    assert await store.figures.by_day(SERVER, 2, since) == [UsageLine("2026-03-14", 1, 1, 50, 0)]
    assert await store.figures.by_model(SERVER, None, since) == [
        UsageLine("a", 2, 3, 125, 0),
        UsageLine("b", 2, 1, 57, 7),
    ]
    assert await store.figures.by_member(SERVER, since) == [UsageLine("1", 3, 3, 132, 7), UsageLine("2", 1, 1, 50, 0)]
    assert await store.figures.by_member(SERVER, since, limit=1) == [UsageLine("1", 3, 3, 132, 7)]
    assert await store.figures.by_day(SERVER, None, sample.now + timedelta(days=3)) == []


async def test_a_servers_own_key_is_not_the_operators_money(store, sample, made):
    [job] = await store.jobs.open([sample.draft(own_key=True, micro_usd=5)], sample.now)
    await made(store, job, 5)
    use = await use_now(store, sample.asker(), sample.now)
    assert use.counters[Subject.SERVER, Period.MONTH].micro_usd == 5
    assert (Subject.OPERATOR, Period.MONTH) not in use.counters
    assert (await store.figures.by_day(SERVER, None, sample.now))[0].micro_usd == 5


async def test_the_table_of_a_server_is_by_day_member_and_model_and_its_own_alone(store, sample, made):
    later = sample.now + timedelta(days=1)
    for asker, model, now in (
        (sample.asker(1), "a", sample.now),
        (sample.asker(1), "a", sample.now),
        (sample.asker(2), "b", sample.now),
        (sample.asker(1), "a", later),
        (sample.asker(1, guild=11), "a", sample.now),
    ):
        [job] = await store.jobs.open([sample.draft(asker, model=model)], now)
        await made(store, job)
    rows = await store.figures.rows(SERVER, sample.now - timedelta(hours=1), 100)
    zero = MicroUSD(0)
    assert [(row.day, row.user_id, row.model, row.jobs, row.images, row.unknown_micro_usd) for row in rows] == [
        (later.date().isoformat(), 1, "a", 1, 1, zero),
        (sample.now.date().isoformat(), 1, "a", 2, 2, zero),
        (sample.now.date().isoformat(), 2, "b", 1, 1, zero),
    ]
    assert isinstance(rows[0], UsageRow)
    assert len(await store.figures.rows(SERVER, sample.now - timedelta(hours=1), 2)) == 2
    await store.people.forget(2)
    rows = await store.figures.rows(SERVER, sample.now - timedelta(hours=1), 100)
    assert {row.user_id for row in rows} == {1, None}


async def test_a_search_is_for_words_that_all_stand_in_the_prompt(store, sample, made):
    prompts = ["a red fox at night", "a red hen", "night, FOX", "100% fox_x"]
    drawn = await pictures(store, sample, made, [sample.draft(prompt=prompt) for prompt in prompts])

    async def found(search: str) -> list[str]:
        return sorted(job.request.prompt for job in await gallery(store, search=search))

    assert len(drawn) == 4
    assert await found("night  fox") == ["a red fox at night", "night, FOX"]
    assert await found("RED") == ["a red fox at night", "a red hen"]
    assert await found("% _") == ["100% fox_x"]
    assert await found("red night zzz") == []


async def test_favourites_are_each_members_own_with_their_private_pictures(store, sample, made):
    drafts = [sample.draft(), sample.draft(private=True), sample.draft(sample.asker(2), private=True), sample.draft()]
    [first, mine, theirs, last] = await pictures(store, sample, made, drafts)
    for job in (first, mine, theirs):
        await store.jobs.mark(1, job.id, True)
        await store.jobs.mark(1, job.id, True)
    await store.jobs.mark(2, last.id, True)

    assert [job.id for job in await gallery(store, favourites_of=1)] == [mine.id, first.id]
    assert [job.id for job in await gallery(store, favourites_of=2)] == [last.id]
    assert await store.jobs.favourites_among(1, [first.id, last.id]) == {first.id}
    await store.jobs.mark(1, first.id, False)
    assert [job.id for job in await gallery(store, favourites_of=1)] == [mine.id]
    assert (await store.people.export(1))["favourites"] == sorted([mine.id, theirs.id])
    await store.people.forget(1)
    assert await store.jobs.favourites_among(1, [mine.id, theirs.id]) == frozenset()
    assert await store.jobs.favourites_among(2, [last.id]) == frozenset()
