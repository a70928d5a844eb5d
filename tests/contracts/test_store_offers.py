"""What is kept after a refusal: sealed, bounded, forgotten; and reminders, each given out once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

from sqlalchemy import select

from bot.adapters.database.keeping.offers import SqlOffers
from bot.adapters.database.schema.tables import offers
from bot.adapters.secrets import Secrets
from bot.ports import Offer, Reminder
from bot.rules.people import Place
from tests.contracts.conftest import KEY

ME = 4242424242
HERE = Place(10, ME)
SECRET = json.dumps({"prompt": "my secret wish"})


def offer(sample, number: int = 1, place: Place = HERE) -> Offer:
    return Offer(f"offer{number}", place, place.user_id, sample.now + timedelta(seconds=number), SECRET)


def reminder(sample, about: str = "g10:images", minutes: int = 5, place: Place = HERE) -> Reminder:
    return Reminder(place.user_id, about, place, sample.now + timedelta(minutes=minutes), "{}")


async def test_an_offer_comes_back_as_it_was_and_is_unreadable_at_rest(store, sample):
    await store.offers.offer(offer(sample), 5)
    assert await store.offers.offered("offer1") == offer(sample)
    assert await store.offers.offered("offer2") is None
    assert await store.offers.offered("\0' OR 1=1") is None
    async with store.database.reading() as connection:
        assert "secret" not in str((await connection.execute(select(offers))).all())


async def test_of_one_person_only_the_newest_stay(store, sample):
    other = offer(sample, 99, Place(10, 2))
    await store.offers.offer(other, 5)
    for number in range(1, 8):
        await store.offers.offer(offer(sample, number), 5)
    found = [await store.offers.offered(f"offer{number}") for number in range(1, 8)]
    assert [one is not None for one in found] == [False, False, True, True, True, True, True]
    assert await store.offers.offered("offer99") == other


async def test_offers_are_forgotten_with_time_with_the_person_and_with_the_place(store, sample):
    await store.offers.offer(offer(sample), 5)
    await store.offers.forget_offers(offer(sample).created_at)
    assert await store.offers.offered("offer1") is not None
    await store.offers.forget_offers(sample.now + timedelta(seconds=2))
    assert await store.offers.offered("offer1") is None

    for forget in (
        store.people.forget(ME),
        store.people.forget_place(HERE),
        store.people.purge(offer(sample, 9).created_at),
    ):
        await store.offers.offer(offer(sample), 5)
        await store.offers.remind(reminder(sample, minutes=0))
        await forget
        assert await store.offers.offered("offer1") is None
        assert await store.offers.take_due(sample.now, 9) == ()


async def test_a_person_sees_what_is_kept_for_them(store, sample):
    await store.offers.offer(offer(sample), 5)
    await store.offers.remind(reminder(sample))
    await store.offers.remind(reminder(sample, place=Place(10, 2)))
    shown = await store.people.export(ME)
    assert [one["wish"] for one in shown["offers"]] == [{"prompt": "my secret wish"}]
    assert [one["about"] for one in shown["reminders"]] == ["g10:images"]
    json.dumps(shown)


async def test_a_reminder_is_given_out_when_it_is_due_and_once(store, sample):
    await store.offers.remind(reminder(sample))
    await store.offers.remind(reminder(sample, "g10:dollars", 7))
    assert await store.offers.take_due(sample.now + timedelta(minutes=4), 9) == ()
    due = await store.offers.take_due(sample.now + timedelta(minutes=6), 9)
    assert list(due) == [reminder(sample)]
    assert list(await store.offers.take_due(sample.now + timedelta(minutes=6), 9)) == []
    assert list(await store.offers.take_due(sample.now + timedelta(hours=6), 9)) == [reminder(sample, "g10:dollars", 7)]


async def test_no_more_are_given_out_at_once_than_was_asked_for_the_oldest_first(store, sample):
    for minutes in (3, 1, 2):
        await store.offers.remind(reminder(sample, f"g10:{minutes}", minutes))
    later = sample.now + timedelta(hours=1)
    assert [one.about for one in await store.offers.take_due(later, 2)] == ["g10:1", "g10:2"]
    assert [one.about for one in await store.offers.take_due(later, 2)] == ["g10:3"]


async def test_one_a_person_and_limit(store, sample):
    for minutes in (5, 3):
        await store.offers.remind(reminder(sample, minutes=minutes))
    assert list(await store.offers.take_due(sample.now + timedelta(hours=1), 9)) == [reminder(sample, minutes=3)]


class Between:
    """A database in which something happens right after the next look."""

    def __init__(self, inner, then) -> None:
        self._inner = inner
        self._then = then

    def __getattr__(self, name: str):
        return getattr(self._inner, name)

    async def rows(self, query):
        found = await self._inner.rows(query)
        await self._then()
        return found


async def test_a_reminder_put_off_while_it_is_taken_waits(store, sample):
    await store.offers.remind(reminder(sample))
    later = reminder(sample, minutes=90)
    looking = SqlOffers(Between(store.database, lambda: store.offers.remind(later)), Secrets((KEY,)))
    assert list(await looking.take_due(sample.now + timedelta(hours=1), 9)) == []
    assert list(await store.offers.take_due(sample.now + timedelta(hours=2), 9)) == [later]


async def test_many_who_look_at_once_get_each_reminder_once(store, sample):
    for number in range(20):
        await store.offers.remind(reminder(sample, f"g10:{number}", 0))
    looks = await asyncio.gather(*(store.offers.take_due(sample.now, 20) for _ in range(6)))
    assert sorted(one.about for look in looks for one in look) == sorted(f"g10:{number}" for number in range(20))
