"""Presets: each built-in one, what it makes of a server, and files that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope, slot_of
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.edits import Held
from bot.rules.servers.presets import BadPresets, Preset, builtin_presets, load_presets, taking, together
from bot.rules.servers.undo import undoing

MODELS = frozenset(model.id for model in load_catalogue(builtin_catalogue()))
PRESETS = load_presets(builtin_presets(), MODELS)
DEFAULTS = (Cooldown(Scope.EVERYONE, 30), Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000))
OWN = (
    Quota(Scope.EVERYONE, Measure.IMAGES, Period.HOUR, 3),
    Quota(Scope.MEMBER, Measure.IMAGES, Period.DAY, 9, 5),
)
HELD = Held(ServerSettings(spoiler=True), (*DEFAULTS, *OWN), DEFAULTS)


def test_those_that_were_promised_are_there_in_both_languages() -> None:
    assert [one.titles["en"] for one in PRESETS] == ["Free community", "Paid tier", "Staff only", "Workshop"]
    assert all({"en", "de"} <= set(one.titles) & set(one.abouts) for one in PRESETS)
    assert [one.name for one in PRESETS if one.needs_role] == ["paid", "staff"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
def test_a_preset_sets_what_it_names_leaves_exceptions_and_can_be_taken_back(preset: Preset) -> None:
    plan = taking(preset, 7)(HELD)
    after = {slot_of(one): one for one in (*HELD.limits, *plan.limits)}
    for one in plan.removed:
        del after[slot_of(one)]
    assert plan.settings.spoiler
    assert OWN[1] in after.values()
    assert (OWN[0] in after.values()) is False or preset.name == "workshop"
    assert (plan.settings.allowed_roles == {7}) is preset.only_role
    held = Held(plan.settings, tuple(after.values()), DEFAULTS)
    assert taking(preset, 7)(held).changes == ()
    assert undoing(plan.changes)(held).settings == HELD.settings


def test_it_takes_the_servers_budget_too_and_leaves_alone_what_the_operator_set() -> None:
    (workshop,) = (one for one in PRESETS if one.name == "workshop")
    plan = taking(replace(workshop, limits=()), None)(replace(HELD, limits=(*DEFAULTS, OWN[0])))
    assert plan.removed == (OWN[0],)
    budget = replace(DEFAULTS[1], amount=5)
    held = replace(HELD, limits=(DEFAULTS[0], budget))
    assert taking(replace(workshop, limits=()), None)(held).removed == (budget,)


def test_who_is_let_in_is_not_denied_any_more() -> None:
    staff = replace(next(one for one in PRESETS if one.name == "staff"), settings={"allowed_models": frozenset({"a"})})
    denied = ServerSettings(denied_roles=frozenset({7, 8}), denied_models=frozenset({"a", "b"}))
    after = taking(staff, 7)(Held(denied, ())).settings
    assert (after.allowed_roles, after.denied_roles) == ({7}, {8})
    assert (after.allowed_models, after.denied_models) == ({"a"}, {"b"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("preset = 5", "[[preset]]"),
        ("[[preset", "not TOML"),
        ("[[preset]]\nname = 'A b'", "small letters"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nsettings = { models = ['dall-e-9'] }", "'dall-e-9'"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nsettings = { model = 'dall-e-9' }", "'dall-e-9'"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nlimits = { jobs = -1 }", "a.limits.jobs"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nbudget = { usd_per_day = 5 }", "dollars as text"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nbudget = { jobs = 5 }", "is no limit"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nsettings = { api_key = 'x' }", "a.settings.api_key"),
        ("[[preset]]\nname = 'a'\nabout = 'a'", "a.title"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nwild = 1", "nobody knows wild"),
        ("[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\n" * 2, "same name"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(BadPresets, match=says.replace("[", r"\[")):
        load_presets(text, MODELS)


def test_the_operators_come_after_ours_and_replace_those_of_the_same_name() -> None:
    theirs = load_presets(
        "[[preset]]\nname = 'school'\ntitle = 'S'\nabout = 's'\n[[preset]]\nname = 'staff'\ntitle = 'T'\nabout = 't'",
        MODELS,
    )
    assert [one.titles["en"] for one in together(PRESETS, theirs)] == [
        "Free community",
        "Paid tier",
        "T",
        "Workshop",
        "S",
    ]
