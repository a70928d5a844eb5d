"""Saved looks, by the place they belong to: a server, or a person's own place."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.rules.people import Place
from bot.rules.styles.style import Style


class StyleStore(Protocol):
    """Looks by their keys (``name_key``). A person's own are kept at ``Place(None, user_id)``."""

    async def all(self, place: Place) -> tuple[Style, ...]:
        """By the alphabet of their keys."""
        ...

    async def get(self, place: Place, key: str) -> Style | None: ...

    async def save(self, place: Place, style: Style, most: int, actor_id: int, now: datetime) -> Style | None:
        """Puts it in the stead of the one of that name, which is returned. Raises ``TooManyStyles`` where ``most`` are
        there and none of them has that name. What changes in a server is kept in its trail."""
        ...

    async def delete(self, place: Place, key: str, actor_id: int, now: datetime) -> Style | None:
        """The one that was there. What changes in a server is kept in its trail."""
        ...
