"""What a place's admins decided, remembered for a few seconds: for completing, for defaults, for what is shown.

Law: never for deciding what may be spent; the ledger reads settings itself when it decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from bot.ports import Store
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings

log = logging.getLogger(__name__)

FRESH_S = 10.0
PLACES = 2000
QUICK_S = 1.0


class Habits:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, tuple[float, ServerSettings]] = OrderedDict()

    async def settings(self, place: Place) -> ServerSettings:
        """The settings, at most ten seconds old. Raises what the store raises."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(place.key)
        if known is not None and now - known[0] < FRESH_S:
            return known[1]
        settings = await self._store.settings(place)
        self._known[place.key] = (now, settings)
        self._known.move_to_end(place.key)
        while len(self._known) > PLACES:
            self._known.popitem(last=False)
        return settings

    async def private(self, place: Place) -> bool:
        """Whether answers here are private where nobody said so; private where that cannot be read in time."""
        try:
            async with asyncio.timeout(QUICK_S):
                return bool((await self.settings(place)).defaults.private)
        except TimeoutError:
            log.warning("settings of %s were not read in time; answering in private", place.key)
            return True

    async def looks(self, place: Place) -> ServerSettings:
        """The settings for showing something; the defaults where they cannot be read."""
        try:
            async with asyncio.timeout(QUICK_S):
                return await self.settings(place)
        except Exception:
            log.exception("settings of %s could not be read; showing as by default", place.key)
            return ServerSettings()

    def forget(self, place: Place) -> None:
        """The place's settings were just changed here."""
        self._known.pop(place.key, None)
