"""Good answers: pictures in every way they come, previews, and usage."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import textwrap
import tracemalloc
from typing import Any

import pytest

from bot.adapters.openai.answers import BrokenAnswer, decode_picture, parse_json, read_usage
from bot.adapters.openai.bodies import BodyReader, strings_in
from bot.adapters.openai.stream import EventSplitter
from bot.imaging.inspect import look
from bot.ports import OperatorPays
from bot.rules.requests import Endpoint, Inputs, Kind, Partial, Usage
from tests.adapters.openai.fault_server import (
    ONE_INPUT,
    Facts,
    Seen,
    Wire,
    b64,
    completed,
    json_reply,
    partial,
    picture,
    pictures,
    reply,
    request,
    sse,
    stream,
)

RED, BLUE = picture("red"), picture("blue")
BIG = bytes(range(256)) * 40_000


async def make(service, asked=None, **more: Any):
    asked = asked or request(count=2)
    return await service.make(asked, Inputs(), **{"payer": OperatorPays(), "member_tag": "t", "deadline_s": 20, **more})


async def made(server, connect, answer: object, asked=None, **more: Any):
    server.does(json_reply(answer))
    return await make(connect(), asked, **more)


async def test_pictures_come_with_their_true_format_and_what_was_said_about_them(server, connect) -> None:
    rows = [{"b64_json": b64(RED), "revised_prompt": " A fox. "}, {"b64_json": b64(picture(image_format="JPEG"))}]
    usage = {"input_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 196}
    answer = await made(server, connect, {"data": rows, "usage": usage, "size": "8x6", "quality": "low"})
    first, second = answer.images
    assert (first.data, first.format, first.width, first.height, first.revised_prompt) == (RED, "png", 8, 6, "A fox.")
    assert (second.format, second.revised_prompt) == ("jpeg", None)
    assert answer.usage == Usage(input_text_tokens=10, input_image_tokens=40, output_tokens=196)
    assert (answer.size, answer.quality, answer.request_id) == ("8x6", "low", "req_1")


async def test_fewer_pictures_than_asked_are_a_good_answer(server, connect) -> None:
    assert len((await made(server, connect, {"data": [{"b64_json": b64(RED)}]})).images) == 1


async def test_more_pictures_than_asked_are_not_passed_on(server, connect) -> None:
    assert len((await made(server, connect, {"data": [{"b64_json": b64(RED)}] * 5})).images) == 2


async def test_for_a_picture_that_is_none_one_beyond_the_number_asked_for_is_taken(server, connect) -> None:
    rows = [{"b64_json": "%%%"}, {"b64_json": b64(BLUE)}, {"b64_json": b64(RED)}, {"b64_json": b64(RED)}]
    assert [image.data for image in (await made(server, connect, {"data": rows})).images] == [BLUE, RED]


async def test_a_broken_picture_does_not_take_the_good_one_with_it(server, connect) -> None:
    answer = await made(server, connect, {"data": [{"b64_json": "%%%"}, {"b64_json": b64(BLUE)}]})
    assert [image.data for image in answer.images] == [BLUE]


@pytest.mark.parametrize(
    "row",
    [
        {"b64_json": "data:image/png;base64," + b64(RED)},
        {"url": "data:image/png;base64," + b64(RED)},
        {"url": "DATA:image/png;base64,%0A" + b64(RED).replace("+", "%2B").replace("=", "%3D")},
        {"url": "data:image/png," + "".join(f"%{byte:02x}" for byte in RED)},
        {"url": b64(RED).ljust(10_000, "\n")},
        {"b64_json": "\r\n".join(textwrap.wrap(b64(RED), 76)) + "\n"},
        {"b64_json": "\\n".join(textwrap.wrap(b64(RED), 76))},
        {"b64_json": b64(RED).rstrip("=")},
        {"b64_json": base64.urlsafe_b64encode(RED).decode().rstrip("=")},
        {"b64_json": f"  {b64(RED)}  "},
        b64(RED),
        {"b64_json": None, "url": "data:image/png;base64," + b64(RED)},
    ],
)
async def test_a_data_address_is_a_picture(row, server, connect) -> None:
    assert (await made(server, connect, {"data": [row]})).images[0].data == RED


async def test_slashes_may_be_escaped(server, connect) -> None:
    large = picture(image_format="BMP", size=(120, 90))
    body = json.dumps({"data": [{"b64_json": b64(large)}]}).replace("/", "\\/")
    assert "\\/" in body
    server.does(reply(200, body, {"content-type": "application/json"}))
    assert (await make(connect())).images[0].data == large


async def test_the_content_type_may_lie(server, connect) -> None:
    server.does(reply(200, json.dumps({"data": [{"b64_json": b64(RED)}]}), {"content-type": "text/plain"}))
    assert (await make(connect())).images[0].data == RED


async def test_a_compressed_answer_is_read_though_it_was_not_asked_for(server, connect) -> None:
    import gzip

    body = gzip.compress(json.dumps({"data": [{"b64_json": b64(RED)}]}).encode())
    server.does(reply(200, body, {"content-type": "application/json", "content-encoding": "gzip"}))
    assert (await make(connect())).images[0].data == RED


@pytest.mark.parametrize(
    ("usage", "endpoint", "expected"),
    [
        (None, Endpoint.GENERATIONS, None),
        ({"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}, Endpoint.GENERATIONS, None),
        ({"input_tokens": -4, "output_tokens": True}, Endpoint.GENERATIONS, None),
        ("free", Endpoint.GENERATIONS, None),
        ({"input_tokens": 12, "output_tokens": 5}, Endpoint.GENERATIONS, Usage(input_text_tokens=12, output_tokens=5)),
        ({"input_tokens": 12, "output_tokens": 5}, Endpoint.EDITS, Usage(input_image_tokens=12, output_tokens=5)),
        (
            {
                "input_tokens_details": {
                    "text_tokens": 9,
                    "image_tokens": 7,
                    "cached_tokens_details": {"text_tokens": 4, "image_tokens": 99},
                },
                "output_tokens": 5,
            },
            Endpoint.EDITS,
            Usage(9, 7, 5, 4, 7),
        ),
    ],
)
async def test_usage_that_says_nothing_counts_as_unknown(usage, endpoint, expected, server, connect) -> None:
    server.does(pictures(RED, usage=usage))
    kind = Kind.EDIT if endpoint is Endpoint.EDITS else Kind.IMAGINE
    inputs = ONE_INPUT if endpoint is Endpoint.EDITS else Inputs()
    answer = await connect().make(
        request(kind=kind, endpoint=endpoint), inputs, payer=OperatorPays(), member_tag="t", deadline_s=20
    )
    assert answer.usage == expected


def test_what_the_writing_of_an_svg_took_is_part_of_it() -> None:
    told = {"input_tokens": 12, "output_tokens": 5}
    assert read_usage(told, Endpoint.GENERATIONS, {"input_tokens": 30, "output_tokens": 700}) == Usage(42, 0, 705)
    assert read_usage({**told, "output_tokens": 10**9}, Endpoint.GENERATIONS) == Usage(12, 0, 0)  # nonsense


# --- previews ------------------------------------------------------------------------------------------------------


class Listener:
    def __init__(self, *, fails: bool = False, hangs: bool = False) -> None:
        self.heard: list[Partial] = []
        self.fails = fails
        self.hangs = hangs

    async def __call__(self, preview: Partial) -> None:
        self.heard.append(preview)
        if self.fails:
            raise RuntimeError("Discord is down")
        if self.hangs:
            await asyncio.Event().wait()


async def streamed(server, connect, *events: object, listener: Listener | None = None):
    server.does(stream(*events))
    listener = listener or Listener()
    answer = await make(connect(), request(partial_images=3), on_partial=listener)
    assert len(server.posts) == 1
    return answer, [preview.index for preview in listener.heard], listener


async def test_previews_come_before_the_picture(server, connect) -> None:
    usage = {"input_tokens": 9, "output_tokens": 396}
    answer, _, listener = await streamed(server, connect, partial(0, RED), completed(BLUE, usage=usage, quality="low"))
    assert listener.heard == [Partial(0, RED, "png")]
    assert (answer.images[0].data, answer.usage, answer.quality) == (BLUE, Usage(9, 0, 396), "low")
    assert answer.request_id == "req_s"
    assert server.posts[0].json["stream"] is True
    assert server.posts[0].json["partial_images"] == 3


async def test_an_edit_streams_too(server, connect) -> None:
    server.does(stream(partial(0, RED, "image_edit"), completed(BLUE, "image_edit")))
    listener = Listener()
    asked = request(kind=Kind.EDIT, endpoint=Endpoint.EDITS, partial_images=1)
    answer = await connect().make(
        asked, ONE_INPUT, payer=OperatorPays(), member_tag="t", deadline_s=20, on_partial=listener
    )
    assert (answer.images[0].data, [preview.index for preview in listener.heard]) == (BLUE, [0])
    assert server.posts[0].fields["stream"] == "true"


async def test_only_newer_previews_are_shown(server, connect) -> None:
    heard: list[int] = []
    step = asyncio.Event()

    async def listen(preview: Partial) -> None:
        heard.append(preview.index)
        step.set()

    async def behave(wire, seen) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for index, shown in ((1, True), (0, False), (1, False), (2, True)):
            await wire.send(sse(partial(index, RED)))
            if shown:
                await step.wait()
                step.clear()
        await wire.send(sse(completed(BLUE)))
        raise ConnectionError

    server.does(behave)
    await make(connect(), request(partial_images=3), on_partial=listen)
    assert heard == [1, 2]


async def test_a_listener_that_hangs_past_the_deadline_does_not_cost_the_picture(server, connect) -> None:
    listener = Listener(hangs=True)
    server.does(stream(partial(0, RED), partial(1, RED), partial(2, RED), completed(BLUE)))
    service = connect(last_preview_s=0.5)
    answer = await make(service, request(partial_images=3), on_partial=listener, deadline_s=0.4)
    assert answer.images[0].data == BLUE
    assert len(listener.heard) <= 1


async def test_a_preview_that_is_being_shown_does_not_overtake_the_picture(server, connect) -> None:
    done: list[str] = []

    async def listen(_: Partial) -> None:
        for _turn in range(50):  # as long as a message edit that takes its time
            await asyncio.sleep(0)
        done.append("preview")

    server.does(stream(sse(partial(0, RED)) + sse(completed(BLUE))))
    await make(connect(), request(partial_images=1), on_partial=listen)
    done.append("picture")
    assert done == ["preview", "picture"]


async def test_a_failing_listener_harms_nothing(server, connect) -> None:
    answer, _, _ = await streamed(server, connect, partial(0, RED), completed(BLUE), listener=Listener(fails=True))
    assert answer.images[0].data == BLUE


@pytest.mark.parametrize("data", ["***", b64(b"<html>"), b64(RED[:30]), "", None, 5])
async def test_a_preview_that_is_no_picture_is_not_shown(data, server, connect) -> None:
    event = {"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": data}
    answer, heard, _ = await streamed(server, connect, event, completed(BLUE))
    assert (heard, answer.images[0].data) == ([], BLUE)


@pytest.mark.parametrize(
    "events",
    [
        [completed(RED), completed(BLUE)],
        [{"type": "keepalive"}, b": comment\n\n", completed(RED)],
        [b"data: " + json.dumps(completed(RED)).encode() + b"\n\n"],
        [b"event: x\r\ndata: " + json.dumps(completed(RED)).encode() + b"\r\n\r\n"],
        [b"data: " + json.dumps(completed(RED)).encode() + b"\r\r"],
        [b"data:" + json.dumps(completed(RED)).encode() + b"\n"],
        [b'data: {"type": "image_generation.completed",\ndata: "b64_json": "' + b64(RED).encode() + b'"}\n\n'],
        [b"\xef\xbb\xbf\n\n", completed(RED), b"data: [DONE]\n\n"],
        [{"created": 1, "data": [{"b64_json": b64(RED)}]}],
        [b"event: image_generation.completed\ndata: " + json.dumps({"b64_json": b64(RED)}).encode() + b"\n\n"],
        [b"data: " + json.dumps({"b64_json": b64(RED)}).encode() + b"\n\n"],
        [{"type": "image", "b64_json": b64(BLUE)}, completed(RED)],
        [{"type": "image", "b64_json": b64(RED)}, b"data: [DONE]\n\n"],
        [json.dumps({"data": [{"b64_json": b64(RED)}]}).encode()],
    ],
    ids=[
        "completed twice",
        "noise",
        "no event name",
        "CRLF",
        "CR",
        "no last line",
        "two lines",
        "done",
        "plain answer",
        "name only",
        "no name at all",
        "an unknown name before the true one",
        "an unknown name alone",
        "JSON instead of events",
    ],
)
async def test_a_stream_may_be_written_in_many_ways(events, server, connect) -> None:
    answer, _, _ = await streamed(server, connect, *events)
    assert answer.images[0].data == RED


async def test_a_server_that_ignores_the_stream_is_not_asked_again(server, connect) -> None:
    server.does(pictures(RED))
    answer = await make(connect(), request(partial_images=2), on_partial=Listener())
    assert (answer.images[0].data, len(server.posts)) == (RED, 1)


async def test_a_stream_under_another_content_type_is_a_stream(server, connect) -> None:
    server.does(reply(200, sse(partial(0, RED)) + sse(completed(BLUE)), {"content-type": "text/plain"}))
    assert (await make(connect(), request(partial_images=2), on_partial=Listener())).images[0].data == BLUE


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    text = b": c\r\n\r\ndata: one\r\n\r\nevent: e\ndata: two\ndata: more\n\nid: 5\rdata: three\r\rdata: four\n\n"
    splitter = EventSplitter()
    events = [
        (event.name, bytes(event.data))
        for at in range(0, len(text), size)
        for event in splitter.feed(text[at : at + size])
    ]
    assert events == [("", b"one"), ("e", b"two\nmore"), ("", b"three"), ("", b"four")]


def test_an_event_without_end_is_given_up() -> None:
    splitter = EventSplitter()
    with pytest.raises(BrokenAnswer):
        for _ in range(100):
            list(splitter.feed(b"data: " + b"A" * 2**20))


# --- reading JSON --------------------------------------------------------------------------------------------------

TRICKY = {
    "quotes": {"a": 'say "b64_json": "x"', "data": [{"b64_json": b64(BIG)}]},
    "backslashes": {"a": "ends in a backslash\\", "data": [{"b64_json": b64(BIG)}], "z": '\\"'},
    "long text": {"revised": 'a "long" \\ text é ' * 2000, "data": [{"b64_json": b64(BIG)}]},
    "long key": {"k" * 9000: 1, "data": [{"b64_json": b64(BIG)}]},
}


@pytest.mark.parametrize("name", TRICKY)
def test_lifting_out_long_strings_changes_nothing(name: str) -> None:
    parsed = parse_json(bytearray(json.dumps(TRICKY[name]).encode()))
    assert decode_picture(parsed.span(parsed.value["data"][0]["b64_json"])) == BIG
    for key, value in TRICKY[name].items():
        if isinstance(value, str):
            assert parsed.text(parsed.value[key]) == value


@pytest.mark.parametrize("size", [1, 7, 4096, 10**9])
@pytest.mark.parametrize("name", TRICKY)
def test_an_answer_reads_the_same_however_it_is_cut_and_decoded_on_the_way(name: str, size: int) -> None:
    big = BIG[: 2**18]
    value = {**TRICKY[name], "data": [{"b64_json": b64(big)}, {"b64_json": b64(RED)}]}
    text, reader = json.dumps(value).encode(), BodyReader(2)
    for at in range(0, len(text), size):
        for string in reader.feed(text[at : at + size]):
            if string.is_still_encoded:
                string.decode()
    parsed = reader.finish()
    first, second = parsed.value["data"]
    assert parsed.picture(first["b64_json"]) == big
    assert parsed.span(first["b64_json"]) is None
    assert decode_picture(parsed.span(second["b64_json"])) == RED
    for key, text_value in TRICKY[name].items():
        if isinstance(text_value, str):
            assert parsed.text(parsed.value[key]) == text_value


class Starved(bytes):
    """A chunk for which there is no memory at first."""

    looks = 0

    def find(self, *wanted: Any) -> int:
        self.looks += 1
        if self.looks < 4:
            raise MemoryError
        return super().find(*wanted)


async def test_an_answer_for_which_there_is_no_memory_at_the_moment_is_read_on_when_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.adapters.openai.bodies.NO_MEMORY_S", 0.0)
    text, reader = json.dumps({"data": [{"b64_json": b64(BIG)}]}).encode(), BodyReader(1)
    half = len(text) // 2
    for chunk in (text[:half], Starved(text[half:])):
        async for string in strings_in(reader, chunk):
            string.decode()
    parsed = reader.finish()
    assert parsed.picture(parsed.value["data"][0]["b64_json"]) == BIG


def test_an_answer_beyond_what_was_asked_for_is_given_up() -> None:
    reader = BodyReader(0)
    with pytest.raises(BrokenAnswer):
        for _ in range(100):
            list(reader.feed(b'"' + b"A" * 2**20))


@pytest.mark.slow
async def test_ten_pictures_of_the_largest_size_are_read_within_bounds(server, connect) -> None:
    """What a noisy PNG of 3840x2160 takes, ten times: legal, paid for, and a third of a gigabyte of base64."""
    large = random.Random(1).randbytes(25_000_000)
    encoded = base64.b64encode(large)

    async def ten(wire: Wire, seen: Seen) -> None:
        length = 10 * (len(encoded) + len(b'{"b64_json":""}')) + 9 + len(b'{"data":[]}')
        await wire.send(
            f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n".encode()
        )
        await wire.send(b'{"data":[')
        for number in range(10):
            await wire.send((b"," if number else b"") + b'{"b64_json":"')
            await wire.send(encoded)
            await wire.send(b'"}')
        await wire.send(b"]}")

    async def facts(data: bytes) -> Facts:
        return Facts("png", 3840, 2160)

    server.does(ten)
    tracemalloc.start()
    answer = await make(connect(inspect=facts), request(count=10), deadline_s=200)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [image.data == large for image in answer.images] == [True] * 10
    assert most < 10 * len(large) + 4 * len(encoded)


def test_a_string_without_end_is_broken() -> None:
    with pytest.raises(BrokenAnswer):
        parse_json(b'{"data": "' + b"\\" * 100_001 + b'"')


PNG = picture()
WRONG_CHECKSUM = b"\0\0\0\5tEXtwords\0\0\0\0"


@pytest.mark.parametrize(
    "data",
    [PNG[:-12], PNG[:-5], PNG[:-16], PNG + b"behind", PNG[:-12] + b"behind", PNG[:33] + WRONG_CHECKSUM + PNG[33:]],
    ids=["no end", "half an end", "no last checksum", "junk behind", "junk instead", "wrong ancillary checksum"],
)
async def test_a_paid_png_that_shows_whole_is_delivered_as_it_came(server, connect, data: bytes) -> None:
    server.does(pictures(data))
    (image,) = (await make(connect(inspect=look), request())).images
    assert (image.data, image.format, image.width, image.height) == (data, "png", 8, 6)
