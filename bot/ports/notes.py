"""Small notes that outlive the process: what must not be done twice, and what must not be forgotten meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.rules.instants import Readings
from bot.rules.overnight import Overnight
from bot.rules.people import Place


@dataclass(frozen=True, slots=True)
class Offer:
    """What a refused command asked for, and what it could be made with: kept for the buttons of the refusal.

    ``body`` is unreadable at rest.
    """

    id: str
    place: Place
    user_id: int
    created_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """A member wants to hear when a limit resets. One a person and limit: ``about`` names it, with its place."""

    user_id: int
    about: str
    place: Place
    due_at: datetime
    body: str


class NoteStore(Protocol):
    """One note each about commands, posts, servers, forgotten people and the ends of models."""

    async def commands(self, application_id: int, guild_id: int | None) -> str | None:
        """The digest of the commands that were registered last, in one guild or (None) everywhere."""
        ...

    async def set_commands(self, application_id: int, guild_id: int | None, digest: str | None) -> None: ...
    async def command_guilds(self, application_id: int) -> list[int]:
        """The guilds for which commands were registered."""
        ...

    async def posting(self, key: str) -> datetime | None:
        """When a result was first posted to its channel, until the ledger knows the message; ``key`` names it: a job's
        id, or a batch's with its group.
        """
        ...

    async def set_posting(self, key: str, began: datetime | None) -> None: ...

    async def servers(self) -> dict[int, datetime | None]:
        """The servers the bot is in (None), or was in until it was removed."""
        ...

    async def set_server(self, server_id: int, removed: datetime | None) -> bool:
        """Whether it was noted otherwise before, or not at all; of many who note the same at once one hears so."""
        ...

    async def drop_server(self, server_id: int) -> None: ...

    async def deletions(self) -> dict[str, datetime]:
        """When people deleted their data, by the keyed hash of who they were."""
        ...

    async def deleted(self, member_tag: str) -> datetime | None: ...
    async def set_deleted(self, member_tag: str, at: datetime | None) -> None: ...

    async def ledger(self) -> str:
        """The name of this ledger: random, the same wherever it is moved to."""
        ...

    async def readings(self) -> Readings | None:
        """What the clock said when things were tidied."""
        ...

    async def set_readings(self, readings: Readings) -> None: ...

    async def told_end(self, model_id: str, ends_on: date) -> bool:
        """Whether admins were told that a model ends on this day."""
        ...

    async def set_told_end(self, model_id: str, ends_on: date, told_on: date) -> None: ...

    async def overnight(self, batch_id: str) -> Overnight | None:
        """How far a batch is that is drawn overnight; it is remembered also where the batch itself is forgotten."""
        ...

    async def set_overnight(self, night: Overnight) -> None: ...
    async def drop_overnight(self, batch_id: str) -> None: ...
    async def overnights(self) -> list[Overnight]: ...


class OfferStore(Protocol):
    """What is kept after a refusal: for a day, or until it is due."""

    async def offer(self, offer: Offer, most: int) -> None:
        """Keeps it; of one person only the newest ``most`` stay."""
        ...

    async def offered(self, offer_id: str) -> Offer | None: ...
    async def forget_offers(self, before: datetime) -> None: ...

    async def remind(self, reminder: Reminder) -> None:
        """Keeps it in place of another one about the same."""
        ...

    async def take_due(self, now: datetime, most: int) -> Sequence[Reminder]:
        """The reminders that are due, the oldest first. Each is given to one caller alone, and kept no longer."""
        ...
