"""A ledger that is whole, on a disk that does not take what is written: never called damaged, one sentence."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from bot.adapters.database import StoreUnusable, open_store
from bot.adapters.database.moving.move import move_ledger
from bot.adapters.database.sqlite_file import copy, hold
from bot.app import build
from bot.operator.doctor.context import LedgerState
from bot.operator.doctor.machine import LEDGER_ADVICE
from bot.operator.migrate import look_at_ledger
from bot.ports import CannotStart
from bot.settings.sources import parse_settings
from tests.support.ledger import empty_ledger


@pytest.fixture
async def ledger(tmp_path):
    folder = tmp_path / "ledger"
    folder.mkdir()
    await empty_ledger(folder)
    return folder / "easel.db"


@pytest.fixture
def forbid(monkeypatch):
    """Rights as another user has them: the one that runs tests may have every right there is."""

    def forbid(thing):
        asked = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != thing and asked(path, mode))

    return forbid


def address(file):
    return f"sqlite+aiosqlite:///{file}"


def settings(ledger, data_dir):
    return parse_settings({"DATABASE_URL": address(ledger), "DATA_DIR": str(data_dir)})


async def move(ledger, there):
    await move_ledger(address(ledger), there, lambda _done, _of: None)


async def refusals(ledger, tmp_path, secrets):
    """What the bot, a move and the doctor say of it."""
    with pytest.raises(StoreUnusable) as start:
        await open_store(address(ledger), data_dir=tmp_path, secrets=secrets)
    with pytest.raises(StoreUnusable) as moving:
        await move(ledger, address(tmp_path / "new.db"))
    look = await look_at_ledger(settings(ledger, tmp_path))
    assert look.state is LedgerState.UNWRITABLE
    assert "backup" not in LEDGER_ADVICE[look.state]
    return {str(start.value), str(moving.value), look.detail}


async def test_a_folder_that_may_not_be_written_is_no_damage(ledger, tmp_path, secrets, forbid):
    forbid(ledger.parent)
    said = await refusals(ledger, tmp_path, secrets)
    assert said == {f"The folder {ledger.parent} cannot be written by this user."}


async def test_a_lock_file_of_another_user_is_named_and_not_its_folder(ledger, tmp_path, secrets, forbid):
    lock = ledger.with_name("easel.db.lock")
    lock.touch()
    forbid(lock)
    assert await refusals(ledger, tmp_path, secrets) == {f"The lock file {lock} cannot be written by this user."}


@pytest.mark.parametrize("there", [True, False])
def test_what_takes_no_lock_is_not_called_in_use(tmp_path, monkeypatch, there):
    lock = tmp_path / "easel.db.lock"
    if there:
        lock.touch()
    opened = os.open

    def foreign(path, *given, **more):
        if Path(path) == lock:
            raise PermissionError(13, "Permission denied")
        return opened(path, *given, **more)

    monkeypatch.setattr(os, "open", foreign)
    named = f"The lock file {lock}" if there else f"The folder {tmp_path}"
    with pytest.raises(StoreUnusable) as said:
        hold(tmp_path / "easel.db")
    assert str(said.value) == f"{named} cannot be written (Permission denied)."


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that takes no file, from whomever")
async def test_a_target_that_cannot_be_made_is_not_called_in_use(ledger):
    with pytest.raises(StoreUnusable, match="The folder /proc cannot be written"):
        await move(ledger, "sqlite+aiosqlite:////proc/new.db")


def test_a_backup_on_a_disk_that_became_read_only_is_one_sentence(ledger, tmp_path, monkeypatch):
    def read_only(*_given, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(os, "unlink", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(StoreUnusable, match=r"could not be backed up \(.*Read-only file system"):
        copy(ledger, tmp_path / "copy.db")


def refusal(name):
    error = sqlite3.OperationalError("words of SQLite")
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
    return error


@pytest.mark.parametrize("name", ["SQLITE_IOERR_SHMSIZE", "SQLITE_FULL"])
async def test_a_full_disk_that_lets_no_ledger_be_looked_at_is_no_damage(ledger, tmp_path, secrets, monkeypatch, name):
    def full(*_given, **_more):
        raise refusal(name)

    monkeypatch.setattr(sqlite3, "connect", full)
    for attempt in (
        open_store(address(ledger), data_dir=tmp_path, secrets=secrets),
        move(ledger, address(tmp_path / "new.db")),
    ):
        with pytest.raises(StoreUnusable, match="make room") as said:
            await attempt
        assert "damaged" not in str(said.value)
    look = await look_at_ledger(settings(ledger, tmp_path))
    assert look.state is LedgerState.UNWRITABLE
    assert "make room" in look.detail


@pytest.mark.parametrize(("name", "says"), [("SQLITE_FULL", "is full"), ("SQLITE_IOERR_WRITE", "read or written")])
async def test_a_start_whose_first_write_the_disk_refuses_is_one_sentence(
    ledger, tmp_path, secrets, faults, name, says
):
    def refuse(text):
        if text.startswith("INSERT INTO processes"):
            raise refusal(name)

    faults.before_statement = refuse
    with pytest.raises(StoreUnusable, match=says):
        await open_store(address(ledger), data_dir=tmp_path, secrets=secrets)
    faults.before_statement = lambda _text: None
    await (await open_store(address(ledger), data_dir=tmp_path, secrets=secrets)).aclose()


async def test_a_disk_that_fills_up_during_the_start_is_one_sentence(ledger, tmp_path, faults):
    def refuse(text):
        if text.startswith("INSERT INTO facts"):
            raise refusal("SQLITE_FULL")

    faults.before_statement = refuse
    with pytest.raises(CannotStart, match=r"^The ledger or .* in trouble \(the database has no room\)"):
        async with build(settings(ledger, tmp_path)):
            pass
