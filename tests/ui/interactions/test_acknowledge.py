from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import discord
import pytest

from bot.ports import NullMeter
from bot.rules.people import Asker, Place
from bot.rules.servers.access import AccessDenied, Defaults, DeniedBecause, ServerSettings
from bot.ui.client.client import Client
from bot.ui.client.gateway import guard_events
from bot.ui.interactions.age import InteractionAges
from bot.ui.interactions.who import answer_of, asker_of, check_can_answer
from bot.ui.words.errors import words
from tests.support.people import APP, CHANNEL, GUILD, NOW, USER
from tests.ui.conftest import FakeStore

ME = {"id": str(USER), "username": "ada", "discriminator": "0", "avatar": None}


def member(**permissions: bool) -> dict[str, Any]:
    return {
        "user": ME,
        "roles": ["501", "502"],
        "joined_at": "2024-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": str(discord.Permissions(**permissions).value),
    }


async def test_a_member_is_described_as_discord_described_them(interact: Callable[..., Any]) -> None:
    asker = asker_of(interact())
    assert (asker.user_id, asker.place.key, asker.channel_id) == (USER, f"g{GUILD}", CHANNEL)
    assert asker.role_ids == {501, 502}
    assert (asker.can_manage, asker.can_moderate) == (False, False)
    assert (asker.locale, asker.guild_locale) == ("en-GB", "de")


@pytest.mark.parametrize(
    ("permissions", "manage", "moderate"),
    [
        ({"manage_guild": True}, True, False),
        ({"manage_messages": True}, False, True),
        ({"administrator": True}, True, True),
    ],
)
async def test_rights_come_from_the_interaction(
    interact: Callable[..., Any], permissions: dict[str, bool], manage: bool, moderate: bool
) -> None:
    asker = asker_of(interact(member=member(**permissions)))
    assert (asker.can_manage, asker.can_moderate) == (manage, moderate)


async def test_a_user_install_in_a_foreign_server_is_the_persons_own_place(interact: Callable[..., Any]) -> None:
    there = interact(
        authorizing_integration_owners={"1": str(USER)}, member=member(administrator=True, manage_guild=True)
    )
    asker = asker_of(there)
    assert asker.place.key == f"u{USER}"
    assert not asker.can_manage
    assert not asker.role_ids
    assert not answer_of(there, private=False).can_post


async def test_a_pressed_button_of_somebody_elses_user_install_is_no_server_either(
    interact: Callable[..., Any],
) -> None:
    assert asker_of(interact(type=2, authorizing_integration_owners={"1": "4711"})).place.key == f"u{USER}"


async def test_a_direct_message_is_the_persons_own_place(interact: Callable[..., Any]) -> None:
    there = interact(
        guild_id=None,
        guild=None,
        member=None,
        user=ME,
        context=1,
        guild_locale=None,
        authorizing_integration_owners={"0": "0"},
        channel={"id": "44", "type": 1, "recipients": [ME]},
    )
    asker = asker_of(there)
    assert asker.place.key == f"u{USER}"
    assert asker.channel_id == 44
    assert asker.guild_locale is None
    assert answer_of(there, private=False).can_post
    check_can_answer(there)


async def test_a_thread_counts_for_its_parent_too(interact: Callable[..., Any]) -> None:
    thread = {
        "id": "55",
        "type": 11,
        "guild_id": str(GUILD),
        "parent_id": str(CHANNEL),
        "owner_id": "1",
        "name": "foxes",
        "message_count": 0,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": "2026-11-21T12:00:00+00:00",
        },
    }
    asker = asker_of(interact(channel=thread))
    assert (asker.channel_id, asker.parent_id) == (55, CHANNEL)


async def test_age_restricted_channels_are_known(interact: Callable[..., Any]) -> None:
    channel = {"id": "66", "type": 0, "name": "x", "guild_id": str(GUILD), "nsfw": True, "position": 0}
    assert asker_of(interact(channel=channel)).age_restricted
    assert not asker_of(interact()).age_restricted


async def test_an_answer_lives_fifteen_minutes_and_says_where_to_post(interact: Callable[..., Any]) -> None:
    answer = answer_of(interact(), private=False)
    assert answer.expires_at == NOW + timedelta(minutes=15)
    assert (answer.application_id, answer.channel_id, answer.can_post) == (APP, CHANNEL, True)
    assert not answer_of(interact(), private=True).can_post


@pytest.mark.parametrize("lacking", ["attach_files", "embed_links", "send_messages"])
async def test_a_missing_permission_is_told_before_money_is_spent(interact: Callable[..., Any], lacking: str) -> None:
    allowed = discord.Permissions(view_channel=True, send_messages=True, attach_files=True, embed_links=True)
    allowed.update(**{lacking: False})
    with pytest.raises(AccessDenied) as caught:
        check_can_answer(interact(app_permissions=str(allowed.value)))
    assert caught.value.because is DeniedBecause.BOT_LACKS
    assert {"attach_files": "Attach Files", "embed_links": "Embed Links", "send_messages": "Send Messages"}[
        lacking
    ] in words(caught.value, "en-US")


async def test_answers_are_private_where_admins_want_it_or_nobody_knows(client: Client, store: FakeStore) -> None:
    here, own = Place(GUILD, USER), Place(None, USER)
    asker, cache = Asker(USER, here, CHANNEL), client.shell.settings_cache
    store.settings_of[own.key] = ServerSettings()
    assert not await cache.private(asker)
    store.place_settings = ServerSettings(defaults=Defaults(private=True))
    cache.forget(here)
    assert await cache.private(asker)
    store.settings_of[own.key] = ServerSettings(defaults=Defaults(private=False))
    cache.forget(own)
    assert not await cache.private(asker)


async def test_completing_survives_a_ledger_that_is_away(client: Client, store: FakeStore) -> None:
    store.fails = True
    assert await client.shell.settings_cache.looks(Place(GUILD, USER)) == ServerSettings()


@pytest.mark.parametrize("skew", [-3600.0, -1.0, 0.0, 3.0, 7200.0])
def test_a_clock_that_differs_makes_nothing_late(skew: float) -> None:
    lateness = InteractionAges()
    assert not any(lateness.is_late(skew + age) for age in (0.05, 0.2, 1.0, 0.1, 2.0))


def test_what_comes_after_three_seconds_is_late() -> None:
    lateness = InteractionAges()
    assert not lateness.is_late(0.1)
    assert lateness.is_late(4.0)
    assert not lateness.is_late(0.2)


def test_a_clock_that_moved_is_found_out() -> None:
    lateness = InteractionAges()
    assert not lateness.is_late(0.1)
    assert [lateness.is_late(300.0 + n / 10) for n in range(4)] == [True, True, False, False]


async def test_one_unreadable_event_does_not_end_the_process(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client._connection.parsers["INTERACTION_CREATE"]({"id": "1", "token": "canary-token"})
    assert "INTERACTION_CREATE" in caplog.text
    assert "canary-token" not in caplog.text


async def test_a_missing_upload_limit_is_taken_for_the_smallest(client: Client) -> None:
    seen: list[dict[str, Any]] = []
    parsers = client._connection.parsers
    parsers["INTERACTION_CREATE"] = seen.append
    guard_events(client, NullMeter())
    parsers["INTERACTION_CREATE"]({"id": "1"})
    parsers["INTERACTION_CREATE"]({"id": "2", "attachment_size_limit": 5})
    assert [event["attachment_size_limit"] for event in seen] == [10 * 1024 * 1024, 5]


async def test_ids_that_tell_no_credible_time_make_nobody_late_and_no_token_dead(interact: Callable[..., Any]) -> None:
    strange = interact(id="1234")
    answer = answer_of(strange, private=False)
    lateness = InteractionAges()
    years = (NOW - strange.created_at).total_seconds()

    assert answer.expires_at == NOW + timedelta(minutes=15)
    assert not any(lateness.is_late(years + 10 * n) for n in range(5))
