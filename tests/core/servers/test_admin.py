"""What admins do, on a real ledger in SQLite: what is stored, what stands in the trail, and who is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.database import SqlStore, open_store
from bot.adapters.secrets import Secrets
from bot.core.servers.admin import Admin, BadApiKey, NotInAServer
from bot.core.service.circuit import Circuit
from bot.core.service.lanes import lane_of
from bot.ports import AuditEntry, KeyPays, KnownModel, Payer
from bot.rules.errors import OwnKeyGone
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed, ServiceFault
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, slot_of
from bot.rules.people import Asker, Place
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    KeyChanged,
    LimitChanged,
    LogChannelChanged,
    Moderation,
    ModerationChanged,
    PauseChanged,
    Reset,
    Resettable,
    Stop,
    Undone,
)
from bot.rules.servers.edits import Held, logged_to, moderated, paused, unblocked
from bot.rules.servers.undo import ChangedSince, NothingToUndo
from tests.support.ledger import empty_ledger

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ADMIN = Asker(8, Place(10, 8), 100, can_manage=True)
DIRECT = Asker(8, Place(None, 8), 100)
DAY, MONTH = Period.DAY, Period.MONTH
DEFAULTS = (
    Cooldown(Scope.EVERYONE, 30),
    Quota(Scope.EVERYONE, Measure.IMAGES, DAY, 50),
    Quota(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_000),
)


class Service:
    """Knows one key; ``fault`` is what every other gets."""

    def __init__(self) -> None:
        self.tried: list[Payer] = []
        self.fault = FaultKind.BAD_KEY

    async def known_models(self, payer: Payer, *, service="default") -> tuple[KnownModel, ...] | None:
        self.tried.append(payer)
        if payer != KeyPays("sk-good-key-1234"):
            raise ServiceFault(Fault(self.fault, Billed.NO))
        return ()


class Jobs:
    def __init__(self) -> None:
        self.stopped: list[int] = []

    async def cancel_all_of(self, asker: Asker, user_id: int) -> int:
        self.stopped.append(user_id)
        return 2


class Notifier:
    def __init__(self) -> None:
        self.told: list[tuple[Place, AuditEntry]] = []

    async def changed(self, place: Place, *entries: AuditEntry) -> None:
        self.told += [(place, entry) for entry in entries]


class Office:
    """An ``Admin`` with everything around it to look at."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.service, self.jobs, self.notifier = store, Service(), Jobs(), Notifier()
        self.circuit, self.now = Circuit(), NOW
        self.admin = Admin(store, self.service, self.jobs, self.circuit, self.notifier, lambda: self.now)

    def tick(self) -> None:
        self.now += timedelta(seconds=1)

    async def set(self, limit: Limit) -> Change:
        return (await self.admin.set_limit(ADMIN, await self.admin.propose_limit(ADMIN.place, limit))).change

    async def held(self, limit: Limit) -> Limit | None:
        found = await self.store.servers.limits(ADMIN.place)
        return next((one for one in found if slot_of(one) == slot_of(limit)), None)

    async def trail(self) -> list[AuditEntry]:
        return await self.store.servers.audit(ADMIN.place)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = await open_store(
        await empty_ledger(tmp_path),
        data_dir=tmp_path,
        secrets=Secrets((KEY,)),
        defaults=DEFAULTS,
        clock=lambda: NOW,
    )
    yield Office(store)
    await store.aclose()


@pytest.mark.parametrize(
    "limit",
    [
        Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 42),
        Cooldown(Scope.EVERYONE, 90),
        Cooldown(Scope.ROLE, 0, 42),
        Quota(Scope.CHANNEL, Measure.DOLLARS, DAY, 12_345_678, 9),
        Quota(Scope.SERVER, Measure.DOLLARS, MONTH, 0),
        Quota(Scope.EVERYONE, Measure.JOBS, Period.NOW, 1_000),
    ],
)
async def test_a_limit_is_stored_and_the_trail_and_the_log_have_the_change_that_is_answered(
    office: Office, limit: Limit
) -> None:
    before = await office.held(limit)
    change = await office.set(limit)

    assert change == LimitChanged(slot_of(limit), before, limit)
    assert await office.held(limit) == limit
    entry = AuditEntry(NOW, 8, change)
    assert await office.trail() == [entry]
    assert office.notifier.told == [(ADMIN.place, entry)]


async def test_leaving_the_amount_out_removes_a_roles_limit_so_that_everyones_decides_again(office: Office) -> None:
    role = Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 42)
    await office.set(role)
    change = await office.set(replace(role, amount=None))

    assert change == LimitChanged(slot_of(role), role, None)
    assert (await office.trail())[0].change == change
    assert await office.held(Quota(Scope.ROLE, Measure.IMAGES, DAY, None, 42)) is None


async def test_leaving_the_amount_out_for_everyone_does_not_bring_the_operators_default_back(office: Office) -> None:
    change = await office.set(Cooldown(Scope.EVERYONE, None))

    assert change == LimitChanged(slot_of(DEFAULTS[0]), DEFAULTS[0], Cooldown(Scope.EVERYONE, None))
    assert await office.held(DEFAULTS[0]) == Cooldown(Scope.EVERYONE, None)


@pytest.mark.parametrize(
    ("limit", "raises"),
    [
        (Quota(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_001), True),
        (Quota(Scope.SERVER, Measure.DOLLARS, MONTH, None), True),
        (Quota(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_000), False),
        (Quota(Scope.SERVER, Measure.DOLLARS, MONTH, 0), False),
        (Quota(Scope.SERVER, Measure.DOLLARS, DAY, 1), False),
        (Quota(Scope.EVERYONE, Measure.IMAGES, DAY, 51), True),
        (Quota(Scope.ROLE, Measure.IMAGES, DAY, 51, 42), True),
        (Quota(Scope.MEMBER, Measure.IMAGES, DAY, 49, 7), False),
        (Quota(Scope.CHANNEL, Measure.IMAGES, DAY, 500, 9), False),
        (Cooldown(Scope.EVERYONE, None), False),
        (Quota(Scope.EVERYONE, Measure.JOBS, Period.NOW, 99), False),
    ],
)
async def test_more_money_or_pictures_than_before_is_noticed(office: Office, limit: Limit, raises: bool) -> None:
    assert (await office.admin.propose_limit(ADMIN.place, limit)).raises_spending is raises


async def test_removing_a_stricter_role_raises_and_a_more_generous_one_does_not(office: Office) -> None:
    strict, generous = (Quota(Scope.ROLE, Measure.IMAGES, DAY, amount, amount) for amount in (5, 500))
    for limit, raises in ((strict, True), (generous, False)):
        await office.set(limit)
        proposal = await office.admin.propose_limit(ADMIN.place, replace(limit, amount=None))
        assert (proposal.remove, proposal.raises_spending) == (True, raises)


async def test_direct_messages_have_no_settings(office: Office) -> None:
    with pytest.raises(NotInAServer):
        await office.admin.propose_limit(DIRECT.place, DEFAULTS[1])
    with pytest.raises(NotInAServer):
        await office.admin.block(DIRECT, 7, "")
    with pytest.raises(NotInAServer):
        await office.admin.set_api_key(DIRECT, "sk-good-key-1234")
    with pytest.raises(NotInAServer):
        await office.admin.reset(DIRECT, Resettable.ALL, Held(ServerSettings(), ()))
    assert office.service.tried == []


async def test_blocking_stops_what_they_have_running(office: Office) -> None:
    done, stopped = await office.admin.block(ADMIN, 7, "spam")
    change = done.change

    assert (change, stopped) == (BlockChanged(7, Stop(False), Stop(True, "spam")), 2)
    assert office.jobs.stopped == [7]
    assert [block.user_id for block in (await office.admin.settings(ADMIN.place)).blocked] == [7]


async def test_what_changes_nothing_is_neither_kept_nor_told(office: Office) -> None:
    change = (await office.admin.change(ADMIN, unblocked(7))).change
    assert change == BlockChanged(7, Stop(False), Stop(False))
    await office.set(DEFAULTS[1])
    assert await office.trail() == []
    assert office.notifier.told == []


async def test_a_key_is_tried_before_it_is_kept_and_shown_by_its_end(office: Office) -> None:
    change = (await office.admin.set_api_key(ADMIN, "sk-good-key-1234")).change

    assert office.service.tried == [KeyPays("sk-good-key-1234")]
    assert change == KeyChanged(None, "1234")
    assert await office.store.servers.api_key(ADMIN.place) == "sk-good-key-1234"
    gone = (await office.admin.set_api_key(ADMIN, None)).change
    assert gone == KeyChanged("1234", None)
    with pytest.raises(OwnKeyGone):
        await office.store.servers.api_key(ADMIN.place)
    assert all("good-key" not in f"{entry}" for entry in await office.trail())


async def test_a_new_key_after_a_refused_one_is_used_at_once(office: Office) -> None:
    lane = lane_of(ADMIN.place)
    office.circuit.failed(lane, FaultKind.BAD_KEY, NOW)

    with pytest.raises(BadApiKey):
        await office.admin.set_api_key(ADMIN, "sk-wrong-key-9999")
    assert not office.circuit.may_try(lane, NOW)
    await office.admin.set_api_key(ADMIN, "sk-good-key-1234")
    assert office.circuit.may_try(lane, NOW)


@pytest.mark.parametrize("text", ["", "short", "a key with spaces", "ключ-ключ-ключ", "sk-\x07bell-in-it", "s" * 257])
async def test_what_is_no_key_is_not_even_tried(office: Office, text: str) -> None:
    with pytest.raises(BadApiKey) as caught:
        await office.admin.set_api_key(ADMIN, text)
    assert not caught.value.refused_by_service
    assert office.service.tried == []
    assert text == "" or text not in f"{caught.value}{caught.value!r}"


async def test_a_key_the_service_refuses_is_not_kept(office: Office) -> None:
    with pytest.raises(BadApiKey) as caught:
        await office.admin.set_api_key(ADMIN, "sk-wrong-key-9999")
    assert caught.value.refused_by_service
    with pytest.raises(OwnKeyGone):
        await office.store.servers.api_key(ADMIN.place)
    assert await office.trail() == []


async def test_a_service_that_is_away_is_told_as_such(office: Office) -> None:
    office.service.fault = FaultKind.UNREACHABLE
    with pytest.raises(ServiceFailed):
        await office.admin.set_api_key(ADMIN, "sk-other-key-1234")
    with pytest.raises(OwnKeyGone):
        await office.store.servers.api_key(ADMIN.place)


async def test_a_reset_brings_the_operators_defaults_back_and_tells_once(office: Office) -> None:
    await office.set(Quota(Scope.EVERYONE, Measure.IMAGES, DAY, None))
    await office.set(Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))
    await office.admin.change(ADMIN, moderated(None, True, None))
    await office.admin.change(ADMIN, logged_to(5))
    await office.admin.block(ADMIN, 7, "")
    office.notifier.told.clear()

    await office.admin.reset(ADMIN, Resettable.ALL, await office.admin.held(ADMIN.place))

    assert await office.store.servers.limits(ADMIN.place) == DEFAULTS
    settings = await office.admin.settings(ADMIN.place)
    assert (settings.spoiler, settings.log_channel_id, len(settings.blocked)) == (False, 5, 1)
    headline, *changes = [entry.change for _, entry in office.notifier.told]
    assert headline == Reset(Resettable.ALL)
    assert ModerationChanged(Moderation(spoiler=True), Moderation()) in changes
    assert all(not isinstance(one, BlockChanged | LogChannelChanged) for one in changes)


async def test_a_reset_of_limits_leaves_settings_alone(office: Office) -> None:
    await office.admin.change(ADMIN, moderated(None, True, None))
    await office.set(Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))
    await office.admin.reset(ADMIN, Resettable.LIMITS, await office.admin.held(ADMIN.place))
    assert (await office.admin.settings(ADMIN.place)).spoiler
    assert len(await office.store.servers.limits(ADMIN.place)) == len(DEFAULTS)
    await office.admin.reset(ADMIN, Resettable.SETTINGS, await office.admin.held(ADMIN.place))
    assert not (await office.admin.settings(ADMIN.place)).spoiler


async def test_one_servers_changes_are_invisible_in_another(office: Office) -> None:
    await office.set(Quota(Scope.EVERYONE, Measure.IMAGES, DAY, 1))
    await office.admin.block(ADMIN, 7, "")
    other = Place(11, 8)
    assert Quota(Scope.EVERYONE, Measure.IMAGES, DAY, 50) in await office.store.servers.limits(other)
    assert (await office.store.servers.settings(other)).blocked == ()
    assert await office.store.servers.audit(other) == []


async def test_servers_with_a_log_channel_are_found_for_notices(office: Office) -> None:
    await office.admin.change(ADMIN, logged_to(5))
    await office.admin.block(Asker(8, Place(11, 8), 1), 7, "")
    ((place, settings),) = await office.store.servers.watched()
    assert (place.guild_id, settings.log_channel_id) == (10, 5)


async def test_what_was_changed_is_taken_back_in_one_go_and_told(office: Office) -> None:
    await office.admin.change(ADMIN, logged_to(5))
    office.tick()
    done = await office.admin.change(ADMIN, paused("party"))
    office.tick()
    undone = await office.admin.undo(ADMIN, done.at)
    assert [type(one) for one in undone.changes] == [Undone, PauseChanged]
    assert not (await office.admin.settings(ADMIN.place)).paused
    assert (await office.admin.settings(ADMIN.place)).log_channel_id == 5
    office.tick()
    await office.admin.undo(ADMIN, undone.at)
    assert (await office.admin.settings(ADMIN.place)).pause_reason == "party"
    with pytest.raises(ChangedSince):
        await office.admin.undo(ADMIN, undone.at)


async def test_nobody_takes_back_what_another_admin_or_server_changed(office: Office) -> None:
    done = await office.admin.change(ADMIN, paused("party"))
    for other in (replace(ADMIN, user_id=9), replace(ADMIN, place=Place(11, ADMIN.user_id))):
        with pytest.raises(NothingToUndo):
            await office.admin.undo(other, done.at)
