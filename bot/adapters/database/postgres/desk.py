"""What the reservations of one transaction are decided on, read for all of them at once: events, rules, the past.

Law: what an earlier one of the same transaction took counts for the later ones as if it had been read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Column, Select, Text, any_, bindparam, select

from bot.adapters.database.codec import Sealer, load_settings
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import Counted, last_requests, reach_of, waits
from bot.adapters.database.counting.forgotten import JOBS_OF, Kept, kept, name_of
from bot.adapters.database.reserving import limits_for
from bot.adapters.database.schema.tables import facts, from_micros, jobs, limits, settings, to_micros, uses
from bot.adapters.database.servers import with_defaults
from bot.adapters.database.steps import Opening
from bot.rules.ledger import GIVEN_BACK, DuplicateEvent, JobDraft
from bot.rules.limits.decide import Subject
from bot.rules.limits.limit import Limit
from bot.rules.people import Asker
from bot.rules.servers.access import ServerSettings

Rules = tuple[ServerSettings, tuple[Limit, ...]]
Lasts = dict[Subject, datetime]

_STATES = ", ".join(f"'{state.value}'" for state in sorted(GIVEN_BACK))
_LAST_OF_MEMBER = (
    "SELECT (SELECT max(created_at) FROM jobs WHERE jobs.place_key = t.place AND jobs.user_id = t.member "  # noqa: S608
    f"AND created_at > t.since AND created_at <= t.until AND state NOT IN ({_STATES})) "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) "
    "WITH ORDINALITY AS t(place, member, since, until, n) ORDER BY n"
)


def _these(column: Column[Any], *wanted: Column[Any]) -> Select[Any]:
    return select(*wanted).where(column == any_(bindparam("these", type_=ARRAY(Text))))


_EVENTS = _these(jobs.c.event_key, jobs.c.event_key, jobs.c.id)
_SETTINGS = _these(settings.c.place_key, *settings.c)
_LIMITS = _these(limits.c.place_key, *limits.c).order_by(*limits.primary_key)
_NOTES = _these(facts.c.key, facts.c.key)
_KEPT = _these(uses.c.subject, uses.c.subject)


class Desk:
    """Openings are known by their ids."""

    def __init__(
        self,
        events: dict[str, str],
        rules: Mapping[str, Rules],
        before: Mapping[str, Kept],
        lasts: Mapping[str, Lasts],
    ) -> None:
        self._events = events
        self._rules = rules
        self._before = before
        self._lasts = lasts
        self._accepted: list[Counted] = []

    def refuse_duplicates(self, opening: Opening) -> None:
        """Raises ``DuplicateEvent`` if one of these events has a job already."""
        found = [self._events[draft.event_key] for draft in opening.drafts if draft.event_key in self._events]
        if found:
            raise DuplicateEvent(min(found))

    def rules(self, draft: JobDraft) -> Rules:
        chosen, held = self._rules[draft.asker.place.key]
        return chosen, limits_for(draft, held)

    def kept(self, opening: Opening) -> Kept:
        return self._before.get(opening.ids[0], Kept())

    def lasts(self, opening: Opening) -> Lasts:
        """As ``last_requests`` would find them now."""
        asker, now = opening.drafts[0].asker, opening.now
        lasts = dict(self._lasts.get(opening.ids[0], {}))
        for subject, seconds in waits(self.rules(opening.drafts[0])[1], asker).items():
            reach = reach_of(asker, now, seconds)
            made = [
                one.created_at
                for one in self._accepted
                if is_made_by(subject, asker, one) and reach["since"] < one.created_at <= reach["until"]
            ]
            found = max([*made, *([lasts[subject]] if subject in lasts else [])], default=None)
            if found is not None:
                lasts[subject] = found
        return lasts

    def accepted(self, opening: Opening, counted: Counted) -> None:
        self._accepted.append(counted)
        for draft, job_id in zip(opening.drafts, opening.ids, strict=True):
            self._events[draft.event_key] = job_id


def is_made_by(subject: Subject, asker: Asker, other: Counted) -> bool:
    """Whether a job counts as the subject's last request: ``last_request`` for one that is not written yet."""
    here = other.place_key == asker.place.key
    channels = (other.channel_id, other.parent_channel_id)
    match subject:
        case Subject.MEMBER:
            return here and other.user_id == asker.user_id
        case Subject.CHANNEL:
            return here and asker.channel_id in channels
        case Subject.PARENT:
            return here and (asker.parent_id or 0) in channels
        case Subject.SERVER:
            return here
        case Subject.OPERATOR:
            return not other.own_key


async def desk_of(
    connection: Connection, openings: Sequence[Opening], defaults: Sequence[Limit], sealer: Sealer
) -> Desk:
    """Read once all locks are held."""
    if not openings:
        return Desk({}, {}, {}, {})
    keys = [draft.event_key for opening in openings for draft in opening.drafts]
    events = {row[0]: row[1] for row in await _found(connection, _EVENTS, keys)}
    rules = await _rules(connection, {opening.drafts[0].asker.place.key for opening in openings}, defaults)
    before = await _kept(connection, openings, sealer)
    lasts = await _lasts(connection, openings, rules, before)
    return Desk(events, rules, before, lasts)


async def _found(connection: Connection, query: Select[Any], these: Iterable[str]) -> Sequence[Any]:
    found = await connection.execute(query, {"these": sorted(set(these))})
    return list(found)


async def _rules(connection: Connection, places: Iterable[str], defaults: Sequence[Limit]) -> dict[str, Rules]:
    chosen = {row.place_key: row._mapping for row in await _found(connection, _SETTINGS, places)}
    held: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await _found(connection, _LIMITS, places):
        held[row.place_key].append(dict(row._mapping))
    return {place: (load_settings(chosen.get(place)), with_defaults(defaults, held[place])) for place in places}


async def _kept(connection: Connection, openings: Sequence[Opening], sealer: Sealer) -> dict[str, Kept]:
    """Of those alone who were forgotten lately: mostly nobody."""
    names = {
        one.ids[0]: name_of(one.drafts[0].asker.place.key, sealer.tag(one.drafts[0].asker.user_id)) for one in openings
    }
    notes = await _found(connection, _NOTES, [f"{JOBS_OF}{name}" for name in names.values()])
    noted = {row[0].removeprefix(JOBS_OF) for row in notes}
    noted |= {row[0] for row in await _found(connection, _KEPT, names.values())}
    found = {}
    for one in openings:
        if names[one.ids[0]] in noted:
            asker = one.drafts[0].asker
            counted = Counted.of_asker(asker, one.now, own_key=one.drafts[0].own_key)
            found[one.ids[0]] = await kept(connection, counted, sealer.tag(asker.user_id))
    return found


async def _lasts(
    connection: Connection,
    openings: Sequence[Opening],
    rules: Mapping[str, Rules],
    before: Mapping[str, Kept],
) -> dict[str, Lasts]:
    """Members' own cooldowns together; the rare others, and those of who was forgotten, one by one."""
    found: dict[str, Lasts] = {}
    together: list[tuple[str, Asker, Mapping[str, Any]]] = []
    for one in openings:
        asker, known = one.drafts[0].asker, before.get(one.ids[0])
        held = limits_for(one.drafts[0], rules[asker.place.key][1])
        subjects = waits(held, asker)
        if known is None and set(subjects) == {Subject.MEMBER}:
            together.append((one.ids[0], asker, reach_of(asker, one.now, subjects[Subject.MEMBER])))
        elif subjects:
            also = {} if known is None else known.jobs_of(asker.place.key)
            found[one.ids[0]] = await last_requests(connection, held, asker, one.now, also=also)
    if together:
        values = (
            [asker.place.key for _, asker, _ in together],
            [asker.user_id for _, asker, _ in together],
            *([to_micros(reach[edge]) for _, _, reach in together] for edge in ("since", "until")),
        )
        for (name, _, _), row in zip(together, await connection.exec_driver_sql(_LAST_OF_MEMBER, values), strict=True):
            if row[0] is not None:
                found[name] = {Subject.MEMBER: from_micros(row[0])}
    return found
