"""What the image service does wrong, over the wire: what the member reads, what is charged, how often it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from bot.rules.ledger import JobState
from sandbox.gateways import DIALECTS, Gateway
from sandbox.images.faults import FAULTS, Stream, answer, delay
from tests.support.running import KEY, Town, town_in

FREE, CHARGED = "It cost nothing", "may have been billed"
BLOCKED = "safety system"
OPENS_THE_CIRCUIT = frozenset({"insufficient_quota", "billing_hard_limit", "bad_key"})


@dataclass(frozen=True)
class Row:
    """``posts``: how often the service was asked in all. ``words`` None: pictures."""

    state: JobState
    posts: int = 1
    words: str | None = None


SETTLED = Row(JobState.SETTLED)
UNKNOWN = Row(JobState.UNKNOWN, words=CHARGED)
RELEASED = Row(JobState.RELEASED, words=FREE)
REFUSED = Row(JobState.REFUSED, words=BLOCKED)

ROWS: dict[str, Row] = {
    "rate_limited": Row(JobState.RELEASED, 5, "not accepting more requests"),
    "rate_limited_briefly": Row(JobState.RELEASED, 5, "not accepting more requests"),
    "rate_limited_for_an_hour": Row(JobState.RELEASED, 1, "in 60 min"),
    "rate_limited_without_header": Row(JobState.RELEASED, 5, FREE),
    "rate_limited_nonsense": Row(JobState.RELEASED, 5, FREE),
    "slow_down": Row(JobState.RELEASED, 2, FREE),
    "moderation_blocked": REFUSED,
    "moderation_blocked_output": REFUSED,
    "content_policy_violation": REFUSED,
    "forbidden": Row(JobState.RELEASED, 1, "not available to this bot"),
    "model_not_found": Row(JobState.RELEASED, 1, "no longer has"),
    "bare_404": RELEASED,
    "too_large": RELEASED,
    "unprocessable": Row(JobState.RELEASED, 1, "`size`"),
    "plain_error": RELEASED,
    "proxied_error": REFUSED,
    **dict.fromkeys(
        ("server_error", "overloaded", "error_500_html", "bad_gateway", "unavailable"),
        UNKNOWN,  # the sandbox is not OpenAI's own host
    ),
    **dict.fromkeys(("made_but_500", "made_but_502", "made_but_503"), UNKNOWN),
    "gateway_timeout": UNKNOWN,
    "timeout_524": UNKNOWN,
    "slow": UNKNOWN,
    "never": UNKNOWN,
    "drop_before": UNKNOWN,
    "reset": UNKNOWN,
    "drop_after_headers": UNKNOWN,
    "drop_mid_body": UNKNOWN,
    "html_200": UNKNOWN,
    "text_200": UNKNOWN,
    "broken_json": UNKNOWN,
    "data_missing": UNKNOWN,
    "data_null": UNKNOWN,
    "data_empty": UNKNOWN,
    "data_short": SETTLED,
    "data_without_picture": UNKNOWN,
    "error_in_200": UNKNOWN,
    "usage_missing": SETTLED,
    "usage_zero": SETTLED,
    "bad_base64": UNKNOWN,
    "data_uri": SETTLED,
    "base64_in_lines": SETTLED,
    "base64_for_addresses": SETTLED,
    "base64_without_padding": SETTLED,
    "made_otherwise": SETTLED,
    "wrong_bytes": UNKNOWN,
    "empty_bytes": UNKNOWN,
    "truncated_picture": UNKNOWN,
    **dict.fromkeys(("bmp_picture", "tiff_picture", "avif_picture", "unknown_picture", "vast_picture"), SETTLED),
    "junk_in_jpeg": SETTLED,
    "png_without_end": SETTLED,
    "url": SETTLED,
    "url_relative": SETTLED,
    "url_expired": UNKNOWN,
    "url_guarded": SETTLED,
    "url_late": SETTLED,
    "url_moved": SETTLED,
    "url_itself": SETTLED,
    "stream_ignored": SETTLED,
    "stream_ends_early": UNKNOWN,
    "stream_error": Row(JobState.UNKNOWN, words=BLOCKED),
    "stream_typed_error": Row(JobState.UNKNOWN, words=BLOCKED),
    "stream_bare_error": Row(JobState.UNKNOWN, words=BLOCKED),
    "stream_error_line": Row(JobState.UNKNOWN, words=BLOCKED),
    "stream_by_name": SETTLED,
    "stream_twice": SETTLED,
    "stream_disordered": SETTLED,
    "stream_unknown": SETTLED,
    "stream_comments": SETTLED,
    "stream_stalls": UNKNOWN,
    "stream_break": UNKNOWN,
}


@pytest.fixture
async def town(tmp_path):
    """A town without limits on members, a deadline of 7 s, and retries that do not wait."""
    unlimited = {"DEFAULT_IMAGES_PER_DAY": "none", "DEFAULT_BUDGET_USD": "1000", "JOB_TIMEOUT_S": "7"}
    waited = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    async with town_in(tmp_path, sleep=wait, **unlimited) as made:
        made.waited = waited
        yield made
        await made.check()


def test_every_fault_of_the_sandbox_has_its_row():
    assert set(ROWS) | OPENS_THE_CIRCUIT == set(FAULTS)


@pytest.mark.parametrize(
    ("fault", "ending", "magic"),
    [
        ("bmp_picture", "bmp", b"BM"),
        ("tiff_picture", "tiff", b"II*"),
        ("avif_picture", "avif", b"\0\0\0"),
        ("unknown_picture", "bin", b"\0PIC"),
        ("vast_picture", "png", b"\x89PNG"),
        ("junk_in_jpeg", "jpg", b"\xff\xd8"),
        ("png_without_end", "png", b"\x89PNG"),
    ],
)
async def test_a_paid_picture_that_nobody_could_look_at_is_shown_with_its_true_bytes(town, fault, ending, magic):
    town.images.fail_next(fault)
    message = await town.answer(await town.imagine(quality="low", preview=False))
    (file,) = message.attachments
    assert file.filename.endswith(f"-1.{ending}")
    assert file.data.startswith(magic)
    await town.quiet()
    (job,) = await town.jobs()
    assert job.state is JobState.SETTLED
    kept = await town.app.client.shell.pictures.result(job.id, 0)
    assert (kept.data, kept.format.replace("jpeg", "jpg")) == (file.data, ending)
    gallery = await town.world.slash(town.member, town.general, "/gallery", {})
    assert (await gallery.wait_answer()).embeds


async def seen(town: Town, name: str) -> Row:
    """What came of a job whose every call meets the fault."""
    town.images.fail_next(name, times=None, when=lambda call: call.prompt == name)
    streams = isinstance(FAULTS[name], Stream)
    interaction = await town.imagine(
        prompt=name, quality="low", preview=streams, count=2 if name == "data_short" else 1
    )
    message = await town.answer(interaction, 60)
    posts = sum(call.prompt == name for call in town.images.calls)
    if message.attachments:
        return Row(JobState.SETTLED, posts)
    assert message.ephemeral, name
    await town.quiet()
    (job,) = [job for job in await town.jobs() if job.request.prompt == name]
    assert (job.charged_micro_usd > 0) is (job.state is JobState.UNKNOWN), name
    wanted = ROWS[name].words or ""
    return Row(job.state, posts, wanted if wanted in message.content else message.content)


ODD_BUT_GOOD = (
    *("base64_in_lines", "base64_for_addresses", "base64_without_padding", "data_uri"),
    *("url_late", "url_moved", "url_itself", "stream_by_name"),
)


async def test_a_picture_that_comes_in_an_odd_way_is_shown(town):
    found = await asyncio.gather(*(seen(town, name) for name in ODD_BUT_GOOD))

    assert dict(zip(ODD_BUT_GOOD, found, strict=True)) == dict.fromkeys(ODD_BUT_GOOD, SETTLED)


@pytest.mark.slow
async def test_every_fault_ends_in_its_state_with_its_words_and_without_a_forbidden_repetition(town):
    found = dict(zip(ROWS, await asyncio.gather(*(seen(town, name) for name in ROWS)), strict=True))

    assert found == ROWS
    await town.quiet()
    states = {job.request.prompt: job.state for job in await town.jobs()}
    assert states == {name: row.state for name, row in ROWS.items()}


@pytest.mark.parametrize("fault", ["made_but_500", "made_but_502", "made_but_503"])
async def test_what_a_gateway_denies_at_once_was_perhaps_made_so_it_is_paid_once_and_not_asked_again(town, fault):
    town.images.fail_next(fault, times=None)

    message = await town.answer(await town.imagine(quality="low", preview=False))

    assert CHARGED in message.content
    assert [call.rendered for call in town.images.calls] == [True]
    await town.quiet()
    (job,) = await town.jobs()
    assert job.state is JobState.UNKNOWN
    assert job.charged_micro_usd > 0


async def test_a_short_rate_limit_is_waited_out_and_moves_everybodys_next_slot(town):
    town.images.fail_next("rate_limited_briefly")

    message = await town.answer(await town.imagine())

    assert message.attachments
    assert len(town.images.calls) == 2
    assert len(town.waited) == 1
    slot = await town.app.store.leases.take_slot("images operator", 60)
    pushed = await town.app.store.leases.take_slot("images operator", 60)
    assert pushed > slot


async def test_a_rate_limit_holds_back_the_slot_that_the_queue_takes(town):
    town.images.fail_next("rate_limited")  # says: in 2 s
    before = town.world.clock.now()

    await town.answer(await town.imagine())

    wait = await town.app.store.leases.take_slot("images operator", 60_000)
    assert (town.world.clock.now() - before).total_seconds() + wait >= 2


@pytest.mark.parametrize("fault", sorted(OPENS_THE_CIRCUIT))
async def test_a_refused_key_stops_new_jobs_and_is_told_once_until_a_probe_succeeds(late, fault):
    late.images.fail_next(fault, times=None)

    first = await late.answer(await late.imagine())
    second = await late.answer(await late.imagine())

    assert FREE in first.content
    assert "The operator has been told" in second.content
    assert len(late.images.calls) == 1
    assert late.app.circuit.is_open("operator")
    assert "sk-" not in first.content + second.content
    late.images.heal()
    late.world.clock.advance(61)
    assert (await late.answer(await late.imagine())).attachments
    assert not late.app.circuit.is_open("operator")


async def test_jobs_in_line_are_released_when_the_key_is_refused_instead_of_being_sent_one_by_one(tmp_path):
    async with town_in(tmp_path, MAX_CONCURRENT_JOBS="1") as town:
        town.images.latency_s = 0.3
        town.images.fail_next(delay(0.5), "insufficient_quota")
        asked = [await town.imagine(quality="low", preview=False) for _ in range(5)]

        messages = [await town.answer(one) for one in asked]

        assert len(town.images.calls) == 2
        assert sum(bool(one.attachments) for one in messages) == 1
        assert sum("Nothing was spent" in one.content for one in messages) == 3
        await town.check()


@pytest.mark.slow
async def test_a_call_that_could_not_connect_is_tried_again(tmp_path):
    async with town_in(tmp_path) as town:
        await town.images.stop()

        message = await town.answer(await town.imagine(), 60)

        assert "could not be reached" in message.content or "reach" in message.content
        assert FREE in message.content
        assert town.images.calls == []
        await town.quiet()
        (job,) = await town.jobs()
        assert (job.state, job.charged_micro_usd) == (JobState.RELEASED, 0)


async def test_no_word_of_the_service_with_a_key_or_markup_reaches_a_member(town, caplog):
    body = {"error": {"message": "<b>bad</b> key test-key sk-secret0123456789abcdef @everyone", "code": "nonsense"}}
    town.images.fail_next(answer("leak", 400, body))

    message = await town.answer(await town.imagine())

    assert not [word for word in ("<b>", "@everyone", "nonsense") if word in message.content]
    assert not [word for word in ("test-key", "sk-secret") if word in message.content + caplog.text]


async def test_a_few_fewer_pictures_than_asked_for_are_delivered_and_paid_as_made(town):
    town.images.fail_next("data_short")

    message = await town.answer(await town.imagine(quality="low", count=3))

    assert len(message.attachments) == 2
    await town.quiet()
    (job,) = await town.jobs()
    assert job.bill.images == 2


async def test_a_report_above_the_reservation_is_cut_to_it(town):
    greedy = {"input_tokens": 10, "output_tokens": 10**9, "total_tokens": 10**9 + 10}
    greedy["input_tokens_details"] = {"text_tokens": 10, "image_tokens": 0}
    shape = FAULTS["usage_zero"]
    town.images.fail_next(type(shape)("greedy", lambda body: {**body, "usage": greedy}))

    await town.answer(await town.imagine(quality="low", preview=False))

    await town.quiet()
    (job,) = await town.jobs()
    standing = await town.app.store.figures.standings(job.asker, town.world.clock.now())
    assert 0 < job.charged_micro_usd < 1_000_000, standing


async def test_what_was_made_otherwise_than_asked_is_said_under_the_result(town):
    town.images.fail_next("made_otherwise")

    message = await town.answer(
        await town.imagine(size="1536x1024", format="jpeg", background="opaque", quality="low", preview=False)
    )

    (embed,) = message.embeds
    assert "\nYou asked for 1536x1024 jpeg; the service made 512x512 png." in embed["footer"]["text"]


async def test_a_transparent_background_that_is_refused_is_told_and_not_drawn_opaque(town):
    refusal = {"message": "Transparent background is not supported for this model.", "param": "background"}
    body = {"error": {**refusal, "type": "image_generation_user_error", "code": "invalid_value"}}
    town.images.fail_next(
        answer("opaque only", 400, body), when=lambda call: call.fields["background"] == "transparent"
    )

    refused = await town.answer(await town.imagine(background="transparent", quality="low", preview=False))
    drawn = await town.answer(await town.imagine(background="opaque", quality="low", preview=False))

    assert "`background`" in refused.content
    assert drawn.attachments
    assert [call.fields["background"] for call in town.images.calls] == ["transparent", "opaque"]


async def test_what_a_server_does_not_know_is_left_out_and_said(town):
    body = {
        "error": {"message": "Unknown parameter: 'background'.", "code": "unknown_parameter", "param": "background"}
    }
    town.images.fail_next(answer("knows no background", 400, body), when=lambda call: "background" in call.fields)

    message = await town.answer(await town.imagine(background="opaque", quality="low", preview=False))

    assert "does not know background" in message.embeds[0]["footer"]["text"]


async def test_a_server_that_knows_no_quality_is_not_paid_at_the_price_of_low(town):
    body = {"error": {"message": "Unknown parameter: 'quality'.", "code": "unknown_parameter", "param": "quality"}}
    town.images.fail_next(answer("no quality", 400, body), times=None, when=lambda call: "quality" in call.fields)

    message = await town.answer(await town.imagine(quality="low", preview=False))

    assert FREE in message.content
    assert [call.rendered for call in town.images.calls] == [False]


async def test_behind_a_gateway_that_repeats_by_itself_a_failure_is_one_unknown_job_and_asked_once(town):
    model = "gpt-image-2.5-flare"
    gateway = Gateway(DIALECTS["LiteLLM"], town.images, key=KEY, models=(model,))
    await gateway.start()
    try:
        await town.restart(OPENAI_BASE_URL=gateway.base_url)
        town.images.fail_next("made_but_500", times=None)
        message = await town.answer(await town.imagine(quality="low", preview=False))
        town.images.heal()
        assert "Something went wrong at the image service" in message.content
        assert CHARGED in message.content
        assert (len(gateway.asked), len(town.images.calls)) == (1, 3)
        assert [job.state for job in await town.jobs()] == [JobState.UNKNOWN]
        assert (await town.answer(await town.imagine(quality="low", preview=False))).attachments
    finally:
        await town.stop()
        await gateway.stop()
