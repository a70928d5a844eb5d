"""The image service, as the core sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from bot.rules.requests import ImageRequest, Inputs, Made, Partial


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What the service itself says of a model: its id and, where it tells, the day it ends."""

    id: str
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class OperatorPays:
    """A call is sent with the operator's key, which the service holds."""


@dataclass(frozen=True, slots=True)
class KeyPays:
    """A call is sent with this key, a server's own, and never with another."""

    api_key: str = field(repr=False)


Payer = OperatorPays | KeyPays
"""Who pays for a call. It is always said: nothing left out means the operator."""

OnPartial = Callable[[Partial], Awaitable[None]]


class ImageService(Protocol):
    """Makes pictures. One call of ``make`` is at most one billable POST.

    ``is_official`` is true for OpenAI's own service, where retired models are refused before they are asked for.
    """

    @property
    def is_official(self) -> bool: ...

    async def make(
        self,
        request: ImageRequest,
        inputs: Inputs,
        *,
        payer: Payer,
        member_tag: str,
        deadline_s: float,
        on_partial: OnPartial | None = None,
    ) -> Made:
        """Makes one call's worth of pictures (all of ``count``, or one where ``calls`` > 1).

        ``member_tag`` is a keyed hash of the member's id. Raises ``ServiceFault`` and nothing else, except
        ``CancelledError`` when cancelled (the connection is then closed). Every picture returned is whole and of the
        format it says.
        """
        ...

    async def known_models(self, payer: Payer) -> tuple[KnownModel, ...] | None:
        """What ``GET /models`` lists; None where the service has no such route. Raises ``ServiceFault``."""
        ...

    async def aclose(self) -> None: ...
