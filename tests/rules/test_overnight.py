"""Half price overnight: the order of the steps, and what is never asked for twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.faults import Billed
from bot.rules.overnight import (
    A_DAY,
    LONGEST,
    OVER,
    READ_WITHIN,
    SURELY_ARRIVED,
    Counts,
    NightState,
    Overnight,
    Step,
    is_late,
    look_again_s,
    missing_line,
    next_step,
    not_found,
    overnight_price,
)

NOW = datetime(2026, 11, 29, 20, tzinfo=UTC)
FRESH = Overnight("1", "default", "job-1", NOW)


@pytest.mark.parametrize(
    ("night", "step"),
    [
        (FRESH, Step.UPLOAD),
        (replace(FRESH, file_id="file-1"), Step.ASK),
        (replace(FRESH, file_id="file-1", asked_at=NOW), Step.SEARCH),
        (replace(FRESH, file_id="file-1", asked_at=NOW, night_id="batch-1"), Step.LOOK),
        *((replace(FRESH, night_id="batch-1", state=state), Step.READ) for state in sorted(OVER)),
        (replace(FRESH, night_id="batch-1", state=NightState.CANCELLING), Step.LOOK),
        (replace(FRESH, night_id="batch-1", state=NightState.COMPLETED, read=True), Step.CLEAR),
        (replace(FRESH, asked_at=NOW, read=True), Step.CLEAR),
    ],
)
def test_one_step_follows_another(night: Overnight, step: Step) -> None:
    assert next_step(night, NOW) is step


def test_what_was_asked_for_is_not_asked_again_before_the_first_has_surely_arrived() -> None:
    asked = replace(FRESH, file_id="file-1", asked_at=NOW)
    assert not_found(asked, NOW + timedelta(seconds=60)).asked_at == NOW
    again = not_found(asked, NOW + SURELY_ARRIVED)
    assert next_step(again, NOW + SURELY_ARRIVED) is Step.ASK


def test_a_moment_to_come_does_not_make_it_sure() -> None:
    ahead = replace(FRESH, file_id="file-1", asked_at=NOW + timedelta(days=1))
    assert not_found(ahead, NOW).asked_at == NOW


def test_nobody_waits_for_ever() -> None:
    assert next_step(FRESH, NOW + A_DAY) is Step.GIVE_UP
    assert next_step(replace(FRESH, file_id="file-1", asked_at=NOW), NOW + A_DAY) is Step.SEARCH
    known = replace(FRESH, night_id="batch-1")
    assert next_step(known, NOW + LONGEST) is Step.GIVE_UP
    over = replace(known, state=NightState.COMPLETED)
    assert next_step(over, NOW + LONGEST) is Step.READ
    assert next_step(over, NOW + READ_WITHIN) is Step.GIVE_UP


def test_it_is_late_once_the_promise_is_broken_and_not_over() -> None:
    assert not is_late(FRESH, NOW + A_DAY)
    assert is_late(FRESH, NOW + A_DAY + timedelta(seconds=1))
    assert is_late(replace(FRESH, ends_by=NOW), NOW + timedelta(seconds=1))
    assert not is_late(replace(FRESH, state=NightState.EXPIRED), NOW + LONGEST)
    assert not is_late(replace(FRESH, read=True), NOW + LONGEST)


def test_it_is_looked_at_more_and_more_rarely() -> None:
    ages = [0, 50, 100, 1000, 6000, 60_000]
    waits = [look_again_s(FRESH, NOW + timedelta(seconds=age)) for age in ages]
    assert waits == [5, 5, 10, 100, 600, 600]


@pytest.mark.parametrize(
    ("state", "counts", "seen", "whole", "billed"),
    [
        (NightState.COMPLETED, Counts(3, 2, 1), 2, True, Billed.NO),
        (NightState.COMPLETED, Counts(3, 3, 0), 2, True, Billed.MAYBE),
        (NightState.COMPLETED, Counts(3, 2, 1), 2, False, Billed.MAYBE),
        (NightState.COMPLETED, Counts(), 2, True, Billed.MAYBE),
        (NightState.EXPIRED, Counts(3, 1, 0), 1, True, Billed.NO),
        (NightState.FAILED, Counts(), 0, True, Billed.NO),
        (NightState.FAILED, Counts(3, 1, 0), 0, True, Billed.MAYBE),
    ],
)
def test_a_missing_line_is_free_only_where_the_service_counts_none_for_it(
    state: NightState, counts: Counts, seen: int, whole: bool, billed: Billed
) -> None:
    assert missing_line(state, counts, seen=seen, whole=whole) is billed


@given(charge=st.integers(0, 10**9), bound=st.integers(0, 10**9), percent=st.integers(1, 100))
def test_what_is_charged_is_never_more_than_what_was_reserved(charge: int, bound: int, percent: int) -> None:
    charge = min(charge, bound)
    assert overnight_price(charge, percent) <= overnight_price(bound, percent) <= bound


def test_half_of_an_odd_price_is_rounded_up() -> None:
    assert [overnight_price(price, 50) for price in (0, 1, 3, 4)] == [0, 1, 2, 2]


def test_half_price_is_for_2_and_2_5_alone() -> None:
    able = [model for model in load_catalogue(builtin_catalogue()) if model.overnight_percent]
    named = {model.id for model in able if model.alias_of is None}
    assert named == {"gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst"}
