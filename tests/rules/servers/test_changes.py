"""What admins do to settings, and the change that each edit makes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope, Slot, slot_of
from bot.rules.options.problems import InvalidOptions
from bot.rules.people import Asker, Place
from bot.rules.servers.access import AccessDenied, Block, Defaults, ResultButton, ServerSettings, check_access
from bot.rules.servers.changes import (
    BlockChanged,
    Change,
    DefaultsChanged,
    LimitChanged,
    Listed,
    Lists,
    ListsChanged,
    ModerationChanged,
    PauseChanged,
    Recorded,
    Resettable,
    Stop,
    changes_between,
    is_news,
    lists_of,
    moderation_of,
    without_others,
)
from bot.rules.servers.edits import (
    MOST_LISTED,
    ChangedMeanwhile,
    Contradiction,
    Edit,
    Held,
    ListChange,
    ListFull,
    TooManyWords,
    blocked,
    checked_defaults,
    defaulted,
    first_settings,
    limiting,
    listed,
    looking,
    moderated,
    opened,
    paused,
    refusing,
    relisted,
    resets,
    resumed,
    unblocked,
)
from bot.rules.servers.words.words import MOST_WORDS


@pytest.fixture(scope="module")
def flare() -> Model:
    model = load_catalogue(builtin_catalogue()).get("gpt-image-2.5-flare")
    assert model is not None
    return model


def edited(settings: ServerSettings, *edits: Edit) -> ServerSettings:
    for edit in edits:
        settings, _ = edit(settings)
    return settings


def test_what_is_allowed_leaves_the_deny_list_and_the_other_way_round() -> None:
    start = ServerSettings(allowed_roles=frozenset({7}), denied_roles=frozenset({5}))
    allowed, change = listed(Listed.ROLES, ListChange(allow=5))(start)
    assert change == ListsChanged(Listed.ROLES, Lists(frozenset({7}), frozenset({5})), Lists(frozenset({5, 7})))
    assert (allowed.allowed_roles, allowed.denied_roles) == (frozenset({5, 7}), frozenset())
    denied = edited(allowed, listed(Listed.ROLES, ListChange(deny=5)))
    assert (denied.allowed_roles, denied.denied_roles) == (frozenset({7}), frozenset({5}))


@pytest.mark.parametrize("which", Listed)
def test_denying_the_last_that_was_allowed_lets_nothing_else_in(which: Listed) -> None:
    last, other = ("a", "b") if which is Listed.MODELS else (5, 6)

    def may(settings: ServerSettings, one: str | int) -> bool:
        asker = Asker(1, Place(10, 1), one, role_ids=frozenset({one}))  # type: ignore[arg-type]  # of its own kind
        try:
            check_access(settings, asker, str(one))
        except AccessDenied:
            return False
        return True

    def put(settings: ServerSettings, **change: str | int) -> ServerSettings:
        return edited(settings, listed(which, ListChange(**change)))  # type: ignore[arg-type]  # names of its fields

    closed = put(put(ServerSettings(), allow=last), deny=last)
    assert lists_of(closed, which).is_closed
    assert not may(closed, last)
    assert not may(closed, other)
    reopened = put(closed, allow=other)
    assert may(reopened, other)
    assert not may(reopened, last)
    assert lists_of(reopened, which) == Lists(frozenset({other}), frozenset({last}))
    assert not may(put(closed, deny=other), other)


@given(st.lists(st.tuples(st.sampled_from(["allow", "deny"]), st.integers(1, 4)), max_size=12))
def test_a_list_that_was_closed_never_opens_by_allowing_or_denying(steps: list[tuple[str, int]]) -> None:
    settings, named = ServerSettings(), False
    for act, one in steps:
        settings = edited(settings, listed(Listed.CHANNELS, ListChange(**{act: one})))
        named = named or act == "allow"
        assert bool(settings.allowed_channels) is named
        if act == "deny":
            assert one in settings.denied_channels


def test_all_empties_one_list_of_models_and_clear_empties_both() -> None:
    start = ServerSettings(allowed_models=frozenset({"a"}), denied_models=frozenset({"b"}))
    allowing, denying = (listed(Listed.MODELS, ListChange(**{which: "all"})) for which in ("allow", "deny"))
    assert lists_of(edited(start, allowing), Listed.MODELS) == Lists(denied=frozenset({"b"}))
    assert lists_of(edited(start, denying), Listed.MODELS) == Lists(frozenset({"a"}))
    channels = ServerSettings(allowed_channels=frozenset({1}), denied_channels=frozenset({2}))
    cleared = edited(channels, listed(Listed.CHANNELS, ListChange(allow=3, clear=True)))
    assert lists_of(cleared, Listed.CHANNELS) == Lists(frozenset({3}))
    assert lists_of(edited(cleared, listed(Listed.CHANNELS, ListChange(clear=True))), Listed.CHANNELS) == Lists()


def test_the_same_thing_is_not_allowed_and_denied_at_once() -> None:
    with pytest.raises(Contradiction):
        listed(Listed.ROLES, ListChange(allow=5, deny=5))


def test_a_list_has_an_end() -> None:
    full = ServerSettings(allowed_channels=frozenset(range(MOST_LISTED)))
    with pytest.raises(ListFull):
        listed(Listed.CHANNELS, ListChange(allow=MOST_LISTED))(full)
    with pytest.raises(ListFull):
        relisted(Listed.CHANNELS, allow=frozenset({MOST_LISTED}))(full)


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
    before = Defaults(model="m", size="1:1", private=True)
    settings, change = defaulted(Defaults(quality="low"), frozenset({"size"}))(ServerSettings(defaults=before))
    assert settings.defaults == Defaults(model="m", quality="low", private=True)
    assert change == DefaultsChanged(before, settings.defaults)
    careful = edited(ServerSettings(), moderated("auto", None, None), moderated(None, True, None))
    assert (careful.moderation, careful.spoiler, careful.age_restricted_only) == ("auto", True, False)
    _, change = moderated(None, None, True)(careful)
    assert isinstance(change, ModerationChanged)
    assert change.old == moderation_of(careful)


def test_blocking_again_replaces_the_reason() -> None:
    first = edited(ServerSettings(), blocked(7, "first"))
    settings, change = blocked(7, "second")(first)
    assert settings.blocked == (Block(7, "second"),)
    assert change == BlockChanged(7, Stop(True, "first"), Stop(True, "second"))


def test_the_reason_for_an_end_is_told_where_there_was_something_to_end() -> None:
    settings = edited(ServerSettings(), blocked(7, "spam"), paused("party"))
    assert unblocked(7, "sorry")(settings)[1] == BlockChanged(7, Stop(True, "spam"), Stop(False, "sorry"))
    assert resumed("over")(settings)[1] == PauseChanged(Stop(True, "party"), Stop(False, "over"))
    for edit in (unblocked(8, "sorry"), unblocked(7, ""), resumed("over")):
        assert not is_news(edit(ServerSettings())[1])


def test_a_reset_keeps_who_is_blocked_the_key_and_where_it_is_told() -> None:
    kept = ServerSettings(
        blocked=(Block(7),),
        api_key_hint="abcd",
        log_channel_id=9,
        review_channel_id=8,
        refused_words=frozenset({"a"}),
    )
    assert first_settings(replace(kept, allowed_models=frozenset({"a"}), paused=True)) == kept


def test_a_reset_takes_back_the_servers_own_limits_and_nothing_of_the_operators() -> None:
    wait, day = Cooldown(Scope.EVERYONE, 5), Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50)
    own, theirs = replace(day, period=Period.MONTH), replace(day, scope=Scope.OPERATOR)
    held = Held(ServerSettings(), (wait, replace(day, amount=9), own, theirs), (wait, day))
    assert resets(held, Resettable.LIMITS) == (
        LimitChanged(slot_of(day), replace(day, amount=9), day),
        LimitChanged(slot_of(own), own, None),
    )


def test_what_lies_between_two_settings_is_told_setting_by_setting() -> None:
    old = ServerSettings(blocked=(Block(7, "spam"), Block(8)), spoiler=True)
    new = ServerSettings(blocked=(Block(8), Block(9)), spoiler=True, allowed_roles=frozenset({1}))
    assert changes_between(old, new) == (
        ListsChanged(Listed.ROLES, Lists(), Lists(frozenset({1}))),
        BlockChanged(7, Stop(True, "spam"), Stop(False)),
        BlockChanged(9, Stop(False), Stop(True)),
    )
    assert changes_between(old, old) == ()


MEMBERS = Slot(Scope.MEMBER, (Measure.IMAGES, Period.DAY), 7)
OF_OTHERS = [
    BlockChanged(7, Stop(True, "said that Bob"), Stop(False, "Bob forgave")),
    LimitChanged(MEMBERS, None, Quota(Scope.MEMBER, Measure.IMAGES, Period.DAY, 5, 7)),
    PauseChanged(Stop(True, "Bob"), Stop(False)),
    Recorded("block <@7>", "not blocked", "blocked: said that Bob"),
]


@pytest.mark.parametrize("change", OF_OTHERS)
def test_what_a_change_says_of_others_is_not_in_ones_own_data(change: Change) -> None:
    told = without_others(change, 9)
    assert type(told) is type(change)
    assert "Bob" not in str(told)
    assert "7" not in str(told)


def test_what_a_change_says_of_oneself_is() -> None:
    mine = Slot(Scope.MEMBER, None, 9)
    for change in (
        BlockChanged(9, Stop(True, "x"), Stop(False)),
        LimitChanged(mine, None, Cooldown(Scope.MEMBER, 5, 9)),
    ):
        assert without_others(change, 9) == change


def test_several_are_put_on_and_taken_off_in_one_change_and_the_last_one_stays() -> None:
    two = edited(ServerSettings(denied_roles=frozenset({5})), relisted(Listed.ROLES, allow=frozenset({5, 6})))
    assert (two.allowed_roles, two.denied_roles) == (frozenset({5, 6}), frozenset())
    none = edited(two, relisted(Listed.ROLES, drop_allowed=frozenset({5, 6})))
    assert none.allowed_roles == frozenset({5, 6})  # it does not open by itself
    denied = edited(two, relisted(Listed.ROLES, deny=frozenset({5, 6})))
    assert lists_of(denied, Listed.ROLES).is_closed
    assert edited(denied, opened(Listed.ROLES)).allowed_roles == frozenset()
    with pytest.raises(Contradiction):
        relisted(Listed.ROLES, allow=frozenset({5}), deny=frozenset({5}))


def test_what_stood_on_both_lists_is_only_denied_once_something_else_is_allowed() -> None:
    both = ServerSettings(allowed_roles=frozenset({5}), denied_roles=frozenset({5}))
    news = edited(both, relisted(Listed.ROLES, allow=frozenset({6})))
    assert lists_of(news, Listed.ROLES) == Lists(frozenset({6}), frozenset({5}))


def test_opening_a_list_lets_nobody_in_who_is_denied() -> None:
    settings = edited(ServerSettings(allowed_roles=frozenset({5}), denied_roles=frozenset({6})), opened(Listed.ROLES))
    assert lists_of(settings, Listed.ROLES) == Lists(frozenset(), frozenset({6}))


def test_a_button_is_not_hidden_and_shown_at_once() -> None:
    again = frozenset({ResultButton.AGAIN})
    with pytest.raises(Contradiction):
        looking(hide=again, show=again)


def test_a_word_that_is_taken_off_and_put_on_stands_and_the_list_may_be_full() -> None:
    assert edited(ServerSettings(), refusing(frozenset({"a"}), frozenset({"a"}))).refused_words == {"a"}
    full = edited(ServerSettings(), refusing(frozenset(f"word{number}" for number in range(MOST_WORDS))))
    assert len(full.refused_words) == MOST_WORDS
    with pytest.raises(TooManyWords):
        refusing(frozenset({"another"}))(full)


def test_limits_are_set_together_or_not_at_all() -> None:
    wait, day = Cooldown(Scope.EVERYONE, 5), Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50)
    held = Held(ServerSettings(), (day,), (day,))
    seen = {slot_of(wait): None, slot_of(day): day}
    done = limiting([wait, day], [], seen)(held)
    assert (done.limits, done.changes) == ((wait,), (LimitChanged(slot_of(wait), None, wait),))
    with pytest.raises(ChangedMeanwhile):
        limiting([wait], [], {slot_of(wait): wait})(held)


def test_a_limit_that_goes_is_told_as_what_the_operator_set() -> None:
    day = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50)
    few = replace(day, amount=5)
    done = limiting([], [few], {slot_of(few): few})(Held(ServerSettings(), (few,), (day,)))
    assert (done.limits, done.removed, done.changes) == ((), (few,), (LimitChanged(slot_of(day), few, day),))
