"""What the daily housekeeping asks of the ledger, on both databases."""

from __future__ import annotations

from datetime import timedelta

from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.edits import imported

SERVER = Place(10, 1)


async def test_facts_are_found_by_how_their_key_begins(store):
    for key in ("server 1", "server 2", "serverside", "server%", "deleted x"):
        await store.set_fact(key, key.upper())
    assert await store.facts("server ") == {"server 1": "SERVER 1", "server 2": "SERVER 2"}
    assert await store.facts("server%") == {"server%": "SERVER%"}
    assert await store.facts("nothing") == {}


async def test_a_place_was_last_used_by_its_last_job_or_change(store, sample):
    assert await store.last_used(SERVER) is None
    changed = sample.now + timedelta(hours=1)
    await store.change_settings(SERVER, imported(ServerSettings()), 9, changed)
    assert await store.last_used(SERVER) == changed
    asked = sample.now + timedelta(hours=2)
    await store.open_jobs([sample.draft()], asked)
    await store.open_jobs([sample.draft(sample.asker(guild=11))], asked + timedelta(days=1))
    assert await store.last_used(SERVER) == asked


async def test_old_counters_go_and_those_of_open_jobs_stay(store, sample, made):
    [done] = await store.open_jobs([sample.draft(micro_usd=10)], sample.now)
    await made(store, done, 8)
    later = sample.now + timedelta(days=100)
    await store.open_jobs([sample.draft(sample.asker(2), micro_usd=10)], later - timedelta(days=50))
    await store.forget_counters(later)
    assert {row["window_key"] for row in (await store.export_member(1))["counters"]} <= {"now"}
    assert len((await store.export_member(2))["counters"]) > 1
    assert await store.audit_sums() == []


async def test_a_forgotten_server_leaves_no_pace_of_its_own_key(store, sample):
    for key in ("images key g10", "images key g110", "images operator"):
        await store.take_slot(key, 5, sample.now)
    await store.forget_place(SERVER)
    from sqlalchemy import select

    from bot.adapters.database.tables import slots

    async with store._db.reading() as connection:
        left = sorted((await connection.execute(select(slots.c.key))).scalars())
    assert left == ["images key g110", "images operator"]
