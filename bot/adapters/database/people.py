"""What a person or a server may ask of the ledger: to be shown, and to be forgotten. Amounts always stay."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, or_, select, update

from bot.adapters.database.codec import (
    Sealer,
    dump_asker,
    dump_request,
    load_asker,
    load_request,
)
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.counters import FORGOTTEN_PLACE
from bot.adapters.database.counting.forgotten import drop_ended, keep, lock_out
from bot.adapters.database.engine import Database
from bot.adapters.database.keeping.offers import forget_kept, kept_of, purge_kept
from bot.adapters.database.notes import counters_forgotten, notes_about, set_counters_forgotten
from bot.adapters.database.schema.tables import (
    OPEN,
    WAITING,
    audit,
    batches,
    facts,
    favourites,
    jobs,
    limits,
    reviews,
    settings,
    slots,
    styles,
    uses,
    warnings,
    word_refusals,
)
from bot.adapters.database.trail import change_from_row, change_values
from bot.ports import Clock
from bot.rules.ledger import FINAL, HOLDING, JobState
from bot.rules.limits.limit import Period
from bot.rules.limits.windows import window_key
from bot.rules.people import Place
from bot.rules.requests import Kind
from bot.rules.servers.changes import Recorded, without_others

_FINAL = jobs.c.state.in_([state.value for state in FINAL])


class SqlPeople:
    """``PeopleStore``. Forgetting keeps running windows, so it needs to know the time."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = database
        self._sealer = sealer
        self._clock = clock

    async def export(self, user_id: int) -> dict[str, Any]:
        """Everything kept about a person, as JSON can hold it; nothing of anybody else and no secrets."""

        async def work(connection: Connection) -> dict[str, Any]:
            mine = await connection.execute(select(*jobs.c).where(jobs.c.user_id == user_id).order_by(jobs.c.id))
            batch = await connection.execute(select(batches).where(batches.c.user_id == user_id).order_by(batches.c.id))
            own = select(limits).where(limits.c.scope == "member", limits.c.subject_id == user_id)
            liked = select(favourites.c.job_id).where(favourites.c.user_id == user_id).order_by(favourites.c.job_id)
            trail = select(audit).where(audit.c.actor_id == user_id).order_by(audit.c.at)
            return {
                "user_id": str(user_id),
                "jobs": [_exported_job(row) for row in mine.mappings()],
                "batches": [_exported_batch(row) for row in batch.mappings()],
                "counters": [dict(row) for row in await self._counters_of(connection, user_id)],
                "limits": [_texts(row) for row in (await connection.execute(own)).mappings()],
                "settings_changed": [_exported_change(row) for row in (await connection.execute(trail)).mappings()],
                "defaults": await _own_defaults(connection, user_id),
                "styles": await _own_styles(connection, user_id),
                "favourites": list((await connection.execute(liked)).scalars()),
                "blocked_in": await _blocked_in(connection, user_id),
                "facts": await notes_about(connection, user_id),
                **await kept_of(connection, user_id, self._sealer),
            }

        return await self._db.read(work, snapshot=True)

    async def _counters_of(self, connection: Connection, user_id: int) -> list[RowMapping]:
        query = select(uses).where(uses.c.subject.startswith("m:"), uses.c.subject.endswith(f":{user_id}"))
        return list((await connection.execute(query.order_by(uses.c.subject, uses.c.window_key))).mappings())

    async def forget(self, user_id: int) -> list[str]:
        """Their direct messages are forgotten as a place; in servers a random negative id takes their place.

        Block lists and limits that admins set on the person survive, else forgetting would be a way around them. Facts
        whose key names the id between colons go. What was used in the hour, day and month that still run stays under a
        keyed hash, with the jobs that still hold the person back (``forgotten.py``).
        """
        stranger = -1 - secrets.randbits(60)

        async def work(connection: Connection) -> list[str]:
            await lock_out(self._db, connection, user_id)
            await _hold_open_jobs(connection, jobs.c.user_id == user_id)
            await keep(self._db, connection, user_id, self._sealer.tag(user_id), self._clock())
            await _give_up_waiting(connection, jobs.c.user_id == user_id)
            gone = await _forget_place(connection, f"u{user_id}")
            await _rename_member(connection, user_id, stranger)
            gone += await _forget_jobs(connection, jobs.c.user_id == user_id, {"user_id": stranger}, keep_place=True)
            for table in (batches, favourites):
                await connection.execute(delete(table).where(table.c.user_id == user_id))
            await forget_kept(connection, user_id=user_id)
            await connection.execute(update(audit).where(audit.c.actor_id == user_id).values(actor_id=0))
            for key in await notes_about(connection, user_id):
                await connection.execute(delete(facts).where(facts.c.key == key))
            return sorted(gone)

        return await self._db.write(work)

    async def forget_place(self, place: Place) -> list[str]:
        async def work(connection: Connection) -> list[str]:
            await _hold_open_jobs(connection, jobs.c.place_key == place.key)
            await _give_up_waiting(connection, jobs.c.place_key == place.key)
            return await _forget_place(connection, place.key)

        return await self._db.write(work)

    async def forget_counters(self, before: datetime) -> None:
        async def work(connection: Connection) -> None:
            await self._purge_counters(connection, before)

        await self._db.write(work)

    async def forget_words(self, before: datetime, most: int) -> list[str]:
        ended = _FINAL & jobs.c.forgotten.is_(False) & (jobs.c.finished_at < before)
        found = await self._db.rows(select(jobs.c.id).where(ended).order_by(jobs.c.id).limit(most))

        async def work(connection: Connection) -> list[str]:
            over = batches.c.finished.is_(True) & (batches.c.created_at < before)
            await connection.execute(delete(batches).where(over))
            return await _forget_jobs(
                connection, ended & jobs.c.id.in_([row["id"] for row in found]), {}, keep_place=True
            )

        return await self._db.write(work)

    async def purge(self, before: datetime) -> list[str]:
        """Pictures that waited for delivery until then are given up. Counters of windows that ended before go too."""

        async def work(connection: Connection) -> list[str]:
            await _give_up_waiting(connection, jobs.c.produced_at < before)
            gone = await _forget_jobs(connection, _FINAL & (jobs.c.finished_at < before), {}, keep_place=True)
            stale = jobs.c.token.is_not(None) & (jobs.c.token_expires_at <= before)
            await connection.execute(update(jobs).where(stale).values(token=None))
            await connection.execute(delete(batches).where(batches.c.finished.is_(True), batches.c.created_at < before))
            await purge_kept(connection, before)
            await self._purge_counters(connection, before)
            return sorted(gone)

        return await self._db.write(work)

    async def _purge_counters(self, connection: Connection, before: datetime) -> None:
        """Forgets windows that ended before, but none in which a job is still open."""
        holding = jobs.c.state.in_([state.value for state in HOLDING])
        # not min() in SQL: SQLite would then look for it among all jobs, in the order of their moments
        began = (await connection.execute(select(jobs.c.created_at).where(OPEN, holding))).scalars()
        edge = min([before, *began])
        known = await counters_forgotten(connection)
        if known is not None and known >= edge:
            return
        for table in (uses, warnings, word_refusals):
            ended = [
                (table.c.window_key >= key[0]) & (table.c.window_key < key)
                for key in (window_key(period, edge) for period in (Period.HOUR, Period.DAY, Period.MONTH))
            ]
            await connection.execute(delete(table).where(or_(*ended)))
        await drop_ended(connection, edge)
        await set_counters_forgotten(self._db, connection, edge)


async def _hold_open_jobs(connection: Connection, which: ColumnElement[bool]) -> None:
    """Locks jobs that may still take a step: a step locks its job and then its counters, and so does forgetting."""
    await connection.execute(select(jobs.c.id).where(which, OPEN).order_by(jobs.c.id).with_for_update())


async def _give_up_waiting(connection: Connection, which: ColumnElement[bool]) -> None:
    """Ends jobs whose pictures wait to be shown and will be shown to nobody."""
    over = {"state": JobState.SETTLED.value, "finished_at": jobs.c.produced_at, "waiting": False, "deleted": True}
    await connection.execute(update(jobs).where(jobs.c.state == JobState.PRODUCED.value, WAITING, which).values(over))


async def _rename_member(connection: Connection, user_id: int, stranger: int) -> None:
    """Moves the person's counters to the stranger, in the order in which everybody locks them."""
    mine = (uses.c.subject.startswith("m:g"), uses.c.subject.endswith(f":{user_id}"))
    found = await connection.execute(
        select(uses.c.subject).where(*mine).order_by(uses.c.subject, uses.c.window_key).with_for_update()
    )
    for subject in sorted(set(found.scalars())):
        renamed = f"{subject.rpartition(':')[0]}:{stranger}"
        for table in (uses, warnings):
            await connection.execute(update(table).where(table.c.subject == subject).values(subject=renamed))


async def _forget_place(connection: Connection, place_key: str) -> list[str]:
    unknown = f"{FORGOTTEN_PLACE}{secrets.token_hex(8)}"
    for prefix in ("m", "c", "s", "k"):
        name = f"{prefix}:{place_key}"
        for table in (uses, warnings, word_refusals):
            within = or_(table.c.subject == name, table.c.subject.startswith(f"{name}:"))
            await connection.execute(delete(table).where(within))
    blank: dict[str, Any] = {"place_key": unknown, "user_id": 0, "channel_id": 0, "parent_channel_id": None}
    gone = await _forget_jobs(connection, jobs.c.place_key == place_key, blank, keep_place=False)
    for table in (settings, limits, audit, batches, styles, reviews):
        await connection.execute(delete(table).where(table.c.place_key == place_key))
    await forget_kept(connection, place_key=place_key)
    await connection.execute(delete(slots).where(slots.c.key.endswith(f" {place_key}")))  # the pace of its own API key
    return gone


async def _forget_jobs(
    connection: Connection, which: ColumnElement[bool], blank: dict[str, Any], *, keep_place: bool
) -> list[str]:
    """Takes the words and ids out of jobs, leaving states and amounts; returns the ids of those that had any."""
    found = await connection.execute(
        select(jobs.c.id, jobs.c.asker, jobs.c.request)
        .where(which, jobs.c.forgotten.is_(False) if not blank else which)
        .order_by(jobs.c.id)
        .with_for_update()
    )
    gone = []
    for job_id, asker, request in found.all():
        values = {**_wordless(job_id, asker, request, blank, keep_place=keep_place), **blank}
        await connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        await connection.execute(delete(favourites).where(favourites.c.job_id == job_id))
        await connection.execute(delete(reviews).where(reviews.c.job_id == job_id))
        gone.append(job_id)
    return gone


def _wordless(job_id: str, asker: str, request: str, blank: dict[str, Any], *, keep_place: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        "request": dump_request(replace(load_request(request), prompt="", shown_prompt="", based_on="", look="")),
        "search_text": "",
        "revised_prompt": None,
        "answer": None,
        "token": None,
        "token_expires_at": None,
        "answer_message_id": None,
        "reason": "",
        "forgotten": True,
    }
    if blank:
        who = replace(load_asker(asker), user_id=blank["user_id"], role_ids=frozenset())
        place = replace(who.place, user_id=blank["user_id"])
        if not keep_place:
            who = replace(who, channel_id=0, parent_id=None, category_id=None)
            place = Place(None, 0)
        values["asker"] = dump_asker(replace(who, place=place))
        values["event_key"] = f"forgotten:{job_id}"
        values["message_id"] = values["message_channel_id"] = None
        values["batch_id"] = None
    return values


async def _own_defaults(connection: Connection, user_id: int) -> dict[str, Any]:
    body = await connection.scalar(select(settings.c.body).where(settings.c.place_key == f"u{user_id}"))
    return dict(json.loads(body or "{}").get("defaults", {}))


async def _own_styles(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    own = select(styles).where(styles.c.place_key == f"u{user_id}").order_by(styles.c.key)
    return [{"name": row["name"], **json.loads(row["body"])} for row in (await connection.execute(own)).mappings()]


async def _blocked_in(connection: Connection, user_id: int) -> list[str]:
    query = select(settings.c.place_key, settings.c.body).where(settings.c.body.contains(str(user_id)))
    return [
        place_key
        for place_key, body in await connection.execute(query)
        if any(block["user_id"] == user_id for block in json.loads(body).get("blocked", ()))
    ]


def _texts(row: RowMapping) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _exported_job(row: RowMapping) -> dict[str, Any]:
    hidden = {"token", "token_expires_at", "search_text", "epoch", "holder", "group_id", "grouped", "event_key"}
    found = {name: value for name, value in _texts(row).items() if name not in hidden}
    for name in ("asker", "request", "bill", "answer"):
        found[name] = None if found[name] is None else json.loads(found[name])
    if found["request"]["kind"] == Kind.DESCRIBE:
        found["request"]["prompt"] = ""  # the person wrote none; those are Easel's words to the model
    return found


def _exported_change(row: RowMapping) -> dict[str, Any]:
    """A change as data; what was changed before there was any, in its words. Nothing of whom it was about."""
    found = _texts(row)
    change = without_others(change_from_row(row), row["actor_id"])
    told = asdict(change) if isinstance(change, Recorded) else json.loads(change_values(change)["change"])
    return {**{name: found[name] for name in ("id", "place_key", "at", "actor_id")}, "change": told}


def _exported_batch(row: RowMapping) -> dict[str, Any]:
    return {**_texts(row), "asker": json.loads(row["asker"]), "lines": json.loads(row["lines"])}
