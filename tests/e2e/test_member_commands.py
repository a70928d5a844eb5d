"""/usage, /mydata, /help, /about, /privacy and /report over the wire."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bot.ports import Kept
from bot.rules.people import Place
from bot.rules.servers.edits import logged_to
from bot.ui.interactions.bounds import BOUNDS, Bounded
from sandbox.discord.model import Message
from tests.support.ledger import counts_by_state
from tests.support.running import until


async def ask(town, name: str, user=None, channel=None, **options: object) -> Message:
    interaction = await town.world.slash(user or town.member, channel or town.general, name, options)
    message = await interaction.wait_answer()
    assert message.ephemeral
    return message


async def made(town, prompt: str = "a red fox", user=None, **options: object) -> Message:
    message = await town.answer(await town.imagine(user, prompt=prompt, quality="low", **options))
    await town.quiet()
    return message


def everything(message: Message) -> str:
    return message.content + json.dumps(message.embeds, ensure_ascii=False)


def place(town) -> Place:
    return Place(town.world.town.studio.id, town.member.id)


@pytest.mark.smoke
async def test_usage_shows_ones_own_figures_and_a_chart(town):
    await made(town)
    await made(town, user=town.world.town.painter)

    message = await ask(town, "/usage me")

    assert "1 picture ·" in everything(message)
    assert "gpt-image-2.5-flare" in everything(message)
    (chart,) = message.attachments
    assert chart.filename == "usage.png"
    assert "1 picture" in chart.description


async def test_usage_of_nothing_is_told_too(town):
    assert "nothing yet" in everything(await ask(town, "/usage me"))


async def test_usage_of_the_server_is_for_its_admins(town):
    await made(town)
    await made(town, user=town.world.town.painter)

    refused = await ask(town, "/usage server")
    message = await ask(town, "/usage server", town.admin)

    assert "Manage Server" in refused.content
    assert "2 pictures ·" in everything(message)
    assert f"<@{town.member.id}>" in everything(message)
    assert "$10.00 per month" in everything(message)


async def test_an_admin_takes_the_table_of_the_server_along(town):
    await made(town)

    message = await ask(town, "/usage server", town.admin, export=True)

    chart, table = message.attachments
    assert (chart.filename, table.filename, message.ephemeral) == ("usage.png", "usage.csv", True)
    header, row = list(csv.reader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert header == ["day", "member", "model", "jobs", "pictures", "usd", "unclear_usd"]
    assert row[1:5] == [f"<@{town.member.id}>", "gpt-image-2.5-flare", "1", "1"]
    assert 0 < float(row[5]) < 1
    assert "Manage Server" in (await ask(town, "/usage server", export=True)).content


async def test_what_may_have_been_billed_is_seen_by_admins(town):
    town.images.fail_next("drop_before")
    interaction = await town.imagine(quality="low")
    await town.answer(interaction)
    await town.quiet()
    assert (await counts_by_state(town.app.store))["unknown"] == 1
    assert "Unclear" in everything(await ask(town, "/usage server", town.admin))


async def test_export_is_everything_about_oneself_and_nothing_of_others(town):
    await made(town, "a red fox")
    await made(town, "a green owl", town.world.town.painter)

    message = await ask(town, "/mydata export")

    (file,) = message.attachments
    data = json.loads(file.data)
    assert [job["request"]["prompt"] for job in data["jobs"]] == ["a red fox"]
    assert "owl" not in file.data.decode()
    assert "token" not in file.data.decode().replace("_tokens", "")


async def test_delete_asks_first_then_forgets_and_says_when_it_can_be_done_again(town):
    await made(town)
    (job,) = (await town.app.store.jobs.gallery(place(town), member_id=None, search=None, before=None, limit=5)).jobs
    asked = await ask(town, "/mydata delete")
    assert "Kept" in everything(asked)
    assert await town.app.files.read(job.id, Kept.RESULTS)

    pressed = await town.world.click(asked, "Delete everything", town.member)
    await pressed.wait_until(lambda _: "Deleted" in asked.content, 10, "the word that it is done")

    assert asked.components == []
    assert await town.app.files.read(job.id, Kept.RESULTS) is None
    assert (await town.app.store.people.export(town.member.id))["jobs"] == []
    again = await ask(town, "/mydata delete")
    assert "less than a day ago" in again.content
    assert "<t:" in again.content
    assert again.components == []


async def test_deleting_where_nothing_is_stored_says_so_and_does_not_count(town):
    for _ in range(2):
        asked = await ask(town, "/mydata delete")
        pressed = await town.world.click(asked, "Delete everything", town.member)
        await pressed.wait_until(lambda _, of=asked: "Nothing is stored" in of.content, 10, "that nothing was there")


async def test_a_question_from_before_deletes_only_once_a_day(town):
    await made(town)
    first, second = [await ask(town, "/mydata delete") for _ in range(2)]
    pressed = await town.world.click(first, "Delete everything", town.member)
    await pressed.wait_until(lambda _: "Deleted" in first.content, 10, "the word that it is done")
    await made(town)

    pressed = await town.world.click(second, "Delete everything", town.member)

    await pressed.wait_until(lambda _: "less than a day ago" in second.content, 10, "the word that it was done already")
    assert len((await town.app.store.people.export(town.member.id))["jobs"]) == 1


async def test_delete_while_a_picture_is_drawn_still_brings_it(town):
    town.images.latency_s = 1.5
    interaction = await town.imagine(quality="low")
    await until(lambda: town.images.calls)
    asked = await ask(town, "/mydata delete")
    pressed = await town.world.click(asked, "Delete everything", town.member)
    await pressed.wait_until(lambda _: "Deleted" in asked.content, 10, "the word that it is done")

    message = await town.answer(interaction)

    assert message.attachments
    await town.quiet()
    assert (await town.app.store.people.export(town.member.id))["jobs"] == []


async def test_help_has_a_page_for_every_topic_in_both_languages(town):
    for topic in ("start", "edit", "batch", "limits", "privacy"):
        english = await ask(town, "/help", topic=topic)
        german = await ask(town, "/help", town.world.town.moderator, topic=topic)
        assert english.embeds[0]["description"] != german.embeds[0]["description"]
    assert "/imagine" in everything(await ask(town, "/help"))


async def test_help_for_admins_is_for_who_may_manage_the_server(town):
    async def offered(user) -> list[str]:
        asked = await town.world.autocomplete(user, town.general, "/help", "topic", "admins")
        return [choice["value"] for choice in await asked.wait_choices()]

    assert (await offered(town.member), await offered(town.admin)) == ([], ["admins"])
    assert "`admins`" not in everything(await ask(town, "/help"))
    assert everything(await ask(town, "/help", topic="admins")) == everything(await ask(town, "/help"))
    assert "/settings" in everything(await ask(town, "/help", town.admin, topic="admins"))


async def test_the_examples_of_help_open_the_form_and_run_and_outlive_a_restart(town):
    told = await ask(town, "/help")
    await town.restart()
    opened = await town.world.click(told, "Draw a red fox", town.member)
    form = await opened.wait_modal()
    assert "red fox" in str(form.components)
    left = await town.answer(await town.world.click(told, "What is left for me", town.member))
    assert left.ephemeral
    assert "Your limits here" in everything(left)
    assert not town.images.calls


async def test_about_and_privacy_name_version_service_and_addresses(town):
    await town.restart(PRIVACY_URL="https://example.org/privacy", SUPPORT_URL="https://example.org/help")
    about = everything(await ask(town, "/about"))
    privacy = everything(await ask(town, "/privacy"))
    assert "this server sets" in about
    assert "its operator sets" in everything(await ask(town, "/about", channel=town.world.dm(town.member)))
    assert "https://example.org/help" in about
    assert "https://example.org/privacy" in about
    assert "compatible" in about
    assert "/mydata delete" in privacy
    assert "https://example.org/privacy" in privacy


async def test_a_report_reaches_the_log_channel_and_mentions_nobody(town):
    picture = await made(town)
    log = town.world.town.pictures
    await town.app.store.servers.change_settings(
        place(town), logged_to(log.id), town.admin.id, town.app.client.shell.clock()
    )
    link = f"https://discord.com/channels/{place(town).guild_id}/{town.general.id}/{picture.id}"
    town.app.client.shell.settings_cache.forget(place(town))

    message = await ask(town, "/report", message=link, reason="bad **fox** @everyone")

    assert "have been told" in message.content
    (told,) = [one for one in town.world.history(log) if one.author == town.world.bot]
    assert link in everything(told)
    assert "**fox**" not in everything(told)
    assert not told.mention_everyone
    assert not told.mentions


async def test_a_report_without_a_log_channel_is_left_for_the_operator(town, caplog):
    picture = await made(town)
    message = await ask(town, "/report", message=str(picture.id))
    assert "operator" in message.content
    assert str(picture.id) in caplog.text


async def test_reports_have_a_bound_and_whoever_meets_it_is_told(town, caplog):
    picture = await made(town)
    most = BOUNDS[Bounded.REPORT].most
    answers = [(await ask(town, "/report", message=str(picture.id))).content for _ in range(most + 2)]
    assert ["operator" in answer for answer in answers] == [True] * most + [False] * 2
    assert "too often" in answers[-1]
    assert caplog.text.count("report by user") == most
    assert "operator" in (await ask(town, "/report", town.world.town.painter, message=str(picture.id))).content


async def test_completions_have_a_bound_and_end_empty(town):
    most = BOUNDS[Bounded.COMPLETION].most
    offers = []
    for _ in range(most + 1):
        asked = await town.world.autocomplete(town.member, town.general, "/imagine", "model", "gpt")
        offers.append(await asked.wait_choices())
    assert all(offers[:most])
    assert offers[most] == []


async def test_a_report_about_something_elsewhere_is_refused(town):
    elsewhere = f"https://discord.com/channels/{town.world.town.gallery.id}/1/2"
    for wrong in (elsewhere, "a fox", "12"):
        assert "**Copy Message Link**" in (await ask(town, "/report", message=wrong)).content


async def test_the_menu_of_a_picture_reports_it_also_after_a_restart(town, caplog):
    picture = await made(town)
    opened = await town.settled(await town.world.message_menu(town.painter, picture, "Report picture"))
    await town.restart()
    sent = await town.settled(await town.world.submit_form(opened.modal, {"reason": "not **nice** @everyone"}))
    assert "operator" in sent.messages[0].content
    assert sent.messages[0].ephemeral
    assert f"{town.general.id}/{picture.id}: not **nice** @everyone" in caplog.text


async def test_vary_in_the_menu_of_a_picture_says_what_it_varies(town):
    varied = await town.settled(await town.world.message_menu(town.painter, await made(town), "Vary image"))
    assert "**Variation of: " in varied.messages[0].embeds[0]["description"]


async def test_deleting_ends_no_cooldown_and_frees_no_job_at_once(town):
    for name, options in (("concurrency", {"jobs": 1}), ("cooldown", {"seconds": 86400})):
        setting = await town.world.slash(town.admin, town.general, f"/settings {name}", options)
        await setting.wait_answer()
    town.images.latency_s = 3
    drawn = await town.imagine(quality="low", preview=False)
    await until(lambda: len(town.images.calls) == 1)
    asked = await ask(town, "/mydata delete")
    pressed = await town.world.click(asked, "Delete everything", town.member)
    await pressed.wait_until(lambda _: "Deleted" in asked.content, 10, "the word that it is done")

    refused = await (await town.imagine(quality="low")).wait_answer()
    assert "at once" in refused.content
    assert (await town.answer(drawn)).attachments
    refused = await (await town.imagine(quality="low")).wait_answer()
    assert "<t:" in refused.content
    await town.quiet()
    assert len(town.images.calls) == 1
