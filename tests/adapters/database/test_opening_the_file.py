"""Opening: locks, damage, revisions, backups. Every refusal says what to do and changes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.database import (
    AlreadyOpen,
    Fit,
    HalfMigrated,
    NewerSchema,
    StoreUnusable,
    migrate_store,
    open_store,
    schema_state,
    sqlite_file,
)
from bot.adapters.database.engine import Database
from bot.adapters.database.schema import revisions
from bot.adapters.database.schema.revisions import NEWEST, known_revisions
from bot.adapters.database.schema.tables import metadata
from bot.rules.errors import StorageTrouble
from bot.rules.ledger import JobState

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{tmp_path}/easel.db"


@pytest.fixture
def opening(url, tmp_path, secrets):
    async def open_it(**more):
        values = {"data_dir": tmp_path, "secrets": secrets, "clock": lambda: NOW, **more}
        return await open_store(more.pop("url", url), **{k: v for k, v in values.items() if k != "url"})

    return open_it


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_new_file_is_made_with_its_folder(tmp_path, opening):
    store = await opening(url=f"sqlite+aiosqlite:///{tmp_path}/deep/er/easel.db")
    await store.check()
    assert (await store.schema_state()).fit is Fit.CURRENT
    await store.aclose()
    assert (tmp_path / "deep/er/easel.db").exists()
    assert not (tmp_path / "backups").exists()


async def test_a_second_store_on_one_file_is_refused_and_the_first_goes_on(opening):
    store = await opening()
    with pytest.raises(AlreadyOpen, match="in use by another Easel"):
        await opening()
    await store.check()
    await store.aclose()
    await (await opening()).aclose()


async def test_a_second_process_on_one_file_is_refused(opening, url, tmp_path):
    store = await opening()
    program = (
        "import asyncio, sys; from pathlib import Path; from bot.adapters.database import migrate_store, AlreadyOpen\n"
        "try: asyncio.run(migrate_store(sys.argv[1], data_dir=Path(sys.argv[2])))\n"
        "except AlreadyOpen: sys.exit(7)"
    )
    ended = subprocess.run([sys.executable, "-c", program, url, str(tmp_path)], check=False)
    assert ended.returncode == 7
    await store.aclose()


@pytest.mark.parametrize("content", [b"", b"this is not a database at all, it is a text " * 50])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, opening, content):
    path = tmp_path / "easel.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match="restore"):
        await opening()
    assert path.read_bytes() == content


async def test_a_damaged_page_is_found_at_the_start(tmp_path, opening):
    await (await opening()).aclose()
    path = tmp_path / "easel.db"
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(StoreUnusable, match="restore"):
        await opening()


async def test_of_a_large_file_the_present_is_looked_at_and_the_past_is_left_to_the_doctor(
    tmp_path, opening, monkeypatch
):
    await (await opening()).aclose()
    monkeypatch.setattr(sqlite_file, "READ_WHOLE_BYTES", 0)
    path = tmp_path / "easel.db"
    await (await opening()).aclose()
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        root = dict(connection.execute("SELECT name, rootpage FROM sqlite_master"))
    for table, is_found in (("settings", True), ("jobs", True), ("ix_jobs_user", False)):
        page = root[table]
        data = bytearray(whole)
        data[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
        path.write_bytes(data)
        assert (sqlite_file.damage_at_start(path) != "") == is_found, table
        assert sqlite_file.damage(path)


async def test_a_large_file_that_was_not_closed_in_order_is_read_whole(tmp_path, opening, monkeypatch):
    await (await opening()).aclose()
    monkeypatch.setattr(sqlite_file, "READ_WHOLE_BYTES", 0)
    path = tmp_path / "easel.db"
    with closing(sqlite3.connect(path)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_jobs_user'").fetchone()
    data = bytearray(path.read_bytes())
    data[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096
    path.write_bytes(data)
    (tmp_path / "easel.db-wal").write_bytes(b"what a crash left")
    assert sqlite_file.damage_at_start(path)


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path, opening):
    (tmp_path / "easel.db").mkdir()
    with pytest.raises(StoreUnusable, match="not a file"):
        await opening()


@pytest.mark.parametrize(
    "address", ["nonsense", "mysql://x", "sqlite:///x.db", "postgresql://u:geheim@h/d", "http://geheim"]
)
async def test_an_address_that_is_none_is_refused_without_repeating_it(opening, address):
    with pytest.raises(StoreUnusable) as refused:
        await opening(url=address)
    assert "geheim" not in str(refused.value)


async def test_a_postgresql_that_does_not_answer_is_named_without_its_password(opening):
    with pytest.raises(StoreUnusable, match=r"127\.0\.0\.1:1") as refused:
        await opening(url="postgresql+asyncpg://u:geheim@127.0.0.1:1/d")
    assert "geheim" not in str(refused.value)


async def test_a_newer_schema_is_refused_and_not_touched(tmp_path, opening, url):
    await (await opening()).aclose()
    run_sql(tmp_path / "easel.db", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema, match="9999"):
        await opening()
    assert (await schema_state(url)).fit is Fit.NEWER


async def test_tables_without_a_revision_are_half_a_migration(tmp_path, opening, url):
    await (await opening()).aclose()
    run_sql(tmp_path / "easel.db", "DELETE FROM alembic_version")
    with pytest.raises(HalfMigrated, match="restore"):
        await opening()
    assert (await schema_state(url)).fit is Fit.HALF


async def test_a_missing_table_is_half_a_migration(tmp_path, opening):
    await (await opening()).aclose()
    run_sql(tmp_path / "easel.db", "DROP TABLE uses")
    with pytest.raises(HalfMigrated, match="uses"):
        await opening()


async def test_check_finds_what_happened_to_the_schema_meanwhile(tmp_path, opening):
    store = await opening()
    await store.check()
    run_sql(tmp_path / "easel.db", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema):
        await store.check()
    await store.aclose()


async def test_nothing_is_migrated_when_told_not_to(opening, url):
    with pytest.raises(StoreUnusable, match="migrate"):
        await opening(migrate=False)
    assert (await schema_state(url)).fit is Fit.EMPTY


async def test_an_older_schema_is_backed_up_and_then_migrated(tmp_path, opening, url, monkeypatch):
    await (await opening()).aclose()
    run_sql(
        tmp_path / "easel.db",
        "UPDATE alembic_version SET version_num = '0000'",
        "INSERT INTO facts (key, value) VALUES ('kept', 'yes')",
    )
    monkeypatch.setattr(revisions, "known_revisions", lambda: (NEWEST, "0000"))
    monkeypatch.setattr(
        revisions,
        "upgrade",
        lambda connection: connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{NEWEST}'"),
    )
    assert (await schema_state(url)).fit is Fit.OLDER
    with pytest.raises(StoreUnusable, match="migrate"):
        await opening(migrate=False)
    backup = await migrate_store(url, data_dir=tmp_path, clock=lambda: NOW)
    assert backup == tmp_path / "backups" / "easel-0000-20260314T120000000000.db"
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)
        assert connection.execute("SELECT value FROM facts").fetchone() == ("yes",)
    assert backup.stat().st_mode & 0o077 == 0
    assert (await schema_state(url)).fit is Fit.CURRENT
    assert await migrate_store(url, data_dir=tmp_path) is None


async def test_a_migration_that_fails_leaves_the_database_as_it_was(opening, url, monkeypatch):
    def breaks(connection):
        connection.exec_driver_sql("CREATE TABLE jobs (id TEXT)")
        raise RuntimeError("power cut")

    monkeypatch.setattr(revisions, "upgrade", breaks)
    with pytest.raises(RuntimeError):
        await opening()
    monkeypatch.undo()
    assert (await schema_state(url)).fit is Fit.EMPTY
    await (await opening()).aclose()


@pytest.mark.parametrize("kind", ["a link", "a link to its folder", "a hard link"])
async def test_one_file_is_held_once_whatever_its_name(opening, tmp_path, kind):
    if kind == "a hard link" and sys.platform != "linux":
        pytest.skip("only Linux can hold the file itself beside SQLite")
    store = await opening()
    other = tmp_path / "other"
    other.mkdir()
    name = other / "ledger.db"
    match kind:
        case "a link":
            name.symlink_to(tmp_path / "easel.db")
        case "a link to its folder":
            (other / "data").symlink_to(tmp_path)
            name = other / "data" / "easel.db"
        case "a hard link":
            name.hardlink_to(tmp_path / "easel.db")
    with pytest.raises(AlreadyOpen):
        await opening(url=f"sqlite+aiosqlite:///{name}")
    assert (await store.leases.unfinished()) == []
    await store.aclose()
    await (await opening(url=f"sqlite+aiosqlite:///{name}")).aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move a file that is open")
@pytest.mark.parametrize("fate", ["deleted", "moved", "replaced"])
async def test_a_ledger_that_vanished_is_noticed_and_not_replaced(opening, tmp_path, draft, now, fate, caplog):
    store, file = await opening(), tmp_path / "easel.db"
    [job] = await store.jobs.open([draft()], now)
    away = file.rename(tmp_path / "away.db")
    if fate == "replaced":
        file.write_bytes(away.read_bytes())
    if fate == "deleted":
        away.unlink()
    for attempt in (
        store.jobs.open([draft()], now),
        store.jobs.dispatch(job, now),
        store.jobs.get(job.id),
        store.check(),
    ):
        with pytest.raises(StorageTrouble, match="put it back"):
            await attempt
    assert file.exists() == (fate == "replaced")
    assert "not the file that was opened" in caplog.text
    if fate != "deleted":
        away.replace(file)
        assert (await store.jobs.dispatch(job, now)).state is JobState.DISPATCHED
        assert await store.audit_sums() == []
    await store.aclose()


async def test_a_new_ledger_where_one_was_before_is_said(opening, tmp_path, caplog):
    await (await opening()).aclose()
    assert caplog.text == ""
    (tmp_path / "easel.db").unlink()
    await (await opening()).aclose()
    assert "a new one will be begun" in caplog.text


def test_the_newest_revision_is_the_one_written_down():
    assert known_revisions()[0] == NEWEST


async def test_the_migrations_make_exactly_the_tables(tmp_path, opening, url):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    await (await opening()).aclose()
    database = Database(url)

    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert await database.run_sync(differences) == []
    await database.aclose()


@pytest.mark.slow
def test_a_current_database_is_opened_without_importing_alembic(tmp_path):
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from bot.adapters.database import open_store\n"
        "from bot.adapters.secrets import load_secrets\n"
        "async def main():\n"
        "    folder = Path(sys.argv[1])\n"
        "    url = f'sqlite+aiosqlite:///{folder}/easel.db'\n"
        "    store = await open_store(url, data_dir=folder, secrets=load_secrets(None, folder))\n"
        "    await store.aclose()\n"
        "asyncio.run(main()); print('alembic' in sys.modules)"
    )
    ran = [
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in ran] == ["True", "False"]
