"""Servers that removed the bot: noted, and forgotten after thirty days."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bot.core.readings import surely_now
from bot.ports import Clock, Files, Store
from bot.rules.people import Place

log = logging.getLogger(__name__)

KEEP_SERVERS = timedelta(days=30)
"""From the day the bot was removed, or from the last use of commands that stayed."""


class Departures:
    """Servers that removed the bot: noted when it happens, forgotten 30 days later unless it came back.

    Which servers the bot is in is noted, so that one that removed it while Easel was away is noticed too.
    ``is_member`` says None where this process cannot know: not connected, or another process's shard. ``present`` are
    the servers this process sees, an outage or not. A server where the bot was never a member (an install of the
    commands alone) is in none of these notes and stays.
    """

    def __init__(
        self,
        store: Store,
        files: Files,
        clock: Clock,
        *,
        is_member: Callable[[int], bool | None],
        present: Callable[[], Iterable[int]],
    ) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._is_member = is_member
        self._present = present
        self._gone: set[int] = set()

    async def came(self, server_id: int) -> bool:
        """The bot is in this server, for the first time or again: nothing of it is to be forgotten.

        Whether that is news, which of several processes only one hears.
        """
        self._gone.discard(server_id)
        return await self._store.notes.set_server(server_id, removed=None)

    async def seen(self, server_id: int) -> None:
        """The same, told for every server after a start or an outage: costs nothing unless it had gone."""
        if server_id in self._gone:
            await self.came(server_id)

    async def went(self, server_id: int) -> None:
        """The server removed the bot (an outage is none of that)."""
        self._gone.add(server_id)
        await self._store.notes.set_server(server_id, removed=self._clock())

    async def check(self) -> list[int]:
        """Compares what is known with what is so, and forgets servers whose 30 days are over; returns their ids."""
        oldest = await surely_now(self._store.notes, self._clock) - KEEP_SERVERS
        noted = await self._store.notes.servers()
        for server_id in self._present():
            if server_id not in noted or noted[server_id] is not None:
                await self.came(server_id)
        forgotten = []
        for server_id, removed in noted.items():
            if self._is_member(server_id) is not False:
                continue
            if removed is None:
                await self.went(server_id)
                continue
            self._gone.add(server_id)
            if await self._is_over(server_id, removed, oldest):
                await self._forget(server_id)
                forgotten.append(server_id)
        return forgotten

    async def _is_over(self, server_id: int, left: datetime, oldest: datetime) -> bool:
        """Commands can go on where only the bot was removed and the commands were not: the 30 days start afresh."""
        if left > oldest:
            return False
        used = await self._store.servers.last_used(Place(server_id, 0))
        return used is None or used <= oldest

    async def _forget(self, server_id: int) -> None:
        jobs = await self._store.people.forget_place(Place(server_id, 0))
        for job_id in jobs:
            await self._files.remove(job_id)
        self._gone.discard(server_id)
        await self._store.notes.drop_server(server_id)
        log.info("forgot a server that removed the bot 30 days ago, and its %d jobs", len(jobs))
