"""How a batch is shown: by posts with a nonce where the bot may, by single tries elsewhere, and how its end is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import pytest

from bot.core.tasks import Tasks
from bot.ports import Batch, BatchCounts, BatchPicture, CannotDeliver, Delivered
from bot.rules.ledger import Answer, Job, JobState
from bot.rules.people import Place
from bot.rules.requests import MadeImage
from bot.rules.servers.access import ServerSettings
from bot.ui.delivery.batch import DiscordBatchDelivery
from bot.ui.delivery.progress import ProgressEdits
from bot.ui.messages import Message
from bot.ui.pages import batch as batch_words
from bot.ui.pages.links import jump_link, read_message
from sandbox.images.drawing.marks import marked
from tests.support.people import CHANNEL, GUILD, NOW, make_answer, make_asker, make_job, make_request
from tests.support.pictures import noise, png


class Response:
    def __init__(self, status: int) -> None:
        self.status = status
        self.reason = "as the test wants"


def trouble(status: int, code: int = 0) -> discord.HTTPException:
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(Response(status), {"code": code, "message": "no"})  # type: ignore[arg-type]


class FakeConversation:
    """Fails as told, in order, then works; writes down everything."""

    def __init__(self, answer: Answer, *, live: bool = True) -> None:
        self.answer = answer
        self.is_live = live
        self.done: list[tuple[str, Message | str]] = []
        self.nonces: list[str] = []
        self.fails: list[BaseException] = []

    def _do(self, what: str, message: Message | str) -> Delivered:
        self.done.append((what, message))
        if self.fails:
            raise self.fails.pop(0)
        return Delivered(500, CHANNEL)

    async def edit(self, message: Message) -> Delivered:
        return self._do("edit", message)

    async def edit_by_bot(self, message: Message) -> None:
        self._do("edit by bot", message)

    async def follow(self, message: Message, *, private: bool) -> Delivered:
        return self._do("follow in private" if private else "follow", message)

    async def post(self, message: Message, *, nonce: str, user_id: int) -> Delivered:
        self.nonces.append(nonce)
        return self._do("post", message)

    async def direct(self, user_id: int, message: Message) -> None:
        self._do("direct", message)

    async def remove(self) -> None: ...

    async def remove_by_bot(self) -> None: ...

    async def whisper(self, message: Message, *, neutral: str) -> None: ...

    @property
    def ways(self) -> list[str]:
        return [what for what, _ in self.done]


def line(number: int, **changes: Any) -> Job:
    prompt = f"fox {number} *star*"
    return make_job(
        id=f"JOB{number:05}890123456789", request=make_request(prompt=prompt, shown_prompt=prompt), batch_line=number,
        **changes,
    )  # fmt: skip


def pictures(*numbers: int) -> list[BatchPicture]:
    return [BatchPicture(number, line(number), MadeImage(png(8), "png", 8, 8)) for number in numbers]


def batch(**changes: Any) -> Batch:
    lines = tuple(f"fox {number}" for number in range(1, 24))
    return replace(Batch("1234567890", make_asker(), lines, NOW, CHANNEL, message_id=77), **changes)


async def looks(place: Place) -> ServerSettings:
    return ServerSettings()


async def at_once(seconds: float) -> None: ...


Make = Callable[..., tuple[DiscordBatchDelivery, FakeConversation]]


@pytest.fixture
def make() -> Make:
    def delivery(
        *,
        live: bool = True,
        limit: int = 10**7,
        looking: Callable[[Place], Awaitable[ServerSettings]] = looks,
        **answer: Any,
    ) -> tuple[DiscordBatchDelivery, FakeConversation]:
        conversation = FakeConversation(make_answer(**answer), live=live)
        return DiscordBatchDelivery(
            conversation, looking, ProgressEdits(Tasks()), limit_bytes=limit, waits_s=(1.0, 1.0), sleep=at_once
        ), conversation

    return delivery


async def test_a_group_is_posted_with_a_nonce_of_its_own_however_often_it_is_tried(make: Make) -> None:
    delivery, conversation = make()
    conversation.fails = [trouble(500), aiohttp.ClientOSError(104, "reset")]
    await delivery.group(batch(), pictures(11, 12))
    assert conversation.nonces == ["1234567890g1"] * 3
    assert len(conversation.nonces[0]) <= 25
    (_, message) = conversation.done[-1]
    assert isinstance(message, Message)
    assert [file.alt for file in message.files] == ["fox 11 *star*", "fox 12 *star*"]
    assert message.embed is not None
    assert "**12** · fox 12 \\*star\\*" in (message.embed.description or "")


async def test_an_answer_that_may_have_arrived_is_not_sent_again(make: Make) -> None:
    delivery, conversation = make(private=True, can_post=False)
    assert not delivery.repeatable
    await delivery.group(batch(private=True), pictures(1))
    conversation.fails = [trouble(502)]
    with pytest.raises(CannotDeliver):
        await delivery.group(batch(private=True), pictures(11))
    assert conversation.ways == [
        "edit",
        "follow in private",
        "follow in private",
    ]  # no "thinking" is left to be replaced


async def test_too_large_a_group_is_made_smaller_on_every_way(make: Make) -> None:
    delivery, conversation = make(private=True, can_post=False)
    await delivery.group(batch(private=True), pictures(1))
    conversation.fails = [trouble(413)]
    await delivery.group(batch(private=True), pictures(11))
    assert conversation.ways == ["edit", *["follow in private"] * 3]


async def test_after_fifteen_minutes_a_private_group_waits(make: Make) -> None:
    delivery, conversation = make(private=True, can_post=False, live=False)
    with pytest.raises(CannotDeliver):
        await delivery.group(batch(private=True), pictures(1))
    assert conversation.done == []


async def test_spoilers_are_spoilers_in_groups_too(make: Make) -> None:
    async def spoiling(place: Place) -> ServerSettings:
        return ServerSettings(spoiler=True)

    delivery, conversation = make(looking=spoiling)
    await delivery.group(batch(), pictures(1))
    (_, message) = conversation.done[0]
    assert isinstance(message, Message)
    assert all(file.spoiler for file in message.files)


COUNTS = BatchCounts(2, 1, 1, 0.0)


async def test_the_summary_comes_last_and_the_bar_stays_without_its_button(make: Make) -> None:
    delivery, conversation = make()
    await delivery.summary(batch(), COUNTS, [line(1, message_id=500, message_channel_id=CHANNEL), line(2)])
    assert conversation.ways == ["post", "edit"]
    assert conversation.nonces == ["1234567890s"]
    (_, last) = conversation.done[1]
    assert isinstance(last, Message)
    assert last.view is None


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        (BatchCounts(2, 2, 0, 0.0), "your batch is ready"),
        (BatchCounts(2, 1, 1, 0.0), "your batch is over"),
        (BatchCounts(2, 0, 2, 0.0), "your batch is over"),
        (BatchCounts(2, 1, 1, 0.0, cancelled=True), "your batch is over"),
    ],
)
async def test_ready_is_only_a_batch_that_was_made_whole(make: Make, counts: BatchCounts, word: str) -> None:
    delivery, conversation = make()
    await delivery.summary(batch(), counts, [line(1)])
    (_, message) = conversation.done[0]
    assert isinstance(message, Message)
    assert word in message.content
    assert (message.embed.title == "The batch is done") is (word == "your batch is ready")


async def test_a_long_batch_edits_its_bar_with_the_bots_own_rights(make: Make) -> None:
    delivery, conversation = make(live=False)
    await delivery.summary(batch(), COUNTS, [line(1)])
    assert conversation.ways == ["post", "edit by bot"]


async def test_where_the_bot_lost_its_rights_the_answer_itself_becomes_the_summary(make: Make) -> None:
    delivery, conversation = make()
    conversation.fails = [trouble(403, 50013)]
    await delivery.summary(batch(), COUNTS, [line(1)])
    assert conversation.ways == ["post", "edit"]
    (_, message) = conversation.done[1]
    assert isinstance(message, Message)
    assert message.files[0].name == "batch.txt"


async def test_when_nothing_else_is_left_the_end_is_told_directly(make: Make) -> None:
    delivery, conversation = make(private=True, can_post=False, live=False)
    await delivery.summary(batch(private=True), COUNTS, [line(1)])
    assert conversation.ways == ["direct"]


async def test_the_end_never_raises(make: Make) -> None:
    delivery, conversation = make()
    conversation.fails = [trouble(500)] * 9
    await delivery.summary(batch(), COUNTS, [line(1)])
    assert conversation.ways == ["post"] * 3 + ["edit", "direct"]


@pytest.mark.parametrize("refusal", [trouble(400, 200000), trouble(400, 50083), trouble(404, 10003)])
async def test_an_end_that_is_refused_everywhere_is_told_directly(make: Make, refusal: BaseException) -> None:
    delivery, conversation = make()
    conversation.fails = [refusal] * 2
    await delivery.summary(batch(), COUNTS, [line(1)])
    assert conversation.ways == ["post", "edit", "direct"]


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_the_progress_shows_bar_figures_and_time(locale: str) -> None:
    text = batch_words.progress(batch(), BatchCounts(20, 5, 5, 90.0), locale)
    assert "🟩" * 5 + "🟥" * 5 + "⬜" * 10 in text
    assert "90 s" in text
    assert f"<t:{int(NOW.timestamp())}:R>" in text


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ({"cancelled": 2}, ["Cancelled. It cost nothing."]),
        ({"paused": 2}, ["Easel was paused on this server. It cost nothing."]),
        ({"blocked": 2}, ["Whoever ordered it was blocked on this server. It cost nothing."]),
        ({"key_gone": 1}, ["This server's own API key was removed. It cost nothing."]),
        (
            {"bad_key": 1, "timed_out": 2},
            [
                "1 × The image service is not available at the moment. The operator has been told. It cost nothing.",
                "2 × The image service did not finish in time. It cost nothing.",
            ],
        ),
        ({"ValueError": 2}, []),
    ],
)
def test_the_summary_says_why_there_is_nothing(reasons: dict[str, int], told: list[str]) -> None:
    of_each = [reason for reason, count in reasons.items() for _ in range(count)]
    jobs = [line(number, state=JobState.RELEASED, reason=reason) for number, reason in enumerate(of_each, 1)]
    embed = batch_words.summary(batch(), BatchCounts(2, 0, 2, 0.0), jobs, "en-US", show_cost=False, links=False)
    assert (embed.description or "").splitlines()[1:] == told


def test_the_summary_says_what_may_have_been_billed() -> None:
    jobs = [line(1, state=JobState.UNKNOWN, reason="key_gone"), line(2)]
    embed = batch_words.summary(batch(), BatchCounts(2, 1, 1, 0.0), jobs, "en-US", show_cost=False, links=False)
    assert "1 × This server's own API key was removed. It may have been billed" in (embed.description or "")


def test_the_table_says_of_each_line_why_there_is_nothing() -> None:
    jobs = [
        line(1, state=JobState.RELEASED, reason="paused"),
        line(2, state=JobState.UNKNOWN, reason="timed_out"),
        line(3, state=JobState.RELEASED, reason="ValueError"),
    ]
    rows = batch_words.table(jobs, "en-US", show_cost=False).splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == [
        "Easel was paused on this server. It cost nothing.",
        "The image service did not finish in time. It may have been billed, so it still counts towards the budget.",
        "not made, cost nothing",
    ]


def test_what_was_taken_back_did_not_fail() -> None:
    text = batch_words.progress(batch(), BatchCounts(4, 1, 1, 0.0, back=2), "en-US")
    assert "🟩" * 5 + "🟥" * 5 + "⬛" * 10 in text
    assert "✅ 1 done · ❌ 1 failed · ↩️ 2 given back" in text


def test_the_bar_is_full_only_at_the_end() -> None:
    assert "⬜" in batch_words.bar(BatchCounts(50, 49, 0, 1.0))
    assert batch_words.bar(BatchCounts(3, 2, 1, 0.0)).count("⬜") == 0


def test_the_table_has_a_row_a_line_and_no_prompt_can_break_it() -> None:
    foxy = "a\tfox\nand =more"
    jobs = [
        line(1, message_id=5, message_channel_id=6),
        make_job(state=JobState.RELEASED, reason="cancelled", batch_line=2, request=make_request(shown_prompt=foxy)),
    ]
    head, first, second = batch_words.table(jobs, "en-US", show_cost=True).splitlines()
    assert head.split("\t") == ["Line", "Result", "Cost", "Prompt"]
    assert f"/channels/{GUILD}/6/5" in first
    assert second.split("\t")[1:] == ["cancelled, cost nothing", "$0.0059", "a fox and =more"]
    assert "$" not in batch_words.table(jobs, "en-US", show_cost=False)


@pytest.mark.parametrize("prompt", ['=HYPERLINK("http://a")', " @SUM(A1)", '"=1+1"', "-1"])
def test_no_prompt_of_the_table_is_a_formula(prompt: str) -> None:
    job = make_job(state=JobState.RELEASED, batch_line=1, request=make_request(shown_prompt=prompt))
    _, row = batch_words.table([job], "en-US", show_cost=False).splitlines()
    assert row.split("\t")[2] == f"'{prompt.strip()}"


def test_an_embed_of_ten_long_prompts_fits() -> None:
    job = make_job(request=make_request(shown_prompt="*" * 5000))
    long = [replace(one, job=job) for one in pictures(*range(1, 11))]
    embed = batch_words.group(batch(), long, [3], "en-US", notices=["*" * 100, ""])
    assert len(embed) <= 6000
    assert "3" in (embed.footer.text or "")


async def test_a_group_says_that_it_was_made_by_ai(make: Make) -> None:
    delivery, conversation = make()
    await delivery.group(batch(), pictures(1))
    [(_, message)] = conversation.done
    assert isinstance(message, Message)
    assert message.embed is not None
    assert message.embed.footer.text == "Made with AI"


async def test_a_group_says_that_a_smaller_copy_lost_its_marks(make: Make) -> None:
    delivery, conversation = make(limit=9000)
    data = marked(noise(256), "png", "x")
    await delivery.group(batch(), [BatchPicture(1, line(1), MadeImage(data, "png", 256, 256))])
    [(_, message)] = conversation.done
    assert isinstance(message, Message)
    assert message.embed is not None
    assert (message.embed.footer.text or "").splitlines()[1] == "This copy has lost its marks of origin (C2PA)."


# --- links -------------------------------------------------------------------------------------------------------


def test_private_and_unshown_pictures_have_no_link() -> None:
    shown = make_job(message_id=5, message_channel_id=6)
    assert jump_link(shown) == f"https://discord.com/channels/{GUILD}/6/5"
    assert jump_link(replace(shown, message_id=None)) is None
    assert jump_link(replace(shown, request=make_request(private=True))) is None
    assert jump_link(replace(shown, answer=make_answer(private=True, expires_at=NOW + timedelta(minutes=1)))) is None


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (f"https://discord.com/channels/{GUILD}/6/5", (6, 5)),
        (f" <https://ptb.discord.com/channels/{GUILD}/6/5> ", (6, 5)),
        ("123456789012345678", (CHANNEL, 123456789012345678)),
        ("https://discord.com/channels/999/6/5", None),
        ("https://discord.com/channels/@me/6/5", None),
        ("https://evil.example/channels/11/6/5", None),
        ("a fox", None),
        ("12", None),
    ],
)
def test_a_message_is_named_by_its_link_or_number_here(typed: str, found: tuple[int, int] | None) -> None:
    assert read_message(typed, GUILD, CHANNEL) == found
