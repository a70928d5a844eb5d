"""Uploads in memory: bounded, in order, and no server at another's cost."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.room import Room


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Lot:
    """Commands that hold room until they are done; the room is 100, a server's half 50."""

    def __init__(self) -> None:
        self.room = Room(100)
        self.inside: list[str] = []
        self.done: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, server: str, size: int) -> None:
        self.done[name] = asyncio.Event()
        self.tasks[name] = asyncio.ensure_future(self._hold(name, server, size))
        await settle()

    async def _hold(self, name: str, server: str, size: int) -> None:
        async with self.room.hold(server, size):
            self.inside.append(name)
            await self.done[name].wait()
        self.inside.remove(name)

    async def goes(self, name: str) -> None:
        self.done[name].set()
        await settle()


@pytest.fixture
def lot() -> Lot:
    return Lot()


async def test_what_has_no_room_waits_for_it(lot: Lot) -> None:
    for name, server in (("a", "one"), ("b", "two"), ("c", "three")):
        await lot.comes(name, server, 40)
    assert lot.inside == ["a", "b"]
    await lot.goes("a")
    assert lot.inside == ["b", "c"]


async def test_one_server_never_takes_anothers_half(lot: Lot) -> None:
    for name in "abc":
        await lot.comes(name, "one", 30)
    await lot.comes("d", "two", 50)
    assert lot.inside == ["a", "d"]
    await lot.goes("a")
    assert lot.inside == ["d", "b"]


async def test_a_command_larger_than_its_servers_half_has_it_to_itself(lot: Lot) -> None:
    await lot.comes("vast", "one", 10_000)
    await lot.comes("a", "one", 1)
    await lot.comes("b", "two", 50)
    assert lot.inside == ["vast", "b"]
    await lot.goes("vast")
    assert lot.inside == ["b", "a"]


async def test_a_large_one_is_not_passed_by_small_ones_for_ever(lot: Lot) -> None:
    await lot.comes("a", "one", 40)
    await lot.comes("b", "two", 40)
    await lot.comes("large", "three", 50)
    await lot.comes("small", "four", 10)
    assert lot.inside == ["a", "b"]
    await lot.goes("a")
    assert lot.inside == ["b", "large", "small"]


@pytest.mark.parametrize("who", ["a", "b"], ids=["while it holds room", "while it waits"])
async def test_who_gives_up_leaves_no_room_held(lot: Lot, who: str) -> None:
    await lot.comes("a", "one", 50)
    await lot.comes("b", "one", 50)
    lot.tasks[who].cancel()
    await settle()
    await lot.goes("a")
    await lot.goes("b")
    await lot.comes("c", "one", 50)
    await lot.comes("d", "two", 50)
    assert lot.inside[-2:] == ["c", "d"]


async def test_what_is_held_already_needs_no_room(lot: Lot) -> None:
    await lot.comes("a", "one", 50)
    await lot.comes("b", "two", 50)
    await lot.comes("again", "three", 0)
    assert lot.inside == ["a", "b", "again"]
