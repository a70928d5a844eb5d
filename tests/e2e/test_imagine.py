"""/imagine over the wire: what the person sees, what the service got, and what is in the ledger."""

from __future__ import annotations

import asyncio
import io
import statistics
from dataclasses import replace

import pytest
from PIL import Image

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.people import Place
from bot.ui.client.doorway import AT_ONCE
from bot.ui.words.catalogue import say
from sandbox.discord.faults import FIRST_ANSWER
from sandbox.discord.model import Upload

MODELS = [model.id for model in load_catalogue(builtin_catalogue())]


def place_of(town) -> Place:
    return Place(town.world.town.studio.id, town.member.id)


async def jobs_of(town, place=None, **options):
    wanted = {"member_id": None, "search": None, "before": None, "limit": 50} | options
    return list((await town.app.store.jobs.gallery(place or place_of(town), **wanted)).jobs)


def picture(attachment):
    with Image.open(io.BytesIO(attachment.data)) as opened:
        opened.load()
        return opened


def text_of(message) -> str:
    embeds = [f"{e.get('title', '')} {e.get('description', '')} {e.get('fields', '')}" for e in message.embeds]
    return "\n".join([message.content, *embeds])


@pytest.mark.smoke
async def test_a_member_asks_and_gets_a_picture(town):
    message = await town.answer(await town.imagine(prompt="a red fox", size="1536x1024", quality="low"))

    (attachment,) = message.attachments
    assert picture(attachment).size == (1536, 1024)
    assert attachment.description == "a red fox"
    (call,) = town.images.calls
    assert (call.model, call.prompt) == ("gpt-image-2.5-flare", "a red fox")
    await town.quiet()
    (job,) = await jobs_of(town)
    assert job.state == "settled"
    assert (job.reserved_micro_usd, job.charged_micro_usd) == (0, 158 * 30 + (3 + 6) * 5)


async def test_all_fourteen_models_make_a_picture(town):
    assert len(MODELS) == 14
    for model in MODELS:
        message = await town.answer(await town.imagine(prompt=f"made by {model}", model=model))

        call = town.images.calls[-1]
        assert call.model == model
        assert picture(message.attachments[0]).width >= 256
        assert model in text_of(message)
        is_dalle = model.startswith("dall-e")
        assert ("response_format" in call.fields) is is_dalle
        assert "user" in call.fields
        assert "safety_identifier" not in call.fields


async def test_a_revised_prompt_is_shown(town):
    message = await town.answer(await town.imagine(prompt="a dog", model="dall-e-3", style="natural", quality="hd"))

    assert "rendering of: a dog" in text_of(message)


async def test_dall_e_3_makes_four_pictures_with_four_calls_in_one_message(town):
    message = await town.answer(await town.imagine(prompt="a dog", model="dall-e-3", count=4))

    assert len(message.attachments) == 4
    assert len(town.images.calls) == 4
    await town.quiet()
    (job,) = await jobs_of(town)
    assert job.charged_micro_usd == 4 * 40_000


@pytest.mark.parametrize(
    ("options", "format_name"),
    [
        ({"format": "webp", "compression": 60}, "WEBP"),
        ({"format": "jpeg"}, "JPEG"),
        ({"background": "transparent"}, "PNG"),
        ({"model": "gpt-image-2.6-flare", "format": "gif", "frames": 4, "frame_ms": 150}, "GIF"),
    ],
)
async def test_options_reach_the_service_and_the_picture(town, options, format_name):
    message = await town.answer(await town.imagine(**options))

    made = picture(message.attachments[0])
    assert made.format == format_name
    if options.get("background"):
        assert made.convert("RGBA").getextrema()[3][0] == 0
    if options.get("frames"):
        assert made.n_frames == 4


async def test_svg_is_delivered_with_a_preview_people_can_see(town):
    message = await town.answer(await town.imagine(model="gpt-image-2.6-sunburst", format="svg"))

    names = [attachment.filename for attachment in message.attachments]
    assert any(name.endswith(".svg") for name in names)
    assert any(name.endswith(".png") for name in names)


REFUSALS = [
    ({"size": "512x512"}, ["`gpt-image-2.5-flare` cannot make 512x512", "multiples of 16", "655,360", "816x816"]),
    ({"size": "0x0"}, ["0x0"]),
    ({"size": "1e3x1"}, ["1e3x1"]),
    ({"size": "٣x٣"}, ["cannot"]),
    ({"size": "99999x99999"}, ["99999x99999"]),
    ({"model": "gpt-image-9"}, ["gpt-image-9", "/models"]),
    ({"model": "dall-e-3", "background": "transparent"}, ["background"]),
    ({"format": "jpeg", "background": "transparent"}, ["format", "transparency needs png or webp"]),
    ({"format": "png", "compression": 50}, ["compression"]),
    ({"model": "dall-e-2", "quality": "max", "size": "1024x1536"}, ["quality", "size"]),
    ({"quality": "hd"}, ["quality", "hd"]),
    ({"frames": 4}, ["frames"]),
    ({"prompt": "x" * 4001, "model": "dall-e-3"}, ["4,000"]),
]


@pytest.mark.parametrize(("options", "fragments"), REFUSALS, ids=[str(o)[:40] for o, _ in REFUSALS])
async def test_what_cannot_be_made_is_told_in_private_and_costs_nothing(town, options, fragments):
    message = await town.answer(await town.imagine(**options))

    assert message.ephemeral
    for fragment in fragments:
        assert fragment in message.content.replace("\\", "")
    assert town.images.calls == []
    assert await jobs_of(town) == []


async def test_all_problems_are_told_at_once(town):
    message = await town.answer(
        await town.imagine(model="dall-e-3", size="1000x1000", quality="max", background="opaque", frames=3)
    )

    for option in ("size", "quality", "background", "frames"):
        assert option in message.content


@pytest.mark.parametrize(
    "prompt",
    [
        "@everyone and <@&123> and <@456>",
        "**bold** [link](https://example.com) `code` ||spoiler|| # heading",
        "\u202edesrever\u202c and zero\u200bwidth",
        "```\nfence\n``` discord.gg/abcdef",
        "a\x00b",
        "é" * 3000,
        "👩‍👩‍👧‍👦" * 300,
    ],
)
async def test_hostile_prompts_are_drawn_and_shown_harmlessly(town, prompt):
    message = await town.answer(await town.imagine(prompt=prompt))

    assert message.attachments
    shown = text_of(message)
    assert "\u202e" not in shown
    assert "@everyone" not in shown.replace("@\u200beveryone", "").replace("\\@everyone", "")


async def test_a_prompt_file_brings_more_words_than_an_option_can(town):
    words = "a very long description of a fox. " * 300
    file = Upload("prompt.txt", words.encode(), "text/plain")

    message = await town.answer(await town.imagine(prompt="-", prompt_file=file))

    assert any(attachment.filename.endswith(".txt") for attachment in message.attachments)
    assert len(town.images.calls[0].prompt) > 6000


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "füchse".encode("utf-16"), b"", b"x" * 200_000],
    ids=["png", "utf16", "empty", "long"],
)
async def test_a_prompt_file_that_is_none_is_refused(town, data):
    message = await town.answer(await town.imagine(prompt="-", prompt_file=Upload("prompt.txt", data, "text/plain")))

    assert message.ephemeral
    assert town.images.calls == []


async def test_a_cooldown_is_told_with_the_time_it_ends_and_costs_nothing(town):
    await town.restart(DEFAULT_COOLDOWN_S="30")
    await town.answer(await town.imagine())

    message = await town.answer(await town.imagine())

    assert message.ephemeral
    assert "<t:" in message.content
    assert ":R>" in message.content
    assert len(town.images.calls) == 1


async def test_a_refusal_of_the_service_counts_for_the_cooldown_for_it_was_sent(town):
    await town.restart(DEFAULT_COOLDOWN_S="30")
    refused = await town.answer(await town.imagine(prompt="something forbidden"))
    waits = await town.answer(await town.imagine())

    assert "safety" in refused.content
    assert refused.ephemeral
    assert not waits.attachments
    assert "30" in waits.content


async def test_what_was_never_sent_does_not_start_the_cooldown(town):
    await town.restart(DEFAULT_COOLDOWN_S="30")
    bad = await town.answer(await town.imagine(size="70x70"))
    made = await town.answer(await town.imagine())

    assert not bad.attachments
    assert made.attachments


async def test_private_results_are_seen_by_the_asker_alone(town):
    message = await town.answer(await town.imagine(private=True))

    assert message.ephemeral
    assert message.attachments


async def test_direct_messages_threads_and_user_installs_work(town):
    world = town.world
    nomi = world.town.outsider
    for user, channel in [
        (town.member, world.dm(town.member)),
        (town.member, world.town.thread),
        (nomi, world.town.far),
        (nomi, world.dm(nomi)),
    ]:
        message = await town.answer(await world.slash(user, channel, "/imagine", {"prompt": "hello"}))
        assert message.attachments, channel.name
    await town.quiet()
    assert len(await jobs_of(town, Place(None, nomi.id))) == 2


async def test_a_picture_in_a_server_without_the_bot_is_linked_by_its_channel_alone(town):
    world, nomi = town.world, town.world.town.outsider
    for channel in (world.town.far, world.dm(nomi)):
        await town.answer(await world.slash(nomi, channel, "/imagine", {"prompt": "hello", "quality": "low"}))
    listed = (await town.answer(await world.slash(nomi, world.town.far, "/gallery"))).embeds[0]["description"]
    assert f"https://discord.com/channels/@me/{world.dm(nomi).id}/" in listed
    assert f"· <#{world.town.far.id}>" in listed
    assert listed.count("https://") == 1


async def test_a_limit_met_in_direct_messages_is_the_operators_and_no_servers(town):
    await town.restart(DEFAULT_IMAGES_PER_DAY="1")
    typed = await town.world.slash(
        town.member, town.world.dm(town.member), "/imagine", {"prompt": "hello", "count": 2, "quality": "low"}
    )
    message = await town.answer(typed)

    assert "(for you, outside servers)" in message.content
    assert "the bot's operator" in message.content
    assert "/settings" not in message.content


@pytest.mark.smoke
async def test_where_the_bot_may_not_answer_nothing_is_spent(town):
    message = await town.answer(await town.imagine(channel=town.world.town.quiet))

    assert message.ephemeral
    assert "Attach Files" in message.content or "Send Messages" in message.content
    assert town.images.calls == []


async def test_an_interaction_discord_has_forgotten_costs_nothing(town):
    town.discord.fail_next(FIRST_ANSWER, status=404, code=10062)
    await town.imagine()
    await asyncio.sleep(0.3)
    await town.quiet()

    assert town.images.calls == []
    assert await jobs_of(town) == []


async def test_a_picture_over_the_upload_limit_is_shrunk_and_says_so(town):
    town.world.town.studio.upload_limit = 200_000
    town.world.users[town.member.id] = small = replace(town.member, upload_limit=200_000)

    message = await town.answer(await town.imagine(small, size="2048x2048"))

    assert len(message.attachments[0].data) <= 200_000
    await town.quiet()
    (job,) = await jobs_of(town)
    original = await town.app.client.shell.pictures.result(job.id, 0)
    assert len(original.data) > 200_000

    details = f"e1:details:{job.id}"
    refused = await (await town.world.click(message, details, small)).wait_idle()
    with_nitro = await (await town.world.click(message, details, town.admin)).wait_idle()

    assert not any(one.attachments for one in refused.messages)
    assert "Discord accepts at most 195 KB" in refused.messages[-1].content
    (file,) = with_nitro.messages[-1].attachments
    assert file.data == original.data
    assert all(one.ephemeral for one in [*refused.messages, *with_nitro.messages])


@pytest.mark.parametrize("each", [2, pytest.param(10, marks=[pytest.mark.slow, pytest.mark.alone])], ids=["40", "200"])
async def test_many_commands_at_once_are_all_acknowledged_and_answered(town, each):
    """Whoever fits through the doorway gets a picture, however slow the machine; of the others it may refuse some."""
    people = [town.world.new_user(f"person{number}") for number in range(20)]
    for person in people:
        town.world.add_member(town.world.town.studio, person)
    await town.restart(DEFAULT_BUDGET_USD="1000", DEFAULT_IMAGES_PER_DAY="none")

    interactions = await asyncio.gather(
        *(
            town.imagine(person, prompt=f"{person.name} {n}", model="dall-e-2", size="256x256")
            for person in people
            for n in range(each)
        )
    )
    messages = await asyncio.gather(*(town.answer(one, 90) for one in interactions))

    refused = [message for message in messages if not message.attachments]
    assert [message.content for message in refused] == [say("en-US", "error.busy")] * len(refused)
    assert all(message.ephemeral for message in refused)
    drawn = len(messages) - len(refused)
    assert drawn >= min(len(messages), AT_ONCE)
    assert len(town.images.calls) == drawn
    jobs = [job for person in people for job in await town.jobs(person)]
    assert [job.state for job in jobs] == ["settled"] * drawn
    acks = sorted(one.ack_s for one in interactions)
    assert acks[-1] < 3, f"p50 {statistics.median(acks):.2f} s, worst {acks[-1]:.2f} s"


async def test_models_are_listed_readably(town):
    interaction = await town.world.slash(town.member, town.general, "/models", {})

    message = await interaction.wait_answer()

    first = message.embeds[0]["description"].split("\n")[2]
    assert first == "**2.5 flare** · ≈ $0.013 · edits · default"
    menu = message.components[0]["components"][0]
    assert len(menu["options"]) > 8
    pick = ["gpt-image-2.6-flare"]
    picked = await town.settled(await town.world.select(message, menu["custom_id"], pick, town.member))
    assert picked.messages == []
    assert "`gpt-image-2.6-flare`" in text_of(message)
    assert "usually" in text_of(message)
    await town.restart()
    await town.settled(await town.world.click(message, "All models", town.member))
    assert message.embeds[0]["description"].split("\n")[2] == first


async def test_completion_follows_the_chosen_model(town):
    for model, expected in [("dall-e-3", {"standard", "hd"}), ("gpt-image-1.5", {"low", "medium", "high", "auto"})]:
        asked = await town.world.autocomplete(
            town.member, town.general, "/imagine", "quality", options={"prompt": "x", "model": model}
        )
        assert {choice["value"] for choice in await asked.wait_choices()} == expected
