"""Undo takes back one change, on top of what others changed since, and never opens a list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, slot_of
from bot.rules.servers.access import Defaults, Layout, ResultButton, ServerSettings
from bot.rules.servers.changes import (
    Change,
    Imported,
    KeyChanged,
    LimitChanged,
    Listed,
    Reset,
    Resettable,
    StyleChanged,
    Undone,
    WordsChanged,
)
from bot.rules.servers.edits import (
    Edit,
    Held,
    ListChange,
    Overhaul,
    blocked,
    defaulted,
    listed,
    logged_to,
    looking,
    moderated,
    paused,
    previewed,
    relisted,
    resumed,
    unblocked,
)
from bot.rules.servers.undo import ChangedSince, NothingToUndo, undoable, undoing

START = ServerSettings()


def after(settings: ServerSettings, *edits: Edit) -> ServerSettings:
    for edit in edits:
        settings, _ = edit(settings)
    return settings


def allow(one: int) -> Edit:
    return listed(Listed.ROLES, ListChange(allow=one))


def deny(one: int) -> Edit:
    return listed(Listed.ROLES, ListChange(deny=one))


def undo(change: Change, settings: ServerSettings) -> Overhaul:
    return undoing([change])(Held(settings, ()))


SOME = after(START, paused("party"), blocked(7, "spam"))
EDITS: tuple[tuple[ServerSettings, Edit], ...] = (
    (START, allow(5)),
    (START, deny(5)),
    (START, listed(Listed.MODELS, ListChange(allow="a"))),
    (after(START, allow(5)), deny(5)),
    (after(START, allow(5), deny(6)), listed(Listed.ROLES, ListChange(clear=True))),
    (START, defaulted(Defaults(model="m", private=True))),
    (START, moderated("auto", True, None)),
    (START, previewed(False)),
    (START, looking(False, Layout.PLAIN, hide=frozenset({ResultButton.PAN}))),
    (START, logged_to(9)),
    (START, paused("party")),
    (SOME, resumed("it is over")),
    (START, blocked(7, "spam")),
    (SOME, unblocked(7, "sorry")),
)


@pytest.mark.parametrize(("settings", "edit"), EDITS)
def test_every_change_can_be_taken_back_and_that_as_well(settings: ServerSettings, edit: Edit) -> None:
    changed, change = edit(settings)
    taken_back = undo(change, changed)
    assert (taken_back.settings, taken_back.headline) == (settings, Undone())
    assert undo(taken_back.changes[0], settings).settings == changed


OTHERS: tuple[tuple[Edit, Edit, Edit], ...] = (
    (allow(5), allow(6), allow(6)),
    (moderated(None, True, None), moderated("low", None, None), moderated("low", None, None)),
    (defaulted(Defaults(model="m")), defaulted(Defaults(size="16:9")), defaulted(Defaults(size="16:9"))),
    (looking(False), looking(layout=Layout.PLAIN), looking(layout=Layout.PLAIN)),
)


@pytest.mark.parametrize(("mine", "theirs", "left"), OTHERS)
def test_what_others_changed_beside_it_stays(mine: Edit, theirs: Edit, left: Edit) -> None:
    changed, change = mine(START)
    assert undo(change, after(changed, theirs)).settings == after(START, left)


SINCE: tuple[tuple[Edit, Edit], ...] = (
    (allow(5), listed(Listed.ROLES, ListChange(clear=True))),
    (paused("party"), paused("raid")),
    (previewed(True), previewed(False)),
    (defaulted(Defaults(model="m")), defaulted(Defaults(model="n"))),
    (blocked(7, "a"), blocked(7, "b")),
)


def test_what_was_taken_off_a_list_and_put_back_since_is_left_alone() -> None:
    changed, change = relisted(Listed.ROLES, drop_allowed=frozenset({5}))(after(START, allow(5), allow(6)))
    with pytest.raises(ChangedSince):
        undo(change, after(changed, allow(5)))


@pytest.mark.parametrize(("mine", "theirs"), SINCE)
def test_the_same_thing_changed_since_is_left_alone(mine: Edit, theirs: Edit) -> None:
    changed, change = mine(START)
    with pytest.raises(ChangedSince):
        undo(change, after(changed, theirs))


def test_no_list_opens_by_itself() -> None:
    changed, change = allow(6)(after(START, allow(5)))
    with pytest.raises(ChangedSince):
        undo(change, after(changed, deny(5)))


# --- limits ------------------------------------------------------------------------------------------------------

DAY = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50)
FEW = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 5)
WAIT = Cooldown(Scope.ROLE, 3, 7)


@pytest.mark.parametrize(
    ("old", "new", "held", "limits", "removed"),
    [
        (DAY, FEW, (FEW,), (), (FEW,)),  # back to the operator's default, whatever that will be
        (FEW, None, (), (FEW,), ()),
        (None, WAIT, (WAIT,), (), (WAIT,)),
        (FEW, Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, None), None, (FEW,), ()),
    ],
)
def test_a_limit_goes_back_to_what_it_was(
    old: Limit | None,
    new: Limit | None,
    held: tuple[Limit, ...] | None,
    limits: tuple[Limit, ...],
    removed: tuple[Limit, ...],
) -> None:
    some = new or old
    assert some is not None
    change = LimitChanged(slot_of(some), old, new)
    now = held if held is not None else tuple(one for one in [new] if one)
    found = undoing([change])(Held(START, now, (DAY,)))
    assert (found.limits, found.removed) == (limits, removed)
    assert found.changes == (LimitChanged(change.slot, new, old),)


def test_a_limit_set_anew_since_is_left_alone_and_all_with_it() -> None:
    change: Callable[[Limit], LimitChanged] = lambda new: LimitChanged(slot_of(new), None, new)  # noqa: E731
    with pytest.raises(ChangedSince) as found:
        undoing([change(WAIT), change(FEW)])(Held(START, (WAIT, DAY)))
    assert found.value.change == LimitChanged(slot_of(FEW), FEW, DAY)


def test_keys_headlines_and_what_changed_nothing_cannot_be_taken_back() -> None:
    nothing = (
        KeyChanged(None, "abcd"),
        WordsChanged(0, 1, 1, 0),
        StyleChanged("Noir", "", "noir"),
        Reset(Resettable.ALL),
        Imported(),
        LimitChanged(slot_of(DAY), DAY, DAY),
    )
    assert undoable(nothing) == ()
    with pytest.raises(NothingToUndo):
        undoing(nothing)
