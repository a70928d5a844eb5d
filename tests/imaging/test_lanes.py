"""Work on pixels stands in lanes, one a server, and they take turns. Events say what happens when; nothing sleeps."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

from bot.imaging.threads import Lanes

LONG_S = 30


class Log:
    """What was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def piece(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.done.append(name)
            return name

        return work


def held(lanes: Lanes, lane: str) -> threading.Event:
    """A piece of work that lasts until the event is set, and has begun."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(LONG_S)

    lanes.submit(lane, work)
    assert begun.wait(LONG_S)
    return go_on


def test_one_servers_pictures_wait_behind_each_other_and_nobody_elses() -> None:
    lanes, log = Lanes(1), Log()
    go_on = held(lanes, "g1")
    work = [lanes.submit("g1", log.piece(f"g1-{number}")) for number in range(4)]
    work += [lanes.submit(lane, log.piece(lane)) for lane in ("g2", "results")]
    go_on.set()
    for piece in work:
        piece.result(LONG_S)
    assert log.done == ["g1-0", "g2", "results", "g1-1", "g1-2", "g1-3"]


def test_no_server_ever_has_all_the_threads() -> None:
    lanes, log = Lanes(2), Log()
    go_on = held(lanes, "g1")
    waiting = lanes.submit("g1", log.piece("g1"))
    assert lanes.submit("g2", log.piece("g2")).result(LONG_S) == "g2"
    assert not waiting.done()
    go_on.set()
    assert waiting.result(LONG_S) == "g1"
    assert log.done == ["g2", "g1"]


def test_a_bug_in_one_piece_reaches_who_asked_and_stops_no_lane() -> None:
    lanes, log = Lanes(1), Log()
    broken = lanes.submit("g1", lambda: 1 // 0)
    assert lanes.submit("g1", log.piece("after")).result(LONG_S) == "after"
    with pytest.raises(ZeroDivisionError):
        broken.result(LONG_S)


async def test_who_is_cancelled_while_waiting_is_never_worked_for() -> None:
    lanes, log = Lanes(1), Log()
    go_on = held(lanes, "g1")
    gone = lanes.submit("g1", log.piece("gone"))
    task = asyncio.ensure_future(asyncio.wrap_future(gone))
    last = lanes.submit("g1", log.piece("last"))
    task.cancel()
    await asyncio.wait([task])
    go_on.set()
    assert last.result(LONG_S) == "last"
    assert log.done == ["last"]
    with pytest.raises(CancelledError):
        gone.result(LONG_S)
