"""Saved looks in the ledger: bounded, each in its place, and gone with whose they are."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.rules.people import Place
from bot.rules.servers.access import Defaults
from bot.rules.servers.edits import defaulted
from bot.rules.styles.style import TooManyStyles, make_style, name_key

ME = 4242424242
MINE, SERVER, OTHER = Place(None, ME), Place(10, ME), Place(11, ME)


def look(name: str, words: str = "{prompt}, noir \u0000\ud800", *, servers: bool = False):
    return make_style(name, words, model="m", options={"size": "16:9", "compression": 40}, servers=servers)


async def test_a_look_comes_back_as_it_was_and_the_name_again_takes_its_place(store):
    first, second = look("Straße"), look("STRASSE", "other words")

    assert await store.styles.save(MINE, first, 50) is None
    assert await store.styles.get(MINE, name_key("strasse")) == first
    assert await store.styles.save(MINE, second, 50) == first
    assert await store.styles.all(MINE) == (second,)
    assert await store.styles.delete(MINE, name_key("straße")) == second
    assert await store.styles.delete(MINE, name_key("straße")) is None
    assert await store.styles.all(MINE) == ()


async def test_looks_of_one_place_are_nowhere_else(store):
    await store.styles.save(SERVER, look("noir", servers=True), 100)
    await store.styles.save(MINE, look("pop"), 50)

    assert [style.servers for style in await store.styles.all(SERVER)] == [True]
    assert await store.styles.all(OTHER) == ()
    assert await store.styles.get(SERVER, "pop") is None
    assert await store.styles.get(MINE, "noir") is None


async def test_of_many_at_once_no_more_are_kept_than_there_is_room_for(store):
    async def one(number: int) -> bool:
        try:
            await store.styles.save(MINE, look(f"look {number}"), 3)
        except TooManyStyles:
            return False
        return True

    kept = await asyncio.gather(*(one(number) for number in range(10)))

    assert (sum(kept), len(await store.styles.all(MINE))) == (3, 3)
    name = (await store.styles.all(MINE))[0].name
    assert await store.styles.save(MINE, look(name, "changed"), 3) is not None
    with pytest.raises(TooManyStyles):
        await store.styles.save(MINE, look("one more"), 3)


async def test_what_a_person_saved_is_exported_and_forgotten_and_the_servers_stay(store, sample):
    await store.styles.save(MINE, look("my noir", "my secret words"), 50)
    await store.styles.save(SERVER, look("ours", servers=True), 100)
    await store.servers.change_settings(MINE, defaulted(Defaults(quality="high")), ME, sample.now)

    found = await store.people.export(ME)

    assert [(one["name"], one["prompt"]) for one in found["styles"]] == [("my noir", "my secret words, {prompt}")]
    assert found["defaults"]["quality"] == "high"
    assert "ours" not in json.dumps(found)
    await store.people.forget(ME)
    assert await store.styles.all(MINE) == ()
    assert (await store.servers.settings(MINE)).defaults == Defaults()
    assert len(await store.styles.all(SERVER)) == 1


async def test_what_a_server_saved_goes_with_it_and_members_keep_theirs(store):
    await store.styles.save(MINE, look("mine"), 50)
    await store.styles.save(SERVER, look("ours", servers=True), 100)

    await store.people.forget_place(Place(10, 0))

    assert await store.styles.all(SERVER) == ()
    assert len(await store.styles.all(MINE)) == 1
