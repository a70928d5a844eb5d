"""The reader that decodes while the answer comes, judged by those that read it whole."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import pybase64
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.openai.answers import Answer, BrokenAnswer, Item, NotAPicture, decode_picture, parse_json, read_answer
from bot.adapters.openai.bodies import BodyReader, strings_in
from bot.adapters.openai.decoding import StrictBase64
from bot.rules.requests import Endpoint
from tests.adapters.openai.fault_server import b64

ODDITIES = ("", "", "=", "==", "====", "A", "AB==", "AA==", "-_", "é", "\n", "\\", '"', '\\"', " ", "/", "\u2028", "😀")
FEW = settings(max_examples=150, deadline=None)


def pieces(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return (body[start:end] for start, end in itertools.pairwise(places))


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


encoded = st.builds(lambda seed, size: b64(noise(seed, size)), st.integers(0, 99), st.integers(0, 24_000))
nearly = st.builds("".join, st.lists(encoded | st.sampled_from(ODDITIES), max_size=4))
cuts = st.lists(st.integers(0, 2**20), max_size=12)


@FEW
@given(nearly | st.text("AB=+/\n", max_size=40), st.lists(st.integers(0, 2**20) | st.integers(0, 60), max_size=30))
def test_base64_in_pieces_is_what_the_whole_is_or_its_text_is_given_back(text: str, places: list[int]) -> None:
    whole, reader, taken = text.encode(), StrictBase64(), b""
    for piece in pieces(whole, places):
        if not reader.add(memoryview(piece)):
            break
        taken += piece
    assert reader.text() == taken
    try:
        strict = base64.b64decode(whole, validate=True)
    except ValueError:
        strict = None
    is_canonical = strict is not None and base64.b64encode(strict) == whole
    assert (reader.finish() if taken == whole else None) == (strict if is_canonical else None)


rows = st.fixed_dictionaries(
    {},
    optional={
        "b64_json": encoded | nearly | st.none(),
        "url": nearly | st.builds("data:image/png;base64,{}".format, encoded) | st.just("https://a.example/b.png"),
        "revised_prompt": st.sampled_from(["", "a fox", 'say "b64_json": "x" \\', "é\\ 😀" * 3000, " " * 9000]),
        "respect_moderation": st.booleans(),
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "data": st.lists(rows | encoded | nearly | st.integers(), max_size=4),
        "b64_json": encoded | nearly,
        "usage": st.just({"input_tokens": 9, "output_tokens": 196}),
        'k"' * 4000: nearly,
        "error": st.sampled_from([None, {"message": 'no "picture" \\'}]),
    },
)
written = st.builds(
    lambda value, indent, ascii_only, slashes: json.dumps(value, indent=indent, ensure_ascii=ascii_only).replace(
        *(("/", "\\/") if slashes else ("", "", 0))
    ),
    documents,
    st.sampled_from([None, 1]),
    st.booleans(),
    st.booleans(),
)


def read_whole(body: bytes) -> Answer:
    return read_answer(parse_json(body), Endpoint.GENERATIONS)


def read_in_pieces(body: bytes, places: list[int]) -> Answer:
    reader = BodyReader(4)
    for piece in pieces(body, places):
        for string in reader.feed(piece):
            if string.is_still_encoded:
                string.decode()
    return read_answer(reader.finish(), Endpoint.GENERATIONS)


def shown(answer: Answer) -> Any:
    return [(picture(item), item.url, item.revised_prompt, item.refused) for item in answer.items], (
        answer.usage,
        bool(answer.error),
        answer.is_empty_list,
    )


def picture(item: Item) -> bytes | str | None:
    try:
        return item.data or (decode_picture(item.encoded) if item.encoded is not None else None)
    except NotAPicture as fault:
        return str(fault)


def outcome(read: Any, *given: Any) -> Any:
    try:
        return shown(read(*given))
    except BrokenAnswer:
        return "broken"


@FEW
@given(written, cuts, st.none() | st.integers(0, 2**20))
def test_an_answer_in_pieces_is_what_the_whole_is(text: str, places: list[int], breaks_off: int | None) -> None:
    body = text.encode()
    body = body if breaks_off is None else body[: breaks_off % (len(body) + 1)]
    assert outcome(read_in_pieces, body, places) == outcome(read_whole, body)


async def test_where_memory_is_short_again_and_again_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = pybase64.b64decode, itertools.count()

    def starving(*args: Any, **more: Any) -> bytes:
        if next(calls) % 3 == 0:
            raise MemoryError
        return real(*args, **more)

    monkeypatch.setattr(pybase64, "b64decode", starving)
    monkeypatch.setattr("bot.adapters.openai.bodies.NO_MEMORY_S", 0.0)
    data = noise(1, 50_000)
    body, reader = json.dumps({"data": [{"b64_json": b64(data)}]}).encode(), BodyReader(1)
    for piece in pieces(body, list(range(0, len(body), 9_999))):
        async for _ in strings_in(reader, piece):
            pass
    parsed = reader.finish()
    assert parsed.picture(parsed.value["data"][0]["b64_json"]) == data
