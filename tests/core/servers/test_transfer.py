"""Export and import: a file that comes back whole, and files that do not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.database import SqlStore, open_store
from bot.adapters.secrets import Secrets
from bot.core.servers.admin import Admin
from bot.core.servers.misfit import Misfit
from bot.core.servers.settings_file import MAX_BYTES, BadImport, export, read_import
from bot.core.servers.transfer import ImportPlan, Known, NothingLeftOnList, apply_import, plan_import
from bot.core.service.circuit import Circuit
from bot.ports import AuditEntry
from bot.rules.catalogue.catalogue import NoSuchModel
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope, slot_of
from bot.rules.people import Asker, Place
from bot.rules.servers.access import Block, Defaults, ServerSettings
from bot.rules.servers.changes import (
    Imported,
    LimitChanged,
    Listed,
    Moderation,
    ModerationChanged,
    StyleChanged,
    lists_of,
)
from bot.rules.servers.edits import BadDefaults, ChangedMeanwhile, Held, paused
from bot.rules.styles.style import make_style, told
from bot.ui.words.errors import words
from tests.support.ledger import empty_ledger

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ADMIN = Asker(8, Place(10, 8), 100, can_manage=True)
CATALOGUE = load_catalogue(builtin_catalogue())


def model(name: str) -> Model:
    return CATALOGUE.choose(name, official=False, today=NOW.date())


KNOWN = Known(
    roles=frozenset({42, 43}),
    channels=frozenset({100, 101}),
    model=model,
    default_model="gpt-image-2",
    unblockable=frozenset({1, 8}),
)
DAY = Period.DAY
EVERYONE = Quota(Scope.EVERYONE, Measure.IMAGES, DAY, 50)
FULL = ServerSettings(
    allowed_models=frozenset({"gpt-image-2"}),
    denied_channels=frozenset({101}),
    allowed_roles=frozenset({42, 43}),
    blocked=(Block(7, "spam"), Block(9)),
    defaults=Defaults(model="gpt-image-2", size="16:9", private=True),
    moderation="auto",
    spoiler=True,
    previews=False,
    log_channel_id=100,
    paused=True,
    pause_reason="Ferien – «bis» Montag",
    api_key_hint="abcd",
)
LIMITS = (
    EVERYONE,
    Cooldown(Scope.EVERYONE, 30),
    Quota(Scope.ROLE, Measure.IMAGES, DAY, 5, 42),
    Quota(Scope.MEMBER, Measure.JOBS, Period.NOW, None, 7),
    Quota(Scope.CHANNEL, Measure.DOLLARS, Period.MONTH, 12_345_678, 101),
    Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 500_000_000),
)


def document(**changes: Any) -> bytes:
    base = json.loads(export(ServerSettings(), (EVERYONE,)))
    return json.dumps({**base, **changes}).encode()


def planned(
    data: bytes, settings: ServerSettings = FULL, limits: tuple[Limit, ...] = LIMITS, known: Known = KNOWN
) -> ImportPlan:
    return plan_import(read_import(data), Held(settings, limits), known)


def plan(data: bytes) -> ImportPlan:
    return planned(data, ServerSettings(), (EVERYONE,))


def test_a_file_comes_back_whole() -> None:
    read = planned(export(FULL, LIMITS), ServerSettings(), ())
    assert read.overhaul.settings == ServerSettings(
        **{name: getattr(FULL, name) for name in FULL.__slots__ if name != "api_key_hint"}
    )
    assert read.overhaul.limits == LIMITS[:-1]
    assert read.left_out == ()


def test_the_file_is_for_people_and_holds_no_secret() -> None:
    text = export(FULL, LIMITS).decode()
    assert "«bis»" in text
    assert "abcd" not in text
    assert "500000000" not in text
    assert json.loads(text)["easel"] == 1


def test_importing_what_holds_already_changes_nothing() -> None:
    read = planned(export(FULL, LIMITS))
    assert (read.overhaul.changes, read.overhaul.limits, read.overhaul.removed) == ((), (), ())


def test_the_diff_names_every_change_and_what_goes() -> None:
    read = plan(document(settings={"spoiler": True}, limits=[]))
    assert read.overhaul.changes == (
        ModerationChanged(Moderation(), Moderation(spoiler=True)),
        LimitChanged(slot_of(EVERYONE), EVERYONE, None),
    )
    assert read.overhaul.removed == (EVERYONE,)


def test_what_the_file_does_not_speak_of_stays() -> None:
    read = planned(b'{"easel": 1, "settings": {"spoiler": true}}')
    assert read.overhaul.changes == ()
    assert read.overhaul.settings == FULL


def test_a_byte_order_mark_is_no_fault() -> None:
    assert plan(b"\xef\xbb\xbf" + document()).overhaul.changes == ()


def test_roles_and_channels_of_another_server_are_left_out_and_said() -> None:
    foreign = replace(KNOWN, roles=frozenset({42}), channels=frozenset())
    read = planned(export(FULL, LIMITS), ServerSettings(), (), foreign)
    assert read.overhaul.settings.allowed_roles == frozenset({42})
    assert read.overhaul.settings.log_channel_id is None
    assert set(read.left_out) == {
        "allowed_roles: 43", "denied_channels: 101", "log_channel_id: 100", "limits: channel 101"
    }  # fmt: skip


ROLE = {"scope": "role", "subject_id": "42", "measure": "images", "period": "day", "seconds": 0, "amount": 5}
FAULTY = {
    "not JSON": b"easel: 1",
    "not text": b"\xff\xfe\x00",
    "empty": b"",
    "a list": b"[]",
    "something else": b'{"name": "not ours"}',
    "nested without end": b"[" * 100_000,
    "another version": document(easel=2),
    "a version in words": document(easel="one"),
    "an unknown part": document(extra={}),
    "an unknown key": document(settings={"allow_everything": True}),
    "a word for a switch": document(settings={"spoiler": "yes"}),
    "numbers for ids": document(settings={"allowed_roles": [42]}),
    "a default nobody has": document(settings={"defaults": {"colour": "red"}}),
    "a moderation nobody has": document(settings={"moderation": "strict"}),
    "a key in it": document(settings={"api_key_hint": "abcd"}),
    "settings as a list": document(settings=[]),
    "limits as an object": document(limits={}),
    "too many limits": document(limits=[ROLE] * 501),
    "the operator's cap": document(limits=[{**ROLE, "scope": "operator", "subject_id": None}]),
    "a negative amount": document(limits=[{**ROLE, "amount": -1}]),
    "a huge amount": document(limits=[{**ROLE, "amount": 10**18}]),
    "a fraction": document(limits=[{**ROLE, "amount": 0.5}]),
    "infinity": document(limits=[{**ROLE, "amount": float("inf")}]),
    "1e309": document().replace(b'"amount": 50', b'"amount": 1e309'),
    "truth as an amount": document(limits=[{**ROLE, "amount": True}]),
    "a scope nobody has": document(limits=[{**ROLE, "scope": "galaxy"}]),
    "a role without a role": document(limits=[{**ROLE, "subject_id": None}]),
    "jobs per day": document(limits=[{**ROLE, "measure": "jobs"}]),
    "a cooldown of pictures": document(limits=[{**ROLE, "period": "seconds", "seconds": 5}]),
    "a cooldown of two": document(
        limits=[{**ROLE, "measure": "requests", "period": "seconds", "seconds": 5, "amount": 2}]
    ),
    "a limit twice": document(limits=[ROLE, {**ROLE, "amount": 6}]),
    "an id no database takes": document(limits=[{**ROLE, "scope": "member", "subject_id": "9" * 20}]),
    "a member of no number": document(settings={"blocked": [{"user_id": "0"}]}),
    "a member blocked twice": document(settings={"blocked": [{"user_id": "7"}, {"user_id": "7"}]}),
    "a list too long": document(settings={"denied_channels": [str(n) for n in range(1, 102)]}),
    "a key missing": document(limits=[{"scope": "everyone"}]),
    "10 MB": b'{"easel": 1, "settings": "' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY.keys())
def test_what_is_wrong_with_a_file_is_said(data: bytes) -> None:
    with pytest.raises(BadImport) as caught:
        plan(data)
    assert caught.value.faults
    for locale in ("en-US", "de"):
        assert all(10 < len(words(fault, locale)) < 300 for fault in caught.value.faults)
    assert words(caught.value, "en-US") != words(caught.value, "de")


def test_all_faults_are_told_at_once_but_not_without_end() -> None:
    with pytest.raises(BadImport) as caught:
        plan(document(settings={"spoiler": 1, "paused": 1}, limits=[{**ROLE, "amount": -1}] * 20))
    assert len(caught.value.faults) == 13
    assert words(caught.value, "en-US").endswith("- … and 10 more errors")
    assert words(caught.value, "de").endswith("- … und 10 weitere Fehler")


def test_too_large_a_file_is_not_even_parsed() -> None:
    with pytest.raises(BadImport) as caught:
        plan(b" " * (MAX_BYTES + 1))
    assert "3072 KB" in words(caught.value, "en-US")


# --- applied -------------------------------------------------------------------------------------------------------


class Notifier:
    def __init__(self) -> None:
        self.told: list[AuditEntry] = []

    async def changed(self, place: Place, *entries: AuditEntry) -> None:
        self.told += entries


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = await open_store(
        await empty_ledger(tmp_path),
        data_dir=tmp_path,
        secrets=Secrets((KEY,)),
        defaults=(EVERYONE,),
        clock=lambda: NOW,
    )
    yield opened
    await opened.aclose()


async def test_a_server_becomes_what_the_file_says_and_keeps_its_key(store: SqlStore) -> None:
    notifier = Notifier()
    unused: Any = None
    admin = Admin(store, unused, unused, Circuit(), notifier, lambda: NOW)
    await store.servers.set_api_key(ADMIN.place, "sk-a-key-of-ours", 8, NOW)
    extra = Quota(Scope.ROLE, Measure.IMAGES, DAY, 99, 43)
    await store.servers.set_limit(ADMIN.place, extra, 8, NOW)
    file = read_import(export(FULL, LIMITS))

    await apply_import(admin, ADMIN, file, KNOWN, plan_import(file, await admin.held(ADMIN.place), KNOWN))

    settings, limits = await store.servers.settings(ADMIN.place), await store.servers.limits(ADMIN.place)
    assert settings.api_key_hint == "ours"
    assert settings.defaults == FULL.defaults
    assert set(limits) == set(LIMITS[:-1])
    assert planned(export(FULL, LIMITS), settings, limits).overhaul.changes == ()
    assert notifier.told[0].change == Imported()
    assert LimitChanged(slot_of(LIMITS[2]), None, LIMITS[2]) in [entry.change for entry in notifier.told]
    trail = [entry.change for entry in await store.servers.audit(ADMIN.place)]
    assert Imported() in trail
    assert LimitChanged(slot_of(LIMITS[2]), None, LIMITS[2]) in trail


async def test_what_another_admin_changed_meanwhile_survives_what_the_file_does_not_name(store: SqlStore) -> None:
    admin, file = office(store), read_import(document_of(spoiler=True))
    seen = plan_import(file, await admin.held(ADMIN.place), KNOWN)
    await admin.change(OTHER, paused("raid"))
    await admin.set_limit(OTHER, await admin.propose_limit(OTHER.place, replace(EVERYONE, amount=7)))

    await apply_import(admin, ADMIN, file, KNOWN, seen)

    held = await admin.held(ADMIN.place)
    assert held.settings.spoiler
    assert held.settings.paused
    assert replace(EVERYONE, amount=7) in held.limits


async def test_what_would_now_change_something_else_than_was_confirmed_changes_nothing(store: SqlStore) -> None:
    admin, file = office(store), read_import(document(settings={"paused": False}))  # and a limit of 50 for everyone
    await admin.change(OTHER, paused("holiday"))
    seen = plan_import(file, await admin.held(ADMIN.place), KNOWN)
    await admin.set_limit(OTHER, await admin.propose_limit(OTHER.place, replace(EVERYONE, amount=7)))
    before = await admin.held(ADMIN.place)

    with pytest.raises(ChangedMeanwhile):
        await apply_import(admin, ADMIN, file, KNOWN, seen)

    assert await admin.held(ADMIN.place) == before
    assert Imported() not in [entry.change for entry in await store.servers.audit(ADMIN.place)]


async def test_an_import_that_breaks_off_in_the_middle_changes_nothing(store: SqlStore) -> None:
    admin = office(store)
    before = await admin.held(ADMIN.place)

    def broken(held: Held) -> Any:
        whole = plan_import(read_import(document(settings={"paused": True}, limits=[])), held, KNOWN).overhaul
        return replace(whole, limits=(*LIMITS[1:3], LIMITS[-1]))  # the operator's is none of a server's

    with pytest.raises(ValueError, match="operator"):
        await admin.overhaul(ADMIN, broken)

    assert await admin.held(ADMIN.place) == before


async def test_a_limit_the_file_does_not_have_goes_back_to_the_operators_default_and_says_so(
    store: SqlStore,
) -> None:
    admin, file = office(store), read_import(document(limits=[]))
    await admin.set_limit(ADMIN, await admin.propose_limit(ADMIN.place, replace(EVERYONE, amount=7)))
    seen = plan_import(file, await admin.held(ADMIN.place), KNOWN)
    assert seen.overhaul.changes == (LimitChanged(slot_of(EVERYONE), replace(EVERYONE, amount=7), EVERYONE),)

    await apply_import(admin, ADMIN, file, KNOWN, seen)

    held = await admin.held(ADMIN.place)
    assert held.limits == (EVERYONE,)
    assert plan_import(file, held, KNOWN).overhaul.changes == ()


# --- fails closed, and as the commands do ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("which", "names"),
    [(Listed.ROLES, ["999"]), (Listed.CHANNELS, ["998", "999"]), (Listed.MODELS, ["gpt-imagine-9"])],
)
def test_an_allow_list_of_unknown_things_alone_is_refused_not_dropped(which: Listed, names: list[str]) -> None:
    with pytest.raises(BadImport) as caught:
        plan(document_of(**{f"allowed_{which}": names}))
    (fault,) = caught.value.faults
    assert isinstance(fault, NothingLeftOnList)
    assert fault.which is which


def test_what_stands_on_a_list_here_stays_there_though_it_is_gone() -> None:
    """A deleted role, an archived thread: an export of this very server takes nothing off its lists."""
    emptied = replace(KNOWN, roles=frozenset(), channels=frozenset())
    read = planned(export(FULL, LIMITS), known=emptied)
    assert (read.overhaul.changes, read.left_out) == ((), ())


def test_an_empty_allow_list_in_the_file_is_what_somebody_wrote() -> None:
    read = planned(document_of(allowed_roles=[]))
    assert not lists_of(read.overhaul.settings, Listed.ROLES).allowed
    assert len(read.overhaul.changes) == 1


DEFAULTS_REFUSED = {
    "no such model": ({"model": "gpt-imagine-9"}, NoSuchModel),
    "no such size": ({"size": "512x512"}, BadDefaults),
    "another model's quality": ({"model": "gpt-image-2", "quality": "hd"}, BadDefaults),
}


@pytest.mark.parametrize(("defaults", "kind"), DEFAULTS_REFUSED.values(), ids=DEFAULTS_REFUSED)
def test_an_import_sets_no_default_that_the_command_refuses(defaults: dict[str, str], kind: type[Exception]) -> None:
    with pytest.raises(BadImport) as caught:
        plan(document_of(defaults=defaults))
    assert [type(fault) for fault in caught.value.faults] == [kind]


def test_a_file_that_names_one_default_leaves_the_others() -> None:
    read = planned(document_of(defaults={"quality": "high"}))
    assert read.overhaul.settings.defaults == replace(FULL.defaults, quality="high")


def test_a_default_that_holds_already_is_not_judged_again() -> None:
    """Its model may have ended since; the file of this very server changes nothing."""
    old = replace(FULL, defaults=Defaults(model="long-gone"))
    assert planned(export(old, LIMITS), old).overhaul.changes == ()


@pytest.mark.parametrize("user_id", ["1", "8"])
def test_a_file_blocks_neither_the_bot_nor_who_imports_it(user_id: str) -> None:
    with pytest.raises(BadImport) as caught:
        plan(document_of(blocked=[{"user_id": user_id}]))
    assert f"`settings.blocked`: {user_id} bist du selbst oder der Bot" in words(caught.value, "de")


OTHER = Asker(9, Place(10, 9), 100, can_manage=True)


def document_of(**settings: Any) -> bytes:
    return json.dumps({"easel": 1, "settings": settings}).encode()


def office(store: SqlStore) -> Admin:
    unused: Any = None
    return Admin(store, unused, unused, Circuit(), Notifier(), lambda: NOW)


# --- saved looks ---------------------------------------------------------------------------------------------------

NOIR = make_style(
    "Noir", "{prompt}, film noir {x}", model="m", options={"size": "16:9", "compression": 40}, servers=True
)
POP = make_style("pop", "pop art", options={}, servers=True)


def test_looks_come_back_whole_and_the_plan_says_what_becomes_of_each() -> None:
    data = export(ServerSettings(), (), (NOIR, POP))
    other = make_style("NOIR", "other words", options={}, servers=True)
    held = Held(ServerSettings(), (), (), (other, make_style("gone", "x", options={}, servers=True)))

    overhaul = plan_import(read_import(data), held, KNOWN).overhaul
    assert overhaul.styles == (NOIR, POP)
    assert [(one.name, one.old, one.new) for one in overhaul.changes if isinstance(one, StyleChanged)] == [
        ("gone", "x, {prompt}", ""),
        ("Noir", "other words, {prompt}", told(NOIR)),
        ("pop", "", "pop art, {prompt}"),
    ]
    again = plan_import(read_import(data), Held(ServerSettings(), (), (), (NOIR, POP)), KNOWN).overhaul
    assert again.changes == ()


def test_a_file_without_looks_says_nothing_of_them() -> None:
    data = json.dumps({"easel": 1, "settings": {"spoiler": True}}).encode()
    assert plan_import(read_import(data), Held(ServerSettings(), (), (), (NOIR,)), KNOWN).overhaul.styles is None


GOOD = {"name": "x", "prompt": "y", "model": None, "options": {}}


@pytest.mark.parametrize(
    ("styles", "where"),
    [
        ({}, "styles"),
        ([GOOD] * 101, "styles"),
        ([GOOD, {**GOOD, "name": " X "}], "styles"),
        (["x"], "styles[1]"),
        ([{**GOOD, "more": 1}], "styles[1]"),
        ([{**GOOD, "name": "\u200b"}], "styles[1]"),
        ([{**GOOD, "name": "x" * 41}], "styles[1]"),
        ([{**GOOD, "prompt": "x" * 7000}], "styles[1]"),
        ([{**GOOD, "prompt": ["x"]}], "styles[1]"),
        ([{**GOOD, "prompt": "{prompt}"}], "styles[1]"),
        ([{**GOOD, "options": {"count": 4}}], "styles[1]"),
        ([{**GOOD, "options": {"size": 4}}], "styles[1]"),
        ([{**GOOD, "options": {"compression": True}}], "styles[1]"),
        ([{**GOOD, "options": {"compression": 101}}], "styles[1]"),
    ],
)
def test_looks_that_are_none_are_told(styles: Any, where: str) -> None:
    with pytest.raises(BadImport) as refused:
        read_import(document(styles=styles))
    assert [fault.where for fault in refused.value.faults if isinstance(fault, Misfit)] == [where]


def test_the_largest_set_of_looks_fits_a_file() -> None:
    many = tuple(make_style(f"{n} {'🦊' * 30}", "🦊" * 6000, options={}, servers=True) for n in range(100))
    assert read_import(export(FULL, LIMITS, many)).styles == tuple(sorted(many, key=lambda style: style.key))
