"""The counters of limits and budgets: one row per subject and window, changed by one sorted statement.

A job is counted in every window its ``created_at`` lies in, for its member, channel (and the channel above a thread),
server and operator. All rows are taken in the same order by everybody, so PostgreSQL never deadlocks on them, and the
values come back from the very statement that changed them, so what decides is what counts.

    m:<place>:<user>    c:<place>:<channel>    s:<place>    o

What a person used before asking to be forgotten is kept by ``forgotten.py`` (``k:<place>:<hash>``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    String,
    TextClause,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)

from bot.adapters.database.connection import Connection
from bot.adapters.database.schema.tables import from_micros, jobs, to_micros, uses
from bot.adapters.database.sqlite.reading import lasting
from bot.rules.instants import APART
from bot.rules.ledger import GIVEN_BACK
from bot.rules.limits.decide import Subject, Use, Used, applicable, subject_of
from bot.rules.limits.limit import Cooldown, Limit, Period
from bot.rules.limits.windows import window_key
from bot.rules.money import MicroUSD
from bot.rules.people import Asker

COUNTED = (Period.HOUR, Period.DAY, Period.MONTH, Period.NOW)
FORGOTTEN_PLACE = "x"
"""First letter of the place of jobs whose server or person is forgotten: only the operator's sums still know them."""

_HOUR_MICROS = 3_600_000_000

_COLUMNS = ("requests", "images", "spent", "reserved", "running")


class Counts(NamedTuple):
    """What a counter holds, or what a step of a job adds to each of its counters."""

    requests: int = 0
    images: int = 0
    spent: int = 0
    reserved: int = 0
    running: int = 0

    def __bool__(self) -> bool:
        return self != NOTHING

    def plus(self, change: Counts) -> Counts:
        return Counts(
            self[0] + change[0], self[1] + change[1], self[2] + change[2], self[3] + change[3], self[4] + change[4]
        )


NOTHING = Counts()


@dataclass(frozen=True, slots=True)
class Counted:
    """Where a job counts: all that its counters are named by."""

    place_key: str
    user_id: int
    channel_id: int
    parent_channel_id: int | None
    own_key: bool
    created_at: datetime

    @classmethod
    def of_asker(cls, asker: Asker, now: datetime, *, own_key: bool) -> Counted:
        return cls(asker.place.key, asker.user_id, asker.channel_id, asker.parent_id, own_key, now)

    @classmethod
    def of_row(cls, row: RowMapping | Mapping[str, Any]) -> Counted:
        return cls(
            row["place_key"],
            row["user_id"],
            row["channel_id"],
            row["parent_channel_id"],
            row["own_key"],
            row["created_at"],
        )

    def subjects(self) -> dict[Subject, str]:
        """Counter names by subject. Direct messages have no channels to limit; a server's own key has no operator."""
        names: dict[Subject, str] = {}
        if not self.place_key.startswith(FORGOTTEN_PLACE):
            names[Subject.MEMBER] = f"m:{self.place_key}:{self.user_id}"
            names[Subject.SERVER] = f"s:{self.place_key}"
            if self.place_key.startswith("g"):
                names[Subject.CHANNEL] = f"c:{self.place_key}:{self.channel_id}"
                if self.parent_channel_id is not None and self.parent_channel_id != self.channel_id:
                    names[Subject.PARENT] = f"c:{self.place_key}:{self.parent_channel_id}"
        if not self.own_key:
            names[Subject.OPERATOR] = "o"
        return names

    def rows(self) -> list[tuple[str, str]]:
        """Every (subject, window) the job counts in, sorted: the one order in which rows are locked."""
        windows = windows_at(self.created_at).values()
        return sorted((name, window) for name in self.subjects().values() for window in windows)


def windows_at(moment: datetime) -> Mapping[Period, str]:
    """The windows in which a moment is counted: the same for a whole hour, so they are named once an hour."""
    return _windows_of_hour(to_micros(moment) // _HOUR_MICROS)


@lru_cache(maxsize=64)
def _windows_of_hour(hour: int) -> Mapping[Period, str]:
    moment = from_micros(hour * _HOUR_MICROS)
    return {period: window_key(period, moment) for period in COUNTED}


@cache
def _add_statement(how_many: int) -> TextClause:
    values = ", ".join(
        f"(:subject{n}, :window{n}, :requests, :images, :spent, :reserved, :running)" for n in range(how_many)
    )
    sums = ", ".join(f"{name} = uses.{name} + excluded.{name}" for name in _COLUMNS)
    statement = text(
        f"INSERT INTO uses (subject, window_key, {', '.join(_COLUMNS)}) VALUES {values} "  # noqa: S608  # no input in it
        f"ON CONFLICT (subject, window_key) DO UPDATE SET {sums} "
        f"RETURNING subject, window_key, {', '.join(_COLUMNS)}"
    )
    names = [bindparam(f"{kind}{n}", type_=String()) for n in range(how_many) for kind in ("subject", "window")]
    return statement.bindparams(*names, *(bindparam(name, type_=BigInteger()) for name in _COLUMNS))


Tally = Mapping[tuple[str, str], Counts]
"""Values of counters by (subject, window)."""


async def add(connection: Connection, rows: Sequence[tuple[str, str]], change: Counts) -> Tally:
    """Adds ``change`` to each of the sorted ``rows`` and returns their values afterwards. Holds their locks."""
    if not rows:
        return {}
    values: dict[str, object] = {**change._asdict()}
    for n, (subject, window) in enumerate(rows):
        values[f"subject{n}"], values[f"window{n}"] = subject, window
    found = await connection.execute(_add_statement(len(rows)), values)
    return {(row[0], row[1]): Counts(*row[2:]) for row in found}


async def tally(connection: Connection, rows: Sequence[tuple[str, str]]) -> Tally:
    """The values of ``rows`` without locking them; a row that is missing counts as empty."""
    names, windows = sorted({name for name, _ in rows}), sorted({window for _, window in rows})
    values = {f"subject{n}": name for n, name in enumerate(names)}
    values |= {f"window{n}": window for n, window in enumerate(windows)}
    found = await connection.execute(_tally_statement(len(names), len(windows)), values)
    return {(row[0], row[1]): Counts(*row[2:]) for row in found}


@cache
def _tally_statement(names: int, windows: int) -> Select[Any]:
    return lasting(
        select(uses.c.subject, uses.c.window_key, *(uses.c[name] for name in _COLUMNS)).where(
            uses.c.subject.in_([bindparam(f"subject{n}") for n in range(names)]),
            uses.c.window_key.in_([bindparam(f"window{n}") for n in range(windows)]),
        )
    )


def as_use(counted: Counted, found: Tally, before: Counts, lasts: Mapping[Subject, datetime]) -> Use:
    """Counters as the rules read them: ``found`` minus ``before``, the part that is asked for right now."""
    counters: dict[tuple[Subject, Period], Used] = {}
    for subject, name in counted.subjects().items():
        for period, window in windows_at(counted.created_at).items():
            value = found.get((name, window))
            if value is not None:
                counters[subject, period] = used_of(value, before)
    return Use(counters, lasts)


def used_of(value: Counts, before: Counts = NOTHING) -> Used:
    return Used(
        requests=value.requests - before.requests,
        images=value.images - before.images,
        micro_usd=MicroUSD(value.spent + value.reserved - before.spent - before.reserved),
        running=value.running - before.running,
    )


async def last_requests(
    connection: Connection,
    limits: Iterable[Limit],
    asker: Asker,
    now: datetime,
    *,
    also: Mapping[Subject, Sequence[str]],
) -> dict[Subject, datetime]:
    """When each subject with a cooldown last made a request that counts, as far back as its cooldown reaches.

    ``also`` are jobs of a subject that do not name it any more.
    """
    lasts = {}
    for subject, seconds in waits(limits, asker).items():
        statement = last_request(subject, tuple(also.get(subject, ())))
        last = await connection.scalar(statement, reach_of(asker, now, seconds))
        if last is not None:
            lasts[subject] = last
    return lasts


def waits(limits: Iterable[Limit], asker: Asker) -> dict[Subject, int]:
    """How far back each subject's cooldowns reach, in seconds."""
    longest: dict[Subject, int] = {}
    for limit in applicable(tuple(limits), asker):
        if isinstance(limit, Cooldown) and limit.seconds:
            subject = subject_of(limit, asker)
            longest[subject] = max(longest.get(subject, 0), limit.seconds)
    return longest


def reach_of(asker: Asker, now: datetime, seconds: int) -> dict[str, Any]:
    """The values of ``last_request``: who, and the time a cooldown of so many seconds looks at."""
    back = timedelta(seconds=seconds)
    return {
        "place": asker.place.key,
        "user": asker.user_id,
        "channel": asker.channel_id,
        "parent": asker.parent_id or 0,
        "since": now - back,
        "until": now + min(APART, back),
    }


@lru_cache(maxsize=64)
def last_request(subject: Subject, also: tuple[str, ...]) -> Select[Any]:
    """When a subject last made a request that counts, or one of the jobs ``also`` was opened."""
    return select(func.max(jobs.c.created_at)).where(
        or_(_made_by(subject), jobs.c.id.in_(also)) if also else _made_by(subject),
        jobs.c.created_at > bindparam("since"),
        jobs.c.created_at <= bindparam("until"),
        jobs.c.state.not_in([state.value for state in GIVEN_BACK]),
    )


def _made_by(subject: Subject) -> ColumnElement[bool]:
    here = jobs.c.place_key == bindparam("place")
    match subject:
        case Subject.MEMBER:
            return and_(here, jobs.c.user_id == bindparam("user"))
        case Subject.CHANNEL:
            return and_(here, _in_channel("channel"))
        case Subject.PARENT:
            return and_(here, _in_channel("parent"))
        case Subject.SERVER:
            return here
        case Subject.OPERATOR:
            return jobs.c.own_key.is_(False)


def _in_channel(name: str) -> ColumnElement[bool]:
    return or_(jobs.c.channel_id == bindparam(name), jobs.c.parent_channel_id == bindparam(name))
