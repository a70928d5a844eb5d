"""The look into the bot's ledger, at a file that somebody else has open and writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, Text, create_engine, insert, update

from bot.adapters.database.schema.tables import Moment, batches, jobs, metadata
from bot.operator.sandbox.ledger import SHOWN, SqliteLedger

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "easel.db"


@pytest.fixture
def bot(path: Path) -> Iterator[Connection]:
    """A connection that stays open, as the bot's does."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        metadata.create_all(connection)
        connection.commit()
        yield connection
    engine.dispose()


def row(table: Table, **values: Any) -> dict[str, Any]:
    """A row that says nothing but what is given."""
    empty = {c.name: NOON if isinstance(c.type, Moment) else "" if isinstance(c.type, Text) else 0 for c in table.c}
    return {name: value for name, value in empty.items() if not table.c[name].nullable} | values


def write(bot: Connection, *rows: dict[str, Any], table: Table = jobs) -> None:
    bot.execute(insert(table), rows)
    bot.commit()


async def test_a_file_that_is_not_there_yet_has_no_jobs(path: Path) -> None:
    assert await SqliteLedger(path)(None) == []
    assert not await SqliteLedger(path).is_busy(1)
    assert not path.exists()


async def test_a_file_without_tables_has_no_jobs(path: Path) -> None:
    path.touch()
    assert await SqliteLedger(path)(None) == []


async def test_the_newest_jobs_come_first_with_their_money_and_no_secret(path: Path, bot: Connection) -> None:
    write(bot, row(jobs, id="1", event_key="70", state="settled", charged_micro_usd=42, token="sealed"))
    write(bot, row(jobs, id="2", event_key="71", state="reserved"))
    first, second = await SqliteLedger(path)(None)
    assert (first["id"], second["id"]) == ("2", "1")
    assert set(second) == {column.name for column in SHOWN}
    assert (second["charged_micro_usd"], second["created_at"]) == (42, int(NOON.timestamp()) * 1_000_000)
    assert "sealed" not in str(second)


async def test_the_jobs_of_one_interaction_are_all_lines_of_its_batch(path: Path, bot: Connection) -> None:
    write(
        bot, row(jobs, id="1", event_key="70:0"), row(jobs, id="2", event_key="70:1"), row(jobs, id="3", event_key="8")
    )
    assert [one["id"] for one in await SqliteLedger(path)(70)] == ["2", "1"]


@pytest.mark.parametrize(
    ("state", "waiting", "busy"),
    [
        ("reserved", False, True),
        ("dispatched", False, True),
        ("produced", False, True),
        ("produced", True, False),
        ("delivered", False, True),
        ("settled", False, False),
        ("refused", False, False),
        ("released", False, False),
        ("unknown", False, False),
    ],
)
async def test_a_bot_is_busy_until_the_job_ends(path: Path, bot: Connection, state, waiting, busy) -> None:
    write(bot, row(jobs, id="1", event_key="70", state=state, waiting=waiting))
    assert await SqliteLedger(path).is_busy(70) is busy
    assert not await SqliteLedger(path).is_busy(71)


async def test_a_batch_is_busy_until_its_summary_is_out(path: Path, bot: Connection) -> None:
    write(bot, row(jobs, id="1", event_key="70:0", state="settled", batch_id="b"))
    write(bot, row(batches, id="b", finished=False), table=batches)
    assert await SqliteLedger(path).is_busy(70)
    bot.execute(update(batches).values(finished=True))
    bot.commit()
    assert not await SqliteLedger(path).is_busy(70)


async def test_a_write_in_progress_keeps_nobody_from_looking(path: Path, bot: Connection) -> None:
    write(bot, row(jobs, id="1", event_key="70", state="reserved"))
    bot.execute(update(jobs).values(state="settled"))  # not committed
    assert [one["state"] for one in await SqliteLedger(path)(70)] == ["reserved"]
