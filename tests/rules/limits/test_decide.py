"""Limits: which apply, who decides, and when a window ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.rules.limits.decide import (
    Cost,
    Refusal,
    Standing,
    Subject,
    Use,
    Used,
    applicable,
    decide,
    has_room,
    standings,
    without_room,
)
from bot.rules.limits.limit import MAX_AMOUNT, Cooldown, Measure, Period, Quota, Scope, check_limit, is_open
from bot.rules.limits.windows import window_end, window_key
from tests.support.people import asker

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
DAY = Period.DAY
MEMBER, EVERYONE, ROLE, CHANNEL, SERVER, OPERATOR = (
    Scope.MEMBER,
    Scope.EVERYONE,
    Scope.ROLE,
    Scope.CHANNEL,
    Scope.SERVER,
    Scope.OPERATOR,
)


def images(scope, amount, subject_id=None, period=DAY):
    return Quota(scope, Measure.IMAGES, period, amount, subject_id)


def cooldown(seconds, scope=EVERYONE, subject_id=None):
    return Cooldown(scope, seconds, subject_id)


R5, R9, RNONE = images(ROLE, 5, 7), images(ROLE, 9, 8), images(ROLE, None, 6)
ALL, OWN = images(EVERYONE, 3), images(MEMBER, 1, 1)


@pytest.mark.parametrize(
    ("limits", "roles", "expected"),
    [
        ((ALL,), set(), (ALL,)),
        ((ALL, R5), set(), (ALL,)),
        ((ALL, R5), {7}, (R5,)),
        ((R5, ALL), {7}, (R5,)),
        ((ALL, R5, R9), {7, 8}, (R9,)),
        ((R9, R5, ALL), {7, 8}, (R9,)),
        ((ALL, R5, RNONE), {6, 7}, (RNONE,)),
        ((ALL, R5, R9, RNONE, OWN), {6, 7, 8}, (OWN,)),
        ((images(MEMBER, 1, 2), ALL), set(), (ALL,)),
        ((images(MEMBER, None, 1), R5, ALL), {7}, (images(MEMBER, None, 1),)),
        ((images(ROLE, 4, 10), ALL), set(), (images(ROLE, 4, 10),)),  # @everyone has the id of the server
        ((ALL, images(ROLE, 2, 7)), {7}, (images(ROLE, 2, 7),)),  # a role may be given less than everyone
        ((images(ROLE, 0, 7), R9), {7}, (images(ROLE, 0, 7),)),
    ],
)
def test_a_members_own_limit_comes_before_the_most_generous_role_before_everyone(limits, roles, expected):
    assert applicable(limits, asker(role_ids=frozenset(roles))) == expected


def test_a_role_quota_per_hour_does_not_replace_everyones_quota_per_day():
    hourly = images(ROLE, 2, 7, Period.HOUR)
    assert set(applicable((ALL, hourly), asker(role_ids=frozenset({7})))) == {ALL, hourly}


def test_a_role_without_cooldown_is_the_most_generous():
    limits = (cooldown(30), cooldown(60, ROLE, 7), cooldown(0, ROLE, 8), cooldown(5, ROLE, 9))
    assert applicable(limits, asker(role_ids=frozenset({7, 9}))) == (limits[3],)
    assert applicable(limits, asker(role_ids=frozenset({7, 8, 9}))) == (limits[2],)


def test_caps_hold_beside_the_members_share():
    caps = (images(CHANNEL, 1, 100), images(CHANNEL, 1, 50), images(SERVER, 1), images(OPERATOR, 1))
    elsewhere = images(CHANNEL, 1, 101)
    assert applicable((ALL, *caps, elsewhere), asker(parent_id=50)) == (ALL, *caps)


def used(amount):
    return Used(requests=amount, images=amount, micro_usd=amount, running=amount)


@pytest.mark.parametrize(
    ("amount", "already", "asked", "granted"),
    [
        (3, 2, 1, True),
        (3, 3, 1, False),
        (3, 2, 2, False),
        (0, 0, 1, False),
        (3, 5, 1, False),
        (3, 5, 0, True),
        (4, 0, 4, True),
    ],
)
@pytest.mark.parametrize(
    ("measure", "period"),
    [
        (Measure.REQUESTS, Period.DAY),
        (Measure.IMAGES, Period.HOUR),
        (Measure.DOLLARS, Period.MONTH),
        (Measure.JOBS, Period.NOW),
    ],
)
@pytest.mark.parametrize(
    ("scope", "subject_id", "subject"),
    [
        (EVERYONE, None, Subject.MEMBER),
        (ROLE, 7, Subject.MEMBER),
        (MEMBER, 1, Subject.MEMBER),
        (CHANNEL, 100, Subject.CHANNEL),
        (CHANNEL, 50, Subject.PARENT),
        (SERVER, None, Subject.SERVER),
        (OPERATOR, None, Subject.OPERATOR),
    ],
)
def test_the_whole_grid_counts_the_same_way(
    scope, subject_id, subject, measure, period, amount, already, asked, granted
):
    limit = Quota(scope, measure, period, amount, subject_id)
    who = asker(role_ids=frozenset({7}), parent_id=50)
    cost = Cost(requests=asked, images=asked, micro_usd=asked, jobs=asked)
    refusals = decide((limit,), who, cost, Use({(subject, period): used(already)}), NOW)
    assert (refusals == ()) is bool(granted)
    for refusal in refusals:
        assert (refusal.limit, refusal.used, refusal.asked) == (limit, already, asked)
        assert refusal.resets_at == window_end(limit.period, NOW)


def test_the_tightest_refusal_comes_first():
    hour, month = images(EVERYONE, 3, period=Period.HOUR), images(SERVER, 3, period=Period.MONTH)
    never = images(CHANNEL, 2, 100)
    use = Use({(Subject.MEMBER, Period.HOUR): used(3), (Subject.SERVER, Period.MONTH): used(3)})
    refusals = decide((hour, month, never), asker(), Cost(images=3), use, NOW)
    assert [refusal.limit for refusal in refusals] == [never, month, hour]


def test_no_limit_on_a_scope_means_the_next_one_out_decides():
    assert decide((), asker(), Cost(images=10**6), Use(), NOW) == ()
    assert decide((RNONE, images(SERVER, 1)), asker(role_ids=frozenset({6})), Cost(images=2), Use(), NOW) != ()


@pytest.mark.parametrize(
    ("since_s", "granted"),
    [
        (None, True),
        (0, False),
        (29.999999, False),
        (30, True),
        (-5, False),  # another process's clock is a little ahead
        (-10, False),
        (-10.000001, True),  # the clock was set back
        (-3600, True),
    ],
)
def test_a_cooldown_lasts_its_seconds_and_a_clock_set_back_ends_it(since_s, granted):
    last = None if since_s is None else NOW - timedelta(seconds=since_s)
    use = Use(last_requests={} if last is None else {Subject.MEMBER: last})
    refusals = decide((cooldown(30),), asker(), Cost(), use, NOW)
    assert (refusals == ()) is granted
    for refusal in refusals:
        assert refusal.used == 1
        assert NOW < refusal.resets_at <= NOW + timedelta(seconds=30)


def test_a_refused_cooldown_says_when_it_ends():
    use = Use(last_requests={Subject.MEMBER: NOW - timedelta(seconds=12)})
    [refusal] = decide((cooldown(30),), asker(), Cost(), use, NOW)
    assert refusal.resets_at == NOW + timedelta(seconds=18)


@pytest.mark.parametrize(
    ("period", "moment", "key", "end"),
    [
        (Period.HOUR, "2026-11-21T15:59:59.999999", "h2026-11-21T15", "2026-11-21T16:00"),
        (Period.HOUR, "2026-12-31T23:00", "h2026-12-31T23", "2027-01-01T00:00"),
        (Period.DAY, "2026-11-21T00:00", "d2026-11-21", "2026-11-22T00:00"),
        (Period.DAY, "2028-02-28T12:00", "d2028-02-28", "2028-02-29T00:00"),
        (Period.DAY, "2026-02-28T12:00", "d2026-02-28", "2026-03-01T00:00"),
        (Period.MONTH, "2026-01-31T23:59:59", "m2026-01", "2026-02-01T00:00"),
        (Period.MONTH, "2028-02-29T00:00", "m2028-02", "2028-03-01T00:00"),
        (Period.MONTH, "2026-12-31T23:59:59", "m2026-12", "2027-01-01T00:00"),
        (Period.NOW, "2026-12-31T23:59:59", "now", None),
    ],
)
def test_calendar_windows_are_utc(period, moment, key, end):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    ends = None if end is None else datetime.fromisoformat(end).replace(tzinfo=UTC)
    for zone in (UTC, timezone(timedelta(hours=13)), timezone(timedelta(hours=-9, minutes=-30))):
        assert window_key(period, now.astimezone(zone)) == key
        assert window_end(period, now.astimezone(zone)) == ends


def test_standings_show_what_is_left_and_never_less_than_nothing():
    limits = (ALL, images(SERVER, 10), cooldown(30), images(OPERATOR, None))
    counters = {(Subject.MEMBER, Period.DAY): used(5), (Subject.SERVER, Period.DAY): used(4)}
    use = Use(counters, {Subject.MEMBER: NOW - timedelta(seconds=10)})
    found = {standing.limit: standing for standing in standings(limits, asker(), use, NOW)}
    assert (found[ALL].used, found[ALL].left) == (5, 0)
    assert (found[limits[1]].used, found[limits[1]].left) == (4, 6)
    assert (found[limits[2]].left, found[limits[2]].resets_at) == (0, NOW + timedelta(seconds=20))
    assert found[limits[3]].left is None


@pytest.mark.parametrize(
    "limit",
    [
        images(EVERYONE, -1),
        images(EVERYONE, MAX_AMOUNT + 1),
        images(ROLE, 1),
        images(EVERYONE, 1, 5),
        Quota(EVERYONE, Measure.JOBS, DAY, 1),
        images(EVERYONE, 1, period=Period.NOW),
        cooldown(-1),
        cooldown(10**9),
        Cooldown(ROLE, 5),
        Cooldown(EVERYONE, 5, 7),
    ],
)
def test_what_lies_outside_the_grid_is_no_limit(limit):
    with pytest.raises(ValueError, match=r"."):
        check_limit(limit)


def test_what_just_fits_is_not_refused_before_it_is_asked_for():
    five_left = Standing(images(EVERYONE, 10), 5, 5, None)
    assert without_room([five_left, Standing(images(ROLE, None, 7), 5, None, None)], Cost(images=5)) == ()
    (refusal,) = without_room([five_left], Cost(images=6))
    assert (refusal.used, refusal.asked) == (5, 6)


def test_there_is_room_where_all_that_refused_have_it():
    refusals = [Refusal(images(scope, 10), used, 4, None) for scope, used in ((EVERYONE, 8), (SERVER, 9))]
    assert has_room(refusals, Cost(images=1))
    assert not has_room(refusals, Cost(images=2))


@pytest.mark.parametrize(("seconds", "is_none"), [(None, True), (0, True), (1, False)])
def test_a_wait_of_no_seconds_is_no_limit(seconds, is_none):
    assert is_open(cooldown(seconds)) is is_none
