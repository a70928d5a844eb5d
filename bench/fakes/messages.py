"""A bot's account, a message of its own, and the number of something made now, as Discord has them."""

from __future__ import annotations

import itertools
import time
from typing import Any

EPOCH_MS = 1_420_070_400_000
_count = itertools.count(1)


def number_now() -> int:
    """An id that carries the time, as Discord's do."""
    return (int(time.time() * 1000) - EPOCH_MS << 22) | (next(_count) & 0x3FFFFF)


def user_of(app: int) -> dict[str, Any]:
    return {"id": str(app), "username": "easel", "discriminator": "0", "avatar": None, "global_name": None, "bot": True}


def message_of(app: int) -> dict[str, Any]:
    return {
        "id": "5",
        "channel_id": "6",
        "author": user_of(app),
        "type": 0,
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "pinned": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
    }
