"""What admins do, on a real ledger in SQLite: what is stored, what stands in the trail, and who is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.database import SqlStore, open_store
from bot.adapters.secrets import Secrets
from bot.core.servers.admin import Admin, BadApiKey, Change, NotInAServer
from bot.ports import AuditEntry, KnownModel
from bot.rules.errors import Busy
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFailed, ServiceFault
from bot.rules.limits.limit import Limit, Measure, Period, Scope, Window
from bot.rules.people import Asker, Place
from bot.rules.servers.audit_words import limit_words, slot_words

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ADMIN = Asker(8, Place(10, 8), 100, can_manage=True)
DIRECT = Asker(8, Place(None, 8), 100)
DAY, MONTH, SECONDS = Window(Period.DAY), Window(Period.MONTH), Window(Period.SECONDS, 30)
DEFAULTS = (
    Limit(Scope.EVERYONE, Measure.REQUESTS, SECONDS, 1),
    Limit(Scope.EVERYONE, Measure.IMAGES, DAY, 50),
    Limit(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_000),
)


class Service:
    """Knows one key; ``fault`` is what every other gets."""

    def __init__(self) -> None:
        self.tried: list[str | None] = []
        self.fault = FaultKind.BAD_KEY

    async def known_models(self, api_key: str | None = None) -> tuple[KnownModel, ...] | None:
        self.tried.append(api_key)
        if api_key != "sk-good-key-1234":
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

    async def changed(self, place: Place, entry: AuditEntry) -> None:
        self.told.append((place, entry))


class Office:
    """An ``Admin`` with everything around it to look at."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.service, self.jobs, self.notifier = store, Service(), Jobs(), Notifier()
        self.admin = Admin(store, self.service, self.jobs, self.notifier, lambda: NOW)

    async def set(self, limit: Limit) -> Change:
        return await self.admin.set_limit(ADMIN, await self.admin.propose_limit(ADMIN.place, limit))

    async def held(self, limit: Limit) -> Limit | None:
        found = await self.store.limits(ADMIN.place)
        return next((one for one in found if slot_words(one) == slot_words(limit)), None)

    async def trail(self) -> list[AuditEntry]:
        return await self.store.audit(ADMIN.place)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = await open_store(
        f"sqlite+aiosqlite:///{tmp_path}/easel.db",
        data_dir=tmp_path,
        secrets=Secrets((KEY,)),
        defaults=DEFAULTS,
        clock=lambda: NOW,
    )
    yield Office(store)
    await store.aclose()


async def test_a_limit_is_stored_kept_in_the_trail_and_told(office: Office) -> None:
    change = await office.set(Limit(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))

    assert change == Change("limit role 42 images per day", "not set", "5")
    assert await office.held(Limit(Scope.ROLE, Measure.IMAGES, DAY, None, 42)) is not None
    (entry,) = await office.trail()
    assert (entry.actor_id, entry.what, entry.new) == (8, change.what, "5")
    ((place, told),) = office.notifier.told
    assert (place, told.actor_id, told.what, told.old, told.new) == (ADMIN.place, 8, *_three(change))


def _three(change: Change) -> tuple[str, str, str]:
    return change.what, change.old, change.new


@pytest.mark.parametrize(
    "limit",
    [
        Limit(Scope.EVERYONE, Measure.REQUESTS, Window(Period.SECONDS, 90), 1),
        Limit(Scope.MEMBER, Measure.REQUESTS, Window(Period.SECONDS, 0), 1, 7),
        Limit(Scope.CHANNEL, Measure.DOLLARS, DAY, 12_345_678, 9),
        Limit(Scope.SERVER, Measure.DOLLARS, MONTH, 0),
        Limit(Scope.EVERYONE, Measure.JOBS, Window(Period.NOW), 1_000),
        Limit(Scope.MEMBER, Measure.IMAGES, Window(Period.HOUR), 1_000_000, 7),
    ],
)
async def test_the_trail_speaks_as_the_answer_does(office: Office, limit: Limit) -> None:
    change = await office.set(limit)
    (entry,) = await office.trail()
    assert (entry.what, entry.new) == (change.what, change.new)
    assert change.new == limit_words(limit)


async def test_leaving_the_amount_out_removes_a_roles_limit_so_that_everyones_decides_again(office: Office) -> None:
    await office.set(Limit(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))
    change = await office.set(Limit(Scope.ROLE, Measure.IMAGES, DAY, None, 42))

    assert (change.old, change.new) == ("5", "not set")
    assert await office.held(Limit(Scope.ROLE, Measure.IMAGES, DAY, None, 42)) is None


async def test_leaving_the_amount_out_for_everyone_does_not_bring_the_operators_default_back(office: Office) -> None:
    change = await office.set(Limit(Scope.EVERYONE, Measure.REQUESTS, Window(Period.SECONDS), None))

    assert (change.old, change.new) == ("30 s", "none")
    held = await office.held(Limit(Scope.EVERYONE, Measure.REQUESTS, SECONDS, None))
    assert held is not None
    assert held.amount is None


@pytest.mark.parametrize(
    ("limit", "raises"),
    [
        (Limit(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_001), True),
        (Limit(Scope.SERVER, Measure.DOLLARS, MONTH, None), True),
        (Limit(Scope.SERVER, Measure.DOLLARS, MONTH, 10_000_000), False),
        (Limit(Scope.SERVER, Measure.DOLLARS, MONTH, 0), False),
        (Limit(Scope.SERVER, Measure.DOLLARS, DAY, 1), False),
        (Limit(Scope.EVERYONE, Measure.IMAGES, DAY, 51), True),
        (Limit(Scope.ROLE, Measure.IMAGES, DAY, 51, 42), True),
        (Limit(Scope.MEMBER, Measure.IMAGES, DAY, 49, 7), False),
        (Limit(Scope.CHANNEL, Measure.IMAGES, DAY, 500, 9), False),
        (Limit(Scope.EVERYONE, Measure.REQUESTS, Window(Period.SECONDS), None), False),
        (Limit(Scope.EVERYONE, Measure.JOBS, Window(Period.NOW), 99), False),
    ],
)
async def test_more_money_or_pictures_than_before_is_noticed(office: Office, limit: Limit, raises: bool) -> None:
    assert (await office.admin.propose_limit(ADMIN.place, limit)).raises_spending is raises


async def test_removing_a_stricter_role_raises_and_a_more_generous_one_does_not(office: Office) -> None:
    strict, generous = (Limit(Scope.ROLE, Measure.IMAGES, DAY, amount, amount) for amount in (5, 500))
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
        await office.admin.reset(DIRECT, "all")
    assert office.service.tried == []


async def test_blocking_stops_what_they_have_running(office: Office) -> None:
    change, stopped = await office.admin.block(ADMIN, 7, "spam")

    assert (change.what, change.old, change.new, stopped) == ("block 7", "not blocked", "blocked: spam", 2)
    assert office.jobs.stopped == [7]
    assert [block.user_id for block in (await office.admin.settings(ADMIN.place)).blocked] == [7]
    back = await office.admin.unblock(ADMIN, 7, "was a mistake")
    assert (back.old, back.new) == ("blocked: spam", "not blocked: was a mistake")
    assert (await office.admin.settings(ADMIN.place)).blocked == ()


async def test_what_changes_nothing_is_neither_kept_nor_told(office: Office) -> None:
    change = await office.admin.unblock(ADMIN, 7)
    assert change.old == change.new == "not blocked"
    assert await office.trail() == []
    assert office.notifier.told == []


async def test_two_admins_at_once_both_get_their_change(office: Office) -> None:
    """The second read happens before the first write: the settings moved on, and the change is made anew."""
    store, meddled = office.store, []

    def meddle_once(settings):  # type: ignore[no-untyped-def]
        meddled.append(settings.version)
        return replace(settings, spoiler=True)

    original = store.settings

    async def settings(place: Place):  # type: ignore[no-untyped-def]
        found = await original(place)
        if not meddled:
            await store.save_settings(place, replace(found, paused=True), 9, "pause", "on", "paused", NOW)
        return found

    store.settings = settings
    await office.admin.change(ADMIN, "moderation", meddle_once, lambda s: str(s.spoiler))
    after = await original(ADMIN.place)
    assert (after.paused, after.spoiler) == (True, True)
    assert len(meddled) == 2


async def test_settings_that_never_stand_still_are_given_up(office: Office) -> None:
    async def busy(*_: object) -> None:
        raise Busy

    office.store.save_settings = busy
    with pytest.raises(Busy):
        await office.admin.change(ADMIN, "x", lambda s: replace(s, spoiler=True), lambda s: str(s.spoiler))
    assert office.notifier.told == []


async def test_a_key_is_tried_before_it_is_kept_and_shown_by_its_end(office: Office) -> None:
    change = await office.admin.set_api_key(ADMIN, "sk-good-key-1234")

    assert office.service.tried == ["sk-good-key-1234"]
    assert (change.old, change.new) == ("none", "…1234")
    assert await office.store.api_key(ADMIN.place) == "sk-good-key-1234"
    gone = await office.admin.set_api_key(ADMIN, None)
    assert (gone.old, gone.new) == ("…1234", "none")
    assert await office.store.api_key(ADMIN.place) is None
    assert all("good-key" not in f"{entry}" for entry in await office.trail())


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
    assert await office.store.api_key(ADMIN.place) is None
    assert await office.trail() == []


async def test_a_service_that_is_away_is_told_as_such(office: Office) -> None:
    office.service.fault = FaultKind.UNREACHABLE
    with pytest.raises(ServiceFailed):
        await office.admin.set_api_key(ADMIN, "sk-other-key-1234")
    assert await office.store.api_key(ADMIN.place) is None


async def test_a_reset_brings_the_operators_defaults_back_and_tells_once(office: Office) -> None:
    await office.set(Limit(Scope.EVERYONE, Measure.IMAGES, DAY, None))
    await office.set(Limit(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))
    await office.admin.change(ADMIN, "x", lambda s: replace(s, spoiler=True, log_channel_id=5), lambda s: str(s))
    await office.admin.block(ADMIN, 7, "")
    office.notifier.told.clear()

    await office.admin.reset(ADMIN, "all")

    assert sorted(map(slot_words, await office.store.limits(ADMIN.place))) == sorted(map(slot_words, DEFAULTS))
    settings = await office.admin.settings(ADMIN.place)
    assert (settings.spoiler, settings.log_channel_id, len(settings.blocked)) == (False, 5, 1)
    assert [entry.what for _, entry in office.notifier.told] == ["reset all"]


async def test_a_reset_of_limits_leaves_settings_alone(office: Office) -> None:
    await office.admin.change(ADMIN, "x", lambda s: replace(s, spoiler=True), lambda s: str(s.spoiler))
    await office.set(Limit(Scope.ROLE, Measure.IMAGES, DAY, 5, 42))
    await office.admin.reset(ADMIN, "limits")
    assert (await office.admin.settings(ADMIN.place)).spoiler
    assert len(await office.store.limits(ADMIN.place)) == len(DEFAULTS)
    await office.admin.reset(ADMIN, "settings")
    assert not (await office.admin.settings(ADMIN.place)).spoiler


async def test_one_servers_changes_are_invisible_in_another(office: Office) -> None:
    await office.set(Limit(Scope.EVERYONE, Measure.IMAGES, DAY, 1))
    await office.admin.block(ADMIN, 7, "")
    other = Place(11, 8)
    assert Limit(Scope.EVERYONE, Measure.IMAGES, DAY, 50) in await office.store.limits(other)
    assert (await office.store.settings(other)).blocked == ()
    assert await office.store.audit(other) == []


async def test_servers_with_a_log_channel_are_found_for_notices(office: Office) -> None:
    await office.admin.change(ADMIN, "log", lambda s: replace(s, log_channel_id=5), lambda s: str(s.log_channel_id))
    await office.admin.block(Asker(8, Place(11, 8), 1), 7, "")
    ((place, settings),) = await office.store.watched_places()
    assert (place.guild_id, settings.log_channel_id) == (10, 5)
