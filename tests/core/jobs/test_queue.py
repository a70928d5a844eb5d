"""The fair queue: order, bound, pace, cancel and position."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jobs.job_runner import looks_every_s
from bot.core.jobs.queue import FairOrder, FairQueue, Lane, Ticket
from bot.core.tasks import Tasks
from bot.ports import Slot


def ticket(name: str, place: str = "g1", user: int = 1, images: int = 1, lane: str = "operator") -> Ticket:
    return Ticket(name, place, user, images, 10.0, lane)


def test_servers_take_turns_and_inside_a_server_members_do():
    order = FairOrder()
    for name, place, user in [
        ("a1", "g1", 1), ("a2", "g1", 1), ("a3", "g1", 1), ("b1", "g1", 2), ("c1", "g2", 3), ("c2", "g2", 3),
    ]:  # fmt: skip
        order.add(ticket(name, place, user))

    foretold = [waiting.job_id for waiting in order.in_order()]
    called = [order.pop().job_id for _ in range(len(order))]

    assert called == ["a1", "c1", "b1", "c2", "a2", "a3"]
    assert foretold == called


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_the_foretold_order_is_the_real_one_and_nobody_is_lost(arrivals):
    order = FairOrder()
    for number, (place, user) in enumerate(arrivals):
        order.add(ticket(str(number), f"g{place}", user))

    foretold = [waiting.job_id for waiting in order.in_order()]

    assert foretold == [order.pop().job_id for _ in range(len(order))]
    assert sorted(foretold, key=int) == [str(number) for number in range(len(arrivals))]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_nobody_starves_within_the_stated_bound(arrivals):
    order = FairOrder()
    for number, (place, user) in enumerate(arrivals):
        order.add(ticket(str(number), f"g{place}", user))
    places = {place for place, _ in arrivals}

    called = [order.pop() for _ in range(len(order))]

    for place in places:
        first = next(i for i, t in enumerate(called) if t.place_key == f"g{place}")
        assert first <= len(places) - 1


def test_an_empty_line_has_nobody_to_call():
    with pytest.raises(IndexError):
        FairOrder().pop()


class Line:
    """A queue whose pace the test sets, with jobs that record when they run."""

    def __init__(self, max_running: int = 1, problems: Sequence[Exception] = ()) -> None:
        self.tasks = Tasks()
        self.delays: list[float] = []
        self.paced: list[tuple[str, int]] = []
        self.given_back: list[tuple[str, float]] = []
        self.problems = list(problems)
        self.queue = FairQueue(max_running=max_running, per_minute=6000, pace=self, tasks=self.tasks)
        self.ran: list[str] = []
        self.finish = asyncio.Event()
        self.most = 0
        self._now = 0

    async def take(self, lane: str, images: int) -> Slot:
        if self.problems:
            raise self.problems.pop()
        self.paced.append((lane, images))
        return Slot(self.delays.pop(0) if self.delays else 0)

    async def give_back(self, lane: str, slot: Slot) -> None:
        self.given_back.append((lane, slot.wait_s))

    async def run(self, one: Ticket) -> None:
        async with self.queue.turn(one):
            self._now += 1
            self.most = max(self.most, self._now)
            self.ran.append(one.job_id)
            await self.finish.wait()
            self._now -= 1


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_run_at_once_than_allowed():
    line = Line(max_running=2)
    running = [asyncio.create_task(line.run(ticket(str(n), user=n))) for n in range(6)]
    await settle()

    assert line.ran == ["0", "1"]
    assert line.queue.running() == 2
    line.finish.set()
    await asyncio.gather(*running)

    assert line.most == 2
    assert line.queue.waiting() == 0
    await line.tasks.finish(1)


async def test_positions_count_from_one_and_move_up():
    line = Line()
    tickets = [ticket(str(n), user=n) for n in range(4)]
    running = [asyncio.create_task(line.run(one)) for one in tickets]
    await settle()

    positions = [line.queue.position(one) for one in tickets]

    assert positions == [None, 1, 2, 3]
    line.finish.set()
    await asyncio.gather(*running)
    await line.tasks.finish(1)


async def test_a_cancelled_ticket_frees_its_place_in_line_and_never_runs():
    line = Line()
    tickets = [ticket(str(n), user=n) for n in range(3)]
    running = [asyncio.create_task(line.run(one)) for one in tickets]
    await settle()

    running[1].cancel()
    await settle()
    position = line.queue.position(tickets[2])
    line.finish.set()
    await asyncio.gather(*running, return_exceptions=True)

    assert position == 1
    assert line.ran == ["0", "2"]
    assert line.queue.running() == 0
    await line.tasks.finish(1)


async def test_lanes_that_wait_for_their_pace_hold_nobodys_place():
    line = Line(max_running=2)
    line.delays = [3600.0, 3600.0]
    hostages = [asyncio.create_task(line.run(ticket(f"own {n}", lane=f"key g{n}"))) for n in range(2)]
    await settle()
    mine = asyncio.create_task(line.run(ticket("mine")))
    await settle()

    assert line.ran == ["mine"]
    for task in (*hostages, mine):
        task.cancel()
    await asyncio.gather(*hostages, mine, return_exceptions=True)
    await line.tasks.finish(0)


async def test_who_waits_for_the_pace_is_first_in_line():
    line = Line(max_running=2)
    line.delays = [3600.0]
    tickets = [ticket(str(n), place=f"g{n}", user=n) for n in range(3)]
    running = [asyncio.create_task(line.run(one)) for one in tickets]
    await settle()

    assert [line.queue.position(one) for one in tickets] == [1, 2, 3]
    assert line.queue.waiting() == 3
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await line.tasks.finish(0)


async def test_who_leaves_while_waiting_for_the_pace_gives_it_back_at_once():
    line = Line(max_running=2)
    line.delays = [3600.0]
    leaving = asyncio.create_task(line.run(ticket("leaves", images=10)))
    await settle()
    staying = asyncio.create_task(line.run(ticket("stays")))
    await settle()
    assert line.ran == []

    leaving.cancel()
    await settle()

    assert line.given_back == [("operator", 3600.0)]
    assert line.ran == ["stays"]
    line.finish.set()
    await asyncio.gather(leaving, staying, return_exceptions=True)
    await line.tasks.finish(1)


async def test_who_leaves_while_waiting_for_a_place_gives_the_pace_back_and_takes_no_place():
    line = Line(max_running=1)
    first = asyncio.create_task(line.run(ticket("first")))
    await settle()
    leaving = asyncio.create_task(line.run(ticket("leaves", images=10)))
    await settle()

    leaving.cancel()
    await settle()
    line.finish.set()
    await asyncio.gather(first, leaving, return_exceptions=True)
    await settle()
    await line.run(ticket("next"))

    assert line.given_back == [("operator", 0)]
    assert line.ran == ["first", "next"]
    await line.tasks.finish(1)


async def test_who_is_cancelled_in_the_moment_of_being_called_frees_the_place():
    line = Line(max_running=1)
    called = ticket("called")

    async def strike() -> None:
        await called.called.wait()
        running.cancel()

    striking = asyncio.create_task(strike())
    await settle()  # so that it is woken before whoever is called
    running = asyncio.create_task(line.run(called))
    await asyncio.gather(striking, running, return_exceptions=True)
    line.finish.set()
    await asyncio.wait_for(line.run(ticket("next")), 5)
    assert line.ran == ["next"]
    await line.tasks.finish(1)


async def test_slow_keys_of_servers_leave_a_place_for_who_has_none():
    line = Line(max_running=3)
    slow = [asyncio.create_task(line.run(ticket(f"own {n}", user=n, lane=f"key g{n % 2}"))) for n in range(6)]
    await settle()
    mine = asyncio.create_task(line.run(ticket("mine")))
    await settle()

    assert "mine" in line.ran
    assert len(line.ran) == 3
    line.finish.set()
    await asyncio.gather(*slow, mine)
    assert line.most <= 3
    assert line.queue.running() == 0
    await line.tasks.finish(1)


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_comes_and_goes_no_place_and_no_pace_is_lost(seed):
    rng = random.Random(seed)
    line = Line(max_running=3)
    line.delays = [rng.choice([0, 0, 0.001]) for _ in range(60)]
    line.finish.set()
    tasks = []
    for n in range(60):
        tasks.append(asyncio.create_task(line.run(ticket(str(n), user=n % 5, lane=rng.choice(["operator", "key g1"])))))
        if rng.random() < 0.4:
            rng.choice(tasks).cancel()
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert line.most <= 3
    await asyncio.gather(*(line.run(ticket(f"after {n}", user=n)) for n in range(3)))
    await line.tasks.finish(1)


async def test_the_pace_is_asked_for_every_job_with_its_number_of_pictures():
    line = Line(max_running=5)
    line.finish.set()
    await asyncio.gather(*(line.run(ticket(str(n), user=n, images=n + 1)) for n in range(3)))

    assert line.paced == [("operator", 1), ("operator", 2), ("operator", 3)]
    await line.tasks.finish(1)


async def test_a_pace_that_cannot_be_asked_loses_nobody(monkeypatch, caplog):
    monkeypatch.setattr("bot.core.jobs.queue.RETRY_S", 0.0)
    line = Line(problems=[RuntimeError("busy")])
    line.finish.set()
    await line.run(ticket("a"))

    assert line.ran == ["a"]
    await line.tasks.finish(1)


async def test_the_estimate_grows_with_the_pictures_ahead():
    tasks = Tasks()
    queue = FairQueue(max_running=4, per_minute=5, pace=None, tasks=tasks)
    mine = ticket("mine", user=9)
    for n in range(5):
        queue.join(ticket(str(n), user=n))
    queue.join(mine)

    assert queue.eta_s(mine) == pytest.approx(5 * 12 + 10)
    assert queue.eta_s(mine, more_images=5) == pytest.approx(10 * 12 + 10)
    await tasks.finish(0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=60))
def test_every_standing_is_what_counting_one_by_one_says(changes):
    lane = Lane(lambda: 0.0)
    for number, (place, user, leaves) in enumerate(changes):
        if leaves and len(lane.order):
            lane.order.remove(list(lane.order.in_order())[number % len(lane.order)])
        else:
            lane.order.add(ticket(str(number), f"g{place}", user, images=number))
    lane_now = list(lane.order.in_order())
    ahead = [sum(other.images for other in lane_now[:n]) for n in range(len(lane_now))]

    standings = [lane.of(one) for one in lane_now]

    assert [(s.position, s.images, s.seconds) for s in standings] == [
        (n + 1, images, 10.0 * n) for n, images in enumerate(ahead)
    ]


def test_a_long_line_is_counted_once_in_a_while_and_whoever_comes_meanwhile_stands_at_its_end():
    now = 100.0
    lane = Lane(lambda: now)
    tickets = [ticket(str(n), place="g1", user=n) for n in range(1000)]
    for one in tickets:
        lane.order.add(one)
    assert lane.of(tickets[9]).position == 10

    newcomer = ticket("new", place="g2")
    lane.order.add(newcomer)
    lane.order.remove(tickets[0])
    assert lane.of(tickets[0]) is None
    assert lane.of(newcomer).position == 1000
    assert lane.of(tickets[9]).position == 10

    now += 1.0
    assert lane.of(newcomer).position == 2
    assert lane.of(tickets[9]).position == 10
    assert lane.of(tickets[1]).position == 1


def test_the_further_back_the_less_often_a_place_is_told():
    assert [looks_every_s(position) for position in (1, 6, 20, 600)] == [3.0, 3.0, 10.0, 300.0]
    assert sum(1 / looks_every_s(position) for position in range(1, 5001)) < 20
