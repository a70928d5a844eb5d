"""/settings open over the wire: each page, what a press changes, restarts, two admins, forged ids and lost rights."""

from __future__ import annotations

import pytest

from bot.rules.limits.limit import Measure, Period, Scope
from sandbox.discord.components import every


@pytest.fixture
def people(town):
    return town.world.town


async def opened(town, page: str = "who"):
    interaction = await town.world.slash(town.admin, town.general, "/settings open", {})
    message = await interaction.wait_answer()
    assert message.ephemeral
    return await turned(town, message, "e1:set:who:go", [page]) if page != "who" else message


async def turned(town, message, menu: str, values, user=None):
    """Chooses in a menu and waits for the panel to be drawn again."""
    await drawn_anew(message, await town.world.select(message, menu, values, user or town.admin))
    return message


async def pressed(town, message, knob: str, user=None):
    await drawn_anew(message, await town.world.click(message, knob, user or town.admin))
    return message


async def drawn_anew(message, interaction) -> None:
    edits = message.edits
    await interaction.wait_until(
        lambda _: message.edits > edits or bool(interaction.messages), 10, "a change of the panel"
    )


async def refusal(town, message, knob: str) -> str:
    interaction = await town.world.click(message, knob, town.admin)
    await interaction.wait_until(lambda _: bool(interaction.messages), 10, "a refusal")
    return interaction.messages[-1].content


def texts(message) -> str:
    return "\n".join(part["content"] for part in every(message.components) if "content" in part)


async def filled(town, opener, values):
    """Fills in the form that a press opened."""
    modal = await opener.wait_modal()
    return await town.world.submit_form(modal, values, user=town.admin)


# --- looking -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("who", "Pictures only in these channels"),
        ("limits", "For every member"),
        ("money", "pictures"),
        ("models", "Only these models"),
        ("look", "Costs shown to members"),
        ("safety", "Moderation"),
        ("log", "Log channel"),
    ],
)
async def test_every_page_can_be_looked_at(town, page, words):
    assert words in texts(await opened(town, page))


async def test_what_show_says_has_a_button_to_the_panel(town):
    shown = await (await town.world.slash(town.admin, town.general, "/settings show", {})).wait_answer()
    answer = await (await town.world.click(shown, "Open the panel", town.admin)).wait_answer()
    assert "Pictures only in these channels" in texts(answer)
    assert answer.ephemeral


# --- changing ----------------------------------------------------------------------------------------------------


async def test_several_models_in_one_go_and_undo(town):
    panel = await opened(town, "models")
    six = [
        one["value"]
        for part in every(panel.components)
        if part.get("custom_id") == "e1:set:models:models_allow"
        for one in part["options"]
    ][:6]
    await turned(town, panel, "e1:set:models:models_allow", six)
    assert (await town.settings_held()).allowed_models == frozenset(six)
    assert "All other models are now closed" in texts(panel)
    assert len(await town.app.store.servers.audit(town.here)) == 1

    await pressed(town, panel, "Undo")
    assert (await town.settings_held()).allowed_models == frozenset()
    assert "→ all" in texts(panel)


async def test_channels_and_roles_are_picked_and_the_log_hears_of_it(town, people):
    panel = await opened(town, "log")
    await turned(town, panel, "e1:set:log:log", [people.pictures])
    await turned(town, panel, "e1:set:log:go", ["who"])
    await turned(town, panel, "e1:set:who:channels_allow", [people.pictures])
    await turned(town, panel, "e1:set:who:roles_deny", [people.painters])
    held = await town.settings_held()
    assert (held.allowed_channels, held.denied_roles) == ({people.pictures.id}, {people.painters.id})
    logged = [one.content for one in town.world.history(people.pictures) if one.author == town.world.bot]
    assert logged[0].startswith("📋 I'll post")  # tried before it is kept
    assert any(f"<@&{people.painters.id}>" in line for line in logged)

    await pressed(town, panel, "Allow every channel")
    assert (await town.settings_held()).allowed_channels == frozenset()


async def test_two_admins_at_once_lose_nothing_of_each_others(town, people):
    mine, theirs = await opened(town), await opened(town)
    await turned(town, mine, "e1:set:who:channels_allow", [people.pictures])
    await turned(town, theirs, "e1:set:who:channels_allow", [town.general])
    assert (await town.settings_held()).allowed_channels == {people.pictures.id, town.general.id}


async def test_who_is_picked_is_blocked_and_who_is_left_out_is_let_in_again(town):
    panel = await opened(town)
    await turned(town, panel, "e1:set:who:block", [town.member])
    assert [block.user_id for block in (await town.settings_held()).blocked] == [town.member.id]
    await turned(town, panel, "e1:set:who:block", [])
    assert (await town.settings_held()).blocked == ()
    await turned(town, panel, "e1:set:who:block", [town.admin])
    assert "⚠️" in texts(panel)
    assert (await town.settings_held()).blocked == ()


async def test_switches_and_menus_set_what_they_say(town):
    panel = await opened(town, "look")
    for knob in ("e1:set:look:cost:off", "e1:set:look:plain:on", "e1:set:look:private:on"):
        await pressed(town, panel, knob)
    await turned(town, panel, "e1:set:look:buttons", ["again", "vary", "delete"])
    await turned(town, panel, "e1:set:look:previews", ["off"])
    await turned(town, panel, "e1:set:look:go", ["safety"])
    for knob in ("e1:set:safety:pause:on", "e1:set:safety:spoiler:on", "e1:set:safety:age:on"):
        await pressed(town, panel, knob)
    await turned(town, panel, "e1:set:safety:level", ["low"])
    await turned(town, panel, "e1:set:safety:review", [town.world.town.pictures])
    assert (await town.settings_held()).review_channel_id == town.world.town.pictures.id
    await pressed(town, panel, "Show pictures at once")
    assert (await town.settings_held()).review_channel_id is None
    await turned(town, panel, "e1:set:safety:go", ["models"])
    await turned(town, panel, "e1:set:models:default_quality", ["high"])
    held = await town.settings_held()
    assert (held.show_cost, held.layout, held.defaults.private, held.previews) == (False, "plain", True, False)
    assert held.hidden_buttons == {"remix", "edit", "zoom", "pan", "star", "details"}
    assert (held.paused, held.spoiler, held.age_restricted_only, held.moderation) == (True, True, True, "low")
    assert held.defaults.quality == "high"


# --- limits in forms ---------------------------------------------------------------------------------------------


async def test_limits_are_typed_and_what_is_left_empty_stays(town):
    panel = await opened(town, "limits")
    opener = await town.world.click(panel, "Change", town.admin)
    await drawn_anew(panel, await filled(town, opener, {"hour": "3", "day": "", "jobs": "2"}))
    held = {
        (one.measure, getattr(one, "period", None)): one.amount
        for one in await town.limits_held()
        if hasattr(one, "amount")
    }
    assert held[Measure.IMAGES, Period.HOUR] == 3
    assert held[Measure.IMAGES, Period.DAY] == 50
    assert "**Pictures per hour for every member:** not set → 3" in texts(panel)
    assert len(await town.app.store.servers.audit(town.here)) == 2
    await pressed(town, panel, "Undo")
    assert not [one for one in await town.limits_held() if getattr(one, "period", None) is Period.HOUR]


async def test_more_money_is_asked_about_first(town):
    panel = await opened(town, "money")
    opener = await town.world.click(panel, "Change", town.admin)
    sent = await filled(town, opener, {"usd_month": "25"})
    await sent.wait_until(lambda _: bool(sent.messages), 10, "the question")
    question = sent.messages[-1]
    assert "more spending" in question.content
    confirmed = await town.world.click(question, "Confirm", town.admin)
    await confirmed.wait_until(lambda _: "Confirm" not in str(question.components), 10, "the change")
    assert "$10.00 → $25.00" in question.content
    assert "pictures" in question.content


async def test_a_role_keeps_everyones_hour_which_is_said(town, people):
    panel = await opened(town, "limits")
    await drawn_anew(panel, await filled(town, await town.world.click(panel, "Change", town.admin), {"hour": "3"}))
    opener = await town.world.select(panel, "e1:setask:limits:limits_role", [people.painters], town.admin)
    await drawn_anew(panel, await filled(town, opener, {"day": "40"}))
    assert "Everyone's 3 per hour still applies" in texts(panel)
    opener = await town.world.select(panel, "e1:setask:limits:limits_role", [people.painters], town.admin)
    sent = await filled(town, opener, {"remove": [f"role.images.day.{people.painters.id}"]})
    await sent.wait_until(lambda _: bool(sent.messages), 10, "the question: everyone's 50 are more than 40")
    confirmed = await town.world.click(sent.messages[-1], "Confirm", town.admin)
    await confirmed.wait_until(lambda _: "Confirm" not in str(sent.messages[-1].components), 10, "the change")
    assert not [one for one in await town.limits_held() if one.scope is Scope.ROLE]


async def test_what_cannot_be_a_number_is_told_on_the_panel(town):
    panel = await opened(town, "limits")
    opener = await town.world.click(panel, "Change", town.admin)
    await drawn_anew(panel, await filled(town, opener, {"day": "many"}))
    assert "⚠️" in texts(panel)
    assert await town.app.store.servers.audit(town.here) == []


async def test_everyones_limit_goes_only_by_being_chosen(town):
    panel = await opened(town, "limits")
    interaction = await town.world.select(panel, "e1:set:limits:remove", ["everyone.images.day.0"], town.admin)
    await interaction.wait_until(lambda _: bool(interaction.messages), 10, "the question")
    assert "50 → no limit" in interaction.messages[-1].content


# --- restarts, strangers, forgeries ------------------------------------------------------------------------------


async def test_panel_and_form_survive_a_restart(town):
    panel = await opened(town, "limits")
    opener = await town.world.click(panel, "Change", town.admin)
    modal = await opener.wait_modal()
    await town.restart()
    await drawn_anew(panel, await town.world.submit_form(modal, {"day": "7"}, user=town.admin))
    assert "50 → 7" in texts(panel)
    await turned(town, panel, "e1:set:limits:go", ["safety"])
    await pressed(town, panel, "e1:set:safety:spoiler:on")
    assert (await town.settings_held()).spoiler


@pytest.mark.parametrize(
    "forged",
    [
        "e1:set:safety:explode:on",
        "e1:set:nowhere:spoiler:on",
        "e1:set:safety:undo:1:1",
        "e1:setask:safety:limits_role",
        "e1:set:safety:remove:x",
        "e1:set:safety:models_allow",
    ],
)
async def test_a_forged_press_changes_nothing_and_is_answered(town, forged):
    panel = await opened(town, "safety")
    button = next(part for part in every(panel.components) if part.get("custom_id") == "e1:set:safety:spoiler:on")
    button["custom_id"] = forged
    await pressed(town, panel, forged)
    held = await town.settings_held()
    assert (held.spoiler, held.allowed_models) == (False, frozenset())
    assert [one for one in await town.app.store.servers.audit(town.here) if not one.change] == []


async def test_who_lost_the_right_is_refused(town):
    panel = await opened(town, "safety")
    town.world.town.studio.members[town.admin.id].role_ids = ()
    assert "Manage Server" in await refusal(town, panel, "e1:set:safety:spoiler:on")
    assert not (await town.settings_held()).spoiler
    button = next(part for part in every(panel.components) if part.get("custom_id") == "e1:set:safety:spoiler:on")
    button["custom_id"] = "e1:setask:limits:key_form"
    assert "Manage Server" in await refusal(town, panel, "e1:setask:limits:key_form")


async def test_a_list_with_what_is_gone_says_so_and_stays_closed(town, people):
    await turned(town, await opened(town), "e1:set:who:roles_allow", [people.painters])
    town.world.delete_role(people.studio, people.painters)
    panel = await opened(town)
    assert "Nothing of this list exists any more" in texts(panel)
    assert (await town.settings_held()).allowed_roles == {people.painters.id}


# --- under the commands ------------------------------------------------------------------------------------------


async def command(town, name: str, **options):
    return await (await town.world.slash(town.admin, town.general, f"/settings {name}", options)).wait_answer()


async def test_what_a_command_shows_can_be_changed_and_removed_from_there(town, people):
    await command(town, "log", channel=people.pictures)
    await command(town, "cooldown", seconds=9, role=people.painters)
    shown = await command(town, "log")
    panel = await (await town.world.click(shown, "Change", town.admin)).wait_answer()
    assert "Log channel" in texts(panel)
    removed = await (await town.world.click(shown, "Remove", town.admin)).wait_answer()
    assert "→ none" in removed.content
    await command(town, "review", channel=people.pictures)
    shown = await command(town, "review")
    panel = await (await town.world.click(shown, "Change", town.admin)).wait_answer()
    assert "Review before posting" in texts(panel)
    removed = await (await town.world.click(shown, "Remove", town.admin)).wait_answer()
    assert "→ none" in removed.content
    assert (await town.settings_held()).review_channel_id is None
    shown = await command(town, "cooldown", role=people.painters)
    removed = await (await town.world.click(shown, "Remove: Wait between two commands", town.admin)).wait_answer()
    assert "9 s → not set" in removed.content
    assert "Confirm" in str(
        (
            await (
                await town.world.click(await command(town, "quota"), "Remove: Pictures per day", town.admin)
            ).wait_answer()
        ).components
    )


async def test_who_lost_the_right_removes_nothing_under_a_command(town, people):
    await command(town, "previews", enabled=False)
    shown = await command(town, "previews")
    admin = people.studio.members[town.admin.id]
    admin.role_ids, roles = (), admin.role_ids
    assert "Manage Server" in (await (await town.world.click(shown, "Remove", town.admin)).wait_answer()).content
    assert (await town.settings_held()).previews is False
    admin.role_ids = roles
    shown = await command(town, "previews")
    await (await town.world.click(shown, "Remove", town.admin)).wait_answer()
    assert (await town.settings_held()).previews is None


@pytest.mark.parametrize("forged", ["e1:setrm:operator.dollars.month.0", "e1:setrm:a.b.c.1", "e1:setopen:nowhere"])
async def test_a_forged_button_under_a_command_changes_nothing(town, forged):
    shown = await command(town, "quota")
    button = next(part for part in every(shown.components) if "custom_id" in part)
    button["custom_id"] = forged
    before = await town.limits_held()
    await (await town.world.click(shown, forged, town.admin)).wait_answer()
    assert await town.limits_held() == before


# --- presets -----------------------------------------------------------------------------------------------------


def apply_button(message) -> str:
    return next(part["custom_id"] for part in every(message.components) if ":preset_take:" in part.get("custom_id", ""))


async def test_a_preset_shows_what_it_changes_is_taken_by_one_press_and_taken_back(town):
    panel = await opened(town, "presets")
    before = await town.settings_held(), await town.limits_held()
    await turned(town, panel, "e1:set:presets:preset", ["community"])
    assert "50 → 5" in texts(panel)
    assert (await town.settings_held(), await town.limits_held()) == before

    await pressed(town, panel, apply_button(panel))
    assert not (await town.settings_held()).show_cost
    assert "Preset" in str(await town.app.store.servers.audit(town.here))
    await pressed(town, panel, "Undo")
    assert (await town.settings_held(), set(await town.limits_held())) == (before[0], set(before[1]))


async def test_a_preset_for_a_role_asks_which(town, people):
    panel = await opened(town, "presets")
    await turned(town, panel, "e1:set:presets:preset", ["staff"])
    assert ":preset_take:" not in str(panel.components)
    await turned(town, panel, "e1:set:presets:preset_role:staff", [people.painters])
    await pressed(town, panel, apply_button(panel))
    assert (await town.settings_held()).allowed_roles == {people.painters.id}


async def test_a_preset_is_looked_at_again_where_somebody_changed_something_meanwhile(town):
    panel = await opened(town, "presets")
    await turned(town, panel, "e1:set:presets:preset", ["community"])
    await command(town, "quota", images=4)
    await pressed(town, panel, apply_button(panel))
    assert "4 → 5" in texts(panel)
    assert (await town.settings_held()).show_cost


@pytest.mark.smoke
@pytest.mark.parametrize("forged", ["preset_take:staff.0.abc", "preset_take:nothing.0.abc", "preset_take:paid.1.abc"])
async def test_a_forged_preset_changes_nothing(town, forged):
    panel = await opened(town, "presets")
    await turned(town, panel, "e1:set:presets:preset", ["community"])
    button = next(part for part in every(panel.components) if part.get("custom_id") == apply_button(panel))
    button["custom_id"] = f"e1:set:presets:{forged}"
    await pressed(town, panel, button["custom_id"])
    assert await town.app.store.servers.audit(town.here) == []
