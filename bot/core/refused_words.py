"""A server's refused words, before anything is reserved: looked for beside the loop where a text is long, and counted.

Law: neither a word nor the text it stands in leaves here, only how many prompts were refused.
"""

from __future__ import annotations

from bot.imaging.threads import offload
from bot.ports import Clock, Meter, ServerStore
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.words.words import FoundIn, RefusedWord, holds_refused

LONG = 2000
"""Characters above which reading a text in every way would hold up everybody (measured: 2 to 7 µs a character)."""


class RefusedWords:
    """Check and count."""

    def __init__(self, servers: ServerStore, meter: Meter, clock: Clock) -> None:
        self._servers = servers
        self._meter = meter
        self._clock = clock

    async def check(
        self, settings: ServerSettings, place: Place, text: str, found_in: FoundIn = FoundIn.PROMPT, look: str = ""
    ) -> None:
        """Raises ``RefusedWord`` where the text holds one."""
        if not settings.refused_words or not text:
            return
        if len(text) > LONG:
            found = await offload(place.key, holds_refused, settings.refused_words, text)
        else:
            found = holds_refused(settings.refused_words, text)
        if found:
            raise RefusedWord(found_in, look)

    async def count(self, place: Place, prompts: int = 1) -> None:
        """For the admins and the operator."""
        self._meter.words_refused(prompts)
        await self._servers.count_refused_words(place, prompts, self._clock())
