"""What one person may do so often, and all of a server: then a word, and never for longer than the window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.errors import TooOften
from bot.ui.interactions.bounds import BOUNDS, Bounded, Counts, count, new_counts


def may(counts: Counts, act: Bounded, user_id: int = 1, place_key: str = "g1", now: float = 0.0) -> bool:
    try:
        count(counts, act, user_id, place_key, now)
    except TooOften:
        return False
    return True


@pytest.mark.parametrize("act", Bounded)
def test_nobody_does_more_than_the_bound_nor_waits_longer_than_its_window(act: Bounded) -> None:
    counts, bound = new_counts(), BOUNDS[act]
    assert [may(counts, act) for _ in range(bound.most + 3)] == [True] * bound.most + [False] * 3
    assert may(counts, act, user_id=2)
    with pytest.raises(TooOften) as refused:
        count(counts, act, 1, "g1", bound.within_s - 1)
    assert refused.value.wait_s == 1
    assert may(counts, act, now=bound.within_s)


def test_many_people_of_one_server_share_a_bound_that_is_not_anothers() -> None:
    counts, most = new_counts(), BOUNDS[Bounded.REPORT].most_of_all
    assert most is not None
    assert [may(counts, Bounded.REPORT, user_id) for user_id in range(most + 3)] == [True] * most + [False] * 3
    assert may(counts, Bounded.REPORT, most + 9, "g2")


@given(st.lists(st.floats(0, 30), max_size=200))
def test_however_they_come_no_window_holds_more_than_twice_the_bound(pauses: list[float]) -> None:
    counts, bound = new_counts(), BOUNDS[Bounded.PAGE]
    now, done = 0.0, []
    for pause in pauses:
        now += pause
        if may(counts, Bounded.PAGE, now=now):
            done.append(now)
    assert all(sum(at <= other < at + bound.within_s for other in done) <= 2 * bound.most for at in done)
