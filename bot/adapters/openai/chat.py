"""Words from a model of words: what is sent to ``/chat/completions``, and a strict reading of what comes back. Pure.

Law: an answer without words is a fault that may have been billed. Of the words no more is kept than a form can hold.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from bot.adapters.openai.answers import BrokenAnswer
from bot.rules.catalogue.chat import INSTRUCTIONS, MOST_WORDS
from bot.rules.catalogue.model import Model
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.options.flags import read_flags
from bot.rules.options.prompts import says_nothing
from bot.rules.options.table import RawOptions
from bot.rules.requests import ImageRequest, InputImage, Inputs, Kind, Made, Usage

MOST_BYTES = 2**20
"""Of an answer: 50,000 characters are 300 KB at most."""

_THOUGHTS = re.compile(r"\A\s*<think>.*?(</think>|\Z)", re.DOTALL)
"""What some local models write before they answer."""

_QUOTES = {'"': '"', "“": "”", "„": "“", "'": "'"}
_MOST_TOKENS = 10**9


def chat_arguments(
    request: ImageRequest, inputs: Inputs, model: Model | None, *, official: bool, member_tag: str
) -> dict[str, Any]:
    """Arguments for ``chat.completions.create``. Raises ``ValueError`` without a picture to describe."""
    if model is None or model.chat is None:
        raise ValueError(f"{request.model} makes no words")
    if request.kind is Kind.DESCRIBE and not inputs.images:
        raise ValueError("no picture to describe")
    text = {"type": "text", "text": request.prompt}
    content: Any = [text, *map(_picture, inputs.images)] if inputs.images else request.prompt
    arguments = {
        "model": model.wire_name,
        "messages": [
            {"role": "system", "content": INSTRUCTIONS[request.kind]},
            {"role": "user", "content": content},
        ],
        model.chat.limit: model.chat.output_tokens,
    }
    return arguments | ({model.user_field: member_tag} if official and member_tag else {})


def _picture(image: InputImage) -> dict[str, Any]:
    encoded = base64.b64encode(image.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{image.mime};base64,{encoded}"}}


def read_words(body: bytes, request_id: str | None) -> Made | Fault | dict[str, Any]:
    """The words in a completion, or why there are none; an error object inside a good answer is given back as it is.

    Raises ``BrokenAnswer``.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise BrokenAnswer(f"not JSON ({len(body)} bytes)") from None
    if not isinstance(answer, dict):
        raise BrokenAnswer(f"JSON that is no object ({type(answer).__name__})")
    choices = answer.get("choices")
    if answer.get("error") and not choices:
        return answer
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise BrokenAnswer("a completion without a message")
    reason = choice.get("finish_reason")
    if reason == "content_filter" or message.get("refusal"):
        return Fault(FaultKind.MODERATION, Billed.MAYBE, request_id=request_id, detail="the model refused")
    words = _unwrapped(_text(message.get("content")))
    if says_nothing(words):
        raise BrokenAnswer("a completion without words" + (" at its limit of tokens" if reason == "length" else ""))
    return Made((), usage=_usage(answer.get("usage")), request_id=request_id, words=_kept(words))


def _kept(words: str) -> str:
    """As many as are kept, without flags at their end: only people's mean anything."""
    return read_flags(RawOptions(words[:MOST_WORDS].rstrip()))[0].prompt


def _text(content: object) -> str:
    """Text, or the text of the parts in which some servers answer."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _unwrapped(text: str) -> str:
    """Without thoughts, without what no text column holds, and without quotation marks around all of it."""
    bare = _THOUGHTS.sub("", text).replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
    closing = _QUOTES.get(bare[:1])
    if closing is not None and len(bare) > 1 and bare[-1] == closing and closing not in bare[1:-1]:
        return bare[1:-1].strip()
    return bare


def _usage(value: object) -> Usage | None:
    """The tokens reported; None where there are none, or nonsense."""
    if not isinstance(value, dict):
        return None
    details = value.get("prompt_tokens_details")
    read, written = _count(value.get("prompt_tokens")), _count(value.get("completion_tokens"))
    cached = min(read, _count(details.get("cached_tokens")) if isinstance(details, dict) else 0)
    usage = Usage(input_text_tokens=read, output_tokens=written, cached_text_tokens=cached)
    return usage if read and written else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS else 0
