"""/settings and /limits over the wire: what the admin sees, what stands in the ledger, and that it then holds."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet

from bot.core.servers.settings_file import MAX_BYTES
from bot.rules.limits.limit import Measure, Scope
from sandbox.discord.model import Message, Upload
from sandbox.discord.people.options import NotPossible
from tests.support.running import town_in, until


@pytest.fixture
def people(town):
    return town.world.town


async def told(town, name: str, *, user=None, **options):
    """Runs a subcommand as the admin and returns its private answer."""
    interaction = await town.world.slash(user or town.admin, town.general, f"/settings {name}", options)
    message = await interaction.wait_answer()
    assert message.ephemeral
    return message


async def press(town, message, label: str, user=None) -> str:
    """Presses a button of a private message; what stands there afterwards."""
    before = message.content
    interaction = await town.world.click(message, label, user or town.admin)
    await interaction.wait_until(lambda _: message.content != before or bool(interaction.messages), 10, "an outcome")
    return message.content


def labels(message) -> list[str]:
    return [one["label"] for row in message.components for one in row["components"]]


async def refusal(town, message, label: str) -> str:
    """Presses a button that does not work; what is told in private."""
    interaction = await town.world.click(message, label, town.admin)
    await interaction.wait_until(lambda _: bool(interaction.messages), 10, "a refusal")
    return interaction.messages[-1].content


def page(message) -> str:
    (embed,) = message.embeds
    fields = [f"{field['name']}\n{field['value']}" for field in embed.get("fields", [])]
    return "\n".join([embed.get("title", ""), embed.get("description", ""), *fields])


def log_of(town, channel) -> list[str]:
    return [message.content for message in town.world.history(channel) if message.author == town.world.bot]


async def until_logged(town, channel, text: str) -> str:
    await town.world.changed.until(
        lambda: any(text in line for line in log_of(town, channel)), 10, f"{text!r} in the log channel"
    )
    return next(line for line in log_of(town, channel) if text in line)


# --- limits that then hold ---------------------------------------------------------------------------------------


LISTS = ("models", "channels", "roles")
LOOKING = (*LISTS, "cooldown", "quota", "budget", "concurrency", "defaults", "moderation", "previews", "log")


async def test_a_subcommand_without_options_shows_and_changes_nothing(town, people):
    await told(town, "quota", images=3, per="hour")
    await told(town, "concurrency", jobs=2)
    await told(town, "log", channel=people.pictures)
    await told(town, "previews", enabled=False)
    before = (
        await town.settings_held(),
        await town.limits_held(),
        await town.app.store.servers.audit(town.here, 50),
    )

    shown = {name: (await told(town, name)).content for name in LOOKING}

    assert (
        await town.settings_held(),
        await town.limits_held(),
        await town.app.store.servers.audit(town.here, 50),
    ) == before
    assert "**Pictures per hour for every member:** 3" in shown["quota"]
    assert "**Pictures per day for every member:** 50" in shown["quota"]
    assert f"<#{people.pictures.id}>" in shown["log"]
    assert all("remove:True" in shown[name] for name in ("quota", "concurrency", "budget", "log", "previews"))


async def test_what_is_to_be_removed_is_removed_and_a_value_beside_is_refused(town, people):
    await told(town, "log", channel=people.pictures)
    await told(town, "quota", images=5, role=people.painters)

    assert "not both" in (await told(town, "cooldown", seconds=5, remove=True)).content
    assert "→ not set" in (await told(town, "quota", role=people.painters, remove=True)).content
    assert "→ none" in (await told(town, "log", remove=True)).content
    assert "→ no limit" in await press(town, await told(town, "quota", remove=True), "Confirm")


async def test_removing_what_is_not_there_says_so_and_changes_nothing(town):
    for name, what in (("cooldown", "not set"), ("concurrency", "not set"), ("apikey", "none")):
        said = (await told(town, name, remove=True)).content
        assert f"{what} (unchanged)" in said
    assert await town.app.store.servers.audit(town.here) == []


async def test_a_quota_set_here_refuses_the_second_picture_with_that_very_number(town):
    message = await told(town, "quota", images=1)
    assert message.content == "**Pictures per day for every member:** 50 → 1"

    first = await town.answer(await town.imagine(quality="low"))
    assert first.attachments
    await town.quiet()
    refused = await town.answer(await town.imagine(quality="low"))

    assert "1 of 1 picture per day is used (for every member); this needs 1" in refused.content
    assert "/settings quota" in refused.content
    assert len(town.images.calls) == 1


async def test_a_cooldown_refuses_and_a_role_may_be_let_off(town, people):
    await told(town, "cooldown", seconds=3600)
    answer = await told(town, "cooldown", seconds=0, role=people.painters)
    assert answer.content.endswith("not set → no limit")
    for user, served in ((town.member, False), (people.painter, True)):
        await town.answer(await town.imagine(user, quality="low"))
        await town.quiet()
        second = await town.answer(await town.imagine(user, quality="low"))
        assert bool(second.attachments) is served
        await town.quiet()


async def test_a_budget_is_told_in_pictures_and_warns_where_it_is_below_one(town):
    assert "about 7 pictures with the current defaults" in (await told(town, "budget", usd="0.10")).content
    below = (await told(town, "budget", usd="0.01", per="day")).content
    assert "less than one picture" in below
    assert "usually $0.013" in below


async def test_a_budget_below_the_price_refuses_every_picture(town):
    message = await told(town, "budget", usd="0.001")
    assert "$10.00 → $0.001" in message.content
    refused = await town.answer(await town.imagine(quality="high"))
    assert "$0.001 per month (for the whole server)" in refused.content
    assert town.images.calls == []


async def test_nothing_at_once_is_possible_and_said_to_mean_nothing_at_all(town):
    message = await told(town, "concurrency", jobs=0)
    assert "0 blocks it completely" in message.content
    assert "0 jobs at once" in (await town.answer(await town.imagine())).content


async def test_a_channels_limit_holds_in_that_channel_alone(town, people):
    await told(town, "quota", images=0, channel=people.pictures)
    assert "per day" in (await town.answer(await town.imagine(channel=people.pictures))).content
    assert (await town.answer(await town.imagine(quality="low"))).attachments


# --- questions before more money goes out ------------------------------------------------------------------------


async def test_raising_a_budget_is_asked_first_and_then_done(town):
    message = await told(town, "budget", usd="25")
    assert "$10.00 → $25.00" in message.content
    assert "more spending than before" in message.content
    assert (await server_budget(town)).amount == 10_000_000

    after = await press(town, message, "Confirm")

    line, pictures = after.splitlines()
    assert line == "**Budget per month for the whole server:** $10.00 → $25.00"
    assert "about 1,877 pictures" in pictures
    assert labels(message) == ["Undo"]
    assert (await server_budget(town)).amount == 25_000_000


async def server_budget(town):
    return next(one for one in await town.limits_held() if one.scope is Scope.SERVER and one.measure is Measure.DOLLARS)


async def test_removing_a_budget_can_be_thought_better_of(town):
    message = await told(town, "budget", remove=True)
    assert "removes a budget" in message.content
    assert await press(town, message, "Cancel") == "Nothing was changed."
    assert (await server_budget(town)).amount == 10_000_000


async def test_who_lost_the_right_meanwhile_can_confirm_nothing(town, people):
    message = await told(town, "budget", usd="25")
    people.studio.members[town.admin.id].role_ids = ()
    interaction = await town.world.click(message, "Confirm", town.admin)
    refusal = await interaction.wait_answer()
    assert "Manage Server" in refusal.content
    assert (await server_budget(town)).amount == 10_000_000


async def test_a_key_form_opened_before_the_right_was_lost_changes_nothing(town, people):
    town.images.key = None  # takes every key
    modal = await (await town.world.slash(town.admin, town.general, "/settings apikey")).wait_modal()
    people.studio.members[town.admin.id].role_ids = ()
    sent = await town.world.submit_form(modal, {"key": "sk-of-somebody-dismissed"}, user=town.admin)
    assert "Manage Server" in (await sent.wait_answer()).content
    assert (await town.settings_held()).api_key_hint is None


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("budget", {"usd": "$1e309"}, "an amount from 0 to 1,000,000 dollars"),
        ("budget", {"usd": "-5"}, "an amount from 0 to 1,000,000 dollars"),
        ("budget", {"usd": "99999999"}, "an amount from 0 to 1,000,000 dollars"),
        ("quota", {"images": -1}, "a whole number from 0 to 1,000,000"),
        ("quota", {"images": 2**52}, "a whole number from 0 to 1,000,000"),
        ("cooldown", {"seconds": -30}, "a whole number from 0 to 2,592,000"),
        ("concurrency", {"jobs": 1001}, "a whole number from 0 to 1,000"),
        ("models", {"allow": "gpt-imagine"}, "no model called"),
        ("defaults", {"size": "512x512"}, "Closest: 816x816"),
        ("defaults", {"quality": "hd"}, "Closest: high"),
        ("defaults", {"model": "nothing-like-it"}, "no model called"),
    ],
)
async def test_bad_input_is_one_sentence_and_changes_nothing(town, name, options, words):
    before = await town.limits_held(), await town.settings_held()
    message = await told(town, name, **options)
    assert words in message.content
    assert (await town.limits_held(), await town.settings_held()) == before
    assert await town.app.store.servers.audit(town.here) == []


async def test_a_limit_is_for_one_of_role_member_and_channel(town, people):
    message = await told(town, "quota", images=5, role=people.painters, member=town.member)
    assert "Give only one" in message.content
    assert await town.app.store.servers.audit(town.here) == []


async def test_whoever_is_not_in_the_server_gets_no_limit_but_can_be_blocked(town, people):
    assert "not on this server" in (await told(town, "quota", images=5, member=people.outsider)).content
    assert "not blocked → blocked" in (await told(town, "block", member=people.outsider)).content


async def test_members_do_not_even_see_the_command(town):
    with pytest.raises(NotPossible):
        await town.world.slash(town.member, town.general, "/settings show")


# --- who, where, with what -----------------------------------------------------------------------------------------


async def test_a_denied_model_is_refused_and_not_completed(town):
    await told(town, "models", deny="dall-e-3")
    refused = await town.answer(await town.imagine(model="dall-e-3"))
    assert "`dall-e-3` is not allowed on this server" in refused.content
    interaction = await town.world.autocomplete(town.member, town.general, "/imagine", "model", "dall")
    assert "dall-e-3" not in [choice["value"] for choice in await interaction.wait_choices()]
    still = (await told(town, "models", allow="all")).content
    assert "Still denied: `dall-e-3`. `/settings models deny:all` changes that." in still
    assert "never: dall-e-3 → all" in (await told(town, "models", deny="all")).content
    assert "Still denied" not in (await told(town, "models", allow="all")).content


async def test_models_and_defaults_are_completed(town):
    async def choices(name, option, typed, **options):
        interaction = await town.world.autocomplete(
            town.admin, town.general, f"/settings {name}", option, typed, options
        )
        return [choice["value"] for choice in await interaction.wait_choices()]

    assert (await choices("models", "allow", ""))[0] == "all"
    assert "dall-e-3" in await choices("models", "deny", "dall")
    assert await choices("defaults", "quality", "", model="dall-e-3") == ["standard", "hd", "none"]
    assert "1024x1024" in await choices("defaults", "size", "1024")
    assert "gpt-image-2" in await choices("defaults", "model", "image-2")


async def test_defaults_are_used_where_nothing_was_chosen(town):
    message = await told(town, "defaults", model="gpt-image-2", quality="low", size="1536x1024", private=True)
    assert "none → model gpt-image-2, size 1536x1024, quality low, private: yes" in message.content
    answer = await town.answer(await town.imagine())
    assert answer.ephemeral
    (call,) = town.images.calls
    assert (call.model, call.fields["quality"], call.fields["size"]) == ("gpt-image-2", "low", "1536x1024")
    await town.quiet()
    assert "→ model gpt-image-2, size 1536x1024, private: yes" in (await told(town, "defaults", quality="none")).content


async def test_channels_and_roles_decide_who_may(town, people):
    await told(town, "channels", allow=people.pictures)
    assert "not allowed in this channel" in (await town.answer(await town.imagine())).content
    assert (await town.answer(await town.imagine(channel=people.pictures, quality="low"))).attachments
    await town.quiet()
    assert (await told(town, "channels", clear=True)).content.endswith("→ all")
    await told(town, "roles", allow=people.painters)
    assert "None of your roles" in (await town.answer(await town.imagine())).content
    assert (await town.answer(await town.imagine(people.painter, quality="low"))).attachments
    await town.quiet()
    assert (
        "cannot be both allowed and denied"
        in (await told(town, "roles", allow=people.painters, deny=people.painters)).content
    )


async def test_denying_the_only_channel_that_was_allowed_closes_all_and_says_so(town, people):
    await told(town, "channels", allow=town.general)
    message = await told(town, "channels", deny=town.general)
    assert f"→ only: none; never: <#{town.general.id}>" in message.content
    assert "nobody can make a picture here" in message.content
    assert "not allowed in this channel" in (await town.answer(await town.imagine())).content
    assert "not allowed in this channel" in (await town.answer(await town.imagine(channel=people.pictures))).content
    assert f"only none, not <#{town.general.id}>" in page(await told(town, "show"))


async def test_a_deleted_role_that_alone_was_allowed_keeps_the_list_closed_and_is_shown_as_gone(town, people):
    await told(town, "roles", allow=people.painters)
    town.world.delete_role(people.studio, people.painters)
    assert "None of your roles" in (await town.answer(await town.imagine(people.painter))).content
    assert f"only <@&{people.painters.id}> (deleted)" in page(await told(town, "show"))


async def test_neither_oneself_nor_the_bot_can_be_blocked(town):
    assert "cannot block yourself" in (await told(town, "block", member=town.admin)).content
    assert "I cannot be blocked" in (await told(town, "block", member=town.world.bot)).content
    assert (await town.settings_held()).blocked == ()


async def test_a_prompt_of_which_nobody_sees_anything_is_refused_and_free(town):
    for prompt in ("-", "\u200b\u2060", "\u3164"):
        assert "an empty prompt" in (await town.answer(await town.imagine(prompt=prompt))).content
    assert town.images.calls == []


async def test_a_blocked_member_is_told_why_and_unblocked_again(town):
    message = await told(town, "block", member=town.member, reason="*too* many foxes")
    assert f"<@{town.member.id}>" in message.content
    assert r"too\* many foxes" in (await town.answer(await town.imagine())).content
    await told(town, "unblock", member=town.member)
    assert (await town.answer(await town.imagine(quality="low"))).attachments


async def test_pause_and_resume(town):
    assert "on → paused: party" in (await told(town, "pause", reason="party")).content
    assert "party" in (await town.answer(await town.imagine())).content
    assert "paused: party → on" in (await told(town, "resume")).content
    assert (await town.answer(await town.imagine(quality="low"))).attachments


async def test_moderation_and_previews_are_switches(town, people):
    message = await told(town, "moderation", level="auto", spoiler=True, age_restricted_only=True)
    assert "level: auto, spoilers: yes, age-restricted only: yes" in message.content
    assert "age-restricted" in (await town.answer(await town.imagine())).content
    assert (await told(town, "previews", enabled=False)).content == "**Live previews:** automatic → off"
    assert "**Live previews:** off (unchanged)" in (await told(town, "previews")).content
    assert (await told(town, "previews", remove=True)).content == "**Live previews:** off → automatic"


# --- log, key, files -----------------------------------------------------------------------------------------------


async def test_changes_are_posted_to_the_log_channel_without_mentioning_anybody(town, people):
    await told(town, "log", channel=people.pictures)
    await told(town, "quota", images=5, role=people.painters)
    line = await until_logged(town, people.pictures, "not set → 5")
    assert f"<@{town.admin.id}>" in line
    assert f"<@&{people.painters.id}>" in line


async def test_a_budget_half_used_is_told_once_in_the_log_channel(town, people):
    await told(town, "log", channel=people.pictures)
    await told(town, "budget", usd="0.03")
    for _ in range(2):  # $0.0059 each
        await town.answer(await town.imagine(quality="low"))
        await town.quiet()
    assert not any("% used" in line for line in log_of(town, people.pictures))
    await town.answer(await town.imagine(quality="low"))
    line = await until_logged(town, people.pictures, "% used")
    assert line.startswith("💰 Budget per month for the whole server: 50% used ($0.018 of $0.03).")


async def test_a_channel_i_may_not_write_in_becomes_no_log_channel(town, people):
    message = await told(town, "log", channel=people.quiet)
    assert f"can't write in <#{people.quiet.id}>" in message.content
    assert (await town.settings_held()).log_channel_id is None


async def enter_key(town, key: str) -> str:
    modal = await (await town.world.slash(town.admin, town.general, "/settings apikey")).wait_modal()
    return (await (await town.world.submit_form(modal, {"key": key}, user=town.admin)).wait_answer()).content


async def test_a_key_goes_through_a_form_is_tried_and_pays(town):
    async def enter(key: str) -> str:
        modal = await (await town.world.slash(town.admin, town.general, "/settings apikey")).wait_modal()
        message = await (await town.world.submit_form(modal, {"key": key}, user=town.admin)).wait_answer()
        assert message.ephemeral
        assert key not in message.content or key == ""
        return message.content

    assert "not an API key" in await enter("nonsense with blanks")
    assert "does not accept this key" in await enter("sk-some-wrong-key")
    assert (await town.settings_held()).api_key_hint is None
    town.images.key = None  # takes every key from here on
    assert "none → …key7" in await enter("sk-our-very-own-key7")
    assert (await town.answer(await town.imagine(quality="low"))).attachments
    await town.quiet()
    assert await town.app.store.servers.api_key(town.here) == "sk-our-very-own-key7"
    assert "…key7 → none" in (await told(town, "apikey", remove=True)).content


async def test_taking_the_key_away_never_moves_what_waits_onto_the_operators(tmp_path):
    async with town_in(tmp_path, OPERATOR_BUDGET_USD="0", MAX_CONCURRENT_JOBS="1") as town:
        town.images.key = None  # takes every key; the last four characters of each are written down
        await enter_key(town, "sk-our-very-own-key7")
        town.images.latency_s = 1
        first = await town.imagine(quality="low", preview=False)
        await until(lambda: len(town.images.calls) == 1)
        waiting = await town.imagine(quality="low", preview=False)
        await until(lambda: len(town.app.jobs.running_ids()) == 2)
        await told(town, "apikey", remove=True)

        assert (await town.answer(first)).attachments
        await town.answer(waiting)
        assert any("own API key was removed while your picture was waiting" in word for word in town.private_words())
        assert [call.key_tail for call in town.images.calls] == ["key7"]


async def test_a_key_that_cannot_be_opened_after_a_change_of_secret_key_is_not_replaced(tmp_path):
    async with town_in(tmp_path, OPERATOR_BUDGET_USD="0", SECRET_KEY=Fernet.generate_key().decode()) as town:
        town.images.key = None
        await enter_key(town, "sk-our-very-own-key7")
        await town.restart(SECRET_KEY=Fernet.generate_key().decode())
        await town.answer(await town.imagine(quality="low", preview=False))

        assert any("enter it again with `/settings apikey`" in word for word in town.private_words())
        assert town.images.calls == []


async def test_the_look_of_results_is_set_shown_and_taken_along(town):
    assert "cost shown, embed" in (await told(town, "look")).content
    said = (await told(town, "look", cost=False, layout="plain", hide="zoom")).content
    assert said == "**Look of results:** cost shown, embed → cost hidden, plain, without Zoom out"
    assert "cost hidden, plain, without Zoom out" in page(await told(town, "show"))
    exported = (await told(town, "export")).attachments[0].data
    await press(town, await told(town, "reset", what="settings"), "Confirm")
    await press(town, await told(town, "import", file=Upload("easel-settings.json", exported)), "Confirm")
    held = await town.settings_held()
    assert (held.show_cost, held.layout, held.hidden_buttons) == (False, "plain", {"zoom"})
    assert "both allowed and denied" in (await told(town, "look", hide="pan", show="pan")).content


async def test_an_export_can_be_imported_after_a_look_at_what_changes(town, people):
    await told(town, "quota", images=5, role=people.painters)
    await told(town, "pause", reason="party")
    await told(town, "log", channel=people.pictures)
    exported = (await told(town, "export")).attachments[0].data
    assert json.loads(exported)["easel"] == 1
    put_back = await press(town, await told(town, "reset", what="all"), "Confirm")
    assert not (await town.settings_held()).paused
    logged = await until_logged(town, people.pictures, "Everything reset")
    for change in ("**Pictures:** paused: party → on", "5 → not set"):
        assert change in put_back
        assert change in logged
        assert change in page(await told(town, "audit"))

    message = await told(town, "import", file=Upload("easel-settings.json", exported))
    assert "not set → 5" in message.content
    assert not (await town.settings_held()).paused
    after = await press(town, message, "Confirm")

    assert "Imported: 2 changes." in after
    assert "not set → 5" in after
    assert (await town.settings_held()).pause_reason == "party"
    again = await told(town, "import", file=Upload("easel-settings.json", exported))
    assert "changes nothing" in again.content


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"easel": 99}', "version 99"),
        (b'{"easel": 1, "settings": {"omnipotence": true}}', "omnipotence"),
        (b'{"easel": 1, "settings": {"layout": "round"}}', "`embed` or `plain`"),
        (b'{"easel": 1, "settings": {"hidden_buttons": ["x"]}}', "again, remix, vary"),
        (b"\x89PNG", "not JSON"),
        (b"{" + b" " * MAX_BYTES, "too large"),
        (b"", "the file is empty"),
    ],
)
async def test_a_file_that_cannot_be_imported_changes_nothing(town, data, words):
    message = await told(town, "import", file=Upload("x.json", data))
    assert words in message.content
    assert "Nothing was changed" in message.content
    assert "spent" not in message.content
    assert await town.app.store.servers.audit(town.here) == []


async def imported(town, document) -> Message:
    return await told(town, "import", file=Upload("s.json", json.dumps({"easel": 1, **document}).encode()))


async def test_an_import_leaves_what_another_admin_did_meanwhile_and_asks_anew_where_it_matters(town, people):
    question = await imported(town, {"settings": {"spoiler": True}})
    await told(town, "block", member=people.painter, user=people.owner)
    assert "Imported: 1 change." in await press(town, question, "Confirm")
    assert [block.user_id for block in (await town.settings_held()).blocked] == [people.painter.id]

    question = await imported(town, {"settings": {"spoiler": False}})
    await told(town, "moderation", level="auto", user=people.owner)
    asked_again = await press(town, question, "Confirm")
    assert asked_again.startswith("⚠️ Settings have changed in the meantime")
    assert (await town.settings_held()).spoiler
    assert "Imported: 1 change." in await press(town, question, "Confirm")
    assert not (await town.settings_held()).spoiler
    assert (await town.settings_held()).moderation == "auto"


async def test_a_budget_or_reset_confirmed_after_somebody_else_changed_it_is_asked_again(town, people):
    question = await told(town, "budget", usd="25")
    await told(town, "budget", usd="5", user=people.owner)
    assert "$5.00 → $25.00\n⚠️ This has changed in the meantime" in await press(town, question, "Confirm")
    assert (await server_budget(town)).amount == 5_000_000
    question = await told(town, "reset", what="all")
    await told(town, "pause", reason="raid", user=people.owner)
    assert (await press(town, question, "Confirm")).startswith("⚠️ This has changed in the meantime")
    assert (await town.settings_held()).paused
    await press(town, question, "Confirm")
    assert not (await town.settings_held()).paused


async def test_an_import_of_another_servers_roles_is_refused_in_words_and_opens_nothing(town, people):
    await told(town, "roles", allow=people.painters)
    answer = await imported(town, {"settings": {"allowed_roles": ["999999999999999999"], "paused": True}})
    assert "None of the roles that the file allows exist here" in answer.content
    assert "Confirm" not in labels(answer)
    assert (await town.settings_held()).allowed_roles == {people.painters.id}
    assert not (await town.settings_held()).paused


async def test_an_import_is_judged_as_the_commands_judge(town):
    answer = await imported(town, {"settings": {"defaults": {"model": "gpt-imagine-9"}}})
    assert "no model called `gpt-imagine-9`" in answer.content
    assert "Confirm" not in labels(answer)


async def test_a_reset_of_limits_is_asked_first(town, people):
    await told(town, "quota", images=5, role=people.painters)
    message = await told(town, "reset", what="limits")
    assert Scope.ROLE in [one.scope for one in await town.limits_held()]
    await press(town, message, "Confirm")
    assert Scope.ROLE not in [one.scope for one in await town.limits_held()]


async def test_the_trail_says_who_changed_what(town, people):
    await told(town, "quota", images=5, role=people.painters)
    await told(town, "pause", reason="[party](http://x.y)")
    text = page(await told(town, "audit"))
    assert text.count(f"<@{town.admin.id}>") == 2
    assert f"Pictures per day for members with <@&{people.painters.id}>:** not set → 5" in text
    assert "](http" not in text.replace("\\]", "")


@pytest.mark.parametrize(
    ("command", "options", "change"),
    [
        ("cooldown", {"seconds": 0}, "not set → no limit"),
        ("quota", {"images": 5}, "not set → 5"),
        ("quota", {"remove": True}, "5 → not set"),
    ],
)
async def test_the_answer_the_log_and_the_trail_say_the_same(town, people, command, options, change):
    if "remove" in options:
        await told(town, "quota", images=5, role=people.painters)
    await told(town, "log", channel=people.pictures)
    answer = await told(town, command, role=people.painters, **options)
    said = await press(town, answer, "Confirm") if "Confirm" in labels(answer) else answer.content
    assert said.endswith(change)
    assert said in await until_logged(town, people.pictures, change)
    assert said in page(await told(town, "audit"))


# --- pages ---------------------------------------------------------------------------------------------------------


async def test_show_is_one_readable_page_with_what_is_spent(town, people):
    await town.answer(await town.imagine(quality="low"))
    await town.quiet()
    await told(town, "quota", images=7, member=town.member)
    text = page(await told(town, "show"))
    for part in (
        "Easel is on",
        "Whole server, per month: **$10.00 ($0.0059 used, resets <t:",
        "Pictures per day: **50** · `/settings quota`",
        f"<@{town.member.id}> · pictures per day: **7**",
        "Models: **all**",
    ):
        assert part in text


async def test_limits_tell_a_member_what_is_left_and_which_rule_says_so(town, people):
    await told(town, "quota", images=5, role=people.painters)
    await town.answer(await town.imagine(people.painter, quality="low"))
    await town.quiet()
    interaction = await town.world.slash(people.painter, town.general, "/limits")
    message = await interaction.wait_answer()
    assert message.ephemeral
    text = page(message)
    assert "**Pictures per day:** 4 of 5 left" in text
    assert f"your role <@&{people.painters.id}>" in text
    assert "<t:" in text
    assert "costs **usually $" in text
    assert "about " in text


async def test_limits_work_where_there_is_no_server(town):
    direct = town.world.dm(town.member)
    message = await (await town.world.slash(town.member, direct, "/limits")).wait_answer()
    assert "operator of this bot sets" in message.embeds[0]["footer"]["text"]
    assert "50 of 50 left" in page(message)


async def test_german_admins_read_german(town, people):
    people.studio.members[people.moderator.id].role_ids += (people.admins.id,)
    message = await told(town, "quota", user=people.moderator, images=5)
    assert message.content == "**Bilder pro Tag für jedes Mitglied:** 50 → 5"


async def test_an_admins_own_data_name_nobody_whom_they_blocked_or_limited(town, people):
    await told(town, "block", member=people.painter, reason="harassed Bob in voice")
    await told(town, "quota", images=3, member=people.painter)
    interaction = await town.world.slash(town.admin, town.general, "/mydata export", {})
    message = await interaction.wait_answer()
    data = json.loads(message.attachments[0].data)
    assert len(data["settings_changed"]) == 2
    assert str(people.painter.id) not in str(data)
    assert "harassed" not in str(data)


# --- taking back -------------------------------------------------------------------------------------------------


@pytest.mark.smoke
async def test_allow_says_what_it_closes_and_undo_opens_it_again(town, people):
    message = await told(town, "channels", allow=people.pictures)
    assert "All other channels are now closed." in message.content

    said = await press(town, message, "Undo")

    assert said.startswith("↩️ Undone.")
    assert f"only: <#{people.pictures.id}> → all" in said
    assert (await town.settings_held()).allowed_channels == frozenset()
    assert "Changes undone" in page(await told(town, "audit"))
    assert f"all → only: <#{people.pictures.id}>" in await press(town, message, "Redo")


async def test_undo_survives_a_restart_and_works_once(town, people):
    await told(town, "log", channel=people.pictures)
    message = await told(town, "quota", images=3)
    await town.restart()
    assert "3 → 50" in await press(town, message, "Undo")
    assert "3 → 50" in await until_logged(town, people.pictures, "Changes undone")
    assert next(one.amount for one in await town.limits_held() if one.measure is Measure.IMAGES) == 50


async def test_undo_is_refused_where_somebody_changed_the_same_since(town):
    message = await told(town, "quota", images=3)
    await told(town, "quota", images=2)
    said = await refusal(town, message, "Undo")
    assert "changed again since" in said
    assert "3 → 2" in said
    assert next(one.amount for one in await town.limits_held() if one.measure is Measure.IMAGES) == 2


async def test_an_import_and_a_reset_are_taken_back_whole(town, people):
    await told(town, "quota", images=5, role=people.painters)
    await told(town, "pause", reason="party")
    message = await told(town, "reset", what="all")
    await press(town, message, "Confirm")
    said = await press(town, message, "Undo")
    assert "on → paused: party" in said
    assert "not set → 5" in said


@pytest.mark.smoke
async def test_undo_is_not_for_who_lost_the_right_nor_for_forged_ids(town):
    message = await told(town, "pause")
    (button,) = [one for row in message.components for one in row["components"]]
    for forged in ("e1:undo:1:1", f"e1:undo:{town.admin.id}:9999999999999999"):
        button["custom_id"] = forged
        assert await refusal(town, message, "Undo")
    assert (await town.settings_held()).paused
