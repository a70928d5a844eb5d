"""Backup and restore on real files: whole copies of a live ledger, and nothing lost when something is wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.adapters.database import migrate_store, open_store
from bot.adapters.database.sqlite_file import damage
from bot.adapters.secrets import load_secrets
from bot.operator.backup import backup, pg_dump_command
from bot.operator.doctor.context import LedgerState
from bot.operator.migrate import look_at_ledger
from bot.operator.purge import delete_everything, parse_age, purge_older
from bot.operator.restore import check_backup, restore
from bot.ports import CannotStart
from bot.rules.overnight import Overnight
from bot.settings.model import Settings
from bot.settings.sources import parse_settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """Settings with a ledger of this version that holds one fact."""
    made = parse_settings(
        {
            "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/data/easel.db",
            "DATA_DIR": str(tmp_path / "data"),
        }
    )
    await migrate_store(made.database_url, data_dir=made.data_dir)
    note(made, "first")
    return made


def note(settings: Settings, value: str) -> None:
    assert settings.sqlite_path
    with closing(sqlite3.connect(settings.sqlite_path)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO facts (key, value) VALUES ('commands 1 global', ?)", (value,))


def noted(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("SELECT value FROM facts WHERE key = 'commands 1 global'").fetchone()[0])


async def test_a_backup_of_a_running_ledger_is_whole_and_has_what_is_still_in_its_log(settings: Settings) -> None:
    store = await open_store(
        settings.database_url, data_dir=settings.data_dir, secrets=load_secrets(None, settings.data_dir)
    )
    try:
        await store.notes.set_commands(1, None, "fresh")
        made = backup(settings, NOW)
    finally:
        await store.aclose()
    assert damage(made) == ""
    assert noted(made) == "fresh"
    assert made.stat().st_mode & 0o077 == 0
    assert list(made.parent.glob("*.part")) == []


async def test_what_was_backed_up_can_be_restored_and_what_stood_there_is_kept(settings: Settings) -> None:
    made = backup(settings, NOW)
    note(settings, "second")
    kept = restore(settings, made, NOW)
    assert settings.sqlite_path
    assert noted(settings.sqlite_path) == "first"
    assert kept
    assert noted(kept) == "second"
    assert (await look_at_ledger(settings)).state is LedgerState.CURRENT


async def test_a_damaged_ledger_is_not_backed_up_as_if_it_were_whole(settings: Settings) -> None:
    assert settings.sqlite_path
    settings.sqlite_path.write_bytes(b"SQLite format 3\0" + b"x" * 8000)
    with pytest.raises(CannotStart, match=r"could not be backed up|damaged"):
        backup(settings, NOW)
    assert list((settings.data_dir / "backups").iterdir()) == []


async def test_a_damaged_ledger_can_be_replaced_and_its_pieces_are_kept(settings: Settings) -> None:
    made = backup(settings, NOW)
    assert settings.sqlite_path
    settings.sqlite_path.write_bytes(b"SQLite format 3\0" + b"x" * 8000)
    kept = restore(settings, made, NOW + timedelta(seconds=1))
    assert noted(settings.sqlite_path) == "first"
    assert kept
    assert kept.read_bytes().endswith(b"xxx")


async def test_nothing_is_restored_while_easel_runs(settings: Settings) -> None:
    made = backup(settings, NOW)
    note(settings, "second")
    store = await open_store(
        settings.database_url, data_dir=settings.data_dir, secrets=load_secrets(None, settings.data_dir)
    )
    try:
        with pytest.raises(CannotStart, match="stop Easel first"):
            restore(settings, made, NOW)
    finally:
        await store.aclose()
    assert settings.sqlite_path
    assert noted(settings.sqlite_path) == "second"


async def test_only_a_ledger_of_easel_is_restored(settings: Settings, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE holidays (day TEXT)")
        connection.commit()
    text = tmp_path / "text.db"
    text.write_text("hello")
    for file, words in ((foreign, "no ledger"), (text, "no whole SQLite"), (tmp_path / "none.db", "not there")):
        with pytest.raises(CannotStart, match=words):
            restore(settings, file, NOW)
    assert settings.sqlite_path
    assert noted(settings.sqlite_path) == "first"


def test_a_backup_of_a_newer_easel_is_not_restored(tmp_path: Path) -> None:
    import asyncio

    made = parse_settings(
        {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/data/easel.db", "DATA_DIR": str(tmp_path / "data")}
    )
    asyncio.run(migrate_store(made.database_url, data_dir=made.data_dir))
    copy = backup(made, NOW)
    check_backup(copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CannotStart, match="newer Easel"):
        check_backup(copy)


def test_a_ledger_that_is_not_there_cannot_be_backed_up(tmp_path: Path) -> None:
    settings = parse_settings({"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/none.db", "DATA_DIR": str(tmp_path)})
    with pytest.raises(CannotStart, match="nothing to back up"):
        backup(settings, NOW)


def test_the_password_of_postgresql_is_not_on_the_command_line(tmp_path: Path) -> None:
    command, environment = pg_dump_command("postgresql+asyncpg://easel:p%40ss@db:5433/easel?ssl=1", tmp_path / "x.dump")
    assert command[-1] == "postgresql://easel@db:5433/easel"
    assert "p%40ss" not in " ".join(command)
    assert environment == {"PGPASSWORD": "p@ss"}


def test_restoring_postgresql_is_told_step_by_step(tmp_path: Path) -> None:
    settings = parse_settings({"DATABASE_URL": "postgresql+asyncpg://easel:canary@db/easel", "DATA_DIR": str(tmp_path)})
    with pytest.raises(CannotStart, match="pg_restore") as caught:
        restore(settings, tmp_path / "x.dump", NOW)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("48h", 2), ("4w", 28)])
def test_an_age_is_read(text: str, days: int) -> None:
    assert parse_age(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1y", "1.5d", "٣d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    from argparse import ArgumentTypeError

    with pytest.raises(ArgumentTypeError, match="36h"):
        parse_age(text)


async def test_purging_an_empty_ledger_forgets_nothing(settings: Settings) -> None:
    assert await purge_older(settings, NOW) == 0


async def test_nothing_is_purged_while_easel_runs(settings: Settings) -> None:
    store = await open_store(
        settings.database_url, data_dir=settings.data_dir, secrets=load_secrets(None, settings.data_dir)
    )
    try:
        with pytest.raises(CannotStart, match="in use"):
            await purge_older(settings, NOW)
        with pytest.raises(CannotStart, match="stop Easel first"):
            await delete_everything(settings)
    finally:
        await store.aclose()
    assert settings.sqlite_path
    assert settings.sqlite_path.exists()


async def test_deleting_everything_leaves_nothing_of_easel_and_nothing_else_is_touched(settings: Settings) -> None:
    backup(settings, NOW)
    load_secrets(None, settings.data_dir)
    (settings.data_dir / "pictures" / "ab").mkdir(parents=True)
    (settings.data_dir / "holiday.jpg").write_bytes(b"x")
    await delete_everything(settings)
    left = {path.name for path in settings.data_dir.iterdir()}
    assert left <= {"holiday.jpg", "easel.db.lock"}
    assert "holiday.jpg" in left


async def test_deleting_everything_keeps_the_ids_of_what_the_image_service_still_holds(settings: Settings) -> None:
    night = Overnight("1234567890", "default", "JOB1", NOW, file_id="file-1", night_id="batch-1", files=("file-1",))
    store = await open_store(
        settings.database_url, data_dir=settings.data_dir, secrets=load_secrets(None, settings.data_dir)
    )
    await store.notes.set_overnight(night)
    await store.aclose()
    _, kept = await delete_everything(settings)
    assert kept == [night]
    assert settings.sqlite_path
    with closing(sqlite3.connect(settings.sqlite_path)) as connection:
        facts = connection.execute("SELECT key FROM facts").fetchall()
    assert [key for (key,) in facts if "1234567890" in key or key == "commands 1 global"] == ["overnight 1234567890"]
    store = await open_store(
        settings.database_url, data_dir=settings.data_dir, secrets=load_secrets(None, settings.data_dir)
    )
    assert await store.notes.overnights() == [night]
    await store.aclose()


def test_migrate_to_moves_the_ledger_and_says_what_is_next(settings: Settings, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    assert main(["migrate", "--to", f"sqlite+aiosqlite:///{tmp_path}/new.db"]) == 0
    said = capsys.readouterr().out
    assert "1 facts" in said
    assert "DATABASE_URL" in said
    assert noted(tmp_path / "new.db") == "first"
    assert main(["migrate", "--to", f"sqlite+aiosqlite:///{tmp_path}/new.db"]) == 78
    assert "another ledger is there" in capsys.readouterr().err
    assert main(["migrate", "--to", "mysql://somewhere"]) == 2
    assert "must look like" in capsys.readouterr().err


def test_a_backup_names_the_key_only_where_there_is_one(settings: Settings, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "another"))
    assert main(["backup"]) == 0
    assert "Is DATA_DIR the folder with which Easel runs?" in capsys.readouterr().out
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    load_secrets(None, settings.data_dir)
    assert main(["backup"]) == 0
    assert f"{settings.data_dir}/secret.key, in a safe place" in capsys.readouterr().out
