"""What admins set: limits, settings, the server's own key, and the trail of who changed what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.database.base import Part
from bot.adapters.database.codec import dump_settings, load_settings
from bot.adapters.database.counters import Change, Counted, as_use, kept, last_requests, tally, with_kept
from bot.adapters.database.tables import audit, warnings
from bot.adapters.database.tables import limits as limit_rows
from bot.adapters.database.tables import settings as setting_rows
from bot.ports import AuditEntry, BudgetWarning
from bot.rules.errors import Busy
from bot.rules.limits.decide import Standing, Use, standings
from bot.rules.limits.limit import Limit, Measure, Period, Scope, Window, check_limit
from bot.rules.limits.windows import window_key
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.audit_words import limit_words, slot_words

Slot = tuple[Scope, Measure, Period, int]
"""Where one limit stands; setting another one in the same slot replaces it."""

PERCENTS = (50, 80, 100)


def slot_of(limit: Limit) -> Slot:
    return limit.scope, limit.measure, limit.window.period, limit.subject_id or 0


class Rulebook(Part):
    async def settings(self, place: Place) -> ServerSettings:
        async def work(connection: AsyncConnection) -> ServerSettings:
            return await self._settings(connection, place.key)

        return await self._db.read(work)

    async def _settings(self, connection: AsyncConnection, place_key: str) -> ServerSettings:
        found = await connection.execute(select(setting_rows).where(setting_rows.c.place_key == place_key))
        return load_settings(found.mappings().one_or_none())

    async def save_settings(
        self, place: Place, settings: ServerSettings, actor_id: int, what: str, old: str, new: str, now: datetime
    ) -> ServerSettings:
        async def work(connection: AsyncConnection) -> ServerSettings:
            await self._store_settings(connection, place.key, settings, {})
            await self._record(connection, place.key, actor_id, what, old, new, now)
            return await self._settings(connection, place.key)

        return await self._db.write(work)

    async def _store_settings(
        self, connection: AsyncConnection, place_key: str, settings: ServerSettings, beside: dict[str, str | None]
    ) -> None:
        values = {"version": settings.version + 1, "body": dump_settings(settings), **beside}
        unmoved = setting_rows.c.version == settings.version
        if settings.version == 0:
            fresh = self._db.upsert(setting_rows).values({"place_key": place_key, **values})
            fresh = fresh.on_conflict_do_update(index_elements=["place_key"], set_=values, where=unmoved)
            found = await connection.execute(fresh.returning(setting_rows.c.version))
        else:
            changed = update(setting_rows).where(setting_rows.c.place_key == place_key, unmoved).values(values)
            found = await connection.execute(changed.returning(setting_rows.c.version))
        if found.one_or_none() is None:
            raise Busy("somebody else changed the settings at the same time")

    async def set_api_key(self, place: Place, api_key: str | None, actor_id: int, now: datetime) -> ServerSettings:
        sealed = None if api_key is None else self._sealer.seal(api_key)
        hint = None if api_key is None else api_key[-4:]

        async def work(connection: AsyncConnection) -> ServerSettings:
            before = await self._settings(connection, place.key)
            await self._store_settings(connection, place.key, before, {"api_key": sealed, "api_key_hint": hint})
            old, new = (f"…{key}" if key else "none" for key in (before.api_key_hint, hint))
            await self._record(connection, place.key, actor_id, "apikey", old, new, now)
            return await self._settings(connection, place.key)

        return await self._db.write(work)

    async def api_key(self, place: Place) -> str | None:
        query = select(setting_rows.c.api_key).where(setting_rows.c.place_key == place.key)
        found = await self._rows(query)
        sealed = found[0]["api_key"] if found else None
        return None if sealed is None else self._sealer.open(sealed)

    async def watched_places(self) -> list[tuple[Place, ServerSettings]]:
        rows = await self._rows(select(setting_rows).where(setting_rows.c.place_key.like("g%")))
        found = ((Place(int(row["place_key"][1:]), 0), load_settings(row)) for row in rows)
        return [(place, settings) for place, settings in found if settings.log_channel_id is not None]

    # limits

    async def limits(self, place: Place) -> tuple[Limit, ...]:
        async def work(connection: AsyncConnection) -> tuple[Limit, ...]:
            return await self._limits(connection, place.key)

        return await self._db.read(work)

    async def _limits(self, connection: AsyncConnection, place_key: str) -> tuple[Limit, ...]:
        slots = {slot_of(limit): limit for limit in self._defaults}
        query = select(limit_rows).where(limit_rows.c.place_key == place_key)
        for row in (await connection.execute(query.order_by(*limit_rows.primary_key))).mappings():
            limit = Limit(
                scope=Scope(row["scope"]),
                measure=Measure(row["measure"]),
                window=Window(Period(row["period"]), row["seconds"]),
                amount=row["amount"],
                subject_id=row["subject_id"] or None,
            )
            slots[slot_of(limit)] = limit
        return tuple(slots.values())

    async def set_limit(
        self, place: Place, limit: Limit, actor_id: int, now: datetime, *, remove: bool = False
    ) -> Limit | None:
        check_limit(limit)
        if limit.scope is Scope.OPERATOR:
            raise ValueError("the operator's limits are settings of the process, not of a server")

        async def work(connection: AsyncConnection) -> Limit | None:
            await self._lock_place(connection, place.key)
            before = {slot_of(held): held for held in await self._limits(connection, place.key)}.get(slot_of(limit))
            await self._store_limit(connection, place.key, limit, remove=remove)
            after = {slot_of(held): held for held in await self._limits(connection, place.key)}.get(slot_of(limit))
            await self._record(
                connection,
                place.key,
                actor_id,
                slot_words(limit),
                limit_words(before, "none"),
                limit_words(after, "none"),
                now,
            )
            return before

        return await self._db.write(work)

    async def _lock_place(self, connection: AsyncConnection, place_key: str) -> None:
        """Makes changes of one server's limits wait for each other, so that old → new in the trail is true."""
        row = {"place_key": place_key, "version": 0, "body": "{}"}
        await connection.execute(
            self._db.upsert(setting_rows)
            .values(row)
            .on_conflict_do_update(index_elements=["place_key"], set_={"place_key": place_key})
        )

    async def _store_limit(self, connection: AsyncConnection, place_key: str, limit: Limit, *, remove: bool) -> None:
        scope, measure, period, subject_id = slot_of(limit)
        key = {"place_key": place_key, "scope": scope.value, "measure": measure.value, "period": period.value}
        key_and_subject = {**key, "subject_id": subject_id}
        if remove:
            await connection.execute(
                delete(limit_rows).where(*(limit_rows.c[name] == value for name, value in key_and_subject.items()))
            )
            return
        values = {"seconds": limit.window.seconds, "amount": limit.amount}
        await connection.execute(
            self._db.upsert(limit_rows)
            .values({**key_and_subject, **values})
            .on_conflict_do_update(index_elements=list(key_and_subject), set_=values)
        )

    async def reset_limits(self, place: Place, actor_id: int, now: datetime) -> None:
        async def work(connection: AsyncConnection) -> None:
            await self._lock_place(connection, place.key)
            gone = await connection.execute(
                delete(limit_rows).where(limit_rows.c.place_key == place.key).returning(limit_rows.c.scope)
            )
            old = f"{len(gone.all())} set"
            await self._record(connection, place.key, actor_id, "limits reset", old, "the defaults", now)

        await self._db.write(work)

    async def audit(self, place: Place, limit: int = 50) -> list[AuditEntry]:
        query = (
            select(audit.c.at, audit.c.actor_id, audit.c.what, audit.c.old, audit.c.new)
            .where(audit.c.place_key == place.key)
            .order_by(audit.c.at.desc(), audit.c.id.desc())
            .limit(limit)
        )
        return [AuditEntry(**row) for row in await self._rows(query)]

    # what is used of them

    async def use(self, asker: Asker, now: datetime) -> Use:
        async def work(connection: AsyncConnection) -> Use:
            return await self._use(connection, await self._limits(connection, asker.place.key), asker, now)

        return await self._db.read(work)

    async def standings(self, asker: Asker, now: datetime) -> tuple[Standing, ...]:
        async def work(connection: AsyncConnection) -> tuple[Standing, ...]:
            limits = await self._limits(connection, asker.place.key)
            return standings(limits, asker, await self._use(connection, limits, asker, now), now)

        return await self._db.read(work, snapshot=True)

    async def _use(self, connection: AsyncConnection, limits: tuple[Limit, ...], asker: Asker, now: datetime) -> Use:
        counted = Counted.of_asker(asker, now, own_key=False)
        found = await tally(connection, counted.rows())
        before = await kept(connection, counted, self._sealer.tag(asker.user_id))
        use = as_use(counted, found, Change(), await last_requests(connection, limits, asker, now))
        return with_kept(use, before, counted.place_key)

    async def budget_warnings(self, place: Place, now: datetime) -> list[BudgetWarning]:
        """Only what is really spent warns, so that no warning is taken back. Of several thresholds passed at once the
        highest is told. A changed amount is a new budget. An operator's budget has the scope ``OPERATOR``: it is for
        the operator and never told to a server. Budgets of everyone or a role have no single counter to watch.
        """

        async def look(connection: AsyncConnection) -> list[tuple[BudgetWarning, tuple[str, str]]]:
            passed = [
                await _passed(connection, place, limit, now) for limit in await self._limits(connection, place.key)
            ]
            return [found for found in passed if found is not None]

        async def tell(connection: AsyncConnection) -> list[BudgetWarning]:
            return [warning for warning, row in found if await self._is_news(connection, warning, row)]

        found = await self._db.read(look)
        return await self._db.write(tell) if found else []

    async def _is_news(self, connection: AsyncConnection, warning: BudgetWarning, row: tuple[str, str]) -> bool:
        """Marks every threshold up to the warning's as told; whether the warning's own was not yet."""
        key = {"subject": row[0], "window_key": row[1], "amount": warning.limit.amount}
        values = [{**key, "percent": percent} for percent in PERCENTS if percent <= warning.percent]
        fresh = self._db.upsert(warnings).values(values).on_conflict_do_nothing().returning(warnings.c.percent)
        return warning.percent in (await connection.execute(fresh)).scalars().all()


async def _passed(
    connection: AsyncConnection, place: Place, limit: Limit, now: datetime
) -> tuple[BudgetWarning, tuple[str, str]] | None:
    subject = _watched(limit, place)
    if subject is None or not limit.amount or limit.measure is not Measure.DOLLARS:
        return None
    row = (subject, window_key(limit.window.period, now))
    spent = (await tally(connection, [row])).get(row, Change()).spent
    passed = [percent for percent in PERCENTS if spent * 100 >= limit.amount * percent]
    return (BudgetWarning(place.key, limit, max(passed), MicroUSD(spent)), row) if passed else None


def _watched(limit: Limit, place: Place) -> str | None:
    """The counter of a budget that has exactly one."""
    match limit.scope:
        case Scope.SERVER:
            return f"s:{place.key}"
        case Scope.CHANNEL:
            return f"c:{place.key}:{limit.subject_id}"
        case Scope.MEMBER:
            return f"m:{place.key}:{limit.subject_id}"
        case Scope.OPERATOR:
            return "o"
        case Scope.EVERYONE | Scope.ROLE:
            return None
