"""A ledger that moves from one database to another: whole, compared, and the old one as it was."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import sqlite3
import sys
from contextlib import closing

import pytest
from sqlalchemy import Text, insert, select

from bot.adapters.database import HalfMigrated, StoreUnusable, open_store
from bot.adapters.database.engine import Database
from bot.adapters.database.moving import move as moving
from bot.adapters.database.moving.move import move_ledger
from bot.adapters.database.schema.tables import metadata
from bot.adapters.secrets import Secrets
from bot.ports import Batch
from bot.rules.people import Place
from bot.rules.servers.edits import paused
from tests.contracts.conftest import KEY, NOON
from tests.support.ledger import empty_ledger

SERVER = Place(10, 1)


def quiet(_done: int, _of: int) -> None: ...


@pytest.fixture
async def lived(tmp_path, sample, made):
    """The address of an SQLite ledger with a row in every table, and jobs in several states, that nobody uses."""
    folder = tmp_path / "old"
    folder.mkdir()
    url = await empty_ledger(folder)
    store = await open_store(url, data_dir=tmp_path, secrets=Secrets((KEY,)), clock=lambda: NOON)
    for user in range(1, 8):
        [job] = await store.jobs.open([sample.draft(sample.asker(user), micro_usd=50, prompt="füchse 🦊")], sample.now)
        await made(store, job, 20)
    [late] = await store.jobs.open([sample.draft(micro_usd=9)], sample.now)
    late = await store.jobs.produce(await store.jobs.dispatch(late, NOON), sample.bill(3), "revised", NOON)
    await store.jobs.set_waiting(late, True)
    asker = sample.asker()
    await store.jobs.open_batch(Batch("batch", asker, ("a", "b"), NOON, 100), sample.batch(2, asker), NOON)
    await store.servers.set_limit(SERVER, sample.limit("server", "dollars", "month", 10**9), 9, NOON)
    await store.servers.change_settings(SERVER, paused("party"), 9, NOON)
    await store.servers.set_api_key(SERVER, "sk-secret", 9, NOON)
    await store.leases.take_slot("operator", 5)
    async with store.database.writing() as connection:
        for table in metadata.sorted_tables:
            if await connection.scalar(select(table).limit(1)) is None:
                await connection.execute(insert(moving.BARE[table.name]), _any_row(table))
    await store.aclose()
    return url


def _any_row(table):
    return {c.name: "x" if isinstance(c.type, Text) else c.type.python_type is bool or 7 for c in table.c}


async def rows(url):
    """Every row of every table the schema has."""
    database = Database(url)
    found = {}
    async with database.reading() as connection:
        for table in metadata.sorted_tables:
            found[table.name] = sorted(map(repr, await connection.execute(select(table))))
    await database.aclose()
    return found


def file_of(url):
    return url.split(":///")[1]


def bytes_of(url):
    with open(file_of(url), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@pytest.fixture
async def elsewhere(store_url, tmp_path):
    """An empty database of either kind, where nothing of Easel's was before."""
    return store_url if store_url.startswith("postgresql") else f"sqlite+aiosqlite:///{tmp_path}/there/new.db"


async def test_every_row_of_every_table_arrives_and_the_old_ledger_is_as_it_was(lived, elsewhere, tmp_path):
    before, file = await rows(lived), bytes_of(lived)
    assert all(before.values()), "the ledger that is moved must have a row in every table"
    told = []
    moved = await move_ledger(lived, elsewhere, lambda done, of: told.append((done, of)))
    assert await rows(elsewhere) == before
    assert bytes_of(lived) == file
    assert dict(moved.rows) == {name: len(found) for name, found in before.items()}
    assert told[-1][0] == told[-1][1] == 2 * sum(moved.rows.values())
    store = await open_store(elsewhere, data_dir=tmp_path, secrets=Secrets((KEY,)), clock=lambda: NOON)
    assert [job.revised_prompt for job in await store.jobs.waiting(SERVER, 1)] == ["revised"]
    assert await store.servers.api_key(SERVER) == "sk-secret"
    await store.aclose()


async def test_what_a_dead_process_left_in_the_log_arrives_and_the_log_stays(lived, tmp_path):
    old = tmp_path / "dead" / "easel.db"
    old.parent.mkdir()
    with closing(sqlite3.connect(file_of(lived))) as connection:
        connection.execute("UPDATE jobs SET reason = 'in the log'")
        connection.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{file_of(lived)}{end}", f"{old}{end}")
    log = pathlib.Path(f"{old}-wal")
    url, said = f"sqlite+aiosqlite:///{old}", log.read_bytes()
    file = bytes_of(url)
    there = f"sqlite+aiosqlite:///{tmp_path}/new.db"
    await move_ledger(url, there, quiet)
    assert (bytes_of(url), log.read_bytes()) == (file, said)
    assert all("in the log" in row for row in (await rows(there))["jobs"])


async def test_what_a_start_without_a_job_left_there_may_go(lived, tmp_path):
    there = f"sqlite+aiosqlite:///{tmp_path}/new.db"
    store = await open_store(there, data_dir=tmp_path, secrets=Secrets((KEY,)))
    await store.leases.heartbeat()
    await store.leases.take_slot("operator", 5)
    await store.aclose()
    await move_ledger(lived, there, quiet)
    assert await rows(there) == await rows(lived)


async def test_a_ledger_moves_there_and_back(lived, elsewhere, tmp_path):
    before = await rows(lived)
    await move_ledger(lived, elsewhere, quiet)
    back = f"sqlite+aiosqlite:///{tmp_path}/back.db"
    await move_ledger(elsewhere, back, quiet)
    assert await rows(back) == before


async def test_an_interrupted_move_leaves_no_ledger_behind_and_is_repeated(lived, elsewhere, tmp_path, monkeypatch):
    before = await rows(lived)
    monkeypatch.setattr(moving, "AT_ONCE", 3)

    def power_cut(done: int, _of: int) -> None:
        if done > 12:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        await move_ledger(lived, elsewhere, power_cut)
    with pytest.raises(HalfMigrated, match="moved into this database"):
        await open_store(elsewhere, data_dir=tmp_path, secrets=Secrets((KEY,)))
    with pytest.raises(HalfMigrated):
        await move_ledger(elsewhere, f"sqlite+aiosqlite:///{tmp_path}/third.db", quiet)
    await move_ledger(lived, elsewhere, quiet)
    assert await rows(elsewhere) == before


async def test_what_did_not_arrive_as_it_was_sent_is_no_ledger(lived, tmp_path):
    there = f"sqlite+aiosqlite:///{tmp_path}/new.db"

    def meddle(done: int, of: int) -> None:
        if done == of // 2:
            with closing(sqlite3.connect(file_of(there), timeout=5)) as connection, connection:
                connection.execute("UPDATE jobs SET charged_micro_usd = charged_micro_usd + 1 WHERE user_id = 3")

    with pytest.raises(StoreUnusable, match="jobs did not arrive"):
        await move_ledger(lived, there, meddle)
    with pytest.raises(HalfMigrated):
        await open_store(there, data_dir=tmp_path, secrets=Secrets((KEY,)))


async def test_somebody_elses_ledger_is_not_written_over(lived, elsewhere, tmp_path, sample):
    store = await open_store(
        elsewhere if elsewhere.startswith("postgresql") else f"sqlite+aiosqlite:///{tmp_path}/other.db",
        data_dir=tmp_path,
        secrets=Secrets((KEY,)),
    )
    url = store.database.url.render_as_string(hide_password=False)
    await store.notes.set_commands(1, None, "theirs")
    async with store.database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM processes")
    await store.aclose()
    before = await rows(url)
    with pytest.raises(StoreUnusable, match="another ledger is there"):
        await move_ledger(lived, url, quiet)
    assert await rows(url) == before


async def test_nothing_moves_while_an_easel_runs_on_either(lived, elsewhere, tmp_path):
    store = await open_store(lived, data_dir=tmp_path, secrets=Secrets((KEY,)))
    with pytest.raises(StoreUnusable, match="in use"):
        await move_ledger(lived, elsewhere, quiet)
    await store.aclose()
    running = await open_store(elsewhere, data_dir=tmp_path, secrets=Secrets((KEY,)))
    with pytest.raises(StoreUnusable, match=r"in use|was heard there"):
        await move_ledger(lived, elsewhere, quiet)
    with pytest.raises(StoreUnusable, match=r"in use|was heard there"):
        await move_ledger(elsewhere, f"sqlite+aiosqlite:///{tmp_path}/third.db", quiet)
    await running.aclose()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{lived}", "{lived}", "own address"),
        ("sqlite+aiosqlite:///{folder}/none.db", "sqlite+aiosqlite:///{folder}/new.db", "no ledger to move"),
        ("{lived}", "sqlite+aiosqlite:///:memory:", "in memory"),
        ("{lived}", "postgresql+asyncpg://me:hidden@127.0.0.1:9/easel", "cannot be used"),
        ("{lived}", "sqlite+aiosqlite:////proc/none/new.db", "cannot be used"),
    ],
)
async def test_what_cannot_be_moved_is_said_in_one_sentence(lived, tmp_path, old, new, says):
    file = bytes_of(lived)
    with pytest.raises(StoreUnusable, match=says) as told:
        await move_ledger(old.format(lived=lived, folder=tmp_path), new.format(lived=lived, folder=tmp_path), quiet)
    assert "hidden" not in str(told.value)
    assert bytes_of(lived) == file


async def test_the_ledgers_own_file_is_known_by_any_name_and_nothing_is_left_beside_it(lived, tmp_path):
    other = tmp_path / "other.db"
    other.hardlink_to(file_of(lived))
    with pytest.raises(StoreUnusable, match="own address"):
        await move_ledger(lived, f"sqlite+aiosqlite:///{other}", quiet)
    assert not (tmp_path / "other.db.lock").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
async def test_no_lock_file_is_left_beside_what_is_somebody_elses(lived, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    shutil.copyfile(file_of(lived), folder / "theirs.db")
    with pytest.raises(StoreUnusable, match="another ledger is there"):
        await move_ledger(lived, f"sqlite+aiosqlite:///{folder}/theirs.db", quiet)
    assert [file.name for file in folder.iterdir()] == ["theirs.db"]
