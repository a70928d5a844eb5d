"""Background work: what fails is said once, at the length that helps, and the next turn still comes."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.tasks import Tasks
from bot.rules.errors import Busy, StorageFull


async def turns(failure):
    """Regular work that fails in its first two turns; ends in the third."""
    tasks, third, turn = Tasks(), asyncio.Event(), 0

    async def work():
        nonlocal turn
        turn += 1
        if turn == 3:
            third.set()
            return
        raise failure

    tasks.every(0, work, "heartbeat")
    await third.wait()
    await tasks.finish(0)


@pytest.mark.parametrize(("trouble", "says"), [(StorageFull("no room"), "no room"), (Busy(), "Busy")])
async def test_trouble_with_the_disk_is_one_line_a_turn_without_a_traceback(caplog, trouble, says):
    await turns(trouble)
    assert [(one.levelname, one.exc_info) for one in caplog.records] == [("WARNING", None)] * 2
    assert all("heartbeat" in one.getMessage() and says in one.getMessage() for one in caplog.records)


async def test_a_bug_keeps_its_traceback_and_the_next_turn_comes(caplog):
    await turns(KeyError("bug"))
    assert [one.levelname for one in caplog.records] == ["ERROR"] * 2
    assert all(one.exc_info for one in caplog.records)


@pytest.mark.parametrize(("failure", "traceback"), [(StorageFull("no room"), False), (KeyError("bug"), True)])
async def test_work_that_is_done_once_is_told_in_the_same_way(caplog, failure, traceback):
    async def work():
        raise failure

    tasks = Tasks()
    await asyncio.wait({tasks.start(work(), "adopting")})
    await asyncio.sleep(0)
    [said] = caplog.records
    assert bool(said.exc_info) == traceback
    assert "adopting" in said.getMessage()
