"""From one revision to the next, with rows that the older one wrote."""

from __future__ import annotations

import pytest

from bot.adapters.database import Fit, migrate_store, schema_state
from bot.adapters.database.engine import Database
from bot.adapters.database.schema.revisions import upgrade
from bot.ports import AuditEntry
from bot.rules.people import Place
from bot.rules.servers.changes import BlockChanged, Look, LookChanged, PauseChanged, Recorded, Stop
from bot.rules.servers.edits import paused

SERVER = Place(10, 1)
BEFORE = Recorded("limit role 7 images per day", "none", "5")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def first_url(request, tmp_path):
    """A database at revision 0001 with one line in its trail."""
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        await postgres.run("postgres", "CREATE DATABASE first")
        url = postgres.url("first")
    else:
        url = f"sqlite+aiosqlite:///{tmp_path}/first.db"
    database = Database(url)
    await database.run_sync(lambda connection: upgrade(connection, "0001"))
    await run(
        database,
        "INSERT INTO audit (id, place_key, at, actor_id, what, old, new) "
        f"VALUES ('a', 'g10', 1000000, 8, '{BEFORE.what}', '{BEFORE.old}', '{BEFORE.new}')",
        "INSERT INTO settings (place_key, version, body) VALUES ('g10', 3, '{\"paused\": true, \"version\": 3}')",
    )
    await database.aclose()
    yield url
    if request.param == "postgres":
        await postgres.run("postgres", "DROP DATABASE first WITH (FORCE)")


async def run(database, *statements):
    def work(connection):
        for statement in statements:
            connection.exec_driver_sql(statement)

    await database.run_sync(work)


async def test_what_was_changed_before_there_was_data_is_shown_as_it_was_written(first_url, opened, sample, tmp_path):
    assert (await schema_state(first_url)).fit is Fit.OLDER
    await migrate_store(first_url, data_dir=tmp_path)
    assert (await schema_state(first_url)).fit is Fit.CURRENT
    store = await opened(url=first_url)
    await store.servers.change_settings(SERVER, paused("party"), 9, sample.now)
    new, old = await store.servers.audit(SERVER)
    assert (old.actor_id, old.change) == (8, BEFORE)
    assert new == AuditEntry(sample.now, 9, PauseChanged(Stop(True), Stop(True, "party")))
    mine = (await store.people.export(8))["settings_changed"]
    assert [one["change"] for one in mine] == [{"what": BEFORE.what, "old": "none", "new": "5"}]


async def test_a_change_of_a_newer_version_is_shown_by_its_name(first_url, opened, sample, tmp_path):
    await migrate_store(first_url, data_dir=tmp_path)
    database = Database(first_url)
    await run(database, """UPDATE audit SET what = 'seed', old = '', new = '', change = '{"kind": "seed", "new": 5}'""")
    await database.aclose()
    [entry] = await (await opened(url=first_url)).servers.audit(SERVER)
    assert entry.change == Recorded("seed", "", "")


async def test_a_change_of_what_costs_show_is_read_as_one_of_the_look(first_url, opened, sample, tmp_path):
    await migrate_store(first_url, data_dir=tmp_path)
    database = Database(first_url)
    await run(database, """UPDATE audit SET change = '{"kind": "cost_shown", "old": true, "new": false}'""")
    await database.aclose()
    [entry] = await (await opened(url=first_url)).servers.audit(SERVER)
    assert entry.change == LookChanged(Look(cost=True), Look(cost=False))


async def test_what_an_admin_changed_is_in_their_own_data(store, sample):
    change = BlockChanged(7, Stop(False), Stop(True, "spam"))
    await store.servers.change_settings(SERVER, lambda settings: (settings, change), 9, sample.now)
    [mine] = (await store.people.export(9))["settings_changed"]
    assert mine["change"] == {
        "kind": "block",
        "user_id": 0,
        "old": {"stopped": False, "reason": ""},
        "new": {"stopped": True, "reason": ""},
    }
