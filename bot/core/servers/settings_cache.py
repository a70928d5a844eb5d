"""What a place's admins decided, remembered for a few seconds: for completing, for defaults, for what is shown.

Law: never for deciding what may be spent; the ledger reads settings itself when it decides.
"""

from __future__ import annotations

import asyncio
import logging

from bot.core.ttl_map import TtlMap
from bot.ports import Store
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings

log = logging.getLogger(__name__)

FRESH_S = 10.0
PLACES = 2000
QUICK_S = 1.0
"""Discord waits three seconds for an answer; what is not read by then is shown as by default, or in private."""


class SettingsCache:
    def __init__(self, store: Store, quick_s: float = QUICK_S) -> None:
        self._store = store
        self._quick_s = quick_s
        self._known: TtlMap[str, ServerSettings] = TtlMap(FRESH_S, PLACES)

    async def settings(self, place: Place) -> ServerSettings:
        """The settings, at most ten seconds old. Raises what the store raises."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(place.key, now)
        if known is not None:
            return known
        settings = await self._store.servers.settings(place)
        self._known.put(place.key, settings, now)
        return settings

    async def private(self, asker: Asker) -> bool:
        """Whether the answer is private where the asker did not say: as they always want it, else as the place does.
        Private where that cannot be read in time."""
        try:
            async with asyncio.timeout(self._quick_s):
                own = (await self.settings(Place(None, asker.user_id))).defaults.private
                return bool((await self.settings(asker.place)).defaults.private if own is None else own)
        except TimeoutError:
            log.warning("settings of %s were not read in time; answering in private", asker.place.key)
            return True

    async def looks(self, place: Place) -> ServerSettings:
        """The settings for showing something; the defaults where they cannot be read."""
        try:
            async with asyncio.timeout(self._quick_s):
                return await self.settings(place)
        except Exception:
            log.exception("settings of %s could not be read; showing as by default", place.key)
            return ServerSettings()

    def forget(self, place: Place) -> None:
        """The place's settings were just changed here."""
        self._known.forget(place.key)
