"""Real-looking snowflakes, tokens and permission bits."""

from __future__ import annotations

import base64
import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000

CREATE_INSTANT_INVITE = 1 << 0
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MANAGE_THREADS = 1 << 34
MENTION_EVERYONE = 1 << 17
USE_APPLICATION_COMMANDS = 1 << 31
SEND_MESSAGES_IN_THREADS = 1 << 38
USE_EXTERNAL_APPS = 1 << 50
ALL_PERMISSIONS = (1 << 53) - 1

EVERYONE = (
    CREATE_INSTANT_INVITE
    | ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS
    | USE_EXTERNAL_APPS
)


class Snowflakes:
    """Makes ids that carry the clock's time, as Discord's do; never the same twice, always growing."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last = 0

    def make(self) -> int:
        """A new id, larger than every one before."""
        fresh = (int(self._now().timestamp() * 1000) - EPOCH_MS) << 22
        self._last = max(fresh, self._last + 1)
        return self._last


_INCREMENT = itertools.count()


def old_id(year: int, month: int, day: int) -> int:
    """An id as made on a day long ago, for people and servers that existed before."""
    ms = int(datetime(year, month, day, 12, tzinfo=UTC).timestamp() * 1000) - EPOCH_MS
    return (ms << 22) | (1 << 17) | (next(_INCREMENT) & 0xFFF)


def created_at(snowflake: int) -> datetime:
    """When the id was made."""
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MS) / 1000, UTC)


def interaction_token(interaction_id: int) -> str:
    """A token of the shape and length of Discord's own."""
    inner = f"interaction:{interaction_id}:{secrets.token_urlsafe(90)}"
    return base64.urlsafe_b64encode(inner.encode()).decode().rstrip("=")


def bot_token(bot_id: int) -> str:
    """A bot token of the usual three parts, valid nowhere but here."""
    head = base64.urlsafe_b64encode(str(bot_id).encode()).decode().rstrip("=")
    return f"{head}.{secrets.token_urlsafe(5)[:6]}.{secrets.token_urlsafe(28)[:38]}"
