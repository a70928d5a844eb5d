"""The image service, as the core sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.faults import Fault, FaultKind
from bot.rules.origins import Checked
from bot.rules.overnight import Counts, NightState
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
    """Makes pictures, each at the service where its model lives. One call of ``make`` is at most one billable POST.

    ``is_official`` is of the default service: true for OpenAI's own, where retired models are refused beforehand.
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

    async def known_models(self, payer: Payer, *, service: str = DEFAULT_SERVICE) -> tuple[KnownModel, ...] | None:
        """What ``GET /models`` of that service lists, by the names it gives them; none where it takes the key but names
        no model that can be asked for, None where it has no such route. Raises ``ServiceFault``.
        """
        ...

    async def nights(self, *, service: str = DEFAULT_SERVICE) -> NightService:
        """How that service is asked for pictures overnight. Raises ``ServiceFault``."""
        ...

    async def aclose(self) -> None: ...


class ProvenanceService(Protocol):
    """Tells whether a service made a picture."""

    async def check_provenance(
        self, data: bytes, mime: str, *, payer: Payer, service: str = DEFAULT_SERVICE
    ) -> Checked:
        """Asks that service once. Raises ``ServiceFault``."""
        ...


class WholeService(ImageService, ProvenanceService, Protocol):
    """Everything a service may be asked."""


@dataclass(frozen=True, slots=True)
class NightLine:
    """One picture that is asked for overnight. ``id`` comes back with it; ``member_tag`` as in ``make``."""

    id: str
    request: ImageRequest
    member_tag: str


@dataclass(frozen=True, slots=True)
class Night:
    """A batch at the service, as it stands there. ``files`` are to be deleted when it is over, ``output`` and ``error``
    among them. ``refused``: why it failed as a whole.
    """

    id: str
    state: NightState
    input: str | None = None
    output: str | None = None
    error: str | None = None
    counts: Counts = field(default_factory=Counts)
    ends_by: datetime | None = None
    why: str = ""
    refused: FaultKind = FaultKind.BAD_REQUEST

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(one for one in (self.input, self.output, self.error) if one is not None)


@dataclass(frozen=True, slots=True)
class NightAnswer:
    """What a line of a result file says. ``id`` None: it cannot be read. One that was not asked for is a fault."""

    id: str | None
    outcome: Made | Fault


class NightService(Protocol):
    """Pictures within a day, for less: the Files and the Batch API of one service. All raise ``ServiceFault`` alone.

    Law: ``create`` may cost money and is not safe to repeat; where its fault is not ``Billed.NO``, a batch may have
    been made, which ``find`` will tell.
    """

    async def upload(self, name: str, lines: Sequence[NightLine], payer: Payer) -> str:
        """Puts the requests there as one file; its id. Costs nothing."""
        ...

    async def uploaded(self, name: str, payer: Payer) -> str | None:
        """The id of the newest file of that name, should there be one."""
        ...

    async def create(self, file_id: str, mark: str, payer: Payer) -> Night:
        """Begins the batch. ``mark`` is written on it."""
        ...

    async def find(self, mark: str, file_id: str, since: datetime, payer: Payer) -> Sequence[Night]:
        """Every batch with that mark, or of that file where no mark is told, the oldest first, of those begun since
        then. A fault where nobody can tell whether all were seen.
        """
        ...

    async def look(self, night_id: str, payer: Payer) -> Night: ...
    async def cancel(self, night_id: str, payer: Payer) -> None:
        """Asks it to end; nothing happens where it has ended."""
        ...

    def answers(self, file_id: str, asked: Mapping[str, ImageRequest], payer: Payer) -> AsyncGenerator[NightAnswer]:
        """What a result file holds, line by line: one picture in memory at a time."""
        ...

    async def delete(self, file_id: str, payer: Payer) -> None:
        """Removes a file; nothing happens where there is none."""
        ...
