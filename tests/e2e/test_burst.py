"""A thousand commands in one moment: each is answered or refused in words, none is left in silence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.ui.words.catalogue import say
from tests.support.running import processes_in

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]

MANY = 1000


async def test_of_a_thousand_commands_at_once_none_is_left_in_silence(tmp_path: Path) -> None:
    """The bot is a process of its own: it shares no event loop with who sends them."""
    async with processes_in(tmp_path) as place:
        await place.start(DEFAULT_COOLDOWN_S="0", IMAGES_PER_MINUTE="60000")
        commands = (place.imagine(prompt=f"fox {number}", quality="low", preview=False) for number in range(MANY))
        sent = await asyncio.gather(*commands)
        await asyncio.gather(*(one.wait_acknowledged(60) for one in sent))
        silent = [one for one in sent if one.failed]
        refused = [one for one in sent if one.messages and one.messages[0].content == say("en-US", "error.busy")]
        assert not silent, f"{len(silent)} of {MANY} were left in silence"
        assert len(refused) < MANY
