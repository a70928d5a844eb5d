"""What admins do: change, show, export and import what holds in their server. Each change is audited and told.

Law: nothing here decides who is an admin; callers pass an asker who was checked, and components check again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.core.jobs.jobs import Jobs
from bot.ports import AuditEntry, Clock, ImageService, Notifier, Store
from bot.rules.errors import Busy, UserError
from bot.rules.faults import FaultKind, ServiceFailed, ServiceFault
from bot.rules.limits.limit import Limit, Measure, Period, Scope
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.audit_words import limit_words, slot_words
from bot.rules.servers.changes import REASON_CHARS, blocked, reset, resumed, told_block, told_pause, unblocked

log = logging.getLogger(__name__)

TRIES = 4


class BadApiKey(UserError):
    """The text is not an API key, or the service does not take it. It was not stored."""

    def __init__(self, refused_by_service: bool) -> None:
        super().__init__("refused" if refused_by_service else "malformed")
        self.refused_by_service = refused_by_service


class NotHere(UserError):
    """A role, member or channel that was named is not of this server (any more). Nothing was changed."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class OneAtATime(UserError):
    """A limit is for a role, a member or a channel, not for several of them. Nothing was changed."""


class NotInAServer(UserError):
    """Settings belong to a server; direct messages and user installs have none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One setting before and after, in short plain words; equal when nothing changed."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A limit as it would be set. ``remove``: the slot is emptied, and the next scope out decides."""

    limit: Limit
    old: Limit | None
    remove: bool
    raises_spending: bool


class Admin:
    def __init__(self, store: Store, service: ImageService, jobs: Jobs, notifier: Notifier, clock: Clock) -> None:
        self._store = store
        self._service = service
        self._jobs = jobs
        self._notifier = notifier
        self._clock = clock

    # --- limits ---------------------------------------------------------------------------------------------------

    async def propose_limit(self, place: Place, limit: Limit) -> Proposal:
        """What setting this limit would change. An amount of None removes: for a role, member or channel its slot,
        for everyone and the server the limit itself (the operator's default does not come back).
        """
        self._require_server(place)
        known = {_slot(one): one for one in await self._store.limits(place)}
        own = limit.scope in (Scope.ROLE, Scope.MEMBER)
        outer = known.get((Scope.EVERYONE, None, limit.measure, limit.window.period)) if own else None
        old = known.get(_slot(limit))
        remove = limit.amount is None and (own or limit.scope is Scope.CHANNEL)
        return Proposal(limit, old, remove, _raises_spending(old or outer, outer if remove else limit))

    async def set_limit(self, asker: Asker, proposal: Proposal, *, tell: bool = True) -> Change:
        """Stores the limit; the audit row is written in the same transaction."""
        limit = proposal.limit
        old = await self._store.set_limit(asker.place, limit, asker.user_id, self._clock(), remove=proposal.remove)
        change = Change(slot_words(limit), limit_words(old), limit_words(None if proposal.remove else limit))
        if tell:
            await self._told(asker, change)
        return change

    # --- settings -------------------------------------------------------------------------------------------------

    async def settings(self, place: Place) -> ServerSettings:
        return await self._store.settings(place)

    async def change(
        self,
        asker: Asker,
        what: str,
        transform: Callable[[ServerSettings], ServerSettings],
        words: Callable[[ServerSettings], str],
        *,
        tell: bool = True,
    ) -> Change:
        """Applies ``transform`` to the settings as they are at that moment; ``words`` describes what it touches.

        Raises ``Busy`` when others keep changing them at the same time.
        """
        self._require_server(asker.place)
        for _ in range(TRIES):
            before = await self._store.settings(asker.place)
            after = transform(before)
            change = Change(what, words(before), words(after))
            if after == before:
                return change
            try:
                await self._store.save_settings(
                    asker.place, after, asker.user_id, what, change.old, change.new, self._clock()
                )
            except Busy:
                continue
            if tell:
                await self._told(asker, change)
            return change
        raise Busy

    async def block(self, asker: Asker, user_id: int, reason: str) -> tuple[Change, int]:
        """Blocks a member and stops what they have waiting or running; returns the change and how many jobs."""
        change = await self.change(asker, f"block {user_id}", blocked(user_id, reason), told_block(user_id))
        return change, await self._jobs.cancel_all_of(asker, user_id)

    async def unblock(self, asker: Asker, user_id: int, reason: str = "") -> Change:
        return await self.change(asker, f"block {user_id}", unblocked(user_id), _because(told_block(user_id), reason))

    async def resume(self, asker: Asker, reason: str = "") -> Change:
        return await self.change(asker, "pause", resumed, _because(told_pause, reason))

    async def set_api_key(self, asker: Asker, api_key: str | None) -> Change:
        """Tries the key at the service, then stores it sealed; None removes it. Raises ``BadApiKey``."""
        self._require_server(asker.place)
        before = await self._store.settings(asker.place)
        if api_key is not None:
            await self._try_key(api_key)
        after = await self._store.set_api_key(asker.place, api_key, asker.user_id, self._clock())
        change = Change("apikey", _key_words(before), _key_words(after))
        await self._told(asker, change)
        return change

    async def reset(self, asker: Asker, what: str) -> Change:
        """``limits``, ``settings`` or ``all`` back to what the operator set; blocks, API key and log channel stay."""
        self._require_server(asker.place)
        if what in ("limits", "all"):
            await self._store.reset_limits(asker.place, asker.user_id, self._clock())
        if what in ("settings", "all"):
            await self.change(asker, "reset settings", reset, _as_reset, tell=False)
        change = Change(f"reset {what}", "as it was", "defaults")
        await self._told(asker, change)
        return change

    async def tell(self, asker: Asker, change: Change) -> None:
        """Posts what was done in several steps as one change."""
        await self._told(asker, change)

    async def _try_key(self, api_key: str) -> None:
        if not 8 <= len(api_key) <= 256 or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise BadApiKey(refused_by_service=False)
        try:
            await self._service.known_models(api_key)
        except ServiceFault as problem:
            if problem.fault.kind in (FaultKind.BAD_KEY, FaultKind.FORBIDDEN):
                raise BadApiKey(refused_by_service=True) from None
            raise ServiceFailed(problem.fault, model="", charged=False) from None

    async def _told(self, asker: Asker, change: Change) -> None:
        if change.old != change.new:
            entry = AuditEntry(self._clock(), asker.user_id, change.what, change.old, change.new)
            await self._notifier.changed(asker.place, entry)

    @staticmethod
    def _require_server(place: Place) -> None:
        if not place.is_server:
            raise NotInAServer


def _slot(limit: Limit) -> tuple[Scope, int | None, Measure, Period]:
    return limit.scope, limit.subject_id, limit.measure, limit.window.period


def _raises_spending(old: Limit | None, new: Limit | None) -> bool:
    """Whether more money or pictures could go out than before; None: nothing limits this."""
    if old is None or old.amount is None or old.measure not in (Measure.DOLLARS, Measure.IMAGES):
        return False
    return new is None or new.amount is None or new.amount > old.amount


def _because(words: Callable[[ServerSettings], str], reason: str) -> Callable[[ServerSettings], str]:
    """The words with the reason why what stood there is over."""

    def told(settings: ServerSettings) -> str:
        text = words(settings)
        return f"{text}: {reason[:REASON_CHARS]}" if reason and text in ("not blocked", "running") else text

    return told


def _as_reset(settings: ServerSettings) -> str:
    return "defaults" if settings == reset(settings) else "changed"


def _key_words(settings: ServerSettings) -> str:
    return f"…{settings.api_key_hint}" if settings.api_key_hint else "none"
