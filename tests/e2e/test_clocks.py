"""Clocks that run ahead for a moment, are put right, or are set back: what holds people, holds them no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.discord.clock import HandClock
from sandbox.discord.world import World
from tests.support.running import Town, town_in

HOUR_S = 3600
LEAP_DAY = datetime(2028, 2, 29, 23, 59, 50, tzinfo=UTC)


@pytest.fixture
async def town(tmp_path):
    async with town_in(tmp_path, world=World(clock=HandClock()), IMAGES_PER_MINUTE="60") as made:
        yield made


async def draws(town: Town, prompt: str) -> bool:
    message = await town.answer(await town.imagine(prompt=prompt, quality="low", preview=False), 25)
    await town.quiet()
    return bool(message.attachments)


@pytest.mark.parametrize("jumps", [(HOUR_S, -HOUR_S), (-HOUR_S,), (-86_400, 86_400), (120, -240, 120)], ids=str)
async def test_pictures_are_drawn_whichever_way_the_clock_jumps(town, jumps):
    assert await draws(town, "before")
    for number, jump in enumerate(jumps):
        town.world.clock.advance(jump)
        assert await draws(town, f"after jump {number}")


@pytest.mark.parametrize("jump", [-HOUR_S, HOUR_S, -86_400 * 366])
async def test_a_refused_key_is_probed_within_its_interval_whichever_way_the_clock_jumps(town, jump):
    town.images.fail_next("bad_key", times=None)
    await town.answer(await town.imagine(quality="low"))
    await town.quiet()
    assert town.app.circuit.is_open("operator")
    town.images.heal()

    town.world.clock.advance(jump)
    town.world.clock.advance(70)

    assert await draws(town, "after")


async def test_a_cooldown_of_a_minute_is_over_when_the_clock_was_set_back(town):
    await town.restart(DEFAULT_COOLDOWN_S="60")
    assert await draws(town, "the first")
    assert not await draws(town, "at once")
    town.world.clock.advance(-HOUR_S)
    assert await draws(town, "an hour earlier")


async def test_a_leap_day_and_the_end_of_a_month_are_days_like_any_other(town):
    clock = town.world.clock
    clock.advance((LEAP_DAY - clock.now()) / timedelta(seconds=1))
    assert await draws(town, "on the last second of a leap day")
    clock.advance(15)
    assert await draws(town, "on the first of March")
