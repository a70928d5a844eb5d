"""What is held back for the moderators, whatever the ledger can say of it: it fails closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.ports import CannotDeliver, WhyKept
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import Job
from bot.rules.people import Place
from bot.rules.servers.review import Review
from bot.ui.delivery.review import Reviews
from tests.support.people import USER, make_job

ROOM = 4711
HELD = Review("job", "group", "g1")
APPROVED = replace(HELD, approved=True)
AWAY = StorageTrouble("the ledger is away")
WAITS = "it waits"


@dataclass
class Ledger:
    """Says the same of every job."""

    said: tuple[int | None, Review | None] | Exception

    @property
    def reviews(self) -> Ledger:
        return self

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
