"""Limits in the store: what holds, what an admin changed, and what is told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.ports import AuditEntry
from bot.rules.limits.decide import Refused, Subject
from bot.rules.limits.limit import Measure, Period, Quota, Scope, slot_of
from bot.rules.people import Place
from bot.rules.servers.changes import LimitChanged, Resettable
from bot.rules.servers.edits import limiting
from tests.support.ledger import counts_by_state, use_now

SERVER = Place(10, 1)


async def refusal_of(store, sample, draft=None, now=None):
    with pytest.raises(Refused) as refused:
        await store.jobs.open([draft or sample.draft()], now or sample.now)
    return refused.value.refusals[0]


async def test_the_number_a_refusal_shows_is_the_number_that_decided(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 5))
    await store.jobs.open([sample.draft(images=4)], sample.now)
    refusal = await refusal_of(store, sample, sample.draft(images=2))
    assert (refusal.used, refusal.asked, refusal.limit.amount) == (4, 2, 5)
    assert refusal.resets_at == datetime(2026, 3, 15, tzinfo=UTC)
    await store.jobs.open([sample.draft(images=1)], sample.now)
    assert await store.audit_sums() == []


async def test_a_refusal_reserves_nothing(opened, sample):
    store = await opened(sample.limit("server", "dollars", "month", 100))
    await refusal_of(store, sample, sample.draft(micro_usd=101))
    for used in (await use_now(store, sample.asker(), sample.now)).counters.values():
        assert (used.requests, used.images, used.micro_usd, used.running) == (0, 0, 0, 0)
    assert (await counts_by_state(store)).get("reserved", 0) == 0


async def test_an_admin_overrides_a_default_and_removing_brings_it_back(opened, sample):
    default = sample.limit("everyone", "images", "day", 1)
    store = await opened(default)
    more = sample.limit("everyone", "images", "day", 3)
    assert await store.servers.set_limit(SERVER, more, 9, sample.now) == LimitChanged(slot_of(more), default, more)
    assert await store.servers.limits(SERVER) == (more,)
    assert await store.servers.limits(Place(11, 1)) == (default,)
    none = sample.limit("everyone", "images", "day", None)
    assert (await store.servers.set_limit(SERVER, none, 9, sample.now)).new == none
    await store.jobs.open([sample.draft(images=50)], sample.now)
    removed = await store.servers.set_limit(SERVER, none, 9, sample.now, remove=True)
    assert (removed.old, removed.new) == (none, default)
    assert await store.servers.limits(SERVER) == (default,)
    assert (await refusal_of(store, sample)).used == 50


async def test_a_cooldown_of_other_seconds_stands_in_the_same_slot(opened, sample):
    store = await opened(sample.cooldown(30))
    assert (await store.servers.set_limit(SERVER, sample.cooldown(5), 9, sample.now)).old == sample.cooldown(30)
    assert await store.servers.limits(SERVER) == (sample.cooldown(5),)


@pytest.mark.parametrize(
    "limit",
    [
        Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 1),
        Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, -1),
        Quota(Scope.EVERYONE, Measure.JOBS, Period.DAY, 1),
    ],
)
async def test_a_limit_that_no_admin_can_set_changes_nothing(store, sample, limit):
    with pytest.raises(ValueError, match=r"."):
        await store.servers.set_limit(SERVER, limit, 9, sample.now)
    assert await store.servers.limits(SERVER) == ()
    assert await store.servers.audit(SERVER) == []


async def test_every_change_is_in_the_trail_old_and_new(opened, sample):
    store = await opened(sample.limit("server", "dollars", "month", 10_000_000))
    first = await store.servers.set_limit(SERVER, sample.limit("server", "dollars", "month", 12_500_000), 9, sample.now)
    later = sample.now + timedelta(seconds=1)
    second = await store.servers.set_limit(SERVER, sample.limit("role", "images", "day", 5, 7), 8, later)
    assert await store.servers.audit(SERVER) == [AuditEntry(later, 8, second), AuditEntry(sample.now, 9, first)]
    assert await store.servers.audit(Place(11, 1)) == []
    assert len(await store.servers.audit(SERVER, 1)) == 1


async def test_removing_an_exception_leaves_nothing_set(store, sample):
    mine = sample.cooldown(0, "role", 7)
    assert await store.servers.set_limit(SERVER, mine, 9, sample.now) == LimitChanged(slot_of(mine), None, mine)
    removed = await store.servers.set_limit(SERVER, mine, 9, sample.now, remove=True)
    assert (removed.old, removed.new) == (mine, None)
    assert [entry.change for entry in await store.servers.audit(SERVER)] == [
        removed,
        LimitChanged(slot_of(mine), None, mine),
    ]


async def test_a_cap_lowered_below_use_refuses_the_next_and_shows_no_negative_room(store, sample, made):
    [job] = await store.jobs.open([sample.draft(images=8)], sample.now)
    await store.servers.set_limit(SERVER, sample.limit("everyone", "images", "day", 3), 9, sample.now)
    await made(store, job, images=8)
    assert (await refusal_of(store, sample)).used == 8
    [standing] = await store.figures.standings(sample.asker(), sample.now)
    assert (standing.used, standing.left) == (8, 0)


# windows


@pytest.mark.parametrize(
    ("period", "last_moment", "first_moment"),
    [
        ("hour", "2026-11-21T15:59:59.999999", "2026-11-21T16:00"),
        ("day", "2026-03-29T23:59:59.999999", "2026-03-30T00:00"),  # a day of summer time elsewhere
        ("day", "2028-02-28T23:59:59.999999", "2028-02-29T00:00"),
        ("day", "2028-02-29T23:59:59.999999", "2028-03-01T00:00"),
        ("month", "2026-02-28T23:59:59.999999", "2026-03-01T00:00"),
        ("month", "2026-12-31T23:59:59.999999", "2027-01-01T00:00"),
    ],
)
async def test_a_quota_starts_afresh_exactly_with_its_window(opened, sample, period, last_moment, first_moment):
    store = await opened(sample.limit("everyone", "images", period, 1))
    last, first = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (last_moment, first_moment))
    await store.jobs.open([sample.draft()], last)
    assert (await refusal_of(store, sample, now=last)).resets_at == first
    await store.jobs.open([sample.draft()], first)
    await refusal_of(store, sample, now=first)
    assert await store.audit_sums() == []


async def test_a_job_gives_back_to_the_window_it_was_counted_in(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 1))
    before = datetime(2026, 3, 14, 23, 59, tzinfo=UTC)
    [job] = await store.jobs.open([sample.draft()], before)
    after = before + timedelta(minutes=2)
    [other] = await store.jobs.open([sample.draft()], after)
    await store.jobs.release(job, "", after)
    await refusal_of(store, sample, now=after)
    await store.jobs.open([sample.draft()], before)
    await store.jobs.release(other, "", after)
    assert await store.audit_sums() == []


async def test_a_clock_set_forward_and_back_never_gives_a_day_twice(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 1))
    await store.jobs.open([sample.draft()], sample.now)
    await store.jobs.open([sample.draft()], sample.now + timedelta(days=1))
    await refusal_of(store, sample, now=sample.now + timedelta(hours=1))
    await refusal_of(store, sample, now=sample.now + timedelta(days=1, hours=1))


async def test_a_cooldown_runs_from_the_last_request_that_counts(opened, sample):
    store = await opened(sample.cooldown(30))
    now = sample.now
    [job] = await store.jobs.open([sample.draft()], now)
    refusal = await refusal_of(store, sample, now=now + timedelta(seconds=10))
    assert refusal.resets_at == now + timedelta(seconds=30)
    await store.jobs.open([sample.draft(sample.asker(2))], now + timedelta(seconds=10))
    await store.jobs.release(job, "the interaction was gone", now)
    await store.jobs.open([sample.draft()], now + timedelta(seconds=11))
    await refusal_of(store, sample, now=now + timedelta(seconds=40))
    await store.jobs.open([sample.draft()], now + timedelta(seconds=41))


async def test_a_clock_set_back_never_locks_anybody_in(opened, sample):
    store = await opened(sample.cooldown(3600))
    await store.jobs.open([sample.draft()], sample.now)
    back = sample.now - timedelta(hours=5)
    await store.jobs.open([sample.draft()], back)
    await refusal_of(store, sample, now=back + timedelta(minutes=59))
    await store.jobs.open([sample.draft()], back + timedelta(minutes=60))


async def test_a_cooldown_of_a_channel_is_shared_with_its_threads(opened, sample):
    store = await opened()
    await store.servers.set_limit(SERVER, sample.cooldown(30, "channel", 100), 9, sample.now)
    thread = sample.asker(2, channel=101, parent_id=100)
    await store.jobs.open([sample.draft(thread)], sample.now)
    await refusal_of(store, sample, sample.draft(sample.asker(1)))
    await refusal_of(store, sample, sample.draft(sample.asker(3, channel=102, parent_id=100)))
    await store.jobs.open([sample.draft(sample.asker(1, channel=103))], sample.now)


async def test_a_quota_of_a_channel_counts_its_threads(opened, sample):
    store = await opened()
    await store.servers.set_limit(SERVER, sample.limit("channel", "images", "day", 2, 100), 9, sample.now)
    await store.jobs.open([sample.draft(sample.asker(1, channel=101, parent_id=100))], sample.now)
    await store.jobs.open([sample.draft(sample.asker(2))], sample.now)
    assert (await refusal_of(store, sample, sample.draft(sample.asker(3)))).used == 2
    assert await store.audit_sums() == []


# places


async def test_one_server_never_counts_for_another(opened, sample):
    store = await opened(sample.limit("server", "images", "day", 1), sample.limit("everyone", "images", "day", 1))
    await store.jobs.open([sample.draft(sample.asker(guild=10))], sample.now)
    await store.jobs.open([sample.draft(sample.asker(guild=11))], sample.now)
    await refusal_of(store, sample, sample.draft(sample.asker(guild=10)))


async def test_the_defaults_hold_in_direct_messages(opened, sample):
    store = await opened(sample.limit("everyone", "images", "day", 5), sample.limit("server", "dollars", "month", 100))
    alone = sample.asker(guild=None)
    await store.jobs.open([sample.draft(alone, micro_usd=90)], sample.now)
    assert (await refusal_of(store, sample, sample.draft(alone, micro_usd=20))).limit.scope is Scope.SERVER
    await store.jobs.open([sample.draft(sample.asker(2, guild=None), micro_usd=90)], sample.now)
    assert await store.audit_sums() == []


async def test_the_operators_budget_is_over_all_servers_but_not_over_their_own_keys(opened, sample):
    store = await opened(sample.limit("operator", "dollars", "month", 100))
    await store.jobs.open([sample.draft(sample.asker(guild=10), micro_usd=60)], sample.now)
    await store.jobs.open([sample.draft(sample.asker(guild=11), micro_usd=500, own_key=True)], sample.now)
    refusal = await refusal_of(store, sample, sample.draft(sample.asker(guild=12), micro_usd=60))
    assert (refusal.limit.scope, refusal.used) == (Scope.OPERATOR, 60)
    assert (await use_now(store, sample.asker(guild=12), sample.now)).counters[
        Subject.OPERATOR, Period.MONTH
    ].micro_usd == 60
    assert await store.audit_sums() == []


async def test_a_budget_of_a_role_is_each_members_own(opened, sample):
    store = await opened()
    await store.servers.set_limit(SERVER, sample.limit("role", "dollars", "month", 100, 7), 9, sample.now)
    roles = frozenset({7})
    for user in (1, 2):
        await store.jobs.open([sample.draft(sample.asker(user, role_ids=roles), micro_usd=100)], sample.now)
    await refusal_of(store, sample, sample.draft(sample.asker(1, role_ids=roles), micro_usd=1))
    await store.jobs.open([sample.draft(sample.asker(3), micro_usd=1000)], sample.now)


# warnings


async def test_a_budget_warns_once_at_each_threshold_of_what_is_really_spent(store, sample, made):
    budget = sample.limit("server", "dollars", "month", 1000)
    await store.servers.set_limit(SERVER, budget, 9, sample.now)

    async def spend(micro_usd):
        [job] = await store.jobs.open([sample.draft(micro_usd=micro_usd)], sample.now)
        assert await store.servers.budget_warnings(SERVER, sample.now) == []  # a reservation alone warns nobody
        await made(store, job, micro_usd)
        return [(w.percent, w.used_micro_usd) for w in await store.servers.budget_warnings(SERVER, sample.now)]

    assert await spend(499) == []
    assert await spend(1) == [(50, 500)]
    assert await spend(100) == []
    assert await spend(200) == [(80, 800)]
    assert await spend(200) == [(100, 1000)]
    assert await store.servers.budget_warnings(SERVER, sample.now) == []
    assert await store.servers.budget_warnings(Place(11, 1), sample.now) == []


async def test_of_several_thresholds_at_once_the_highest_is_told(store, sample, made):
    await store.servers.set_limit(SERVER, sample.limit("server", "dollars", "day", 100), 9, sample.now)
    [job] = await store.jobs.open([sample.draft(micro_usd=90)], sample.now)
    await made(store, job, 90)
    [warning] = await store.servers.budget_warnings(SERVER, sample.now)
    assert (warning.percent, warning.place_key) == (80, "g10")
    assert await store.servers.budget_warnings(SERVER, sample.now) == []


async def test_a_new_window_and_a_new_amount_warn_again(store, sample, made):
    await store.servers.set_limit(SERVER, sample.limit("server", "dollars", "day", 100), 9, sample.now)
    [job] = await store.jobs.open([sample.draft(micro_usd=60)], sample.now)
    await made(store, job, 60)
    assert [w.percent for w in await store.servers.budget_warnings(SERVER, sample.now)] == [50]
    await store.servers.set_limit(SERVER, sample.limit("server", "dollars", "day", 110), 9, sample.now)
    assert [w.percent for w in await store.servers.budget_warnings(SERVER, sample.now)] == [50]
    tomorrow = sample.now + timedelta(days=1)
    [job] = await store.jobs.open([sample.draft(micro_usd=60)], tomorrow)
    await made(store, job, 60)
    assert [w.percent for w in await store.servers.budget_warnings(SERVER, tomorrow)] == [50]


@pytest.mark.parametrize("how", ["limit", "overhaul", "reset"])
async def test_a_budget_that_is_lowered_below_what_was_spent_warns(opened, sample, made, how):
    lower, higher = (sample.limit("server", "dollars", "day", amount) for amount in (70, 1000))
    store = await opened(lower)
    await store.servers.set_limit(SERVER, higher, 9, sample.now)
    [job] = await store.jobs.open([sample.draft(micro_usd=60)], sample.now)
    await made(store, job, 60)
    assert await store.servers.budget_warnings(SERVER, sample.now) == []
    match how:
        case "limit":
            await store.servers.set_limit(SERVER, lower, 9, sample.now)
        case "overhaul":
            await store.servers.overhaul(SERVER, limiting([lower], [], {slot_of(higher): higher}), 9, sample.now)
        case _:
            await store.servers.reset(SERVER, Resettable.LIMITS, 9, sample.now)
    assert [warning.percent for warning in await store.servers.budget_warnings(SERVER, sample.now)] == [80]


async def test_the_operators_warning_is_marked_as_the_operators(opened, sample, made):
    store = await opened(sample.limit("operator", "dollars", "month", 100))
    [job] = await store.jobs.open([sample.draft(micro_usd=100)], sample.now)
    await made(store, job, 100)
    [warning] = await store.servers.budget_warnings(SERVER, sample.now)
    assert (warning.limit.scope, warning.percent) == (Scope.OPERATOR, 100)
    assert await store.servers.budget_warnings(Place(11, 1), sample.now) == []
