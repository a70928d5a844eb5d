"""One request and its answer, and the shape of the operations that stand between them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.model import Json
from sandbox.discord.rest.bodies import Body
from sandbox.discord.rest.errors import invalid
from sandbox.discord.rest.limits import RateLimits
from sandbox.discord.rules.problems import UNKNOWN_KEY, Problem
from sandbox.discord.wire.gateway import Gateway
from sandbox.discord.wire.specs import Specs
from sandbox.discord.world import World


@dataclass(slots=True)
class Call:
    """One request on its way through. ``params`` are the parts of the path by the template's names."""

    world: World
    gateway: Gateway
    limits: RateLimits
    specs: Specs
    method: str
    path: str
    template: str
    params: dict[str, str]
    query: dict[str, str]
    body: Body = field(default_factory=Body)
    is_read: bool = False
    interaction_id: int | None = None

    @property
    def data(self) -> Json:
        """The JSON object that came; ``{}`` if none did."""
        return self.body.data if isinstance(self.body.data, dict) else {}

    def number(self, name: str) -> int:
        """A numeric part of the path; 50035 if it is none."""
        text = self.params[name]
        if not text.isdigit():
            raise invalid([Problem((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')])
        return int(text)

    def asked(self, name: str) -> int | None:
        """A number of the query, if it is there; 50035 if it is none."""
        text = self.query.get(name)
        if text is not None and not text.isdigit():
            raise invalid([Problem((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')])
        return None if text is None else int(text)

    def amount(self, otherwise: int, most: int) -> int:
        """The ``limit`` of the query; 50035 beyond 1 to ``most``."""
        limit = self.asked("limit")
        limit = otherwise if limit is None else limit
        if not 1 <= limit <= most:
            raise invalid([Problem(("limit",), "NUMBER_TYPE_MAX", f"int value should be between 1 and {most}.")])
        return limit

    def reject(self, problems: list[Problem]) -> None:
        """Records what is wrong and raises 50035 for what Discord refuses (it takes no notice of unknown keys)."""
        self.specs.record("rule", f"{self.method} {self.template}", [str(p) for p in problems])
        refused = [p for p in problems if p.code != UNKNOWN_KEY]
        if refused:
            raise invalid(refused)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; ``data`` None sends no body (204)."""

    status: int = 200
    data: Any = None


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation. ``template`` is the description's path; ``needs_token`` false for interaction endpoints.

    ``limit`` names a kind in ``RateLimits.rates`` and the path parameter that is its key.
    """

    method: str
    template: str
    handler: Handler
    needs_token: bool = True
    limit: tuple[str, str] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.template)
        text = "".join(f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        return re.compile(text)
