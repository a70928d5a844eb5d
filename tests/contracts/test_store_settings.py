"""Settings: whole, versioned, audited, and never another server's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from cryptography.fernet import Fernet

from bot.adapters.secrets import Secrets
from bot.ports import AuditEntry
from bot.rules.errors import OwnKeyGone
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope, Slot, slot_of
from bot.rules.overnight import Counts, NightState, Overnight
from bot.rules.people import Place
from bot.rules.servers.access import AccessDenied, Block, Defaults, DeniedBecause, Layout, ResultButton, ServerSettings
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    FallbackChanged,
    Imported,
    KeyChanged,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    LogChannelChanged,
    Look,
    LookChanged,
    Moderation,
    ModerationChanged,
    PauseChanged,
    PresetTaken,
    PreviewsChanged,
    Recorded,
    Reset,
    Resettable,
    ReviewChanged,
    Stop,
    StyleChanged,
    Undone,
    WordsChanged,
)
from bot.rules.servers.edits import ChangedMeanwhile, Held, ListFull, Overhaul, blocked, paused, previewed, resets
from tests.support.people import becomes

DAY = Period.DAY

SERVER = Place(10, 1)
FULL = ServerSettings(
    allowed_models=frozenset({"a", "b"}),
    denied_models=frozenset({"c"}),
    allowed_channels=frozenset({1, 2**62}),
    denied_roles=frozenset({5}),
    blocked=(Block(7, "späm \ud800"), Block(8)),
    defaults=Defaults(model="a", private=True),
    moderation="low",
    spoiler=True,
    previews=False,
    show_cost=False,
    layout=Layout.PLAIN,
    hidden_buttons=frozenset({ResultButton.ZOOM, ResultButton.DELETE}),
    log_channel_id=99,
    paused=True,
    pause_reason="lunch",
)


async def test_a_server_starts_with_settings_that_allow_everything(store):
    assert await store.servers.settings(SERVER) == ServerSettings()


async def test_settings_are_read_back_as_they_were_saved(store, sample):
    await store.servers.change_settings(SERVER, becomes(FULL), 9, sample.now)
    assert await store.servers.settings(SERVER) == FULL
    assert await store.servers.settings(Place(11, 1)) == ServerSettings()
    assert await store.servers.settings_of([Place(11, 1), SERVER]) == [ServerSettings(), FULL]


BLOCK = BlockChanged(5, Stop(False), Stop(True, "spam \ud800"))
CHANGES = (
    StyleChanged("noir", "", "film noir, {prompt} · quality low"),
    LimitChanged(Slot(Scope.ROLE, (Measure.IMAGES, Period.DAY), 7), None, Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 7)),
    LimitChanged(
        Slot(Scope.EVERYONE, None),
        Cooldown(Scope.EVERYONE, 30),
        Cooldown(Scope.EVERYONE, None),
    ),
    ListsChanged(Listed.ROLES, Lists(), Lists(frozenset({1, 2}), frozenset({3}))),
    ListsChanged(Listed.MODELS, Lists(frozenset({"a"})), Lists(denied=frozenset({"b"}))),
    DefaultsChanged(Defaults(), Defaults("m", "16:9", "high", "webp", private=True)),
    ModerationChanged(Moderation(), Moderation("auto", spoiler=True, age_restricted_only=True)),
    PreviewsChanged(None, False),
    FallbackChanged(True, False),
    PresetTaken("Workshop"),
    Undone(),
    LookChanged(Look(), Look(cost=False, layout=Layout.PLAIN, hidden=frozenset({ResultButton.ZOOM}))),
    LogChannelChanged(None, 10**18),
    PauseChanged(Stop(False), Stop(True, "party")),
    ReviewChanged(None, 10**18),
    WordsChanged(3, 4, 2, 1),
    BLOCK,
    KeyChanged("1234", None),
    Reset(Resettable.ALL),
    Imported(),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
async def test_a_change_stands_in_the_trail_as_it_was_made(store, sample, change):
    edit = lambda settings: (settings, change)  # noqa: E731
    assert await store.servers.change_settings(SERVER, edit, 9, sample.now) == change
    assert await store.servers.audit(SERVER) == [AuditEntry(sample.now, 9, change)]


def test_every_kind_of_change_is_tried_here():
    assert {type(change) for change in CHANGES} == set(get_args(Change)) - {Recorded}


async def test_what_changes_nothing_is_not_in_the_trail(store, sample):
    await store.servers.change_settings(SERVER, previewed(None), 9, sample.now)
    assert await store.servers.audit(SERVER) == []


async def test_an_edit_that_fails_leaves_everything_as_it_was(store, sample):
    def full(settings):
        raise ListFull

    with pytest.raises(ListFull):
        await store.servers.change_settings(SERVER, full, 9, sample.now)
    assert await store.servers.settings(SERVER) == ServerSettings()
    assert await store.servers.audit(SERVER) == []


async def test_an_overhaul_is_one_whole(opened, sample):
    store = await opened(sample.cooldown(30))
    quota, cooldown = sample.limit("role", "images", "day", 5, 7), sample.cooldown(5)
    await store.servers.set_limit(SERVER, cooldown, 9, sample.now)
    seen = await store.servers.held(SERVER)
    assert seen == Held(ServerSettings(), (cooldown,), (sample.cooldown(30),))
    change = LimitChanged(slot_of(quota), None, quota)

    def rework(held):
        assert held == seen
        return Overhaul(replace(held.settings, spoiler=True), (quota,), (cooldown,), (change,), Imported())

    assert await store.servers.overhaul(SERVER, rework, 9, sample.now) == (Imported(), change)
    after = await store.servers.held(SERVER)
    assert after.settings == ServerSettings(spoiler=True)
    assert after.limits == (sample.cooldown(30), quota)
    trail = [entry.change for entry in await store.servers.audit(SERVER)]
    assert trail[:2] == [change, Imported()]


@pytest.mark.parametrize("fails", ["in the rework", "in the middle of it"])
async def test_an_overhaul_that_fails_changes_nothing(store, sample, fails):
    def rework(held):
        if fails == "in the rework":
            raise ChangedMeanwhile
        limits = (sample.limit("role", "images", "day", 5, 7), sample.limit("operator", "images", "day", 5))
        return Overhaul(replace(held.settings, paused=True), limits, (), (), Imported())

    before = await store.servers.held(SERVER)
    with pytest.raises((ChangedMeanwhile, ValueError)):
        await store.servers.overhaul(SERVER, rework, 9, sample.now)
    assert await store.servers.held(SERVER) == before
    assert await store.servers.audit(SERVER) == []


async def test_what_is_set_in_place_of_something_else_than_stands_there_is_not_set(store, sample):
    asked, other = sample.limit("everyone", "images", "day", 5), sample.limit("everyone", "images", "day", 1)
    await store.servers.set_limit(SERVER, other, 9, sample.now, instead_of=None)
    with pytest.raises(ChangedMeanwhile):
        await store.servers.set_limit(SERVER, asked, 9, sample.now, instead_of=None)
    seen = await store.servers.held(SERVER)
    await store.servers.set_limit(SERVER, asked, 9, sample.now, instead_of=other)
    with pytest.raises(ChangedMeanwhile):
        await store.servers.reset(SERVER, Resettable.ALL, 9, sample.now, seen=seen)
    assert (await store.servers.held(SERVER)).limits == (asked,)


async def test_admins_who_change_things_at_once_all_get_their_change(store, sample):
    changes = [store.servers.change_settings(SERVER, blocked(user_id, ""), 9, sample.now) for user_id in range(8)]
    await asyncio.gather(*changes)
    assert {block.user_id for block in (await store.servers.settings(SERVER)).blocked} == set(range(8))
    assert len(await store.servers.audit(SERVER)) == 8


async def test_old_and_new_in_the_trail_follow_on_each_other(store, sample):
    await asyncio.gather(*(store.servers.change_settings(SERVER, paused(why), 9, sample.now) for why in "abcd"))
    trail = (await store.servers.audit(SERVER))[::-1]
    assert [entry.change.old for entry in trail[1:]] == [entry.change.new for entry in trail[:-1]]


async def test_limits_and_settings_stay_out_of_each_others_way(store, sample):
    await store.servers.set_limit(SERVER, sample.limit("everyone", "images", "day", 5), 9, sample.now)
    assert await store.servers.settings(SERVER) == ServerSettings()
    await store.servers.change_settings(SERVER, becomes(FULL), 9, sample.now)
    await store.servers.set_limit(SERVER, sample.limit("everyone", "images", "day", 6), 9, sample.now)
    assert await store.servers.settings(SERVER) == FULL


async def test_a_servers_key_is_sealed_and_shows_its_last_four(store, sample):
    key = "sk-very-secret-key-1234"
    assert await store.servers.set_api_key(SERVER, key, 9, sample.now) == KeyChanged(None, "1234")
    assert await store.servers.api_key(SERVER) == key
    with pytest.raises(OwnKeyGone):
        await store.servers.api_key(Place(11, 1))
    await store.servers.change_settings(SERVER, becomes(FULL), 9, sample.now)
    assert await store.servers.settings(SERVER) == replace(FULL, api_key_hint="1234")
    assert await store.servers.api_key(SERVER) == key
    assert all(key not in str(entry) for entry in await store.servers.audit(SERVER))
    assert await store.servers.set_api_key(SERVER, None, 9, sample.now) == KeyChanged("1234", None)
    assert await store.servers.settings(SERVER) == FULL
    trail = await store.servers.audit(SERVER)
    assert await store.servers.set_api_key(SERVER, None, 9, sample.now) == KeyChanged(None, None)
    assert await store.servers.audit(SERVER) == trail
    with pytest.raises(OwnKeyGone):
        await store.servers.api_key(SERVER)


@pytest.mark.parametrize("what", Resettable)
async def test_a_reset_puts_back_what_it_names(opened, sample, what):
    store = await opened(sample.cooldown(30))
    await store.servers.set_limit(SERVER, sample.limit("role", "images", "day", 5, 7), 9, sample.now)
    await store.servers.set_limit(SERVER, sample.cooldown(5), 9, sample.now)
    await store.servers.change_settings(SERVER, becomes(FULL), 9, sample.now)
    held = await store.servers.held(SERVER)
    done = await store.servers.reset(SERVER, what, 9, sample.now)
    assert done == (Reset(what), *resets(held, what))
    limits, settings = (any(isinstance(one, kind) for one in done) for kind in (LimitChanged, ModerationChanged))
    assert (limits, settings) == (what is not Resettable.SETTINGS, what is not Resettable.LIMITS)
    first = replace(ServerSettings(), blocked=FULL.blocked, log_channel_id=FULL.log_channel_id)
    assert (await store.servers.settings(SERVER) == first) is (what is not Resettable.LIMITS)
    assert (await store.servers.limits(SERVER) == (sample.cooldown(30),)) is (what is not Resettable.SETTINGS)
    trail = [entry.change for entry in await store.servers.audit(SERVER)]
    assert trail[: len(done)] == [*reversed(done)]


@pytest.mark.parametrize(
    ("settings", "because"),
    [
        (ServerSettings(paused=True), DeniedBecause.PAUSED),
        (ServerSettings(blocked=(Block(1),)), DeniedBecause.BLOCKED),
        (ServerSettings(denied_models=frozenset({"model"})), DeniedBecause.MODEL),
        (ServerSettings(allowed_channels=frozenset({1})), DeniedBecause.CHANNEL),
        (ServerSettings(allowed_roles=frozenset({1})), DeniedBecause.ROLE),
    ],
)
async def test_access_is_decided_in_the_transaction_that_reserves(store, sample, settings, because):
    await store.servers.change_settings(SERVER, becomes(settings), 9, sample.now)
    with pytest.raises(AccessDenied) as denied:
        await store.jobs.open([sample.draft()], sample.now)
    assert denied.value.because is because
    assert await store.audit_sums() == []
    await store.jobs.open([sample.draft(sample.asker(guild=11))], sample.now)


async def test_notes_are_kept_changed_and_forgotten(store, sample):
    assert await store.notes.commands(1, None) is None
    await store.notes.set_commands(1, None, "a")
    await store.notes.set_commands(1, None, "b")
    assert (await store.notes.commands(1, None), await store.notes.commands(1, 2)) == ("b", None)
    await store.notes.set_commands(1, 2, "c")
    await store.notes.set_commands(11, 3, "d")
    assert await store.notes.command_guilds(1) == [2]
    await store.notes.set_commands(1, 2, None)
    assert await store.notes.command_guilds(1) == []
    assert await store.notes.posting("job") is None
    await store.notes.set_posting("job", sample.now)
    assert await store.notes.posting("job") == sample.now
    await store.notes.set_posting("job", None)
    assert await store.notes.posting("job") is None
    assert not await store.notes.told_end("m", sample.now.date())
    await store.notes.set_told_end("m", sample.now.date(), sample.now.date())
    assert await store.notes.told_end("m", sample.now.date())


async def test_a_key_that_no_secret_opens_is_told_apart_from_none(opened, sample):
    store = await opened()
    await store.servers.set_api_key(SERVER, "sk-of-the-server", 9, sample.now)
    await store.aclose()
    other = await opened(secrets=Secrets((Fernet.generate_key().decode(),)))

    with pytest.raises(OwnKeyGone) as unreadable:
        await other.servers.api_key(SERVER)
    with pytest.raises(OwnKeyGone) as none:
        await other.servers.api_key(Place(11, 1))
    assert (unreadable.value.removed, none.value.removed) == (False, True)
    assert (await other.servers.settings(SERVER)).api_key_hint == "rver"


async def test_prompts_with_refused_words_are_counted_by_month_and_server(store, sample):
    assert await store.servers.words_refused(SERVER, sample.now) == 0
    await store.servers.count_refused_words(SERVER, 1, sample.now)
    await store.servers.count_refused_words(SERVER, 3, sample.now)
    assert await store.servers.words_refused(SERVER, sample.now) == 4
    assert await store.servers.words_refused(Place(11, 1), sample.now) == 0
    assert await store.servers.words_refused(SERVER, sample.now + timedelta(days=31)) == 0
    await store.people.forget_place(SERVER)
    assert await store.servers.words_refused(SERVER, sample.now) == 0


async def test_what_is_drawn_overnight_is_remembered_without_its_maker(store, sample):
    night = Overnight("123", "default", "job-1", sample.now, 40, 10)
    further = replace(
        night,
        file_id="file-1",
        asked_at=sample.now,
        night_id="batch-1",
        state=NightState.EXPIRED,
        counts=Counts(3, 2, 1),
        ends_by=sample.now,
        files=("file-1", "file-2"),
        read=True,
    )
    assert await store.notes.overnight("123") is None
    await store.notes.set_overnight(night)
    assert await store.notes.overnight("123") == night
    await store.notes.set_overnight(further)
    await store.notes.set_overnight(replace(night, batch_id="124"))
    assert await store.notes.overnight("123") == further
    assert {one.batch_id for one in await store.notes.overnights()} == {"123", "124"}
    await store.notes.drop_overnight("123")
    assert [one.batch_id for one in await store.notes.overnights()] == ["124"]
