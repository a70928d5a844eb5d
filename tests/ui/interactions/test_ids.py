from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.errors import AlreadyRunning, NotFound
from bot.rules.ledger import JobState
from bot.rules.people import Place
from bot.rules.servers.access import ResultButton
from bot.ui.components.chooser import chooser_view
from bot.ui.components.deletion import delete_view
from bot.ui.components.forms import REBUILDS, EditForm, ImagineForm, RemixForm
from bot.ui.components.job_buttons import cancel_view
from bot.ui.components.result_view import DYNAMIC_ITEMS, result_view
from bot.ui.interactions.double_click import begin_press
from bot.ui.interactions.ids import button_id
from bot.ui.interactions.visibility import belongs, find_job, may_see
from bot.ui.internals import knows_component
from tests.support.people import APP, CHANNEL, GUILD, OTHER, USER, make_answer, make_asker, make_job, make_request
from tests.ui.conftest import FakeStore

JOB = "JOB45678901234567890"


def message(message_id: int) -> dict[str, Any]:
    return {
        "id": str(message_id),
        "channel_id": str(CHANNEL),
        "author": {"id": str(APP), "username": "easel", "discriminator": "0", "avatar": None},
        "content": "",
        "timestamp": "2026-11-21T12:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "flags": 0,
        "components": [],
    }


def owners(view: discord.ui.View) -> list[str]:
    return [str(getattr(item, "custom_id", "")) for item in view.walk_children()]


def every_view() -> list[discord.ui.View]:
    job = make_job()
    views = [result_view(job, count, "de") for count in (1, 4, 10)]
    return [*views, cancel_view(JOB, "de"), chooser_view(JOB, 9, "de"), delete_view(JOB, "de")]


def rows_of(view: discord.ui.View) -> list[list[str]]:
    """The labels of the buttons, row by row; of a menu its id."""
    return [[str(one.get("label") or one["custom_id"]) for one in row["components"]] for row in view.to_components()]


async def test_every_button_is_answered_by_exactly_one_class() -> None:
    for custom_id in [custom_id for view in every_view() for custom_id in owners(view)]:
        matching = [item for item in DYNAMIC_ITEMS if item.__discord_ui_compiled_template__.fullmatch(custom_id)]
        assert len(matching) == 1, custom_id
        assert len(custom_id) <= 100


async def test_a_result_carries_nothing_but_dynamic_items_and_never_times_out() -> None:
    for view in every_view():
        assert view.timeout is None
        assert view.is_persistent()
        assert all(isinstance(item, discord.ui.DynamicItem) for item in view.children)
        ids = owners(view)
        assert len(set(ids)) == len(ids)
        assert len(view.to_components()) <= 5


async def test_one_picture_has_two_rows_and_delete_stands_last_and_red() -> None:
    view = result_view(make_job(), 1, "en-US")
    assert rows_of(view) == [["Again", "Remix", "Vary", "Edit"], ["Zoom out", "Pan", "Details", "Delete"]]
    styles = [one["style"] for row in view.to_components() for one in row["components"]]
    assert [style == discord.ButtonStyle.danger.value for style in styles] == [False] * 7 + [True]


async def test_each_of_several_pictures_is_varied_in_one_tap() -> None:
    view = result_view(make_job(), 4, "en-US")
    more = [f"e1:more:{JOB}"]
    assert rows_of(view) == [["V1", "V2", "V3", "V4"], more, ["Again", "Remix", "Details", "Delete"]]
    options = view.to_components()[1]["components"][0]["options"]
    assert [option["value"] for option in options] == [f"{what}:{n}" for what in ("edit", "move") for n in range(4)]
    assert not [option for option in options if option["default"]]
    assert rows_of(result_view(make_job(), 10, "en-US"))[:3] == [
        ["V1", "V2", "V3", "V4", "V5"],
        ["V6", "V7", "V8", "V9", "V10"],
        more,
    ]


async def test_what_a_server_hides_is_not_there() -> None:
    assert rows_of(result_view(make_job(), 1, "en-US", hidden=frozenset(ResultButton) - {ResultButton.VARY})) == [
        ["Vary"]
    ]
    for count in (1, 4):
        assert rows_of(result_view(make_job(), count, "en-US", hidden=frozenset(ResultButton))) == []
    hidden = frozenset({ResultButton.ZOOM, ResultButton.PAN})
    menu = result_view(make_job(), 2, "en-US", hidden=hidden).to_components()[1]["components"][0]
    assert [option["label"] for option in menu["options"]] == ["Edit picture 1", "Edit picture 2"]


OLDER = ["again", "vary", "vary:3", "edit", "edit:3", "details", "delete", "pick", "cancel", "claim"]


@pytest.mark.parametrize("what", OLDER)
def test_ids_once_given_out_are_answered_for_ever(what: str) -> None:
    name, _, index = what.partition(":")
    custom_id = f"e1:{name}:{JOB}{':' if index else ''}{index}"
    assert [item for item in DYNAMIC_ITEMS if item.__discord_ui_compiled_template__.fullmatch(custom_id)]


@given(st.text(max_size=100))
def test_a_made_up_id_matches_only_the_exact_shape(custom_id: str) -> None:
    for item in DYNAMIC_ITEMS:
        if item.__discord_ui_compiled_template__.fullmatch(custom_id):
            assert re.fullmatch(r"e1:[a-z]+:[A-Za-z0-9_-]{1,40}(:\d{1,2})?(:[a-z]+)?", custom_id)


@pytest.mark.parametrize(
    "custom_id",
    [
        "e1:again:",
        "e2:again:JOB",
        "e1:again:JOB:100",
        "e1:again:' OR 1=1 --",
        "e1:again:JOB:1:2",
        "x" * 100,
        "e1:drop:JOB",
        "e1:move:JOB:0:sideways",
        "e1:move:JOB:0",
    ],
)
def test_a_forged_id_is_no_button(custom_id: str) -> None:
    assert not [item for item in DYNAMIC_ITEMS if item.__discord_ui_compiled_template__.fullmatch(custom_id)]


async def test_a_button_works_on_its_own_message(interact: Callable[..., Any], store: FakeStore) -> None:
    store.rows[JOB] = make_job(message_id=77)
    assert await find_job(store, interact(type=3, message=message(77)), JOB) is store.rows[JOB]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "job",
    [
        None,
        make_job(deleted=True),
        make_job(state=JobState.SETTLED, message_id=78, answer=make_answer(message_id=79)),
        make_job(asker=make_asker(place=Place(12, USER))),
        make_job(asker=make_asker(place=Place(None, USER))),
        make_job(state=JobState.PRODUCED, asker=make_asker(user_id=OTHER), request=make_request(private=True)),
    ],
    ids=[
        "unknown",
        "deleted",
        "copied to another message",
        "of another server",
        "of a direct message",
        "another's in private",
    ],
)
async def test_a_foreign_button_finds_nothing(interact: Callable[..., Any], store: FakeStore, job: Any) -> None:
    if job is not None:
        store.rows[JOB] = job
    with pytest.raises(NotFound):
        await find_job(store, interact(type=3, message=message(77)), JOB)  # type: ignore[arg-type]


async def test_the_message_of_a_late_delivery_counts_too(interact: Callable[..., Any]) -> None:
    job = make_job(state=JobState.SETTLED, message_id=500, answer=make_answer(message_id=77))
    assert belongs(job, interact(type=3, message=message(500)))
    assert belongs(job, interact(type=3, message=message(77)))
    assert not belongs(job, interact(type=3, message=message(501)))


async def test_a_result_that_is_just_being_shown_answers_in_its_channel(interact: Callable[..., Any]) -> None:
    job = make_job(state=JobState.PRODUCED, answer=make_answer(message_id=77))
    assert belongs(job, interact(type=3, message=message(501)))
    assert not belongs(replace(job, asker=make_asker(channel_id=CHANNEL + 1)), interact(type=3, message=message(501)))


async def test_a_private_prompt_is_seen_only_by_its_maker() -> None:
    mine, other = make_asker(), make_asker(user_id=OTHER, place=Place(GUILD, OTHER))
    private = make_job(request=make_request(private=True))
    assert may_see(private, mine)
    assert not may_see(private, other)
    assert may_see(make_job(), other)
    assert not may_see(make_job(), replace(other, channel_id=CHANNEL + 1))
    assert not may_see(make_job(), replace(other, place=Place(GUILD + 1, OTHER)))


async def test_five_presses_at_once_are_one(interact: Callable[..., Any]) -> None:
    press = interact(message=None)
    outcomes = []
    for _ in range(5):
        try:
            begin_press(press, button_id("again", JOB))
            outcomes.append("taken")
        except AlreadyRunning:
            outcomes.append("refused")
    other = {"id": str(OTHER), "username": "bo", "discriminator": "0", "avatar": None}
    begin_press(interact(member=None, guild_id=None, guild=None, user=other), button_id("again", JOB))
    begin_press(press, button_id("vary", JOB, 0))
    assert outcomes == ["taken", "refused", "refused", "refused", "refused"]


async def test_forms_have_ids_of_their_own_and_can_be_rebuilt() -> None:
    remix = RemixForm.of(make_job(), 2**63, "de")
    for form in (EditForm(JOB, 9, 2**63, "de", "a fox"), ImagineForm(2**63, "en-US", "a fox"), remix):
        assert len(form.custom_id) <= 100
        found = [(known.fullmatch(form.custom_id), make) for known, make in REBUILDS.items()]
        (match, make), *more = [(match, make) for match, make in found if match is not None]
        assert not more
        again = make(match, "de")
        assert again.custom_id == form.custom_id
        assert type(again) is type(form)


async def test_a_form_fits_discords_limits_in_every_language() -> None:
    for locale in ("en-US", "de"):
        payload = EditForm(JOB, 0, 1, locale, "🦊" * 5000).to_dict()
        assert len(payload["title"]) <= 45
        labels = payload["components"]
        assert 1 <= len(labels) <= 5
        assert all(len(label["label"]) <= 45 and len(label["description"]) <= 100 for label in labels)
        assert len(labels[0]["component"]["value"].encode("utf-16-le")) // 2 <= 4000


async def test_the_last_resort_knows_what_somebody_answers(client: Any, interact: Callable[..., Any]) -> None:
    client.add_dynamic_items(*DYNAMIC_ITEMS)
    old = interact(type=3, message=message(77), data={"custom_id": "e0:gone:1", "component_type": 2})
    ours = interact(type=3, message=message(77), data={"custom_id": f"e1:again:{JOB}", "component_type": 2})
    assert not knows_component(old)
    assert knows_component(ours)
    await asyncio.sleep(0)
