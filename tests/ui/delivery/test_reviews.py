"""What is held back for the moderators, whatever the ledger can say of it: it fails closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.ports import CannotDeliver, WhyKept
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Job
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.review import Review
from bot.ui.delivery.review import Reviews
from bot.ui.messages import Message
from tests.support.people import USER, make_job
from tests.ui.delivery.test_job import trouble

ROOM = 4711
HELD = Review("job", "group", "g1")
APPROVED = replace(HELD, approved=True)
AWAY = StorageTrouble("the ledger is away")
WAITS = "it waits"


@dataclass
class Ledger:
    """Says the same of every job."""

    said: tuple[int | None, Review | None] | Exception
    stood: list[tuple[str, int, int]] = field(default_factory=list)
    log_channel_id: int | None = None

    @property
    def reviews(self) -> Ledger:
        return self

    @property
    def servers(self) -> Ledger:
        return self

    async def settings(self, place: Place) -> ServerSettings:
        return ServerSettings(log_channel_id=self.log_channel_id)

    async def open(self, jobs: Sequence[Job]) -> list[Review]:
        return [HELD]

    async def stands(self, group_id: str, channel_id: int, message_id: int) -> None:
        self.stood.append((group_id, channel_id, message_id))

    async def of_job(self, job: Job) -> tuple[int | None, Review | None]:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def job(*, reviewed: bool) -> Job:
    made = make_job()
    return replace(made, waiting=True, request=replace(made.request, reviewed=reviewed))


@pytest.mark.parametrize(
    ("said", "reviewed", "where", "undecided"),
    [
        ((None, None), False, None, False),
        ((ROOM, None), False, ROOM, False),
        ((ROOM, HELD), True, ROOM, True),
        ((None, HELD), True, WAITS, True),  # turning it off shows nothing by itself
        ((None, APPROVED), True, None, False),
        ((ROOM, APPROVED), True, None, False),
        (AWAY, True, WAITS, True),
        (AWAY, False, None, False),
    ],
)
async def test_what_moderators_look_at_first(
    said: tuple[int | None, Review | None] | Exception, reviewed: bool, where: int | str | None, undecided: bool
) -> None:
    client: Any = None
    ledger: Any = Ledger(said)
    reviews, one = Reviews(client, ledger), job(reviewed=reviewed)
    assert await reviews.undecided([one, replace(one, waiting=False)]) == ({one.id} if undecided else frozenset())
    if where == WAITS:
        with pytest.raises(CannotDeliver) as held:
            await reviews.channel_for(one)
        assert held.value.why is WhyKept.REVIEW
    else:
        assert await reviews.channel_for(one) == where


async def test_nobody_looks_at_what_is_made_where_there_is_no_server() -> None:
    client: Any = None
    ledger: Any = Ledger((ROOM, HELD))
    alone = job(reviewed=True)
    alone = replace(alone, asker=replace(alone.asker, place=Place(None, USER)))
    assert await Reviews(client, ledger).channel_for(alone) is None


@dataclass
class Discord:
    """Whom what was sent to; the moderators' channel fails as told first, in order."""

    troubles: list[discord.HTTPException]
    sent: list[tuple[object, dict[str, Any]]] = field(default_factory=list)

    def get_partial_messageable(self, channel_id: int, guild_id: int | None = None) -> Sending:
        return Sending(self, channel_id)

    def get_guild(self, guild_id: int) -> Any:
        return SimpleNamespace(owner_id=7)

    async def fetch_user(self, user_id: int) -> Sending:
        return Sending(self, f"user {user_id}")


@dataclass
class Sending:
    world: Discord
    where: object

    async def send(self, content: str, **more: Any) -> Any:
        self.world.sent.append((self.where, {"content": content, **more}))
        if self.where == ROOM and self.world.troubles:
            raise self.world.troubles.pop(0)
        return SimpleNamespace(id=99)


async def held(world: Discord, ledger: Ledger) -> None:
    """A picture is put before the moderators."""
    client: Any = world
    store: Any = ledger
    one = replace(job(reviewed=True), id=HELD.job_id)

    async def message_of(ids: frozenset[str], share: float) -> Message:
        assert ids == {one.id}
        return Message(content="a fox")

    async def at_once(seconds: float) -> None:
        return

    with pytest.raises(CannotDeliver) as waits:
        await Reviews(client, store).hold([one], ROOM, message_of, "en-US", sleep=at_once)
    assert waits.value.why is WhyKept.REVIEW


async def test_it_is_posted_once_however_often_it_is_sent_and_mentions_nobody() -> None:
    world, ledger = Discord([trouble(503), trouble(500)]), Ledger((ROOM, HELD))
    await held(world, ledger)
    assert [where for where, _ in world.sent] == [ROOM] * 3
    assert {given["nonce"] for _, given in world.sent} == {"groupr"}
    assert all(given["allowed_mentions"].to_dict() == {"parse": []} for _, given in world.sent)
    assert ledger.stood == [("group", ROOM, 99)]


@pytest.mark.parametrize(("log_channel_id", "told"), [(815, 815), (None, "user 7")])
async def test_where_it_cannot_be_posted_admins_are_told(log_channel_id: int | None, told: object) -> None:
    world = Discord([trouble(403, 50013)])
    ledger = Ledger((ROOM, HELD), log_channel_id=log_channel_id)
    await held(world, ledger)
    assert [where for where, _ in world.sent] == [ROOM, told]
    assert ledger.stood == []
