"""How often one person, or all of one server, may do what costs us work and nobody money: beyond it a word, no work.

Law: it bounds, it never locks. What is counted lives in this process's memory, by a clock that only goes forward, is
forgotten with its window, and what was refused does not count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from bot.core.ttl_map import TtlMap
from bot.rules.errors import TooOften
from bot.ui.interactions.who import asker_of
from bot.ui.shell import Interaction

REMEMBERED = 10_000


class Bounded(StrEnum):
    PRESS = "press"  # buttons, menus, forms
    COMPLETION = "completion"
    PAGE = "page"  # of the gallery, with a sheet of pictures
    REPORT = "report"
    ORIGIN = "origin"  # pictures fetched and their marks read


@dataclass(frozen=True, slots=True)
class Bound:
    """So many within a window that begins with the first: of one person, and of all in one place."""

    within_s: float
    most: int
    most_of_all: int | None = None


BOUNDS = {
    Bounded.PRESS: Bound(60.0, 100),
    Bounded.COMPLETION: Bound(10.0, 100),
    Bounded.PAGE: Bound(60.0, 30, 300),
    Bounded.REPORT: Bound(600.0, 5, 50),
    Bounded.ORIGIN: Bound(60.0, 10, 60),
}
"""More than hands can do, or than anybody needs."""


Counts: TypeAlias = TtlMap[tuple[object, ...], tuple[float, int]]
"""By what is done and by whom: when the window ends, and how many there were."""


def new_counts() -> Counts:
    return TtlMap(max(bound.within_s for bound in BOUNDS.values()), REMEMBERED)


def check_bound(interaction: Interaction, act: Bounded) -> None:
    """Counts one more of this person and place. Raises ``TooOften``, and counts nothing, where a window is full."""
    now = asyncio.get_running_loop().time()
    count(interaction.client.shell.counts, act, interaction.user.id, asker_of(interaction).place.key, now)


def count(counts: Counts, act: Bounded, user_id: int, place_key: str, now: float) -> None:
    """The same for whoever it is."""
    bound, after = BOUNDS[act], {}
    for key, most in (((act, user_id), bound.most), ((act, place_key), bound.most_of_all)):
        if most is None:
            continue
        ends_at, done = counts.get(key, now) or (0.0, 0)
        if now >= ends_at:
            ends_at, done = now + bound.within_s, 0
        if done >= most:
            raise TooOften(ends_at - now)
        after[key] = (ends_at, done + 1)
    for key, window in after.items():
        counts.put(key, window, now)
