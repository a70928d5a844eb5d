"""What can go wrong with words, beside what can with every call: by name, each a change to the right answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.images.faults import Fault, Shape

_MENTIONS = "@everyone <@1> look at [this](https://example.com) **now** ```\n# a heading\n> and `more` ||hidden||"


def _message(finish: str = "stop", **message: object) -> Callable[[dict[str, Any]], Any]:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        choice = body["choices"][0]
        changed = {**choice, "message": {**choice["message"], **message}, "finish_reason": finish}
        return {**body, "choices": [changed]}

    return change


def _halved(body: dict[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    return raw[: len(raw) // 2]


_ALL: tuple[Fault, ...] = (
    Shape("words_long", _message(content="A very long road through the hills. " * 1_389)),
    Shape("words_empty", _message(content="")),
    Shape("words_blank", _message(content=" \n\t ")),
    Shape("words_null", _message(content=None)),
    Shape("words_refused", _message(content=None, refusal="I can't help with that.")),
    Shape("words_filtered", _message("content_filter", content="")),
    Shape("words_cut", _message("length", content="A red fox in the")),
    Shape("words_all_thought", _message("length", content="<think>A red fox, then")),
    Shape("words_mentioning", _message(content=_MENTIONS)),
    Shape("words_broken", _halved),
    Shape("words_without_choices", lambda body: {**body, "choices": []}),
    Shape("words_in_a_list", lambda body: [body]),
    Shape("words_without_usage", lambda body: {name: value for name, value in body.items() if name != "usage"}),
    Shape(
        "words_dearer",
        lambda body: {**body, "usage": {"prompt_tokens": 10**7, "completion_tokens": 10**7, "total_tokens": 2 * 10**7}},
    ),
)

WORD_FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
