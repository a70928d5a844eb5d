"""What a terminal's reader sees of a message."""

from __future__ import annotations

import pytest

from bot.operator.sandbox.printed import render
from sandbox.discord.world import World


@pytest.mark.parametrize(
    ("content", "printed"),
    [
        ("resets <t:1796083200:R>", "resets 2026-12-01 00:00 UTC"),
        ("<t:1796083200>, <t:1796083200:F>", "2026-12-01 00:00 UTC, 2026-12-01 00:00 UTC"),
        ("<t:999999999999999:R>", "<t:999999999999999:R>"),
        (r"\-1 is none; \*\*bold\*\* \<@1> a\\b", r"-1 is none; **bold** <@1> a\b"),
        (r"C:\Users", r"C:\Users"),
    ],
)
def test_times_are_written_out_and_escapes_taken_away(content: str, printed: str) -> None:
    world = World()
    message = world.say(world.town.member, world.town.general, content)
    assert render(message).splitlines()[1:] == [f"  {printed}"]
