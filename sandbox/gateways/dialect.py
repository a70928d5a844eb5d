"""What a dialect is: how a server that speaks OpenAI's API nearly, but not quite, reads, refuses and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Situation = Literal[
    "moderation",
    "no_funds",
    "bad_key",
    "rate_limit",
    "bad_picture",
    "failed",
    "bad_value",
    "unknown_parameter",
    "no_model",
    "no_route",
]
Filled = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in a dialect's words. ``{message}``, ``{param}``, ``{value}`` and ``{model}`` stand for what was."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def about(self, facts: Filled) -> Said:
        return Said(self.status, filled(self.body, facts), self.headers)


def filled(value: Any, facts: Filled) -> Any:
    """The body with every ``{name}`` in its strings replaced; braces that name nothing stay."""
    match value:
        case str():
            for name, text in facts.items():
                value = value.replace("{" + name + "}", text)
            return value
        case dict():
            return {name: filled(one, facts) for name, one in value.items()}
        case list():
            return [filled(one, facts) for one in value]
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server. ``source`` is where its ways were read; what it has no words for it tells as a failure.

    ``root`` is what comes before ``/images/…``; ``route`` stands for ``images/generations``. ``takes`` None: everything
    is handed on; else the rest is dropped, or refused where ``is_strict``. ``values`` holds the only values of a
    parameter. ``tries`` is how often one request is sent upstream while that fails (5xx, 429), without a word.
    ``breaks_on_streams``: what is asked for as a stream is made, and then lost. ``answers``: base64, addresses, or what
    ``response_format`` asks for (addresses if nothing does).
    """

    name: str
    source: str
    says: Mapping[Situation, Said]
    root: str = "/v1"
    route: str = "images/generations"
    key_header: Literal["authorization", "api-key"] = "authorization"
    needs_header: str | None = None
    needs_query: str | None = None
    edits: Literal["form", "json", "none"] = "form"
    lists_models: bool = True
    takes: frozenset[str] | None = None
    is_strict: bool = False
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tries: int = 1
    streams: bool = False
    breaks_on_streams: bool = False
    answers: Literal["b64", "url", "as_asked"] = "b64"
    tells_usage: bool = True
    upstream_model: str = "dall-e-2"
