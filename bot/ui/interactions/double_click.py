"""A double click is one press: the same person, the same message, the same control, within two seconds."""

from __future__ import annotations

import asyncio

from bot.core.ttl_map import TtlMap
from bot.rules.errors import AlreadyRunning
from bot.ui.shell import Interaction

DOUBLE_CLICK_S = 2.0
REMEMBERED = 1000


def new_presses() -> TtlMap[tuple[object, ...], bool]:
    return TtlMap(DOUBLE_CLICK_S, REMEMBERED)


def begin_press(interaction: Interaction, *what: object) -> None:
    """Raises ``AlreadyRunning`` when the same began less than two seconds ago."""
    now = asyncio.get_running_loop().time()
    message_id = interaction.message.id if interaction.message is not None else 0
    key = (message_id, interaction.user.id, *what)
    presses = interaction.client.shell.presses
    if presses.get(key, now):
        raise AlreadyRunning
    presses.put(key, True, now)
