"""What admins do: change, show, export and import what holds in their server. Each change is audited and told.

Law: nothing here decides who is an admin; callers pass an asker who was checked, and components check again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.jobs.jobs import Jobs
from bot.core.service.circuit import Circuit
from bot.core.service.lanes import lane_of
from bot.ports import AuditEntry, Clock, ImageService, KeyPays, Notifier, Store
from bot.rules.errors import UserError
from bot.rules.faults import FaultKind, ServiceFailed, ServiceFault
from bot.rules.limits.limit import Limit, Measure, Scope, is_removal, most_of, slot_of
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import Change, Resettable, is_news
from bot.rules.servers.edits import Edit, Held, Rework, blocked
from bot.rules.servers.undo import undoing

log = logging.getLogger(__name__)


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
class Proposal:
    """A limit as it would be set. ``remove``: the slot is emptied, and the next scope out decides."""

    limit: Limit
    old: Limit | None
    remove: bool
    raises_spending: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed in one go, first a headline where it is several; ``at`` names it in the trail."""

    changes: tuple[Change, ...]
    at: datetime

    @property
    def change(self) -> Change:
        return self.changes[0]


class Admin:
    def __init__(
        self, store: Store, service: ImageService, jobs: Jobs, circuit: Circuit, notifier: Notifier, clock: Clock
    ) -> None:
        self._store = store
        self._service = service
        self._jobs = jobs
        self._circuit = circuit
        self._notifier = notifier
        self._clock = clock

    # --- limits ---------------------------------------------------------------------------------------------------

    async def propose_limit(self, place: Place, limit: Limit) -> Proposal:
        """What setting this limit would change. Without an amount it removes: for a role, member or channel its slot,
        for everyone and the server the limit itself (the operator's default does not come back).
        """
        self._require_server(place)
        known = {slot_of(one): one for one in await self._store.servers.limits(place)}
        own = limit.scope in (Scope.ROLE, Scope.MEMBER)
        slot = slot_of(limit)
        outer = known.get(replace(slot, scope=Scope.EVERYONE, subject_id=None)) if own else None
        old = known.get(slot)
        remove = is_removal(limit) and (own or limit.scope is Scope.CHANNEL)
        return Proposal(limit, old, remove, _raises_spending(old or outer, outer if remove else limit))

    async def set_limit(self, asker: Asker, proposal: Proposal) -> Done:
        """Stores the limit in place of the one proposed about, or raises ``ChangedMeanwhile``."""
        now = self._clock()
        change = await self._store.servers.set_limit(
            asker.place,
            proposal.limit,
            asker.user_id,
            now,
            remove=proposal.remove,
            instead_of=proposal.old,
        )
        return await self._told(asker, now, change)

    # --- settings -------------------------------------------------------------------------------------------------

    async def settings(self, place: Place) -> ServerSettings:
        return await self._store.servers.settings(place)

    async def held(self, place: Place) -> Held:
        self._require_server(place)
        return await self._store.servers.held(place)

    async def change(self, asker: Asker, edit: Edit) -> Done:
        """Applies ``edit`` to the settings as they are at that moment."""
        self._require_server(asker.place)
        now = self._clock()
        return await self._told(
            asker, now, await self._store.servers.change_settings(asker.place, edit, asker.user_id, now)
        )

    async def overhaul(self, asker: Asker, rework: Rework) -> Done:
        """Settings and limits together; returns everything that changed. Raises what ``rework`` raises, and then
        nothing was changed."""
        self._require_server(asker.place)
        now = self._clock()
        return await self._told(
            asker, now, *await self._store.servers.overhaul(asker.place, rework, asker.user_id, now)
        )

    async def undo(self, asker: Asker, at: datetime) -> Done:
        """Takes back what this admin changed at that moment. Raises ``NothingToUndo`` or ``ChangedSince``."""
        self._require_server(asker.place)
        return await self.overhaul(asker, undoing(await self._store.servers.changes_at(asker.place, asker.user_id, at)))

    async def block(self, asker: Asker, user_id: int, reason: str) -> tuple[Done, int]:
        """Blocks a member and stops what they have waiting or running; returns the change and how many jobs."""
        done = await self.change(asker, blocked(user_id, reason))
        return done, await self._jobs.cancel_all_of(asker, user_id)

    async def set_api_key(self, asker: Asker, api_key: str | None) -> Done:
        """Tries the key at the service, then stores it sealed; None removes it. Raises ``BadApiKey``."""
        self._require_server(asker.place)
        if api_key is not None:
            await self._try_key(api_key)
        now = self._clock()
        change = await self._store.servers.set_api_key(asker.place, api_key, asker.user_id, now)
        self._circuit.renew(lane_of(asker.place))
        return await self._told(asker, now, change)

    def is_key_refused(self, place: Place) -> bool:
        """Whether the image service does not take the server's own key at the moment, as far as this process knows."""
        return self._circuit.is_open(lane_of(place))

    async def reset(self, asker: Asker, what: Resettable, seen: Held) -> Done:
        """Back to what the operator set; blocks, API key and log channel stay. Raises ``ChangedMeanwhile`` where
        something else holds than what was ``seen``."""
        self._require_server(asker.place)
        now = self._clock()
        changes = await self._store.servers.reset(asker.place, what, asker.user_id, now, seen=seen)
        return await self._told(asker, now, *changes)

    async def _told(self, asker: Asker, now: datetime, *changes: Change) -> Done:
        """Posts to the log channel what is otherwise than before."""
        if news := [AuditEntry(now, asker.user_id, change) for change in changes if is_news(change)]:
            await self._notifier.changed(asker.place, *news)
        return Done(changes, now)

    async def _try_key(self, api_key: str) -> None:
        if not 8 <= len(api_key) <= 256 or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise BadApiKey(refused_by_service=False)
        try:
            await self._service.known_models(KeyPays(api_key))
        except ServiceFault as problem:
            if problem.fault.kind in (FaultKind.BAD_KEY, FaultKind.FORBIDDEN):
                raise BadApiKey(refused_by_service=True) from None
            raise ServiceFailed(problem.fault, model="", charged=False, own_key=True) from None

    @staticmethod
    def _require_server(place: Place) -> None:
        if not place.is_server:
            raise NotInAServer


def _raises_spending(old: Limit | None, new: Limit | None) -> bool:
    """Whether more money or pictures could go out than before; None: nothing limits this."""
    before = None if old is None or old.measure not in (Measure.DOLLARS, Measure.IMAGES) else most_of(old)
    after = None if new is None else most_of(new)
    return before is not None and (after is None or after > before)
