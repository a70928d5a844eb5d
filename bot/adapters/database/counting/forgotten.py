"""What still counts of people who asked to be forgotten, so that forgetting is no way around a limit.

It stands under a keyed hash instead of the id (``k:<place>:<hash>``, ``k:u:<hash>`` for direct messages): in ``uses``
what they used in the windows that still run; in ``facts`` which jobs still hold them back: those that are open, as
jobs at once, and the last one of each place, for cooldowns. Whatever becomes of these jobs, the ledger knows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, delete, func, or_, select

from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import NOTHING, Counted, Counts, add, tally, windows_at
from bot.adapters.database.engine import Database
from bot.adapters.database.notes import write_note
from bot.adapters.database.schema.tables import facts, jobs, uses
from bot.rules.ledger import GIVEN_BACK, HOLDING
from bot.rules.limits.decide import Subject, Use, Used
from bot.rules.limits.limit import Period
from bot.rules.money import MicroUSD

RUNNING_WINDOWS = (Period.HOUR, Period.DAY, Period.MONTH)
KEPT = "k:"
JOBS_OF = "jobs of "

_OPEN = jobs.c.state.in_([state.value for state in HOLDING])
_COUNTS = jobs.c.state.not_in([state.value for state in GIVEN_BACK])


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person had used here before they were forgotten, and which jobs of theirs still hold them back."""

    used: Mapping[Period, Used] = field(default_factory=dict)
    job_ids: Sequence[str] = ()

    def jobs_of(self, place_key: str) -> dict[Subject, Sequence[str]]:
        """The jobs by the subjects whose they are, though they do not say so any more."""
        return dict.fromkeys(subjects_of(place_key), self.job_ids)

    def added_to(self, use: Use, place_key: str) -> Use:
        """To the member, and in direct messages to the place, the same person."""
        more = {}
        for subject in subjects_of(place_key):
            for period, old in self.used.items():
                now = use.counters.get((subject, period), Used())
                more[subject, period] = replace(
                    now,
                    requests=now.requests + old.requests,
                    images=now.images + old.images,
                    micro_usd=MicroUSD(now.micro_usd + old.micro_usd),
                    running=now.running + old.running,
                )
        return replace(use, counters={**use.counters, **more}) if more else use


def subjects_of(place_key: str) -> tuple[Subject, ...]:
    """Whose limits a person's own past counts for."""
    return (Subject.MEMBER,) if place_key.startswith("g") else (Subject.MEMBER, Subject.SERVER)


async def kept(connection: Connection, counted: Counted, tag: str) -> Kept:
    """What still counts here of the person behind the hash; mostly nothing."""
    name = name_of(counted.place_key, tag)
    rows = running_windows(name, counted.created_at)
    found = await tally(connection, list(rows.values()))
    job_ids = await _noted(connection, name)
    open_groups = await connection.scalar(groups_open(job_ids)) if job_ids else 0
    return kept_from({period: found.get(row, NOTHING) for period, row in rows.items()}, job_ids, open_groups or 0)


def running_windows(name: str, now: datetime) -> dict[Period, tuple[str, str]]:
    """The counters of somebody forgotten that count now."""
    windows = windows_at(now)
    return {period: (name, windows[period]) for period in RUNNING_WINDOWS}


def kept_from(held: Mapping[Period, Counts], job_ids: Sequence[str], open_groups: int) -> Kept:
    used = {
        period: Used(value.requests, value.images, MicroUSD(value.spent)) for period, value in held.items() if value
    }
    if open_groups:
        used[Period.NOW] = Used(running=open_groups)
    return Kept(used, job_ids)


def groups_open(job_ids: Sequence[str]) -> Select[Any]:
    """How many of the calls that opened these jobs still have one that is open."""
    return select(func.count(jobs.c.group_id.distinct())).where(jobs.c.id.in_(job_ids), _OPEN)


async def lock_out(database: Database, connection: Connection, user_id: int) -> None:
    """Waits until no reservation of the person is being made, and lets none begin until the transaction ends.

    Where the person has no counters yet, there is no row that both could lock.
    """
    if not database.is_sqlite:
        await connection.execute(select(func.pg_advisory_xact_lock(user_id)))


async def let_in(database: Database, connection: Connection, user_id: int) -> None:
    """The other side of ``lock_out``: what a reservation does first. Reservations do not wait for each other."""
    if not database.is_sqlite:
        await connection.execute(select(func.pg_advisory_xact_lock_shared(user_id)))


async def keep(database: Database, connection: Connection, user_id: int, tag: str, now: datetime) -> None:
    """Keeps what still counts, in a transaction that holds the person's counters. What is reserved counts as used."""
    windows = [windows_at(now)[period] for period in RUNNING_WINDOWS]
    mine = uses.c.subject.startswith("m:") & uses.c.subject.endswith(f":{user_id}") & uses.c.window_key.in_(windows)
    found = await connection.execute(select(uses).where(mine).order_by(uses.c.subject, uses.c.window_key))
    for row in found.mappings().all():
        name = name_of(row["subject"].split(":")[1], tag)
        change = Counts(row["requests"], row["images"], row["spent"] + row["reserved"])
        await add(connection, [(name, row["window_key"])], change)
    last = select(func.max(jobs.c.id)).where(jobs.c.user_id == user_id, _COUNTS).group_by(jobs.c.place_key)
    holding = await _read(connection, (jobs.c.user_id == user_id) & or_(_OPEN, jobs.c.id.in_(last)))
    for place_key, rows in groupby(holding, lambda row: str(row["place_key"])):
        name = name_of(place_key, tag)
        ids = {row["id"] for row in rows} | set(await _noted(connection, name))
        await write_note(database, connection, f"{JOBS_OF}{name}", json.dumps(sorted(ids)))


async def drop_ended(connection: Connection, before: datetime) -> None:
    """Forgets which jobs held somebody back once all of them are closed and older."""
    notes = await connection.execute(select(facts).where(facts.c.key.startswith(JOBS_OF)))
    for note in notes.mappings().all():
        known = jobs.c.id.in_(json.loads(note["value"])) & or_(_OPEN, jobs.c.created_at >= before)
        if not await _read(connection, known):
            await connection.execute(delete(facts).where(facts.c.key == note["key"]))


def name_of(place_key: str, tag: str) -> str:
    """What the person behind the hash is called here."""
    return f"{KEPT}{place_key if place_key.startswith('g') else 'u'}:{tag}"


async def _noted(connection: Connection, name: str) -> list[str]:
    return noted(await connection.scalar(NOTED, {"key": f"{JOBS_OF}{name}"}))


NOTED = select(facts.c.value).where(facts.c.key == bindparam("key"))


def noted(value: str | None) -> list[str]:
    """The jobs a note names."""
    return [] if value is None else list(json.loads(value))


async def _read(connection: Connection, which: ColumnElement[bool]) -> Sequence[RowMapping]:
    query = select(jobs.c.id, jobs.c.place_key).where(which).order_by(jobs.c.place_key, jobs.c.id)
    return (await connection.execute(query)).mappings().all()
