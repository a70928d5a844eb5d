"""What admins set: limits, settings, the server's own key, and the trail of who changed what."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import EllipsisType
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from bot.adapters.database.codec import (
    Sealer,
    dump_limit,
    dump_settings,
    load_limit,
    load_settings,
)
from bot.adapters.database.connection import Connection
from bot.adapters.database.counting.budgets import PERCENTS, Watch, passed, watched
from bot.adapters.database.counting.counters import NOTHING, tally
from bot.adapters.database.engine import Database
from bot.adapters.database.keeping.style_rows import replace_styles, styles_of
from bot.adapters.database.schema.ids import Ids
from bot.adapters.database.schema.tables import audit, jobs, warnings, word_refusals
from bot.adapters.database.schema.tables import limits as limit_rows
from bot.adapters.database.schema.tables import settings as setting_rows
from bot.adapters.database.sqlite.reading import lasting
from bot.adapters.database.trail import change_from_row, change_values
from bot.ports import AuditEntry, BudgetWarning
from bot.rules.errors import OwnKeyGone
from bot.rules.limits.limit import Limit, Period, Scope, Slot, check_limit, slot_of
from bot.rules.limits.windows import window_key
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import Change, KeyChanged, LimitChanged, Reset, Resettable, is_news
from bot.rules.servers.edits import ChangedMeanwhile, Edit, Held, Rework, first_settings, resets

log = logging.getLogger(__name__)


class SqlServers:
    """``ServerStore``. ``defaults`` are the limits that hold wherever no admin said otherwise; ``watch``, where there
    is one, knows which budgets need no look.
    """

    def __init__(
        self, database: Database, sealer: Sealer, defaults: Sequence[Limit], watch: Watch | None = None
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._defaults = tuple(defaults)
        self._watch = watch
        self._ids = Ids()

    async def settings(self, place: Place) -> ServerSettings:
        async def work(connection: Connection) -> ServerSettings:
            return await settings_of(connection, place.key)

        return await self._db.remembered(("settings", place.key), work)

    async def settings_of(self, places: Sequence[Place]) -> list[ServerSettings]:
        if self._db.remembers:
            return [await self.settings(place) for place in places]

        async def work(connection: Connection) -> list[ServerSettings]:
            return [await settings_of(connection, place.key) for place in places]

        return await self._db.read(work)

    async def change_settings(self, place: Place, edit: Edit, actor_id: int, now: datetime) -> Change:
        async def work(connection: Connection) -> Change:
            await lock_place(self._db, connection, place.key)
            after, change = edit(await settings_of(connection, place.key))
            if is_news(change):
                await self._store_settings(connection, place.key, {"body": dump_settings(after)})
                await self._record(connection, place.key, actor_id, change, now)
            return change

        return await self._db.write(work)

    async def _store_settings(self, connection: Connection, place_key: str, values: dict[str, str | None]) -> None:
        """Writes into the row that ``lock_place`` holds."""
        changed = update(setting_rows).where(setting_rows.c.place_key == place_key)
        await connection.execute(changed.values(**values, version=setting_rows.c.version + 1))

    async def set_api_key(self, place: Place, api_key: str | None, actor_id: int, now: datetime) -> KeyChanged:
        sealed = None if api_key is None else self._sealer.seal(api_key)
        hint = None if api_key is None else api_key[-4:]

        async def work(connection: Connection) -> KeyChanged:
            await lock_place(self._db, connection, place.key)
            change = KeyChanged((await settings_of(connection, place.key)).api_key_hint, hint)
            await self._store_settings(connection, place.key, {"api_key": sealed, "api_key_hint": hint})
            if api_key is not None or is_news(change):  # another key may end in the same four letters
                await self._record(connection, place.key, actor_id, change, now)
            return change

        return await self._db.write(work)

    async def api_key(self, place: Place) -> str:
        query = select(setting_rows.c.api_key).where(setting_rows.c.place_key == place.key)
        found = await self._db.rows(query)
        sealed = found[0]["api_key"] if found else None
        if sealed is None:
            raise OwnKeyGone(removed=True)
        api_key = self._sealer.open(sealed)
        if not api_key:
            log.error("the API key of %s cannot be opened: its SECRET_KEY is gone; its jobs are released", place.key)
            raise OwnKeyGone(removed=False)
        return api_key

    async def watched(self) -> list[tuple[Place, ServerSettings]]:
        rows = await self._db.rows(select(setting_rows).where(setting_rows.c.place_key.like("g%")))
        found = ((Place(int(row["place_key"][1:]), 0), load_settings(row)) for row in rows)
        return [(place, settings) for place, settings in found if settings.log_channel_id is not None]

    # limits

    async def limits(self, place: Place) -> tuple[Limit, ...]:
        async def work(connection: Connection) -> tuple[Limit, ...]:
            return await limits_of(connection, place.key, self._defaults)

        return await self._db.read(work)

    async def held(self, place: Place) -> Held:
        async def work(connection: Connection) -> Held:
            return await self._held(connection, place.key)

        return await self._db.read(work, snapshot=True)

    async def _held(self, connection: Connection, place_key: str) -> Held:
        limits = await limits_of(connection, place_key, self._defaults)
        styles = await styles_of(connection, place_key)
        return Held(await settings_of(connection, place_key), limits, self._defaults, styles)

    async def overhaul(self, place: Place, rework: Rework, actor_id: int, now: datetime) -> tuple[Change, ...]:
        async def work(connection: Connection) -> tuple[Change, ...]:
            await lock_place(self._db, connection, place.key)
            held = await self._held(connection, place.key)
            after = rework(held)
            if after.settings != held.settings:
                await self._store_settings(connection, place.key, {"body": dump_settings(after.settings)})
            for limits, remove in ((after.limits, False), (after.removed, True)):
                for limit in limits:
                    _check_settable(limit)
                    await self._store_limit(connection, place.key, limit, remove=remove)
            if after.styles is not None and after.styles != held.styles:
                await replace_styles(connection, place.key, after.styles)
            done = after.changes if after.headline is None else (after.headline, *after.changes)
            for change in done:
                await self._record(connection, place.key, actor_id, change, now)
            return done

        self._other_budgets(place)
        return await self._db.write(work)

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
        _check_settable(limit)

        async def work(connection: Connection) -> LimitChanged:
            await lock_place(self._db, connection, place.key)
            slot = slot_of(limit)
            old = await self._limit_in(connection, place.key, slot)
            if instead_of is not ... and old != instead_of:
                raise ChangedMeanwhile
            await self._store_limit(connection, place.key, limit, remove=remove)
            change = LimitChanged(slot, old, await self._limit_in(connection, place.key, slot))
            if is_news(change):
                await self._record(connection, place.key, actor_id, change, now)
            return change

        self._other_budgets(place)
        return await self._db.write(work)

    async def _limit_in(self, connection: Connection, place_key: str, slot: Slot) -> Limit | None:
        held = await limits_of(connection, place_key, self._defaults)
        return next((limit for limit in held if slot_of(limit) == slot), None)

    async def _store_limit(self, connection: Connection, place_key: str, limit: Limit, *, remove: bool) -> None:
        values = {"place_key": place_key, **dump_limit(limit)}
        key = list(limit_rows.primary_key)
        if remove:
            await connection.execute(delete(limit_rows).where(*(column == values[column.name] for column in key)))
            return
        changed = {"seconds": values["seconds"], "amount": values["amount"]}
        fresh = self._db.upsert(limit_rows).values(values)
        await connection.execute(fresh.on_conflict_do_update(index_elements=key, set_=changed))

    async def reset(
        self, place: Place, what: Resettable, actor_id: int, now: datetime, *, seen: Held | None = None
    ) -> tuple[Change, ...]:
        async def work(connection: Connection) -> tuple[Change, ...]:
            await lock_place(self._db, connection, place.key)
            held = await self._held(connection, place.key)
            if seen is not None and seen != held:
                raise ChangedMeanwhile
            if what is not Resettable.SETTINGS:
                await connection.execute(delete(limit_rows).where(limit_rows.c.place_key == place.key))
            if what is not Resettable.LIMITS:
                first = first_settings(held.settings)
                await self._store_settings(connection, place.key, {"body": dump_settings(first)})
            done = (Reset(what), *resets(held, what))
            for change in done:
                await self._record(connection, place.key, actor_id, change, now)
            return done

        self._other_budgets(place)
        return await self._db.write(work)

    async def audit(self, place: Place, limit: int = 50) -> list[AuditEntry]:
        query = (
            select(*audit.c)
            .where(audit.c.place_key == place.key)
            .order_by(audit.c.at.desc(), audit.c.id.desc())
            .limit(limit)
        )
        return [AuditEntry(row["at"], row["actor_id"], change_from_row(row)) for row in await self._db.rows(query)]

    async def changes_at(self, place: Place, actor_id: int, at: datetime) -> tuple[Change, ...]:
        mine = (audit.c.place_key == place.key, audit.c.at == at, audit.c.actor_id == actor_id)
        rows = await self._db.rows(select(*audit.c).where(*mine).order_by(audit.c.id))
        return tuple(change_from_row(row) for row in rows)

    async def budget_warnings(self, place: Place, now: datetime) -> list[BudgetWarning]:
        """Only what is really spent warns, so that no warning is taken back. Of several thresholds passed at once the
        highest is told. A changed amount is a new budget. An operator's budget has the scope ``OPERATOR``: it is for
        the operator and never told to a server. Budgets of everyone or a role have no single counter to watch.
        """

        async def look(connection: Connection) -> list[tuple[BudgetWarning, tuple[str, str]]]:
            budgets = watched(await limits_of(connection, place.key, self._defaults), place.key, now)
            held = await tally(connection, [row for _, row in budgets]) if budgets else {}
            found = ((passed(place.key, limit, held.get(row, NOTHING).spent), row) for limit, row in budgets)
            return [(warning, row) for warning, row in found if warning is not None]

        async def tell(connection: Connection) -> list[BudgetWarning]:
            return [warning for warning, row in found if await self._is_news(connection, warning, row)]

        if self._watch is not None and not self._watch.has_passed(place.key):
            return []
        found = await self._db.read(look)
        return await self._db.write(tell) if found else []

    def _other_budgets(self, place: Place) -> None:
        """What was spent may lie above a mark of theirs."""
        if self._watch is not None:
            self._watch.mark_passed(place.key)

    async def count_refused_words(self, place: Place, prompts: int, now: datetime) -> None:
        values = {"subject": f"s:{place.key}", "window_key": window_key(Period.MONTH, now), "refused": prompts}
        counted = {"refused": word_refusals.c.refused + prompts}
        fresh = self._db.upsert(word_refusals).values(values)
        counting = fresh.on_conflict_do_update(index_elements=list(word_refusals.primary_key), set_=counted)

        async def work(connection: Connection) -> None:
            await connection.execute(counting)

        await self._db.write(work)

    async def words_refused(self, place: Place, now: datetime) -> int:
        this_month = word_refusals.c.window_key == window_key(Period.MONTH, now)
        found = await self._db.rows(
            select(word_refusals.c.refused).where(word_refusals.c.subject == f"s:{place.key}", this_month)
        )
        return int(found[0]["refused"]) if found else 0

    async def last_used(self, place: Place) -> datetime | None:
        async def work(connection: Connection) -> datetime | None:
            asked = await connection.scalar(select(func.max(jobs.c.created_at)).where(jobs.c.place_key == place.key))
            changed = await connection.scalar(select(func.max(audit.c.at)).where(audit.c.place_key == place.key))
            return max((moment for moment in (asked, changed) if moment is not None), default=None)

        return await self._db.read(work)

    async def _record(
        self, connection: Connection, place_key: str, actor_id: int, change: Change, now: datetime
    ) -> None:
        """Writes one line of the audit trail within the transaction of what it tells about."""
        values = {"id": self._ids.make(now)[0], "place_key": place_key, "at": now, "actor_id": actor_id}
        await connection.execute(insert(audit), {**values, **change_values(change)})

    async def _is_news(self, connection: Connection, warning: BudgetWarning, row: tuple[str, str]) -> bool:
        """Marks every threshold up to the warning's as told; whether the warning's own was not yet."""
        key = {"subject": row[0], "window_key": row[1], "amount": warning.limit.amount}
        values = [{**key, "percent": percent} for percent in PERCENTS if percent <= warning.percent]
        fresh = self._db.upsert(warnings).values(values).on_conflict_do_nothing().returning(warnings.c.percent)
        return warning.percent in (await connection.execute(fresh)).scalars().all()


async def lock_place(database: Database, connection: Connection, place_key: str) -> None:
    """Makes changes of one place wait for each other, so that old → new in the trail is true."""
    row = {"place_key": place_key, "version": 0, "body": "{}"}
    await connection.execute(
        database.upsert(setting_rows)
        .values(row)
        .on_conflict_do_update(index_elements=["place_key"], set_={"place_key": place_key})
    )


def _check_settable(limit: Limit) -> None:
    check_limit(limit)
    if limit.scope is Scope.OPERATOR:
        raise ValueError("the operator's limits are settings of the process, not of a server")


async def settings_of(connection: Connection, place_key: str) -> ServerSettings:
    """A place's settings as one transaction sees them."""
    found = await connection.execute(SETTINGS_OF, {"place": place_key})
    return load_settings(found.mappings().one_or_none())


SETTINGS_OF = lasting(select(setting_rows).where(setting_rows.c.place_key == bindparam("place")))


async def limits_of(connection: Connection, place_key: str, defaults: Sequence[Limit]) -> tuple[Limit, ...]:
    """The defaults and what admins changed of them, as one transaction sees it."""
    found = await connection.execute(LIMITS_OF, {"place": place_key})
    return with_defaults(defaults, (dict(row) for row in found.mappings()))


LIMITS_OF = lasting(
    select(limit_rows).where(limit_rows.c.place_key == bindparam("place")).order_by(*limit_rows.primary_key)
)


def with_defaults(defaults: Sequence[Limit], rows: Iterable[Mapping[str, Any]]) -> tuple[Limit, ...]:
    """The defaults, and the rows of a place in their stead."""
    slots = {slot_of(limit): limit for limit in defaults}
    for row in rows:
        limit = load_limit(row)
        slots[slot_of(limit)] = limit
    return tuple(slots.values())
