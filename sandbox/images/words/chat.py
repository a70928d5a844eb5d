"""``POST /v1/chat/completions``: strict about what it takes, as OpenAI's document is; the answer with its usage."""

from __future__ import annotations

import base64
import binascii
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.images import errors
from sandbox.images.errors import ApiError
from sandbox.images.words.looking import Seen, look
from sandbox.images.words.writing import described, improved

MODEL = "sandbox-words"
"""The one model of words there is."""

MOST_BODY = 16 * 2**20
LIMITS = ("max_completion_tokens", "max_tokens")
TAKEN = frozenset({"model", "messages", "safety_identifier", "user", *LIMITS})
ROLES = ("system", "developer", "user", "assistant")

_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|webp|gif));base64,([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A completion that may be made: the last words of the user, the pictures beside them, and how long it may be."""

    told: str
    text: str
    pictures: tuple[bytes, ...]
    most_tokens: int | None


def check(body: Mapping[str, Any]) -> Asked:
    """Raises the ``ApiError`` of the first rule that is broken."""
    for name in body:
        if name not in TAKEN:
            raise errors.unknown(name)
    for name in ("model", "messages"):
        if name not in body:
            raise errors.missing(name)
    if body["model"] != MODEL:
        raise errors.model_not_found(body["model"])
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise errors.wrong_type("messages", "an array", messages)
    read = [_message(f"messages[{at}]", one) for at, one in enumerate(messages)]
    if all(role != "user" for role, _, _ in read):
        raise errors.invalid("messages", "There must be a message of the user.")
    told = " ".join(text for role, text, _ in read if role in ("system", "developer"))
    _, text, pictures = next(one for one in reversed(read) if one[0] == "user")
    return Asked(told, text, pictures, _limit(body))


def _limit(body: Mapping[str, Any]) -> int | None:
    given = [name for name in LIMITS if name in body]
    if len(given) > 1:
        raise errors.invalid(given[0], f"{given[0]} and {given[1]} cannot both be set.")
    if not given:
        return None
    value = body[given[0]]
    if not isinstance(value, int) or isinstance(value, bool):
        raise errors.wrong_type(given[0], "an integer", value)
    if value < 1:
        raise errors.too_small(given[0], value, 1)
    return value


def _message(where: str, message: object) -> tuple[str, str, tuple[bytes, ...]]:
    if not isinstance(message, dict):
        raise errors.wrong_type(where, "an object", message)
    for name in message:
        if name not in ("role", "content"):
            raise errors.unknown(f"{where}.{name}")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise errors.not_one_of(f"{where}.role", role, ROLES)
    if isinstance(content, str):
        return role, content, ()
    if not isinstance(content, list) or not content:
        raise errors.wrong_type(f"{where}.content", "a string or an array", content)
    parts = [_part(f"{where}.content[{at}]", one, role) for at, one in enumerate(content)]
    pictures = tuple(part for part in parts if isinstance(part, bytes))
    return role, " ".join(part for part in parts if isinstance(part, str)), pictures


def _part(where: str, part: object, role: str) -> str | bytes:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if isinstance(part, dict) and kind == "image_url" and role == "user":
        address = part.get("image_url")
        return _picture(f"{where}.image_url.url", address.get("url") if isinstance(address, dict) else None)
    raise errors.not_one_of(f"{where}.type", kind, ("text", "image_url"))


def _picture(where: str, address: object) -> bytes:
    found = _DATA_URL.fullmatch(address) if isinstance(address, str) else None
    if found is None:
        raise errors.invalid(where, f"Invalid '{where}': expected a base64-encoded data URL with an image MIME type.")
    try:
        return base64.b64decode(found[2], validate=True)
    except binascii.Error:
        raise errors.invalid(where, f"Invalid '{where}': invalid base64.") from None


def completion(asked: Asked, known: Mapping[bytes, str], now: int) -> dict[str, Any]:
    """The answer. ``known`` are pictures drawn here, with what was asked for. Blocks: run in a thread."""
    seen = [_look(data) for data in asked.pictures]
    words = (
        described(seen[0], [(look(data), prompt) for data, prompt in known.items()]) if seen else improved(asked.text)
    )
    read = text_tokens(asked.told) + text_tokens(asked.text) + sum(image_tokens(one.size) for one in seen) + 11
    pieces = re.findall(r"\S+\s*", words)
    most = len(pieces) if asked.most_tokens is None else min(len(pieces), asked.most_tokens)
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": now,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(pieces[:most]).rstrip(), "refusal": None},
                "logprobs": None,
                "finish_reason": "stop" if most == len(pieces) else "length",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": most,
            "total_tokens": read + most,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
    }


def _look(data: bytes) -> Seen:
    try:
        return look(data)
    except (OSError, ValueError):
        raise ApiError(
            400, "The image data you provided does not represent a valid image.", code="invalid_image"
        ) from None


def text_tokens(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def image_tokens(size: tuple[int, int]) -> int:
    """The dearest way of counting in use: tiles of 512 pixels, after the short side was scaled down to 768."""
    scale = min(1.0, 2048 / max(size), 768 / min(size))
    across, down = (max(1, math.ceil(int(side * scale) / 512)) for side in size)
    return 2_833 + 5_667 * across * down
