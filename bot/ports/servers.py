"""What admins set for a server: settings, limits, its own API key; and who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType
from typing import Protocol

from bot.rules.limits.limit import Limit, Quota
from bot.rules.money import MicroUSD
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import Change, KeyChanged, LimitChanged, Resettable
from bot.rules.servers.edits import Edit, Held, Rework


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    actor_id: int
    change: Change


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """A budget that has just passed ``percent`` (50, 80 or 100) for the first time in its window."""

    place_key: str
    limit: Quota
    percent: int
    used_micro_usd: MicroUSD


class ServerStore(Protocol):
    """Settings, limits, keys and the trail of what was changed. Reading a server nobody set up gives the defaults."""

    async def settings(self, place: Place) -> ServerSettings: ...
    async def settings_of(self, places: Sequence[Place]) -> list[ServerSettings]:
        """The same of each, as of one moment."""
        ...

    async def change_settings(self, place: Place, edit: Edit, actor_id: int, now: datetime) -> Change:
        """Stores what ``edit`` makes of the settings as they are at that moment, and its change in the trail.

        What changes nothing is not stored. What ``edit`` raises undoes everything.
        """
        ...

    async def watched(self) -> list[tuple[Place, ServerSettings]]:
        """Every server that has a log channel, with its settings: for notices that concern many."""
        ...

    async def limits(self, place: Place) -> tuple[Limit, ...]:
        """All limits that could matter in this place: the defaults, what admins changed, the operator's cap."""
        ...

    async def set_limit(
        self,
        place: Place,
        limit: Limit,
        actor_id: int,
        now: datetime,
        *,
        remove: bool = False,
        instead_of: Limit | EllipsisType | None = ...,
    ) -> LimitChanged:
        """Stores the limit (or, with ``remove``, forgets what was set, back to the default), with an audit row.

        Raises ``ChangedMeanwhile`` where something else than ``instead_of`` stands there.
        """
        ...

    async def held(self, place: Place) -> Held:
        """Settings and limits as one moment sees them."""
        ...

    async def overhaul(self, place: Place, rework: Rework, actor_id: int, now: datetime) -> tuple[Change, ...]:
        """Stores what ``rework`` makes of all that holds at that moment, in one transaction: all of it or nothing.

        Returns its headline, if it has one, and each change that it brought.
        """
        ...

    async def reset(
        self, place: Place, what: Resettable, actor_id: int, now: datetime, *, seen: Held | None = None
    ) -> tuple[Change, ...]:
        """Limits, settings or both back to what the operator set; blocks, API key and log channel stay. Returns
        ``Reset`` and each change that it brought.

        Raises ``ChangedMeanwhile`` where ``seen`` is given and no longer what holds.
        """
        ...

    async def audit(self, place: Place, limit: int = 50) -> list[AuditEntry]: ...
    async def changes_at(self, place: Place, actor_id: int, at: datetime) -> tuple[Change, ...]:
        """What this admin changed here at that very moment, in its order; nothing: it is not in the trail."""
        ...

    async def set_api_key(self, place: Place, api_key: str | None, actor_id: int, now: datetime) -> KeyChanged: ...
    async def api_key(self, place: Place) -> str:
        """The server's own key. Raises ``OwnKeyGone`` where none is set, or the one that is cannot be opened."""
        ...

    async def budget_warnings(self, place: Place, now: datetime) -> list[BudgetWarning]:
        """Budgets that passed 50, 80 or 100 % and were not reported yet in this window; reports each once."""
        ...

    async def count_refused_words(self, place: Place, prompts: int, now: datetime) -> None:
        """So many prompts held a refused word."""
        ...

    async def words_refused(self, place: Place, now: datetime) -> int:
        """How many prompts held one in this calendar month (UTC)."""
        ...

    async def last_used(self, place: Place) -> datetime | None:
        """When somebody last asked for a picture here or an admin changed something; None: never."""
        ...
