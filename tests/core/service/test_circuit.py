"""The circuit of an API key: opened once, probed once an interval, closed by the first sign that the key works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.service.circuit import FIRST_PROBE, LAST_PROBE, OPENING, Circuit
from bot.core.service.lanes import lane_at
from bot.rules.faults import FaultKind

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", FaultKind)
def test_only_what_every_further_job_would_meet_opens_it(kind):
    circuit = Circuit()

    assert circuit.failed("operator", kind, NOON) is (kind in OPENING)
    assert circuit.is_open("operator") is (kind in OPENING)


def test_a_key_that_worked_once_is_refused_like_any_other():
    circuit = Circuit()
    circuit.succeeded("operator")
    assert not circuit.is_open("operator")
    circuit.failed("operator", FaultKind.BAD_KEY, NOON)
    assert circuit.is_open("operator")


def test_a_key_that_one_model_was_drawn_with_is_not_refused():
    circuit = Circuit(by_model=frozenset({"default"}))
    circuit.succeeded(circuit.key_of("operator", "m"))
    circuit.failed(circuit.key_of("operator", "n"), FaultKind.BAD_KEY, NOON)
    assert not circuit.is_open("operator")
    circuit.failed(circuit.key_of("operator", "m"), FaultKind.BAD_KEY, NOON)
    assert circuit.is_open("operator")


def test_a_model_is_named_where_not_all_is_meant():
    circuit = Circuit(by_model=frozenset({"local"}))
    assert [circuit.named(lane, "m") for lane in ("operator", lane_at("local"), lane_at("second"))] == [None, "m", "m"]


def test_people_are_told_once_however_many_jobs_fail():
    circuit = Circuit()

    assert [circuit.failed("operator", FaultKind.BAD_KEY, NOON) for _ in range(5)] == [True, False, False, False, False]


def test_one_job_an_interval_is_sent_and_asking_whether_one_may_come_takes_nothing():
    circuit = Circuit()
    circuit.failed("operator", FaultKind.BAD_KEY, NOON)
    due = NOON + FIRST_PROBE

    assert not circuit.may_try("operator", NOON)
    assert [circuit.may_try("operator", due) for _ in range(3)] == [True, True, True]
    assert [circuit.lets_through("operator", due) for _ in range(3)] == [True, False, False]
    assert circuit.lets_through("operator", due + FIRST_PROBE)


def test_probes_become_rarer_and_never_stop():
    circuit, now, waits = Circuit(), NOON, []
    circuit.failed("operator", FaultKind.OUT_OF_FUNDS, now)
    for _ in range(8):
        before = now
        while not circuit.may_try("operator", now):
            now += timedelta(seconds=1)
        waits.append(now - before)
        assert circuit.lets_through("operator", now)
        circuit.failed("operator", FaultKind.OUT_OF_FUNDS, now)

    assert waits == sorted(waits)
    assert waits[0] == FIRST_PROBE
    assert waits[-1] == LAST_PROBE


def test_one_key_says_nothing_of_another():
    circuit = Circuit()
    circuit.failed("key g1", FaultKind.BAD_KEY, NOON)

    assert circuit.lets_through("operator", NOON)
    assert not circuit.lets_through("key g1", NOON)
    assert circuit.succeeded("key g1")
    assert not circuit.succeeded("key g1")
    assert circuit.lets_through("key g1", NOON)


def test_another_key_behind_a_lane_is_tried_at_once():
    circuit = Circuit(by_model=frozenset({"default"}))
    for key in (circuit.key_of("key g7", "m"), circuit.key_of("key g7", "n"), circuit.key_of("key g77", "m")):
        circuit.failed(key, FaultKind.BAD_KEY, NOON)

    circuit.renew("key g7")

    assert not circuit.is_open("key g7")
    assert circuit.may_try(circuit.key_of("key g7", "m"), NOON)
    assert circuit.is_open("key g77")
