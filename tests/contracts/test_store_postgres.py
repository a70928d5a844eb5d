"""What only PostgreSQL has: several processes at once, connections that break, a database shared with strangers."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bot.adapters.database import Fit, NewerSchema, leases, migrate_store, schema_state
from bot.adapters.database.postgres import steps
from bot.rules.ledger import DuplicateEvent

pytestmark = pytest.mark.postgres

SEVER = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'easel' AND pid <> pg_backend_pid()"


@pytest.fixture
async def store_url(postgres, tmp_path):
    return await postgres.emptied(tmp_path)


async def test_severed_connections_are_made_again_and_nothing_is_lost(opened, postgres, sample):
    store = await opened()
    jobs = []
    for _ in range(4):
        jobs += await store.jobs.open([sample.draft(micro_usd=5)], sample.now)
        await postgres.run("easel", SEVER)
    for job in jobs:
        await postgres.run("easel", SEVER)
        await store.jobs.release(job, "", sample.now)
    assert await store.audit_sums() == []
    assert await store.leases.unfinished() == []


async def test_connections_severed_under_load_unbalance_nothing(opened, postgres, sample):
    store = await opened()

    async def sever():
        for _ in range(5):
            await postgres.run("easel", SEVER)

    tries = [store.jobs.open([sample.draft(sample.asker(user), micro_usd=5)], sample.now) for user in range(40)]
    outcomes = await asyncio.gather(*tries, sever(), return_exceptions=True)
    made = [outcome[0] for outcome in outcomes if isinstance(outcome, list)]
    assert made
    assert await store.audit_sums() == []
    assert {job.id for job in made} <= {job.id for job in await store.leases.unfinished()}


@asynccontextmanager
async def hanging(postgres):
    """Every connection to the database is open and says nothing any more, as behind a network that swallows all."""
    connection = await asyncpg.connect(host=postgres.folder, user="postgres", database="postgres")
    found = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE datname = 'easel'")
    await connection.close()
    for row in found:
        os.kill(row["pid"], signal.SIGSTOP)
    try:
        yield len(found)
    finally:
        for row in found:
            os.kill(row["pid"], signal.SIGCONT)


async def test_a_heartbeat_does_not_wait_for_a_connection_that_hangs(opened, postgres, sample, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_WITHIN_S", 0.2)
    store = await opened()
    async with hanging(postgres) as held, asyncio.timeout(60):
        assert held
        await store.leases.heartbeat()


async def test_jobs_go_on_beside_a_connection_that_hangs_and_nothing_is_counted_twice(
    opened, postgres, sample, monkeypatch
):
    monkeypatch.setattr(steps, "WITHIN_S", 0.5)
    store = await opened()
    [job] = await store.jobs.open([sample.draft(micro_usd=5)], sample.now)
    async with hanging(postgres), asyncio.timeout(60):
        moved, *opened_meanwhile = await asyncio.gather(
            store.jobs.dispatch(job, sample.now),
            *(store.jobs.open([sample.draft(sample.asker(user), micro_usd=5)], sample.now) for user in range(2, 6)),
        )
    assert {job.id for job in await store.leases.unfinished()} == {moved.id, *(one[0].id for one in opened_meanwhile)}
    assert await store.audit_sums() == []


async def test_one_event_seen_by_two_processes_makes_one_job(opened, sample):
    stores = [await opened() for _ in range(4)]
    for number in range(10):
        drafts = [sample.draft(event=f"click-{number}") for _ in stores]
        outcomes = await asyncio.gather(
            *(store.jobs.open([draft], sample.now) for store, draft in zip(stores, drafts, strict=True)),
            return_exceptions=True,
        )
        assert sorted(type(outcome) is DuplicateEvent for outcome in outcomes) == [False, True, True, True]
    assert await stores[0].audit_sums() == []


async def test_one_event_by_two_members_is_still_one_job(opened, sample):
    """Their counters do not serialise them, so the unique key has to."""
    stores = [await opened(), await opened()]
    for number in range(10):
        drafts = [sample.draft(sample.asker(user, guild=user), event=f"odd-{number}") for user in (1, 2)]
        outcomes = await asyncio.gather(
            *(store.jobs.open([draft], sample.now) for store, draft in zip(stores, drafts, strict=True)),
            return_exceptions=True,
        )
        assert sorted(type(outcome) is DuplicateEvent for outcome in outcomes) == [False, True]
    assert await stores[0].audit_sums() == []


async def test_forgetting_a_member_who_is_busy_unbalances_nothing(opened, sample):
    stores = [await opened(), await opened()]

    async def busy(store):
        for _ in range(8):
            [job] = await store.jobs.open([sample.draft(micro_usd=5)], sample.now)
            job = await store.jobs.dispatch(job, sample.now)
            await store.jobs.produce(job, sample.bill(3), None, sample.now)

    async def forget():
        for _ in range(3):
            await stores[1].people.forget(1)

    await asyncio.gather(busy(stores[0]), busy(stores[1]), forget())
    assert await stores[0].audit_sums() == []


async def test_counters_have_room_for_their_next_version(postgres, store_url):
    connection = await asyncpg.connect(host=postgres.folder, user="postgres", database="easel")
    assert await connection.fetchval("SELECT reloptions FROM pg_class WHERE relname = 'uses'") == ["fillfactor=50"]
    await connection.close()


async def test_processes_that_start_together_migrate_once_beside_a_strangers_tables(postgres, tmp_path):
    await postgres.run("postgres", "CREATE DATABASE empty")
    await postgres.run("empty", "CREATE TABLE somebody_elses (id int)")
    url = postgres.url("empty")
    assert (await schema_state(url)).fit is Fit.EMPTY
    await asyncio.gather(*(migrate_store(url, data_dir=tmp_path) for _ in range(4)))
    assert (await schema_state(url)).fit is Fit.CURRENT
    await postgres.run("empty", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema):
        await migrate_store(url, data_dir=tmp_path)
    await postgres.run("postgres", "DROP DATABASE empty WITH (FORCE)")
