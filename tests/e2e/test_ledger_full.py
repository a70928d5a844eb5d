"""The disk under PostgreSQL gets full in the middle of jobs, then has room: nothing is lost, nothing made twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.adapters.database import migrate_store
from bot.rules.ledger import JobState
from bot.ui.words.catalogue import say
from tests.e2e.test_ledger_over_the_wire import ROOM, connect, has_ended, states
from tests.e2e.test_two_processes import calls, server  # noqa: F401 - a fixture
from tests.support.running import Processes, processes_in, said, until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(240)]

NAME = "cramped"
SIZE = "32m"
"""An empty ledger takes some 9 MB."""


@pytest.fixture
def disk(server: str) -> Iterator[Path]:  # noqa: F811
    """A small one that the server may write on."""
    folder = Path(server) / NAME
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk of its own for the database needs the right to mount one")
    owner = Path(server).stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
async def stage(server: str, disk: Path, tmp_path: Path) -> AsyncIterator[Processes]:  # noqa: F811
    connection = await connect(server)
    await connection.execute(f"CREATE TABLESPACE {NAME} LOCATION '{disk}'")
    await connection.execute(f"CREATE DATABASE {NAME} TABLESPACE {NAME}")
    url = f"postgresql+asyncpg://postgres@/{NAME}?host={server}"
    await migrate_store(url, data_dir=tmp_path)
    async with processes_in(tmp_path, url=url) as made:
        yield made
    await connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await connection.execute(f"DROP TABLESPACE {NAME}")
    await connection.close()


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(disk).free == 0
    return ballast


async def test_the_disk_of_the_ledger_gets_full_in_the_middle_of_jobs(
    stage: Processes,
    server: str,  # noqa: F811
    disk: Path,
) -> None:
    stage.images.latency_s = 2
    bot = await stage.start(DEFAULT_IMAGES_PER_DAY=str(ROOM))
    asked = [await stage.imagine(prompt=f"fox {n}", preview=False) for n in range(16)]
    await calls(stage, 4)

    ballast = fill(disk)
    refused = []
    while not any(say("en", "error.storage_full") in said(one) for one in refused):
        refused.append(await stage.imagine(stage.painter, prompt="meanwhile " * 300, preview=False))
        await refused[-1].wait_until(has_ended, 30)
        assert len(refused) < 40, [said(one)[:120] for one in refused][::6]
    await asyncio.sleep(2)
    ballast.unlink()

    await asyncio.gather(*(one.wait_until(has_ended, 120) for one in asked))

    async def is_closed() -> bool:
        return not {"reserved", "dispatched", "produced", "delivered"} & set(await states(server, NAME))

    await until(is_closed, 120)
    assert bot.running
    jobs = await stage.end()
    by_state = [job.state for job in jobs]
    shown = sum(any(m.attachments for m in one.messages) for one in [*asked, *refused])
    assert len(stage.images.calls) == by_state.count(JobState.SETTLED) == shown == len(stage.public_results())
    assert 4 <= sum(any(m.attachments for m in one.messages) for one in asked) <= ROOM
    assert set(by_state) <= {JobState.SETTLED, JobState.RELEASED, JobState.UNKNOWN}
