"""Who is welcomed: a server that is news and has just let the bot in, however Discord tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.ui.client.guilds import JUST_NOW, tell_departures

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@dataclass
class Member:
    joined_at: datetime | None


@dataclass
class Guild:
    me: Member | None
    id: int = 10


@dataclass
class Noted:
    """What is noted of servers; ``is_news`` is what it says of one that came."""

    is_news: bool
    heard: list[str] = field(default_factory=list)

    async def came(self, guild_id: int) -> bool:
        self.heard.append("came")
        return self.is_news

    async def seen(self, guild_id: int) -> None:
        self.heard.append("seen")

    async def went(self, guild_id: int) -> None:
        self.heard.append("went")


@dataclass
class Listening:
    listeners: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def event(self, listener: Callable[..., Any]) -> None:
        self.listeners[listener.__name__] = listener


@pytest.mark.parametrize("event", ["on_guild_join", "on_guild_available"])
@pytest.mark.parametrize("is_news", [True, False])
@pytest.mark.parametrize(("joined", "is_recent"), [(timedelta(minutes=1), True), (JUST_NOW, False), (None, False)])
async def test_a_join_is_welcomed_once_and_an_old_member_never(
    event: str, is_news: bool, joined: timedelta | None, is_recent: bool
) -> None:
    client: Any = Listening()
    noted: Any = Noted(is_news)
    guild: Any = Guild(None if joined is None else Member(NOON - joined))
    welcomed: list[object] = []

    async def welcome(guild: object) -> None:
        welcomed.append(guild)

    tell_departures(client, noted, welcome, lambda: NOON)
    await client.listeners[event](guild)
    assert welcomed == [guild] * (is_news and is_recent)
    assert noted.heard == ["seen" if event == "on_guild_available" and not is_recent else "came"]
