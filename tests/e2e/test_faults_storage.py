"""A full disk, a locked database, a blocked member: what stops taking jobs, what goes on, what the member reads."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from contextlib import aclosing
from dataclasses import replace
from types import SimpleNamespace

import aiohttp
import pytest

from bot.adapters.status.http import StatusServer
from bot.process import status_of
from bot.rules.ledger import JobState
from bot.rules.servers.access import Block
from sandbox.running import BotUnderTest
from tests.support.people import becomes
from tests.support.running import processes_in, said, town_in, until


async def ready(pages: StatusServer) -> tuple[int, dict]:
    host, port = pages.address
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/readyz") as answer:
        return answer.status, await answer.json()


async def hurried(seconds: float) -> None:
    """What is waited between two tries of a write, fifty times as fast."""
    await asyncio.sleep(seconds / 50)


async def drawing(town, latency_s: float = 0.5):
    town.images.latency_s = latency_s
    interaction = await town.imagine(quality="low", preview=False)
    await until(lambda: town.images.calls)
    return interaction


async def test_a_full_disk_takes_no_job_says_so_on_readyz_and_delivers_what_runs(
    tmp_path, unused_tcp_port_factory, monkeypatch
):
    port = str(unused_tcp_port_factory())
    async with town_in(tmp_path, HTTP_PORT=port) as town, aclosing(status_of(town.app)) as pages:
        await pages.start()
        running = await drawing(town)
        free = [0]
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))

        refused = await town.answer(await town.imagine())
        status, told = await ready(pages)
        shown = await town.answer(running)
        await town.quiet()
        free[0] = 10**12

        assert "disk is full" in refused.content
        assert (status, told["ready"]) == (503, False)
        assert "disk" in told["checks"]["disk"]
        assert shown.attachments
        assert (await ready(pages))[0] == 200
        assert (await town.answer(await town.imagine())).attachments
        await town.check()


async def test_a_pictures_folder_that_vanished_is_made_again(town):
    await town.imagined(quality="low")
    shutil.rmtree(town.folder / "pictures")

    assert (await town.answer(await town.imagine(prompt="second", quality="low"))).attachments
    assert (town.folder / "pictures").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move a file that is open")
async def test_a_ledger_that_was_moved_away_stops_new_jobs_and_is_said_on_readyz(tmp_path, unused_tcp_port_factory):
    port = str(unused_tcp_port_factory())
    async with town_in(tmp_path, sleep=hurried, HTTP_PORT=port) as town, aclosing(status_of(town.app)) as pages:
        await pages.start()
        running = await drawing(town)
        away = (tmp_path / "easel.db").rename(tmp_path / "away.db")

        refused = await town.answer(await town.imagine())
        status, told = await ready(pages)
        await town.answer(running, 60)
        assert not (tmp_path / "easel.db").exists()
        away.replace(tmp_path / "easel.db")

        assert "Nothing was spent" in refused.content
        assert status == 503
        assert "moved, deleted or replaced" in told["checks"]["database"]
        assert (await ready(pages))[0] == 200
        assert (await town.answer(await town.imagine())).attachments
        await town.app.recovery.write_the_unwritten()
        await town.check()


def allow_writes(bot: BotUnderTest, allowed: bool) -> None:
    """Takes every write to a file (EFBIG), as a used-up quota does; SQLite calls that an I/O error."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    most = resource.RLIM_INFINITY
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (most if allowed else 1, most))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets limits of another process")
async def test_under_a_used_up_quota_pictures_are_shown_and_commands_are_answered_in_words(tmp_path):
    async with processes_in(tmp_path) as stage:
        bot = await stage.start()
        stage.images.latency_s = 2
        for number in range(3):
            await stage.imagine(prompt=f"p{number}", preview=False)
        await until(lambda: len(stage.images.calls) == 3)
        allow_writes(bot, False)

        refused = await stage.imagine(prompt="under the quota")
        await until(lambda: any(message.content for message in refused.messages), 60)
        await until(lambda: len(stage.public_results()) == 3, 90)
        allow_writes(bot, True)

        assert "Nothing was spent" in said(refused)
        assert "eference" not in said(refused)
        jobs = await stage.end()
        assert [job.state for job in jobs] == [JobState.SETTLED] * 3


@pytest.fixture
def unused_tcp_port_factory():
    import socket

    def choose() -> int:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    return choose


@pytest.mark.slow
async def test_a_database_that_is_locked_for_eight_seconds_delays_and_breaks_nothing(town):
    running = await drawing(town)
    locker = sqlite3.connect(town.folder / "easel.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    waiting = await town.imagine(prompt="while it is locked")
    await asyncio.sleep(8)
    locker.execute("COMMIT")
    locker.close()

    assert (await town.answer(running, 40)).attachments
    await waiting.wait_acknowledged()
    assert not waiting.failed
    assert (await town.answer(waiting, 40)).attachments
    await town.quiet()
    assert [job.state for job in await town.jobs()] == [JobState.SETTLED, JobState.SETTLED]


async def test_a_member_blocked_while_waiting_is_refused_at_run_time_and_released(town):
    await town.restart(MAX_CONCURRENT_JOBS="1")
    first = await drawing(town)
    second = await town.imagine(prompt="too late", preview=False)
    await second.wait_acknowledged()
    async with asyncio.timeout(30):
        while len(await town.jobs()) < 2:
            await asyncio.sleep(0.01)
    job = (await town.jobs())[1]
    place, now = job.asker.place, town.world.clock.now()
    settings = await town.app.store.servers.settings(place)
    blocked = replace(settings, blocked=(Block(town.member.id, "spam"),))
    await town.app.store.servers.change_settings(place, becomes(blocked), town.admin.id, now)

    message = await town.answer(second)

    assert message.ephemeral
    assert (await town.answer(first)).content is not None
    await town.quiet()
    assert (await town.jobs())[1].state is JobState.RELEASED
    assert len(town.images.calls) == 1


@pytest.mark.smoke
async def test_nothing_that_is_sent_could_mention_anybody_by_accident(town):
    """T1: the sandbox notes every payload that could ping as a breach; the fixture fails on any."""
    message = await town.answer(await town.imagine(prompt="@everyone @here <@&1> <@2>"))

    assert message.attachments
    assert message.mentions == ()
    assert not message.mention_everyone
