"""What a server that let the bot in is told: what holds for it, and nothing that is the operator's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.rules.limits.limit import Limit, Measure, Period, Quota, Scope
from bot.rules.people import Place
from bot.ui.panels.welcome import welcome

OPERATORS = Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 777_000_000)
SERVERS = Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000)
OPEN = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, None)


@dataclass
class Owner:
    letters: list[discord.Embed] = field(default_factory=list)

    async def send(self, embed: discord.Embed) -> None:
        self.letters.append(embed)


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        ((SERVERS, OPERATORS, OPEN), "**Budget per month for the whole server:** $10.00"),
        ((OPERATORS, OPEN), "No limits"),
    ],
)
async def test_it_is_told_what_holds_here(limits: tuple[Limit, ...], held: str) -> None:
    owner = Owner()

    async def limits_of(place: Place) -> tuple[Limit, ...]:
        assert place == Place(10, 0)
        return limits

    async def fetch_user(user_id: int) -> Owner:
        assert user_id == 7
        return owner

    shell = SimpleNamespace(store=SimpleNamespace(servers=SimpleNamespace(limits=limits_of)))
    client: Any = SimpleNamespace(shell=shell, fetch_user=fetch_user)
    guild: Any = SimpleNamespace(id=10, name="Here", owner_id=7, preferred_locale="en-US", _system_channel_id=None)
    await welcome(client, guild)
    (letter,) = owner.letters
    assert letter.fields[0].value == held


@dataclass
class Channel:
    problem: Exception | None
    posted: int = 0

    async def send(self, **_: Any) -> None:
        if self.problem is not None:
            raise self.problem
        self.posted += 1


@pytest.mark.parametrize("problem", [None, TimeoutError()])
async def test_one_is_told_the_channel_or_else_the_owner(problem: Exception | None) -> None:
    owner, channel = Owner(), Channel(problem)

    async def limits_of(place: Place) -> tuple[Limit, ...]:
        return ()

    async def fetch_user(user_id: int) -> Owner:
        return owner

    shell = SimpleNamespace(store=SimpleNamespace(servers=SimpleNamespace(limits=limits_of)))
    client: Any = SimpleNamespace(
        shell=shell, fetch_user=fetch_user, get_partial_messageable=lambda channel_id, guild_id: channel
    )
    guild: Any = SimpleNamespace(id=10, name="Here", owner_id=7, preferred_locale="en-US", _system_channel_id=5)
    await welcome(client, guild)
    assert (channel.posted, len(owner.letters)) == ((1, 0) if problem is None else (0, 1))
