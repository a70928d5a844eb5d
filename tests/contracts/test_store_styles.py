"""Saved looks in the ledger: bounded, each in its place, and gone with whose they are."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.rules.people import Place
from bot.rules.servers.access import Defaults
from bot.rules.servers.changes import Imported, StyleChanged
from bot.rules.servers.edits import Held, Overhaul, defaulted
from bot.rules.styles.style import TooManyStyles, make_style, name_key, told

ME = 4242424242
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MINE, SERVER, OTHER = Place(None, ME), Place(10, ME), Place(11, ME)


def look(name: str, words: str = "{prompt}, noir \u0000\ud800", *, servers: bool = False):
    return make_style(name, words, model="m", options={"size": "16:9", "compression": 40}, servers=servers)


async def test_a_look_comes_back_as_it_was_and_the_name_again_takes_its_place(store):
    first, second = look("Straße"), look("STRASSE", "other words")

    assert await store.styles.save(MINE, first, 50, ME, NOON) is None
    assert await store.styles.get(MINE, name_key("strasse")) == first
    assert await store.styles.save(MINE, second, 50, ME, NOON) == first
    assert await store.styles.all(MINE) == (second,)
    assert await store.styles.delete(MINE, name_key("straße"), ME, NOON) == second
    assert await store.styles.delete(MINE, name_key("straße"), ME, NOON) is None
    assert await store.styles.all(MINE) == ()


async def test_looks_of_one_place_are_nowhere_else(store):
    await store.styles.save(SERVER, look("noir", servers=True), 100, ME, NOON)
    await store.styles.save(MINE, look("pop"), 1, ME, NOON)  # nor do they take its room

    assert [style.servers for style in await store.styles.all(SERVER)] == [True]
    assert await store.styles.all(OTHER) == ()
    assert await store.styles.get(SERVER, "pop") is None
    assert await store.styles.get(MINE, "noir") is None


async def test_of_many_at_once_no_more_are_kept_than_there_is_room_for(store):
    async def one(number: int) -> bool:
        try:
            await store.styles.save(MINE, look(f"look {number}"), 3, ME, NOON)
        except TooManyStyles:
            return False
        return True

    kept = await asyncio.gather(*(one(number) for number in range(10)))

    assert (sum(kept), len(await store.styles.all(MINE))) == (3, 3)
    name = (await store.styles.all(MINE))[0].name
    assert await store.styles.save(MINE, look(name, "changed"), 3, ME, NOON) is not None
    with pytest.raises(TooManyStyles):
        await store.styles.save(MINE, look("one more"), 3, ME, NOON)


async def test_what_a_person_saved_is_exported_and_forgotten_and_the_servers_stay(store, sample):
    await store.styles.save(MINE, look("my noir", "my secret words"), 50, ME, NOON)
    await store.styles.save(SERVER, look("ours", servers=True), 100, 7, NOON)
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
    await store.styles.save(MINE, look("mine"), 50, ME, NOON)
    await store.styles.save(SERVER, look("ours", servers=True), 100, ME, NOON)

    await store.people.forget_place(Place(10, 0))

    assert await store.styles.all(SERVER) == ()
    assert len(await store.styles.all(MINE)) == 1


async def test_what_becomes_of_a_servers_look_is_in_its_trail_and_of_ones_own_nowhere(store, sample):
    first, second = look("noir", servers=True), look("Noir", "other words", servers=True)
    await store.styles.save(MINE, look("mine"), 50, ME, NOON)
    await store.styles.delete(MINE, "mine", ME, NOON)
    for one in (first, first, second):
        await store.styles.save(SERVER, one, 100, ME, NOON)
    await store.styles.delete(SERVER, "noir", 7, NOON)

    trail = await store.servers.audit(SERVER)
    assert {(entry.actor_id, entry.change) for entry in trail} == {
        (ME, StyleChanged("noir", "", told(first))),
        (ME, StyleChanged("Noir", told(first), told(second))),
        (7, StyleChanged("Noir", told(second), "")),
    }
    assert len(trail) == 3
    assert await store.servers.audit(MINE) == []
    mine = (await store.people.export(ME))["settings_changed"]
    assert {one["change"]["old"] for one in mine} == {""}


async def test_an_overhaul_replaces_looks_with_the_rest_or_leaves_them(store, sample):
    old, new = look("old", servers=True), look("new", servers=True)
    await store.styles.save(SERVER, old, 100, ME, NOON)
    change = StyleChanged("new", "", told(new))

    def leaving(held: Held) -> Overhaul:
        return Overhaul(replace(held.settings, spoiler=True), (), (), (), Imported())

    def replacing(held: Held) -> Overhaul:
        assert held.styles == (old,)
        return Overhaul(held.settings, (), (), (change,), Imported(), (new,))

    await store.servers.overhaul(SERVER, leaving, ME, NOON)
    assert await store.styles.all(SERVER) == (old,)
    assert await store.servers.overhaul(SERVER, replacing, ME, NOON) == (Imported(), change)
    assert await store.styles.all(SERVER) == (new,)
    assert (await store.servers.settings(SERVER)).spoiler
