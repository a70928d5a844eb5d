"""Whose turn it is: servers in turn, then members in turn, paced by what the image service allows.

The bound: while tickets of *p* places wait, a place's oldest ticket starts after at most *p - 1* starts of others
(and within a place, with *m* members waiting, after at most *m - 1* starts of that place's others). Nobody starves.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.core.service.pace import Pace
from bot.core.tasks import Tasks
from bot.ports import Slot

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds until a lane whose pace could not be asked (the ledger was busy) tries again."""

OPERATOR_LANE = "operator"


@dataclass(eq=False, slots=True)
class Ticket:
    """One job in line. ``lane`` is the key that is paced; ``images`` what the job takes of the pace."""

    job_id: str
    place_key: str
    user_id: int
    images: int
    seconds: float
    lane: str
    called: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)


class FairOrder:
    """Tickets in the order they will be called. No time, no tasks: a data structure."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, OrderedDict[int, deque[Ticket]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, ticket: Ticket) -> None:
        members = self._places.setdefault(ticket.place_key, OrderedDict())
        members.setdefault(ticket.user_id, deque()).append(ticket)
        self._count += 1

    def first(self) -> Ticket:
        """What ``pop`` would give, whoever else comes meanwhile. Raises ``StopIteration`` when nobody waits."""
        members = next(iter(self._places.values()))
        return next(iter(members.values()))[0]

    def pop(self) -> Ticket:
        """The next ticket; its place and its member go to the back. Raises ``IndexError`` when nobody waits."""
        if not self._places:
            raise IndexError("nobody waits")
        place, members = next(iter(self._places.items()))
        member, tickets = next(iter(members.items()))
        ticket = tickets.popleft()
        self._count -= 1
        members.move_to_end(member)
        self._places.move_to_end(place)
        self._drop_empty(place, member)
        return ticket

    def remove(self, ticket: Ticket) -> bool:
        members = self._places.get(ticket.place_key)
        tickets = members.get(ticket.user_id) if members is not None else None
        if tickets is None or ticket not in tickets:
            return False
        tickets.remove(ticket)
        self._count -= 1
        self._drop_empty(ticket.place_key, ticket.user_id)
        return True

    def in_order(self) -> Iterator[Ticket]:
        """Every ticket as ``pop`` would give them if nobody else came."""
        places = [[deque(tickets) for tickets in members.values()] for members in self._places.values()]
        while places:
            for members in list(places):
                tickets = members.pop(0)
                yield tickets.popleft()
                if tickets:
                    members.append(tickets)
                if not members:
                    places.remove(members)

    def _drop_empty(self, place: str, member: int) -> None:
        members = self._places[place]
        if not members[member]:
            del members[member]
        if not members:
            del self._places[place]


class FairQueue:
    """Calls tickets one after the other, at most ``max_running`` at once, each when its lane's pace allows.

    ``per_minute`` is that pace in pictures, for estimates alone; ``pace`` holds it. Servers' own keys together leave
    one place free, so that slow ones never hold up those who have none.
    """

    def __init__(self, *, max_running: int, per_minute: float, pace: Pace, tasks: Tasks) -> None:
        self._running = asyncio.Semaphore(max_running)
        self._running_on_own_keys = asyncio.Semaphore(max(1, max_running - 1))
        self._max_running = max_running
        self._per_minute = per_minute
        self._pace = pace
        self._tasks = tasks
        self._lanes: dict[str, FairOrder] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._active: dict[str, Ticket] = {}
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Nobody is called any more; who waits goes on waiting until cancelled."""
        self._closed = True

    def join(self, ticket: Ticket) -> None:
        lane = self._lanes.setdefault(ticket.lane, FairOrder())
        lane.add(ticket)
        pump = self._pumps.get(ticket.lane)
        if pump is None or pump.done():
            self._pumps[ticket.lane] = self._tasks.start(self._pump(ticket.lane), f"queue lane {ticket.lane}")

    def leave(self, ticket: Ticket) -> None:
        """Takes a waiting ticket out of line; harmless for one that was called already."""
        ticket.left.set()
        lane = self._lanes.get(ticket.lane)
        if lane is not None:
            lane.remove(ticket)

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """Joins the line and waits until called; the place among the running is free again at the end."""
        self.join(ticket)
        try:
            await ticket.called.wait()
        except BaseException:
            self.leave(ticket)
            if ticket.called.is_set():
                self._free_place(ticket.lane)
            raise
        self._active[ticket.job_id] = ticket
        try:
            yield
        finally:
            self._active.pop(ticket.job_id, None)
            self._free_place(ticket.lane)

    def position(self, ticket: Ticket) -> int | None:
        """1 for the next to be called; None when it runs or left."""
        for number, waiting in enumerate(self._lanes.get(ticket.lane, FairOrder()).in_order(), start=1):
            if waiting is ticket:
                return number
        return None

    def eta_s(self, ticket: Ticket, *, more_images: int = 0) -> float:
        """Seconds until the ticket's result, by pace and by the places that come free; an estimate, not a promise.

        ``more_images`` come right after it and are waited for as well (a batch).
        """
        images, work = 0, sum(active.seconds / 2 for active in self._active.values())
        for waiting in self._lanes.get(ticket.lane, FairOrder()).in_order():
            if waiting is ticket:
                break
            images += waiting.images
            work += waiting.seconds
        in_line = max(images * 60 / self._per_minute, work / self._max_running)
        return in_line + ticket.seconds + more_images * 60 / self._per_minute

    def waiting(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def running(self) -> int:
        return len(self._active)

    async def _pump(self, key: str) -> None:
        """Calls the lane's tickets. Who waits for the pace is still first in line, and holds nobody's place."""
        lane = self._lanes[key]
        while len(lane) and not self._closed:
            ticket = lane.first()
            try:
                slot = await self._pace.take(key, ticket.images)
            except Exception:
                log.exception("lane %s could not be paced; trying again in %.0f s", key, RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            if await self._comes_up(ticket, slot.wait_s):
                lane.pop().called.set()
            else:
                await self._give_back(key, slot)

    async def _comes_up(self, ticket: Ticket, wait_s: float) -> bool:
        """The ticket's slot has begun and a place is taken for it; False when it left first, or the queue is closed."""
        if wait_s > 0 and await _set_within(ticket.left, wait_s):
            return False
        await self._take_place(ticket.lane)
        if ticket.left.is_set() or self._closed:
            self._free_place(ticket.lane)
            return False
        return True

    async def _take_place(self, lane: str) -> None:
        if lane != OPERATOR_LANE:
            await self._running_on_own_keys.acquire()
        await self._running.acquire()

    def _free_place(self, lane: str) -> None:
        self._running.release()
        if lane != OPERATOR_LANE:
            self._running_on_own_keys.release()

    async def _give_back(self, key: str, slot: Slot) -> None:
        """Best effort: where it cannot be written, the next one waits as if this one had been sent."""
        try:
            await self._pace.give_back(key, slot)
        except Exception:
            log.exception("the pace of lane %s could not be given back", key)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
