from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from typing import Any

import aiohttp
import discord
import pytest
from PIL import Image

from bot.core.tasks import Tasks
from bot.ports import CannotDeliver, Delivered, Progress, Stage, WhyKept
from bot.rules.errors import Cancelled, Interrupted
from bot.rules.ledger import Answer
from bot.rules.people import Place
from bot.rules.requests import Partial
from bot.rules.servers.access import Layout, ServerSettings
from bot.ui.delivery.files import file_stem
from bot.ui.delivery.job import DiscordDelivery, ShowOptions
from bot.ui.delivery.progress import CALLS, MOST_PROGRESS, ChannelPace, ProgressEdits
from bot.ui.interactions.failures import Failure, failure_of
from bot.ui.messages import Message
from sandbox.images.drawing.marks import marked
from tests.support.people import CHANNEL, NOW, USER, make_answer, make_job, make_made, make_request
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
        self.live = live
        self.edits: list[Message] = []
        self.posts: list[tuple[Message, str, int]] = []
        self.follows: list[tuple[Message, bool]] = []
        self.whispers: list[Message] = []
        self.directs: list[Message] = []
        self.removed_by_bot = 0
        self.fail_edit: list[BaseException] = []
        self.fail_post: list[BaseException] = []
        self.fail_whisper: list[BaseException] = []

    @property
    def is_live(self) -> bool:
        return self.live

    async def edit(self, message: Message) -> Delivered:
        self.edits.append(message)
        if self.fail_edit:
            raise self.fail_edit.pop(0)
        return Delivered(77, CHANNEL)

    async def follow(self, message: Message, *, private: bool) -> Delivered:
        self.follows.append((message, private))
        return Delivered(78, CHANNEL)

    async def remove(self) -> None: ...

    async def post(self, message: Message, *, nonce: str, user_id: int) -> Delivered:
        self.posts.append((message, nonce, user_id))
        if self.fail_post:
            raise self.fail_post.pop(0)
        return Delivered(500, CHANNEL)

    async def remove_by_bot(self) -> None:
        self.removed_by_bot += 1

    async def direct(self, user_id: int, message: Message) -> None:
        self.directs.append(message)

    async def whisper(self, message: Message, *, neutral: str) -> None:
        self.whispers.append(message)
        if self.fail_whisper:
            raise self.fail_whisper.pop(0)


class Desk:
    """A delivery whose waiting takes no time."""

    def __init__(
        self, *, looks: ServerSettings | None = None, limit: int = 10**7, live: bool = True, **answer: Any
    ) -> None:
        self.conversation = FakeConversation(make_answer(**answer), live=live)
        self.waited: list[float] = []
        self.tasks = Tasks()

        async def look(place: Place) -> ServerSettings:
            return looks or ServerSettings()

        async def wait(seconds: float) -> None:
            self.waited.append(seconds)

        self.edits = ProgressEdits(self.tasks, first_after_s=0.0, every_s=0.0)
        self.delivery = DiscordDelivery(self.conversation, look, self.edits, ShowOptions(limit_bytes=limit), sleep=wait)


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0)


async def test_the_result_replaces_the_first_answer_with_pictures_embed_and_buttons() -> None:
    desk = Desk()
    assert await desk.delivery.result(make_job(), [make_made(2)], 12.0) == Delivered(77, CHANNEL)
    (message,) = desk.conversation.edits
    assert message.content is None
    assert message.embed is not None
    assert message.view is not None
    assert [file.name for file in message.files] == ["easel-job45678-1.png", "easel-job45678-2.png"]
    assert {file.alt for file in message.files} == {"a red fox"}


async def test_alt_text_is_the_prompt_cut_to_what_discord_takes() -> None:
    desk = Desk()
    prompt = "👨‍👩‍👧" * 1000
    await desk.delivery.result(make_job(request=make_request(prompt=prompt, shown_prompt=prompt)), [make_made()], 1.0)
    (message,) = desk.conversation.edits
    alt = message.files[0].alt or ""
    assert len(alt.encode("utf-16-le")) // 2 <= 1024
    assert message.files[-1].name == "prompt.txt"
    assert prompt.encode() in message.files[-1].data


@pytest.mark.parametrize(
    "failure",
    [
        trouble(500),
        trouble(503),
        trouble(429),
        aiohttp.ClientOSError(104, "reset"),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
        aiohttp.ServerDisconnectedError(),
    ],
)
async def test_a_passing_failure_is_tried_again_with_the_same_edit(failure: BaseException) -> None:
    desk = Desk()
    desk.conversation.fail_edit = [failure, failure]
    assert (await desk.delivery.result(make_job(), [make_made()], 1.0)).message_id == 77
    assert len(desk.conversation.edits) == 3
    assert desk.waited == [1.0, 2.0]
    assert not desk.conversation.posts


async def test_after_long_enough_the_picture_is_kept_for_later() -> None:
    desk = Desk()
    desk.conversation.fail_edit = [trouble(502)] * 50
    with pytest.raises(CannotDeliver):
        await desk.delivery.result(make_job(), [make_made()], 1.0)
    assert len(desk.conversation.edits) == 7


@pytest.mark.parametrize("dead", [trouble(401, 50027), trouble(404, 10015), trouble(404, 10008), trouble(404)])
async def test_a_dead_interaction_is_answered_in_the_channel_once(dead: BaseException) -> None:
    desk = Desk()
    desk.conversation.fail_edit = [dead]
    desk.conversation.fail_post = [trouble(500)]
    assert await desk.delivery.result(make_job(), [make_made()], 1.0) == Delivered(500, CHANNEL, posted=True)
    assert [(nonce, user) for _, nonce, user in desk.conversation.posts] == [("JOB45678901234567890", USER)] * 2
    assert f"<@{USER}>" in (desk.conversation.posts[0][0].content or "")
    assert len(desk.conversation.edits) == 1
    assert desk.conversation.removed_by_bot == 1


async def test_a_plain_result_that_comes_late_calls_its_maker_over_its_prompt() -> None:
    desk = Desk(live=False, looks=ServerSettings(layout=Layout.PLAIN))
    await desk.delivery.result(make_job(), [make_made()], 1.0)
    ((message, _, _),) = desk.conversation.posts
    assert message.embed is None
    assert (message.content or "").splitlines()[:2] == [f"<@{USER}>, your picture is ready.", "**a red fox**"]


async def test_after_fifteen_minutes_the_edit_is_not_even_tried() -> None:
    desk = Desk(live=False)
    assert (await desk.delivery.result(make_job(), [make_made()], 1.0)).message_id == 500
    assert not desk.conversation.edits


async def test_a_private_result_never_becomes_public() -> None:
    desk = Desk(live=False, private=True, can_post=False)
    with pytest.raises(CannotDeliver):
        await desk.delivery.result(make_job(), [make_made()], 1.0)
    assert not desk.conversation.posts


async def test_a_deleted_answer_of_a_user_install_is_followed_up() -> None:
    desk = Desk(can_post=False)
    desk.conversation.fail_edit = [trouble(404, 10008)]
    assert (await desk.delivery.result(make_job(), [make_made()], 1.0)).message_id == 78


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (trouble(403, 50013), WhyKept.RIGHTS),
        (trouble(404, 10003), WhyKept.GONE),
        (trouble(400, 50083), WhyKept.GONE),
        (trouble(400, 20009), WhyKept.CONTENT),
        (trouble(400, 200000), WhyKept.CONTENT),
        (trouble(400, 240000), WhyKept.CONTENT),
        (trouble(400, 50035), WhyKept.NOT_TAKEN),
    ],
)
async def test_what_discord_will_never_take_is_kept(refusal: BaseException, why: WhyKept) -> None:
    desk = Desk()
    desk.conversation.fail_edit = [refusal]
    with pytest.raises(CannotDeliver) as cannot:
        await desk.delivery.result(make_job(), [make_made()], 1.0)
    assert cannot.value.why is why
    assert not desk.waited


async def test_a_picture_on_a_machine_that_is_away_comes_by_itself_so_there_is_no_button() -> None:
    desk = Desk()
    await desk.delivery.kept(make_job(), WhyKept.ELSEWHERE)
    (told,) = desk.conversation.whispers
    assert "already paid for" in (told.content or "")
    assert told.view is None


async def test_a_picture_that_moderators_look_at_is_nobodys_to_fetch() -> None:
    desk = Desk()
    await desk.delivery.kept(make_job(), WhyKept.REVIEW)
    (told,) = desk.conversation.whispers
    assert "moderators look at it first" in (told.content or "")
    assert told.view is None


@pytest.mark.parametrize("why", sorted(set(WhyKept) - {WhyKept.ELSEWHERE, WhyKept.REVIEW}))
async def test_that_a_picture_waits_is_told_once_in_private_with_the_button_that_shows_it(why: WhyKept) -> None:
    desk = Desk()
    await desk.delivery.kept(make_job(), why)
    await desk.delivery.kept(make_job(), why)
    (told,) = desk.conversation.whispers
    assert "already paid for" in (told.content or "")
    assert told.view is not None
    assert [item.custom_id for item in told.view.children] == ["e1:claim:JOB45678901234567890"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("refusal", [trouble(400, 50083), trouble(404, 10003), trouble(403, 50001), trouble(500)])
async def test_where_nothing_is_taken_in_the_channel_it_is_told_by_direct_message(refusal: BaseException) -> None:
    desk = Desk()
    desk.conversation.fail_whisper = [refusal]
    await desk.delivery.kept(make_job(), WhyKept.GONE)
    (told,) = desk.conversation.directs
    assert told.view is not None


async def test_a_picture_over_the_limit_is_made_smaller_and_says_so() -> None:
    desk = Desk(limit=40_000)
    await desk.delivery.result(make_job(), [make_made(data=noise(512))], 1.0)
    (message,) = desk.conversation.edits
    assert len(message.files[0].data) <= 40_000
    assert message.embed is not None
    assert "Reduced" in (message.embed.footer.text or "")


@pytest.mark.parametrize("has_marks", [True, False])
async def test_a_smaller_copy_says_that_it_lost_its_marks(has_marks: bool) -> None:
    desk, data = Desk(limit=40_000), noise(512)
    await desk.delivery.result(make_job(), [make_made(data=marked(data, "png", "x") if has_marks else data)], 1.0)
    embed = desk.conversation.edits[0].embed
    assert embed is not None
    assert ("lost its marks of origin" in (embed.footer.text or "")) == has_marks


async def test_a_picture_that_fits_keeps_its_marks() -> None:
    desk, data = Desk(), marked(png(64), "png", "x")
    await desk.delivery.result(make_job(), [make_made(data=data)], 1.0)
    (message,) = desk.conversation.edits
    assert message.files[0].data is data
    assert message.embed is not None
    assert "lost" not in (message.embed.footer.text or "")


async def test_a_picture_that_fits_is_not_touched() -> None:
    desk = Desk()
    data = png(64)
    await desk.delivery.result(make_job(), [make_made(data=data)], 1.0)
    assert desk.conversation.edits[0].files[0].data is data


@pytest.mark.parametrize("too_large", [trouble(413), trouble(400, 40005)])
async def test_what_discord_finds_too_large_all_the_same_is_made_smaller_again(too_large: BaseException) -> None:
    data = noise(256)
    desk = Desk(limit=len(data))
    desk.conversation.fail_edit = [too_large]
    await desk.delivery.result(make_job(), [make_made(data=data)], 1.0)
    first, second = desk.conversation.edits
    assert len(second.files[0].data) <= 0.7 * len(first.files[0].data)


async def test_an_svg_comes_with_a_drawing_of_it() -> None:
    desk = Desk()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'
    await desk.delivery.result(make_job(), [make_made(data=svg, image_format="svg")], 1.0)
    files = desk.conversation.edits[0].files
    assert [file.name.rpartition(".")[2] for file in files] == ["svg", "png"]
    assert Image.open(BytesIO(files[1].data)).getpixel((5, 5))[:3] == (255, 0, 0)  # type: ignore[index]


async def test_a_server_may_hide_pictures_and_cost() -> None:
    desk = Desk(looks=ServerSettings(spoiler=True, show_cost=False))
    await desk.delivery.result(make_job(), [make_made()], 1.0)
    (message,) = desk.conversation.edits
    assert message.files[0].spoiler
    assert "$" not in repr(message.embed.to_dict() if message.embed else "")


async def test_progress_then_preview_then_result_and_nothing_after_it() -> None:
    desk = Desk()
    job = make_job()
    await desk.delivery.progress(job, Progress(Stage.QUEUED, 3, NOW))
    await until(lambda: len(desk.conversation.edits) == 1)
    await desk.delivery.preview(job, Partial(0, b"partial", "png"))
    await until(lambda: len(desk.conversation.edits) == 2)
    await desk.delivery.result(job, [make_made()], 1.0)
    await desk.delivery.progress(job, Progress(Stage.DRAWING))
    await desk.delivery.preview(job, Partial(1, b"late", "png"))
    await asyncio.sleep(0)
    contents = [message.content for message in desk.conversation.edits]
    assert contents == [
        f"**a red fox**\n⏳ In the queue: 3rd · ready <t:{int(NOW.timestamp())}:R>",
        "**a red fox**\n🎨 Drawing ▱▱▱▱▱▱▱▱▱▱",
        None,
    ]
    assert desk.conversation.edits[1].files[0].data == b"partial"


async def test_the_bar_moves_under_the_preview_and_leaves_it_there() -> None:
    desk = Desk()
    job = make_job()
    await desk.delivery.progress(job, Progress(Stage.DRAWING, None, NOW, 0.1))
    await until(lambda: len(desk.conversation.edits) == 1)
    await desk.delivery.preview(job, Partial(0, b"partial", "png"))
    await desk.delivery.progress(job, Progress(Stage.DRAWING, None, NOW, 0.3))
    await until(lambda: len(desk.conversation.edits) == 2)
    await desk.delivery.progress(job, Progress(Stage.DRAWING, None, NOW, 0.5))
    await until(lambda: len(desk.conversation.edits) == 3)
    first, second, third = desk.conversation.edits
    assert [one.keeps_files for one in (first, second, third)] == [False, False, True]
    assert [len(one.files) for one in (first, second, third)] == [0, 1, 0]
    assert "▰▰▰▱" in (second.content or "")
    assert "▰▰▰▰▰▱" in (third.content or "")


async def test_the_same_line_is_not_sent_twice() -> None:
    desk = Desk()
    for _ in range(3):
        await desk.delivery.progress(make_job(), Progress(Stage.DRAWING))
        await until(lambda: desk.conversation.edits and not desk.tasks.under_way())
    assert len(desk.conversation.edits) == 1


@pytest.mark.parametrize("failure", [trouble(401, 50027), trouble(429), ConnectionResetError()])
async def test_a_failed_preview_ends_previews_and_not_the_result(failure: BaseException) -> None:
    desk = Desk()
    job = make_job()
    desk.conversation.fail_edit = [failure]
    await desk.delivery.preview(job, Partial(0, b"first", "png"))
    await until(lambda: len(desk.conversation.edits) == 1 and not desk.tasks.under_way())
    await desk.delivery.preview(job, Partial(1, b"second", "png"))
    assert (await desk.delivery.result(job, [make_made()], 1.0)).message_id == 77
    assert len(desk.conversation.edits) == 2


async def test_the_newest_preview_wins_while_one_is_on_its_way() -> None:
    desk = Desk()
    gate = asyncio.Event()
    sent: list[str] = []

    def edit(name: str) -> Callable[[], Any]:
        async def run() -> None:
            sent.append(name)
            await gate.wait()

        return run

    desk.edits.offer(edit("first"))
    await until(lambda: sent)
    desk.edits.offer(edit("second"))
    desk.edits.offer(edit("third"))
    gate.set()
    await until(lambda: len(sent) == 2)
    assert sent == ["first", "third"]


class WatchedPace(ChannelPace):
    """Notes the moments at which edits were let through."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[float] = []

    def take(self, now: float, every_s: float) -> None:
        self.taken.append(now)
        super().take(now, every_s)


async def test_the_jobs_of_a_channel_share_the_pace_of_their_progress() -> None:
    pace, tasks, edited = WatchedPace(), Tasks(), []

    async def edit() -> None:
        edited.append(1)

    for _ in range(4):
        ProgressEdits(tasks, pace, first_after_s=0.0, every_s=0.05).offer(edit)
    await until(lambda: len(edited) == 4)
    assert len(pace.taken) == 4
    assert all(later - earlier > 0.0499 for earlier, later in pairwise(pace.taken))


class Result:
    """Something that is still to come."""


def edits_in(pace: ChannelPace, seconds: int, from_s: float = 0.0) -> int:
    """How many edits of progress begin, where one always waits."""
    begun = 0
    for tenth in range(seconds * 10):
        now = from_s + tenth / 10
        if not pace.wait_s(now):
            pace.take(now, 3.0)
            begun += 1
    return begun


def test_of_a_channels_minute_a_call_is_kept_for_each_result_to_come() -> None:
    for many in (0, 1, 20, 24, 28, 100):
        pace, to_come = ChannelPace(), [Result() for _ in range(many)]
        for one in to_come:
            pace.owe(one)
        assert edits_in(pace, 59) == min(MOST_PROGRESS, max(0, CALLS - many))


def test_what_a_result_took_is_not_taken_again_by_progress() -> None:
    pace, to_come = ChannelPace(), [Result() for _ in range(24)]
    for one in to_come:
        pace.owe(one)
    calls = 0
    for number, one in enumerate(to_come):
        pace.pay(one, 2.0 * number)
        calls += 1 + edits_in(pace, 2, 2.0 * number)
    assert calls <= CALLS
    assert edits_in(pace, 5, 120.0) == 2, "a minute later all is as at first"


def test_a_result_that_nobody_holds_any_more_is_not_waited_for() -> None:
    pace, to_come = ChannelPace(), [Result() for _ in range(100)]
    for one in to_come:
        pace.owe(one)
    assert pace.wait_s(0.0) > 0
    del one
    to_come.clear()
    assert pace.wait_s(0.0) == 0


async def test_edits_of_one_message_become_rarer() -> None:
    tasks, pace, edited = Tasks(), WatchedPace(), []
    edits = ProgressEdits(tasks, pace, first_after_s=0.0, every_s=0.02)

    async def edit() -> None:
        edited.append(1)
        if len(edited) < 5:
            edits.offer(edit)

    edits.offer(edit)
    await until(lambda: len(edited) == 5)
    gaps = [later - earlier for earlier, later in pairwise(pace.taken)]
    assert gaps[-1] >= 0.02 * 1.5**3 - 0.0001
    await edits.close()


async def test_the_result_waits_for_an_edit_that_is_on_its_way() -> None:
    desk = Desk()
    gate = asyncio.Event()
    order: list[str] = []

    async def slow() -> None:
        order.append("begun")
        await gate.wait()
        order.append("ended")

    desk.edits.offer(slow)
    await until(lambda: order)
    closing = asyncio.ensure_future(desk.edits.close())
    await asyncio.sleep(0)
    gate.set()
    await closing
    assert order == ["begun", "ended"]


async def test_a_failure_is_told_in_private_once() -> None:
    desk = Desk()
    await desk.delivery.failed(make_job(), Cancelled(maybe_billed=False))
    await desk.delivery.failed(make_job(), Cancelled(maybe_billed=False))
    assert [message.content for message in desk.conversation.whispers] == ["Cancelled. It cost nothing."]


async def test_who_is_told_after_a_restart_reads_which_picture_is_meant() -> None:
    desk = Desk()
    job = make_job()
    await desk.delivery.failed(job, Interrupted(maybe_billed=True))
    (message,) = desk.conversation.whispers
    assert message.content is not None
    assert message.content.startswith(f"**{job.request.prompt}**\n")
    assert "restarted" in message.content


async def test_what_has_no_words_of_its_own_is_not_named_after_a_restart() -> None:
    desk = Desk()
    job = make_job()
    wordless = replace(job, request=replace(job.request, prompt="", shown_prompt=""))
    await desk.delivery.failed(wordless, Interrupted(maybe_billed=True))
    (message,) = desk.conversation.whispers
    assert (message.content or "").startswith("I was restarted")


@pytest.mark.parametrize("failures", [[trouble(401, 50027)], [trouble(404, 10015)]])
async def test_where_the_interaction_is_over_a_failure_comes_as_a_direct_message(failures: Sequence[Any]) -> None:
    desk = Desk()
    desk.conversation.fail_whisper = list(failures)
    await desk.delivery.failed(make_job(), Cancelled(maybe_billed=True))
    assert len(desk.conversation.directs) == 1
    assert desk.conversation.removed_by_bot == 1
    late = Desk(live=False)
    await late.delivery.failed(make_job(), Cancelled(maybe_billed=True))
    assert (late.conversation.whispers, len(late.conversation.directs)) == ([], 1)


async def test_telling_a_failure_never_raises() -> None:
    desk = Desk()
    desk.conversation.fail_whisper = [trouble(500)]
    await desk.delivery.failed(make_job(), ValueError("a bug"))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (trouble(401), Failure.TOKEN_DEAD),
        (trouble(404, 10062), Failure.TOKEN_DEAD),
        (trouble(403, 50001), Failure.FORBIDDEN),
        (trouble(400), Failure.BROKEN),
        (trouble(504), Failure.AGAIN),
        (aiohttp.ClientPayloadError(), Failure.AGAIN),
    ],
)
def test_every_failure_of_discord_has_a_verdict(error: BaseException, failure: Failure) -> None:
    assert failure_of(error) is failure


def test_file_names_hold_nothing_that_anybody_else_chose() -> None:
    assert file_stem("JOB45678901234567890", 2) == "easel-job45678-2"
