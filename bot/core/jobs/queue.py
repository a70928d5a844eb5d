"""Whose turn it is: servers in turn, then members in turn, paced by what the image service allows.

The bound: while tickets of *p* places wait, a place's oldest ticket starts after at most *p - 1* starts of others
(and within a place, with *m* members waiting, after at most *m - 1* starts of that place's others). Nobody starves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.core.service.lanes import OPERATOR_LANE, is_own_key, service_of
from bot.core.service.pace import Pace
from bot.core.tasks import Tasks
from bot.ports import Slot

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds until a lane whose pace could not be asked (the ledger was busy) tries again."""

ALWAYS_COUNTED = 50
COUNTED_EVERY_S = 0.0002
"""Seconds a waiting ticket beyond those: counting one takes about 1 µs, so the whole line half a percent of a core."""


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
        self._waiting: set[Ticket] = set()
        self.changes = 0
        self.images = 0
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, ticket: Ticket) -> bool:
        return ticket in self._waiting

    def add(self, ticket: Ticket) -> None:
        members = self._places.setdefault(ticket.place_key, OrderedDict())
        members.setdefault(ticket.user_id, deque()).append(ticket)
        self._waiting.add(ticket)
        self._changed(ticket, 1)

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
        self._waiting.remove(ticket)
        self._changed(ticket, -1)
        members.move_to_end(member)
        self._places.move_to_end(place)
        self._drop_empty(place, member)
        return ticket

    def remove(self, ticket: Ticket) -> bool:
        if ticket not in self._waiting:
            return False
        self._waiting.remove(ticket)
        self._places[ticket.place_key][ticket.user_id].remove(ticket)
        self._changed(ticket, -1)
        self._drop_empty(ticket.place_key, ticket.user_id)
        return True

    def in_order(self) -> Iterator[Ticket]:
        """Every ticket as ``pop`` would give them if nobody else came."""
        places = deque(deque(map(deque, members.values())) for members in self._places.values())
        while places:
            members = places.popleft()
            tickets = members.popleft()
            yield tickets.popleft()
            if tickets:
                members.append(tickets)
            if members:
                places.append(members)

    def _changed(self, ticket: Ticket, by: int) -> None:
        self.changes += 1
        self.images += by * ticket.images
        self.seconds += by * ticket.seconds

    def _drop_empty(self, place: str, member: int) -> None:
        members = self._places[place]
        if not members[member]:
            del members[member]
        if not members:
            del self._places[place]


class Standing(NamedTuple):
    """Where a ticket stands: 1 for the next to be called, and what is before it."""

    position: int
    images: int
    seconds: float


class Lane:
    """A lane's tickets, and where each of them stands.

    All are counted in one go, so that a look costs nothing however many wait. A long line is not counted anew for every
    change; until it is, who came meanwhile stands at its end.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.order = FairOrder()
        self._clock = clock
        self._standings: dict[Ticket, Standing] = {}
        self._counted_at = 0.0
        self._counted = -1

    def of(self, ticket: Ticket) -> Standing | None:
        """None for one that does not wait here."""
        if ticket not in self.order:
            return None
        self._count_again_if_due()
        behind_all = Standing(len(self.order), self.order.images - ticket.images, self.order.seconds - ticket.seconds)
        return self._standings.get(ticket, behind_all)

    def _count_again_if_due(self) -> None:
        age_s = self._clock() - self._counted_at
        if self._counted == self.order.changes or age_s < (len(self.order) - ALWAYS_COUNTED) * COUNTED_EVERY_S:
            return
        self._standings = {}
        images, seconds = 0, 0.0
        for position, ticket in enumerate(self.order.in_order(), start=1):
            self._standings[ticket] = Standing(position, images, seconds)
            images += ticket.images
            seconds += ticket.seconds
        self._counted, self._counted_at = self.order.changes, self._clock()


class FairQueue:
    """Calls tickets one after the other, at most ``max_running`` at once, each when its lane's pace allows.

    ``per_minute`` is that pace in pictures, ``elsewhere`` that of the other services, for estimates alone; ``pace``
    holds it. Servers' own keys together leave one place free, and so does each of several services, so that slow ones
    never hold up the others.
    """

    def __init__(
        self,
        *,
        max_running: int,
        per_minute: float,
        pace: Pace,
        tasks: Tasks,
        elsewhere: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = asyncio.Semaphore(max_running)
        self._shares: dict[str, asyncio.Semaphore] = {}
        self._max_running = max_running
        self._per_minute = per_minute
        self._elsewhere = dict(elsewhere or {})
        self._pace = pace
        self._tasks = tasks
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
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
        if ticket.lane not in self._lanes:
            self._lanes[ticket.lane] = Lane(self._clock)
        self._lanes[ticket.lane].order.add(ticket)
        pump = self._pumps.get(ticket.lane)
        if pump is None or pump.done():
            self._pumps[ticket.lane] = self._tasks.start(self._pump(ticket.lane), f"queue lane {ticket.lane}")

    def leave(self, ticket: Ticket) -> None:
        """Takes a waiting ticket out of line; harmless for one that was called already."""
        ticket.left.set()
        lane = self._lanes.get(ticket.lane)
        if lane is not None:
            lane.order.remove(ticket)

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
        standing = self._standing(ticket)
        return standing.position if standing is not None else None

    def eta_s(self, ticket: Ticket, *, more_images: int = 0) -> float:
        """Seconds until the ticket's result, by pace and by the places that come free; an estimate, not a promise.

        ``more_images`` come right after it and are waited for as well (a batch).
        """
        images, work = 0, sum(active.seconds / 2 for active in self._active.values())
        standing = self._standing(ticket)
        if standing is not None:
            images, work = standing.images, work + standing.seconds
        elif (lane := self._lanes.get(ticket.lane)) is not None:
            images, work = lane.order.images, work + lane.order.seconds
        per_minute = self._elsewhere.get(service_of(ticket.lane), self._per_minute)
        in_line = max(images * 60 / per_minute, work / self._max_running)
        return in_line + ticket.seconds + more_images * 60 / per_minute

    def waiting(self) -> int:
        return sum(len(lane.order) for lane in self._lanes.values())

    def running(self) -> int:
        return len(self._active)

    def _standing(self, ticket: Ticket) -> Standing | None:
        lane = self._lanes.get(ticket.lane)
        return lane.of(ticket) if lane is not None else None

    async def _pump(self, key: str) -> None:
        """Calls the lane's tickets. Who waits for the pace is still first in line, and holds nobody's place."""
        lane = self._lanes[key].order
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
        if wait_s > 0 and await set_within(ticket.left, wait_s):
            return False
        await self._take_place(ticket.lane)
        if ticket.left.is_set() or self._closed:
            self._free_place(ticket.lane)
            return False
        return True

    async def _take_place(self, lane: str) -> None:
        if (share := self._share_of(lane)) is not None:
            await share.acquire()
        await self._running.acquire()

    def _free_place(self, lane: str) -> None:
        self._running.release()
        if (share := self._share_of(lane)) is not None:
            share.release()

    def _share_of(self, lane: str) -> asyncio.Semaphore | None:
        """What a lane shares with its like, one place short of all; None: it may have all places."""
        if lane == OPERATOR_LANE and not self._elsewhere:
            return None
        share = "" if is_own_key(lane) else service_of(lane)
        return self._shares.setdefault(share, asyncio.Semaphore(max(1, self._max_running - 1)))

    async def _give_back(self, key: str, slot: Slot) -> None:
        """Best effort: where it cannot be written, the next one waits as if this one had been sent."""
        try:
            await self._pace.give_back(key, slot)
        except Exception:
            log.exception("the pace of lane %s could not be given back", key)


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Waits until the event is set; False when it was not in that time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
