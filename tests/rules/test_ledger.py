"""The life of a job as a table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.rules.ledger import CHARGED, FINAL, GIVEN_BACK, HOLDING, NEXT, Answer, IllegalStep, JobState, advance


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("to", JobState)
def test_only_the_steps_of_the_table_are_taken(state, to):
    if to in NEXT[state]:
        assert advance(state, to) is to
    else:
        with pytest.raises(IllegalStep):
            advance(state, to)


def test_every_state_is_reached_and_every_path_ends():
    reached, edge = {JobState.RESERVED}, {JobState.RESERVED}
    for _ in JobState:
        edge = {to for state in edge for to in NEXT[state]}
        reached |= edge
    assert not edge
    assert reached == set(JobState)


def test_of_what_ended_only_the_unknown_may_turn_out_to_be_known():
    assert {state: NEXT[state] for state in FINAL if NEXT[state]} == {JobState.UNKNOWN: {JobState.PRODUCED}}
    assert all(NEXT[state] for state in JobState if state not in FINAL)


def test_a_job_holds_money_or_is_charged_or_was_refused_or_gave_everything_back():
    assert set(JobState) == HOLDING | CHARGED | {JobState.REFUSED} | GIVEN_BACK
    assert not HOLDING & (CHARGED | GIVEN_BACK)
    assert not CHARGED & GIVEN_BACK
    assert GIVEN_BACK <= FINAL


def test_nothing_that_may_have_been_billed_can_be_sent_again():
    after = set(NEXT[JobState.DISPATCHED])
    while not all(NEXT[state] <= after for state in after):
        after |= {to for state in after for to in NEXT[state]}
    assert JobState.DISPATCHED not in after


def test_an_answer_does_not_show_its_token():
    answer = Answer(1, 2, "very-secret", 3, datetime(2026, 1, 1, tzinfo=UTC))
    assert "very-secret" not in repr(answer)
