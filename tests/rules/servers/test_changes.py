from __future__ import annotations

import pytest

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.problems import InvalidOptions
from bot.rules.servers.access import Block, Defaults, ServerSettings
from bot.rules.servers.changes import (
    MOST_LISTED,
    Contradiction,
    ListChange,
    ListFull,
    blocked,
    checked_defaults,
    defaulted,
    listed,
    moderated,
    reset,
    told_block,
    told_defaults,
    told_list,
    told_moderation,
)


@pytest.fixture(scope="module")
def flare() -> Model:
    model = load_catalogue(builtin_catalogue()).get("gpt-image-2.5-flare")
    assert model is not None
    return model


def test_what_is_allowed_leaves_the_deny_list_and_the_other_way_round() -> None:
    start = ServerSettings(denied_roles=frozenset({5}))
    allowed = listed("roles", ListChange(allow=5))(start)
    assert (allowed.allowed_roles, allowed.denied_roles) == (frozenset({5}), frozenset())
    denied = listed("roles", ListChange(deny=5))(allowed)
    assert (denied.allowed_roles, denied.denied_roles) == (frozenset(), frozenset({5}))
    assert told_list("roles")(denied) == "deny: role 5"


def test_all_empties_one_list_of_models_and_clear_empties_both() -> None:
    start = ServerSettings(allowed_models=frozenset({"a"}), denied_models=frozenset({"b"}))
    assert told_list("models")(start) == "allow: a; deny: b"
    assert told_list("models")(listed("models", ListChange(allow="all"))(start)) == "deny: b"
    assert told_list("models")(listed("models", ListChange(deny="all"))(start)) == "allow: a"
    channels = ServerSettings(allowed_channels=frozenset({1}), denied_channels=frozenset({2}))
    cleared = listed("channels", ListChange(allow=3, clear=True))(channels)
    assert told_list("channels")(cleared) == "allow: channel 3"
    assert told_list("channels")(listed("channels", ListChange(clear=True))(cleared)) == "all"


def test_the_same_thing_is_not_allowed_and_denied_at_once() -> None:
    with pytest.raises(Contradiction):
        listed("roles", ListChange(allow=5, deny=5))


def test_a_list_has_an_end() -> None:
    full = ServerSettings(allowed_channels=frozenset(range(MOST_LISTED)))
    with pytest.raises(ListFull):
        listed("channels", ListChange(allow=MOST_LISTED))(full)


def test_defaults_are_kept_as_the_model_spells_them(flare: Model) -> None:
    assert checked_defaults(Defaults(size="1024X1024", quality="HIGH", format="jpg"), flare) == Defaults(
        size="1024x1024", quality="high", format="jpeg"
    )
    assert checked_defaults(Defaults(size="16:9"), flare).size == "16:9"
    assert checked_defaults(Defaults(size="Portrait"), flare).size == "portrait"
    assert checked_defaults(Defaults(private=True), flare) == Defaults(private=True)


def test_defaults_no_model_could_use_are_all_told(flare: Model) -> None:
    with pytest.raises(InvalidOptions) as caught:
        checked_defaults(Defaults(size="512x512", quality="hd", format="bmp"), flare)
    assert {problem.option for problem in caught.value.problems} == {"size", "quality", "format"}


def test_what_is_left_out_stays() -> None:
    settings = defaulted(Defaults(quality="low"))(ServerSettings(defaults=Defaults(model="m", private=True)))
    assert told_defaults(settings) == "model m, quality low, private on"
    careful = moderated(None, True, None)(moderated("auto", None, None)(ServerSettings()))
    assert told_moderation(careful) == "level auto, spoiler on, age-restricted only off"


def test_blocking_again_replaces_the_reason() -> None:
    settings = blocked(7, "second")(blocked(7, "first")(ServerSettings()))
    assert settings.blocked == (Block(7, "second"),)
    assert told_block(7)(settings) == "blocked: second"
    assert told_block(8)(settings) == "not blocked"


def test_a_reset_keeps_who_is_blocked_the_key_and_where_it_is_told() -> None:
    settings = ServerSettings(
        allowed_models=frozenset({"a"}),
        blocked=(Block(7),),
        api_key_hint="abcd",
        log_channel_id=9,
        paused=True,
        version=3,
    )
    assert reset(settings) == ServerSettings(blocked=(Block(7),), api_key_hint="abcd", log_channel_id=9, version=3)
