"""Two at a time: whoever holds a picture first, nobody for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.imaging.arrivals import Arrivals

NEVER_S = 3600.0


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """People who go in when they are let in and stay until they are called out."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self.inside: list[str] = []
        self.calls: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def come(self, *names: str, holds: bool = False) -> None:
        for name in names:
            self.calls[name] = asyncio.Event()
            self.tasks[name] = asyncio.ensure_future(self._stay(name, holds))

    async def _stay(self, name: str, holds: bool) -> None:
        async with self._arrivals.place() as place:
            await place.take(holds=holds)
            await place.take()
            self.inside.append(name)
            await self.calls[name].wait()
            self.inside.remove(name)

    async def leaves(self, name: str) -> None:
        self.calls[name].set()
        await settle()

    async def gives_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(Arrivals(2, NEVER_S))


async def test_two_are_inside_and_the_others_follow_in_their_order(crowd: Crowd) -> None:
    crowd.come("a", "b", "c", "d")
    await settle()
    assert crowd.inside == ["a", "b"]
    await crowd.leaves("b")
    assert crowd.inside == ["a", "c"]
    await crowd.leaves("a")
    await crowd.leaves("c")
    assert crowd.inside == ["d"]


async def test_who_holds_a_picture_goes_first(crowd: Crowd) -> None:
    crowd.come("a", "b", "c")
    await settle()
    crowd.come("keeps", holds=True)
    await settle()
    await crowd.leaves("a")
    assert crowd.inside == ["b", "keeps"]


async def test_who_stays_too_long_keeps_nobody_waiting() -> None:
    crowd = Crowd(Arrivals(2, 0.0))
    crowd.come("a", "b", "c", "d")
    async with asyncio.timeout(5):
        while len(crowd.inside) < 4:
            await asyncio.sleep(0)
    for name in "abcd":
        await crowd.leaves(name)
    crowd.come("e", "f", "g")
    await settle()
    assert {"e", "f"} <= set(crowd.inside)


@pytest.mark.parametrize(
    "then",
    [lambda crowd: crowd.gives_up("c"), lambda crowd: crowd.gives_up("a")],
    ids=["while it waits", "while it is inside"],
)
async def test_who_gives_up_takes_no_place_with_it(crowd: Crowd, then: Callable[[Crowd], Awaitable[None]]) -> None:
    crowd.come("a", "b", "c", "d")
    await settle()
    await then(crowd)
    await crowd.leaves("b")
    assert "d" in crowd.inside


async def test_who_gives_up_in_the_moment_of_its_turn_hands_it_on(crowd: Crowd) -> None:
    crowd.come("a", "b", "c", "d")
    await settle()
    crowd.calls["a"].set()
    await asyncio.sleep(0)  # "a" is on its way out, and "c" has its turn but does not know it yet
    crowd.tasks["c"].cancel()
    await settle()
    assert crowd.inside == ["b", "d"]
