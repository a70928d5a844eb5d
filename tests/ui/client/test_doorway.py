"""How many commands are worked on at once, who waits, and who is refused in words."""

import asyncio

import pytest

from bot.rules.errors import Crowded
from bot.ui.client.doorway import Doorway


async def test_so_many_are_let_in_some_wait_and_the_rest_are_refused() -> None:
    doorway, leave = Doorway(at_once=2, waiting=1), asyncio.Event()
    ended: list[str] = []

    async def command() -> None:
        try:
            async with doorway.place():
                await leave.wait()
        except Crowded:
            ended.append("refused")
        else:
            ended.append("answered")

    commands = [asyncio.create_task(command()) for _ in range(5)]
    await asyncio.wait(commands, return_when=asyncio.FIRST_COMPLETED)
    assert ended == ["refused", "refused"]
    leave.set()
    await asyncio.gather(*commands)
    assert sorted(ended) == ["answered"] * 3 + ["refused"] * 2


async def test_who_finds_no_place_in_time_is_refused_and_takes_none() -> None:
    doorway = Doorway(at_once=1, waiting=1, wait_s=0.0)
    async with doorway.place():
        with pytest.raises(Crowded):
            async with doorway.place():
                pytest.fail("there was no place")
    async with doorway.place():
        pass


async def test_a_command_that_fails_leaves_its_place() -> None:
    doorway = Doorway(at_once=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="odd"):
            async with doorway.place():
                raise ValueError("odd")


async def through(doorway: Doorway, commands: int) -> int:
    """So many commands in one moment; returns how many found a place."""

    async def command() -> bool:
        try:
            async with doorway.place():
                await asyncio.sleep(0)
        except Crowded:
            return False
        return True

    return sum(await asyncio.gather(*(command() for _ in range(commands))))


@pytest.mark.parametrize(("place_s", "line"), [(0.01, 100), (0.1, 10), (9.0, 1)])
async def test_the_line_is_as_long_as_places_get_free_in_time(place_s: float, line: int) -> None:
    """Where each command takes long, most are refused at once; where they are quick, more may wait."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += place_s / 2  # asked once a command that waits, and once when it leaves
        return now

    doorway = Doorway(at_once=1, waiting=1000, wait_s=1.0, clock=clock)
    for _ in range(8):
        found = await through(doorway, 400)

    assert 0.4 * line <= found <= 2.5 * line + 2


async def test_nobody_is_refused_where_nobody_has_to_wait() -> None:
    doorway = Doorway(at_once=8)
    for _ in range(50):
        assert await through(doorway, 8) == 8
