"""What the daily housekeeping asks of the ledger, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from bot.adapters.database.schema.tables import facts
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from tests.support.people import becomes

SERVER = Place(10, 1)


async def test_each_kind_of_note_is_listed_by_itself(store, sample):
    assert await store.notes.servers() == {}
    await store.notes.set_server(1, removed=None)
    await store.notes.set_server(2, removed=sample.now)
    await store.notes.set_server(3, removed=None)
    await store.notes.drop_server(3)
    await store.notes.set_deleted("tag%", sample.now)
    await store.notes.set_deleted("tag", sample.now)
    await store.notes.set_deleted("tag", None)
    assert await store.notes.servers() == {1: None, 2: sample.now}
    assert await store.notes.deletions() == {"tag%": sample.now}


async def test_a_note_is_kept_under_the_key_it_has_always_had(store, sample):
    """Ledgers of earlier versions hold these rows."""
    notes, day = store.notes, sample.now.date()
    await notes.set_commands(7, None, "digest")
    await notes.set_commands(7, 10, "digest of one guild")
    await notes.set_posting("job", sample.now)
    await notes.set_server(1, removed=None)
    await notes.set_server(2, removed=sample.now)
    await notes.set_deleted("tag", sample.now)
    await notes.set_told_end("dall-e-3", day, day)
    rows = await store.database.rows(select(facts))
    now = "2026-03-14T12:00:00+00:00"
    assert {row["key"]: row["value"] for row in rows} == {
        "commands 7 global": "digest",
        "commands 7 10": "digest of one guild",
        "posting:job": now,
        "server 1": "here",
        "server 2": now,
        "deleted tag": now,
        "warned-end:dall-e-3:2026-03-14": "2026-03-14",
    }


async def test_a_place_was_last_used_by_its_last_job_or_change(store, sample):
    assert await store.servers.last_used(SERVER) is None
    changed = sample.now + timedelta(hours=1)
    await store.servers.change_settings(SERVER, becomes(ServerSettings()), 9, changed)
    assert await store.servers.last_used(SERVER) == changed
    asked = sample.now + timedelta(hours=2)
    await store.jobs.open([sample.draft()], asked)
    await store.jobs.open([sample.draft(sample.asker(guild=11))], asked + timedelta(days=1))
    assert await store.servers.last_used(SERVER) == asked


async def test_old_counters_go_and_those_of_open_jobs_stay(store, sample, made):
    [done] = await store.jobs.open([sample.draft(micro_usd=10)], sample.now)
    await made(store, done, 8)
    later = sample.now + timedelta(days=100)
    await store.jobs.open([sample.draft(sample.asker(2), micro_usd=10)], later - timedelta(days=50))
    await store.people.forget_counters(later)
    assert {row["window_key"] for row in (await store.people.export(1))["counters"]} <= {"now"}
    assert len((await store.people.export(2))["counters"]) > 1
    assert await store.audit_sums() == []


async def test_a_forgotten_server_leaves_no_pace_of_its_own_key(store, sample):
    for key in ("images key g10", "images key g110", "images operator"):
        await store.leases.take_slot(key, 5)
    await store.people.forget_place(SERVER)
    from sqlalchemy import select

    from bot.adapters.database.schema.tables import slots

    async with store.database.reading() as connection:
        left = sorted((await connection.execute(select(slots.c.key))).scalars())
    assert left == ["images key g110", "images operator"]
