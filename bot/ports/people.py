"""What a person or a server may ask of the ledger, and what time takes: to be shown, and to be forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from bot.rules.people import Place


class PeopleStore(Protocol):
    """Amounts always stay; words and ids go. What forgets returns the ids of the jobs, so that files can go too."""

    async def export(self, user_id: int) -> dict[str, Any]: ...
    async def forget(self, user_id: int) -> list[str]:
        """Removes prompts, answers and ids of a person; amounts stay without the id."""
        ...

    async def forget_place(self, place: Place) -> list[str]: ...
    async def forget_counters(self, before: datetime) -> None:
        """Forgets counters of windows that ended before, but none in which a job is still open."""
        ...

    async def forget_words(self, before: datetime, most: int) -> list[str]:
        """Takes the words out of at most so many jobs that ended before, and drops batches that did; returns the jobs.

        States, amounts and whose they were stay. What waits to be shown has not ended.
        """
        ...

    async def purge(self, before: datetime) -> list[str]:
        """Forgets prompts and answers of jobs finished before."""
        ...
