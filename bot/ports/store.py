"""The ledger, limits, settings and leases, as the core sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.rules.ledger import Bill, Job, JobDraft, JobState
from bot.rules.limits.decide import Standing, Use
from bot.rules.limits.limit import Limit
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import Change, KeyChanged, LimitChanged, Reset, Resettable
from bot.rules.servers.edits import Edit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    actor_id: int
    change: Change


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """A budget that has just passed ``percent`` (50, 80 or 100) for the first time in its window."""

    place_key: str
    limit: Limit
    percent: int
    used_micro_usd: MicroUSD


@dataclass(frozen=True, slots=True)
class UsageLine:
    """A sum over jobs for ``/usage``: ``label`` is a day, a model or a member, as asked."""

    label: str
    jobs: int
    images: int
    micro_usd: MicroUSD
    unknown_micro_usd: MicroUSD = MicroUSD(0)


@dataclass(frozen=True, slots=True)
class Batch:
    """A ``/batch``: its lines are jobs with ``batch_id``. ``lines`` are the prompts in order."""

    id: str
    asker: Asker
    lines: tuple[str, ...]
    created_at: datetime
    channel_id: int
    message_id: int | None = None
    cancelled: bool = False
    finished: bool = False
    private: bool = False


class Store(Protocol):
    """The ledger, limits, settings and leases. Every method is one transaction; all are safe to call at once.

    Methods that move a job take it as last seen, and raise ``LostLease`` when its epoch or state is no longer that.
    """

    # jobs
    async def open_jobs(self, drafts: Sequence[JobDraft], now: datetime) -> list[Job]:
        """Decides by all limits and reserves every draft, or none. Several drafts (a batch) share one asker.

        Raises ``DuplicateEvent``, ``Refused`` or ``AccessDenied`` (settings are read in the same transaction).
        A batch counts as one request, as the sum of its images and money, and as one job at once.
        """
        ...

    async def dispatch(self, job: Job, now: datetime) -> Job: ...
    async def produce(self, job: Job, bill: Bill, revised_prompt: str | None, now: datetime) -> Job: ...
    async def deliver(self, job: Job, message_id: int | None, channel_id: int | None, now: datetime) -> Job: ...
    async def settle(self, job: Job, now: datetime) -> Job: ...
    async def release(self, job: Job, reason: str, now: datetime) -> Job: ...
    async def refuse(self, job: Job, reason: str, now: datetime) -> Job: ...
    async def lose(self, job: Job, reason: str, now: datetime) -> Job: ...

    async def set_waiting(self, job: Job, waiting: bool) -> Job:
        """Marks a produced job whose delivery failed: it is offered later."""
        ...

    async def set_answer_message(self, job: Job, message_id: int) -> Job:
        """Remembers the id of the deferred message, as soon as Discord told it."""
        ...

    async def mark_deleted(self, job_id: str) -> None: ...
    async def get_job(self, job_id: str) -> Job | None: ...
    async def children_of(self, job_id: str) -> list[Job]: ...
    async def jobs_of_batch(self, batch_id: str) -> list[Job]: ...
    async def waiting_jobs(self, place: Place, user_id: int) -> list[Job]: ...

    async def gallery(
        self, place: Place, *, member_id: int | None, search: str | None, before: str | None, limit: int
    ) -> list[Job]:
        """Delivered, undeleted jobs of a place, newest first; ``before`` is a job id (keyset paging).

        Private jobs are only returned when ``member_id`` is given (the caller passes the viewer's own id then).
        """
        ...

    # limits and settings
    async def settings(self, place: Place) -> ServerSettings: ...
    async def change_settings(self, place: Place, edit: Edit, actor_id: int, now: datetime) -> Change:
        """Stores what ``edit`` makes of the settings as they are at that moment, and its change in the trail.

        What changes nothing is not stored. What ``edit`` raises undoes everything.
        """
        ...

    async def watched_places(self) -> list[tuple[Place, ServerSettings]]:
        """Every server that has a log channel, with its settings: for notices that concern many."""
        ...

    async def limits(self, place: Place) -> tuple[Limit, ...]:
        """All limits that could matter in this place: the defaults, what admins changed, the operator's cap."""
        ...

    async def set_limit(
        self, place: Place, limit: Limit, actor_id: int, now: datetime, *, remove: bool = False
    ) -> LimitChanged:
        """Stores the limit (or, with ``remove``, forgets what was set, back to the default), with an audit row."""
        ...

    async def reset(self, place: Place, what: Resettable, actor_id: int, now: datetime) -> Reset:
        """Limits, settings or both back to what the operator set; blocks, API key and log channel stay."""
        ...

    async def use(self, asker: Asker, now: datetime) -> Use: ...
    async def standings(self, asker: Asker, now: datetime) -> tuple[Standing, ...]: ...
    async def audit(self, place: Place, limit: int = 50) -> list[AuditEntry]: ...
    async def set_api_key(self, place: Place, api_key: str | None, actor_id: int, now: datetime) -> KeyChanged: ...
    async def api_key(self, place: Place) -> str | None: ...
    async def budget_warnings(self, place: Place, now: datetime) -> list[BudgetWarning]:
        """Budgets that passed 50, 80 or 100 % and were not reported yet in this window; reports each once."""
        ...

    # figures
    async def usage_by_day(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]: ...
    async def usage_by_model(self, place: Place, user_id: int | None, since: datetime) -> list[UsageLine]: ...
    async def usage_by_member(self, place: Place, since: datetime, limit: int = 10) -> list[UsageLine]: ...
    async def operator_usage(self, since: datetime) -> UsageLine: ...

    # batches
    async def open_batch(self, batch: Batch, drafts: Sequence[JobDraft], now: datetime) -> list[Job]: ...
    async def get_batch(self, batch_id: str) -> Batch | None: ...
    async def save_batch(self, batch: Batch) -> None: ...
    async def unfinished_batches(self) -> list[Batch]: ...

    # pacing, shared by every process on the database
    async def take_slot(self, key: str, per_minute: float, now: datetime, *, cost: int = 1) -> datetime:
        """Takes the next free slot and returns when it starts (now or later)."""
        ...

    async def push_slots(self, key: str, until: datetime) -> None:
        """Nobody gets a slot of ``key`` before ``until`` (a service said: retry after)."""
        ...

    # processes and leases
    async def heartbeat(self, now: datetime) -> None:
        """Says that this process lives. A process silent for 60 s is dead and its jobs can be adopted."""
        ...

    async def adopt(self, now: datetime) -> list[Job]:
        """Takes over the unfinished jobs of dead processes (and of this one's earlier life), epoch + 1 each."""
        ...

    async def unfinished(self) -> list[Job]:
        """Unfinished jobs that this process holds."""
        ...

    # small facts, people, upkeep
    async def fact(self, key: str) -> str | None: ...
    async def set_fact(self, key: str, value: str | None) -> None: ...
    async def facts(self, prefix: str) -> dict[str, str]:
        """Every fact whose key begins so."""
        ...

    async def export_member(self, user_id: int) -> dict[str, Any]: ...
    async def forget_member(self, user_id: int) -> list[str]:
        """Removes prompts, answers and ids of a person; amounts stay without the id. Returns ids of their jobs."""
        ...

    async def forget_place(self, place: Place) -> list[str]: ...
    async def last_used(self, place: Place) -> datetime | None:
        """When somebody last asked for a picture here or an admin changed something; None: never."""
        ...

    async def forget_counters(self, before: datetime) -> None:
        """Forgets counters of windows that ended before, but none in which a job is still open."""
        ...

    async def purge(self, before: datetime) -> list[str]:
        """Forgets prompts and answers of jobs finished before; returns their ids so that files can go too."""
        ...

    async def counts_by_state(self) -> dict[JobState, int]: ...
    async def check(self) -> None:
        """Raises unless the ledger can be written and its schema is the newest."""
        ...

    async def aclose(self) -> None: ...
