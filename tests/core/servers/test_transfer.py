"""Export and import: a file that comes back whole, and files that do not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.database import SqlStore, open_store
from bot.adapters.secrets import Secrets
from bot.core.servers.admin import Admin
from bot.core.servers.transfer import MAX_BYTES, BadImport, KnownIds, apply_import, export, plan_import
from bot.ports import AuditEntry
from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope, slot_of
from bot.rules.people import Asker, Place
from bot.rules.servers.access import Block, Defaults, ServerSettings
from bot.rules.servers.changes import Imported, LimitChanged, Moderation, ModerationChanged

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ADMIN = Asker(8, Place(10, 8), 100, can_manage=True)
KNOWN = KnownIds(roles=frozenset({42, 43}), channels=frozenset({100, 101}))
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


def plan(data: bytes):  # type: ignore[no-untyped-def]
    return plan_import(data, ServerSettings(), (EVERYONE,), KNOWN)


def test_a_file_comes_back_whole() -> None:
    read = plan_import(export(FULL, LIMITS), ServerSettings(), (), KNOWN)
    assert read.settings == ServerSettings(
        **{name: getattr(FULL, name) for name in FULL.__slots__ if name != "api_key_hint"}
    )
    assert read.limits == LIMITS[:-1]
    assert read.left_out == ()


def test_the_file_is_for_people_and_holds_no_secret() -> None:
    text = export(FULL, LIMITS).decode()
    assert "«bis»" in text
    assert "abcd" not in text
    assert "500000000" not in text
    assert json.loads(text)["easel"] == 1


def test_importing_what_holds_already_changes_nothing() -> None:
    read = plan_import(export(FULL, LIMITS), FULL, LIMITS, KNOWN)
    assert (read.changes, read.limits, read.removed) == ((), (), ())


def test_the_diff_names_every_change_and_what_goes() -> None:
    read = plan_import(document(settings={"spoiler": True}, limits=[]), ServerSettings(), (EVERYONE,), KNOWN)
    assert read.changes == (
        ModerationChanged(Moderation(), Moderation(spoiler=True)),
        LimitChanged(slot_of(EVERYONE), EVERYONE, None),
    )
    assert read.removed == (EVERYONE,)


def test_what_the_file_does_not_speak_of_stays() -> None:
    read = plan_import(b'{"easel": 1, "settings": {"spoiler": true}}', FULL, LIMITS, KNOWN)
    assert read.changes == ()
    assert read.settings == FULL


def test_a_byte_order_mark_is_no_fault() -> None:
    assert plan(b"\xef\xbb\xbf" + document()).changes == ()


def test_roles_and_channels_of_another_server_are_left_out_and_said() -> None:
    foreign = KnownIds(roles=frozenset({42}), channels=frozenset())
    read = plan_import(export(FULL, LIMITS), ServerSettings(), (), foreign)
    assert read.settings.allowed_roles == frozenset({42})
    assert read.settings.log_channel_id is None
    assert set(read.left_out) == {
        "allowed_roles: 43", "denied_channels: 101", "log_channel_id: 100", "limit for channel 101"
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
    "a key missing": document(limits=[{"scope": "everyone"}]),
    "10 MB": b'{"easel": 1, "settings": "' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY.keys())
def test_what_is_wrong_with_a_file_is_said(data: bytes) -> None:
    with pytest.raises(BadImport) as caught:
        plan(data)
    assert caught.value.faults
    assert all(len(fault) < 300 for fault in caught.value.faults)


def test_all_faults_are_told_at_once_but_not_without_end() -> None:
    with pytest.raises(BadImport) as caught:
        plan(document(settings={"spoiler": 1, "paused": 1}, limits=[{**ROLE, "amount": -1}] * 20))
    assert len(caught.value.faults) == 13
    assert caught.value.faults[-1] == "… and 10 more"


def test_too_large_a_file_is_not_even_parsed() -> None:
    with pytest.raises(BadImport) as caught:
        plan(b" " * (MAX_BYTES + 1))
    assert "262,144" in caught.value.faults[0]


# --- applied -------------------------------------------------------------------------------------------------------


class Notifier:
    def __init__(self) -> None:
        self.told: list[AuditEntry] = []

    async def changed(self, place: Place, entry: AuditEntry) -> None:
        self.told.append(entry)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = await open_store(
        f"sqlite+aiosqlite:///{tmp_path}/easel.db",
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
    admin = Admin(store, unused, unused, notifier, lambda: NOW)
    await store.servers.set_api_key(ADMIN.place, "sk-a-key-of-ours", 8, NOW)
    extra = Quota(Scope.ROLE, Measure.IMAGES, DAY, 99, 43)
    await store.servers.set_limit(ADMIN.place, extra, 8, NOW)
    before = await store.servers.settings(ADMIN.place), await store.servers.limits(ADMIN.place)
    read = plan_import(export(FULL, LIMITS), *before, KNOWN)

    await apply_import(admin, ADMIN, read)

    settings, limits = await store.servers.settings(ADMIN.place), await store.servers.limits(ADMIN.place)
    assert settings.api_key_hint == "ours"
    assert settings.defaults == FULL.defaults
    assert set(limits) == set(LIMITS[:-1])
    assert plan_import(export(FULL, LIMITS), settings, limits, KNOWN).changes == ()
    assert [entry.change for entry in notifier.told] == [Imported()]
    trail = [entry.change for entry in await store.servers.audit(ADMIN.place)]
    assert Imported() in trail
    assert LimitChanged(slot_of(LIMITS[2]), None, LIMITS[2]) in trail
