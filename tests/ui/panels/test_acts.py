"""What a forged or stranger's press on the panel comes to: a refusal, before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import discord
import pytest

from bot.core.servers.admin import Done, NotHere
from bot.rules.catalogue.catalogue import NoSuchModel
from bot.rules.limits.limit import Limit, Scope
from bot.rules.people import Asker, Place
from bot.rules.servers.access import AccessDenied, ServerSettings
from bot.rules.servers.changes import PreviewsChanged
from bot.rules.servers.edits import BadDefaults, Held
from bot.rules.servers.presets import Preset, builtin_presets, load_presets
from bot.ui.client.client import Client
from bot.ui.panels.server.acts import ACTS, Pressed, ids_of
from bot.ui.panels.server.answers import Turn, listed_changes, undone
from bot.ui.panels.server.limit_form import LimitsForm, taken_away
from bot.ui.panels.server.panel import noticed, told
from bot.ui.panels.server.parts import Row, Text
from bot.ui.panels.server.presets_page import Choice, choice_of, planned, take
from bot.ui.words.errors import CannotBlock, StaleButton, StaleForm
from tests.support.people import GUILD, NOW, USER

ROLE, CHANNEL, ELSEWHERE = 501, 700, 999
HERE = Place(GUILD, USER)


@dataclass
class Recorded:
    """An admin's office that only writes down what was asked of it."""

    asked: list[object] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)

    async def change(self, asker: Asker, edit: object) -> Done:
        self.asked.append(edit)
        return Done((PreviewsChanged(None, True),), NOW)

    async def block(self, asker: Asker, user_id: int, reason: str) -> tuple[Done, int]:
        return await self.change(asker, user_id), self.stops.pop()

    async def undo(self, asker: Asker, at: object) -> Done:
        return await self.change(asker, at)

    async def overhaul(self, asker: Asker, rework: object) -> Done:
        return await self.change(asker, rework)


@pytest.fixture
def office() -> Recorded:
    return Recorded()


@pytest.fixture
def press(client: Client, interact: Callable[..., Any], office: Recorded, store: Any) -> Callable[..., Any]:
    """A press by somebody who may manage the server, or by ``stranger``."""
    presets = load_presets(builtin_presets(), ())
    client.shell = replace(client.shell, admin=office, presets=presets)  # type: ignore[arg-type]
    about = {"name": "here", "permissions": "0"}
    role = {**about, "id": str(ROLE)}
    room = {**about, "id": str(CHANNEL), "type": 0, "permission_overwrites": [], "parent_id": None}
    whole = {"id": str(GUILD), "owner_id": "9", "roles": [role], "channels": [room], "threads": []}
    client.shell.servers.readers()["GUILD_CREATE"](whole)

    async def limits(place: Place) -> tuple[Limit, ...]:
        return ()

    store.limits = limits

    def build(*, stranger: bool = False) -> Any:
        may = discord.Permissions(manage_guild=not stranger)
        user = {"id": str(USER), "username": "ada", "discriminator": "0", "avatar": None}
        member = {"user": user, "roles": [], "permissions": str(may.value), "deaf": False, "mute": False, "flags": 0}
        return interact(member={**member, "joined_at": "2024-01-01T00:00:00+00:00"})

    return build


def test_a_press_says_what_was_taken_and_left_against_what_was_shown() -> None:
    pressed = Pressed("on", ("a", "b"), frozenset({"b", "c"}))
    assert (pressed.added, pressed.dropped, pressed.on) == ({"a"}, {"c"}, True)
    for chosen in ((), ("a", "b")):
        with pytest.raises(StaleButton):
            assert Pressed(chosen=chosen).one


@pytest.mark.parametrize("forged", ["", "x", "-1", "0", "²", "9" * 25])
def test_only_what_discord_sends_is_an_id(forged: str) -> None:
    with pytest.raises(StaleButton):
        ids_of(frozenset({str(ROLE), forged}))


@pytest.mark.parametrize(
    ("act", "pressed", "error"),
    [
        ("roles_allow", Pressed(chosen=(str(ROLE), str(ELSEWHERE))), NotHere),
        ("channels_deny", Pressed(chosen=(str(ELSEWHERE),)), NotHere),
        ("models_allow", Pressed(chosen=("no-such-model",)), NoSuchModel),
        ("level", Pressed(chosen=("odd",)), StaleButton),
        ("log", Pressed(chosen=(str(ELSEWHERE),)), NotHere),
        ("review", Pressed(chosen=(str(ELSEWHERE),)), NotHere),
        ("block", Pressed(chosen=(str(USER),)), CannotBlock),
        ("undo", Pressed("x:1"), StaleButton),
        ("undo", Pressed(f"{USER}:" + "9" * 20), StaleButton),
        ("undo", Pressed(f"{USER + 1}:1"), AccessDenied),
    ],
)
async def test_what_cannot_be_pressed_changes_nothing(
    press: Callable[..., Any], office: Recorded, act: str, pressed: Pressed, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await ACTS[act](press(), pressed)
    assert office.asked == []


@pytest.mark.parametrize("act", [name for name in ACTS if name not in ("log", "review") and "default_" not in name])
async def test_who_may_not_manage_the_server_changes_nothing(
    press: Callable[..., Any], office: Recorded, act: str
) -> None:
    arg, chosen = (f"{USER}:1", ()) if act in ("undo", "take_back") else ("on", ())
    chosen = {"level": ("low",), "previews": ("on",)}.get(act, chosen)
    with pytest.raises(AccessDenied):
        await ACTS[act](press(stranger=True), Pressed(arg, chosen))
    assert office.asked == []
    office.stops = [1]
    await ACTS[act](press(), Pressed(arg, chosen))
    assert len(office.asked) == (act != "block")


async def test_all_that_was_stopped_by_blocking_several_is_told(press: Callable[..., Any], office: Recorded) -> None:
    office.stops = [2, 0, 1]
    turn = await ACTS["block"](press(), Pressed(chosen=("4001", "4002", "4003")))
    assert (len(turn.done), turn.notes) == (3, ("Stopped 3 of their jobs.",))


async def test_only_what_is_one_change_is_taken_back_by_one_press(press: Callable[..., Any]) -> None:
    done = Done((PreviewsChanged(None, True),), NOW)
    assert [type(part) for part in told(press(), Turn((done,)))] == [Row]
    assert [type(part) for part in told(press(), Turn((done, done)))] == [Text]


async def test_what_was_changed_is_seen_at_once(press: Callable[..., Any], store: Any) -> None:
    here = press()
    cache = here.client.shell.settings_cache
    for doing in (ACTS["cost"](here, Pressed("on")), undone(here, str(USER), "1")):
        store.place_settings = ServerSettings()
        assert (await cache.settings(HERE)).show_cost
        store.place_settings = ServerSettings(show_cost=False)
        await noticed(here, _turned(doing))
        assert not (await cache.settings(HERE)).show_cost
        cache.forget(HERE)


async def _turned(doing: Any) -> Turn:
    await doing
    return Turn()


# --- limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "subject"), [("operator", 0), ("operator", ROLE), ("role", 0), ("member", 2**70), ("nobody", 1)]
)
def test_a_form_of_a_forged_id_is_none(scope: str, subject: int) -> None:
    with pytest.raises(StaleForm):
        LimitsForm.of(scope, subject, 1, "en-US")


@pytest.mark.parametrize("slot", ["operator.dollars.month.0", "everyone.images", "role.images.day.x", "a.b.c.1"])
async def test_a_limit_of_a_forged_id_is_not_taken_away(press: Callable[..., Any], office: Recorded, slot: str) -> None:
    with pytest.raises(StaleButton):
        await taken_away(press(), slot)
    assert office.asked == []


@pytest.mark.parametrize("scope", [Scope.ROLE, Scope.CHANNEL])
async def test_limits_are_typed_for_what_is_here(press: Callable[..., Any], office: Recorded, scope: Scope) -> None:
    with pytest.raises(NotHere):
        await LimitsForm.open(press(), scope, ELSEWHERE)
    with pytest.raises(NotHere):
        await LimitsForm.of(scope, ELSEWHERE, 1, "en-US").applied(press())
    assert office.asked == []


# --- presets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "pressed", "error"),
    [
        ("preset", Pressed(chosen=("nothing",)), StaleButton),
        ("preset_role", Pressed("staff", (str(ELSEWHERE),)), NotHere),
        ("preset_role", Pressed("staff", ("9" * 25,)), StaleButton),
        ("preset_take", Pressed("staff.x.abc"), StaleButton),
        ("preset_take", Pressed(f"staff.{ELSEWHERE}.abc"), NotHere),
    ],
)
async def test_a_preset_is_chosen_for_what_is_here(
    press: Callable[..., Any], act: str, pressed: Pressed, error: type[Exception]
) -> None:
    with pytest.raises(error):
        choice_of(press(), act, pressed)


async def test_a_preset_that_asks_for_a_role_is_not_taken_without(press: Callable[..., Any], office: Recorded) -> None:
    here = press()
    staff = next(one for one in here.client.shell.presets if one.needs_role)
    with pytest.raises(StaleButton):
        await take(here, Choice(staff), Pressed(f"{staff.name}.0.abc"))
    assert office.asked == []


async def test_a_preset_says_what_the_model_here_has_not(press: Callable[..., Any]) -> None:
    odd = Preset("odd", {"en": "Odd"}, {"en": "Odd"}, settings={"quality": "hd"})
    with pytest.raises(BadDefaults):
        planned(press(), Choice(odd), Held(ServerSettings(), ()))


def test_a_file_lists_all_only_where_not_all_is_shown() -> None:
    one = PreviewsChanged(None, True)
    assert listed_changes("head", [one], "en-US").files == ()
    whole = listed_changes("head", [one] * 200, "en-US")
    assert len(whole.files) == 1
    assert whole.content is not None
    assert len(whole.content) < 2000
