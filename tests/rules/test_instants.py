"""Time only bounds, it never locks: whatever a clock does, nothing holds longer than its own interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.service.circuit import Circuit
from bot.rules.faults import FaultKind
from bot.rules.instants import APART, left
from bot.rules.limits.windows import cooldown_end

INTERVALS = st.timedeltas(timedelta(milliseconds=1), timedelta(days=400))
JUMPS = st.timedeltas(timedelta(days=-800), timedelta(days=800))
SPAN = timedelta(days=8 * 366)  # with leap days and ends of months
MOMENTS = st.timedeltas(timedelta(), SPAN).map(lambda after: datetime(2024, 2, 28, tzinfo=UTC) + after)


@given(MOMENTS, JUMPS, INTERVALS)
def test_nothing_holds_longer_than_its_interval_whatever_the_clock_says(since, jump, interval):
    assert timedelta() <= left(since, since + jump, interval) <= interval


@given(MOMENTS, JUMPS, INTERVALS)
def test_whoever_waits_as_long_as_they_are_told_is_free_unless_the_clock_jumps_again(since, jump, interval):
    now = since + jump
    waited = left(since, now, interval)
    assert left(since, now + waited + min(APART, interval), interval) == timedelta()


@given(MOMENTS, INTERVALS)
def test_a_clock_that_stands_right_holds_exactly_as_long_as_it_should(since, interval):
    half = interval // 2
    assert left(since, since, interval) == interval
    assert left(since, since + half, interval) == interval - half
    assert left(since, since + interval, interval) == timedelta()


@given(MOMENTS, JUMPS, st.integers(1, 86_400 * 31))
def test_a_cooldown_ends_within_its_length(last, jump, seconds):
    end = cooldown_end(seconds, last + jump, last)
    assert end is None or end - (last + jump) <= timedelta(seconds=seconds)


@given(MOMENTS, JUMPS)
def test_a_circuit_is_probed_within_its_interval(now, jump):
    circuit = Circuit()
    circuit.failed("operator", FaultKind.BAD_KEY, now)
    jumped = now + jump
    assert circuit.may_try("operator", jumped + timedelta(seconds=70))
