"""Settings: whole, versioned, audited, and never another server's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.rules.errors import Busy
from bot.rules.people import Place
from bot.rules.servers.access import AccessDenied, Block, Defaults, DeniedBecause, ServerSettings

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
    log_channel_id=99,
    paused=True,
    pause_reason="lunch",
)


async def test_a_server_starts_with_settings_that_allow_everything(store):
    assert await store.settings(SERVER) == ServerSettings()


async def test_settings_are_read_back_as_they_were_saved(store, sample):
    saved = await store.save_settings(SERVER, FULL, 9, "pause", "running", "paused", sample.now)
    assert saved == replace(FULL, version=1) == await store.settings(SERVER)
    assert await store.settings(Place(11, 1)) == ServerSettings()
    [entry] = await store.audit(SERVER)
    assert (entry.actor_id, entry.what, entry.old, entry.new) == (9, "pause", "running", "paused")


async def test_of_two_admins_at_once_one_is_told_to_try_again(store, sample):
    for version in range(3):
        settings = await store.settings(SERVER)
        assert settings.version == version
        saves = [store.save_settings(SERVER, settings, admin, "x", "", str(admin), sample.now) for admin in range(4)]
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Busy"] * 3 + ["ServerSettings"]
    assert len(await store.audit(SERVER)) == 3
    with pytest.raises(Busy):
        await store.save_settings(SERVER, ServerSettings(), 9, "x", "", "", sample.now)


async def test_a_limit_set_first_does_not_stand_in_the_way_of_settings(store, sample):
    await store.set_limit(SERVER, sample.limit("everyone", "images", "day", 5), 9, sample.now)
    settings = await store.settings(SERVER)
    assert settings == ServerSettings()
    assert (await store.save_settings(SERVER, settings, 9, "x", "", "", sample.now)).version == 1
    await store.set_limit(SERVER, sample.limit("everyone", "images", "day", 6), 9, sample.now)
    assert (await store.settings(SERVER)).version == 1


async def test_a_servers_key_is_sealed_and_shows_its_last_four(store, sample):
    key = "sk-very-secret-key-1234"
    settings = await store.set_api_key(SERVER, key, 9, sample.now)
    assert settings.api_key_hint == "1234"
    assert await store.api_key(SERVER) == key
    assert await store.api_key(Place(11, 1)) is None
    kept = await store.save_settings(SERVER, replace(settings, spoiler=True), 9, "spoiler", "", "", sample.now)
    assert kept.api_key_hint == "1234"
    assert await store.api_key(SERVER) == key
    assert all(key not in str(entry) for entry in await store.audit(SERVER))
    gone = await store.set_api_key(SERVER, None, 9, sample.now)
    assert (gone.api_key_hint, gone.spoiler, await store.api_key(SERVER)) == (None, True, None)


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
    await store.save_settings(SERVER, settings, 9, "x", "", "", sample.now)
    with pytest.raises(AccessDenied) as denied:
        await store.open_jobs([sample.draft()], sample.now)
    assert denied.value.because is because
    assert await store.audit_sums() == []
    await store.open_jobs([sample.draft(sample.asker(guild=11))], sample.now)


async def test_small_facts_are_kept_changed_and_forgotten(store):
    assert await store.fact("motd") is None
    await store.set_fact("motd", "a")
    await store.set_fact("motd", "b")
    assert await store.fact("motd") == "b"
    await store.set_fact("motd", None)
    assert await store.fact("motd") is None
