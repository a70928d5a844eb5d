"""What batches meet beside the ledger: a Discord that outlives processes, somebody who is told, and no pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.ports import Batch, BatchCounts, BatchPicture, CannotDeliver, Delivered, Slot
from bot.rules.ledger import Job
from bot.rules.overnight import Overnight


class Gone(BaseException):
    """What the world of a killed process meets: nothing it does happens any more."""


class Process(Protocol):
    """It may die at any boundary."""

    def reach(self, name: str) -> None: ...


@dataclass
class Channel:
    """A pretend Discord that outlives processes: each message by what would be its nonce."""

    groups: dict[int, list[int]] = field(default_factory=dict)
    summaries: list[BatchCounts] = field(default_factory=list)
    ends: list[list[Job]] = field(default_factory=list)
    progress: list[BatchCounts] = field(default_factory=list)
    nights: list[Overnight] = field(default_factory=list)
    keyless: list[bool] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)
    withdrawn: int = 0
    calls: int = 0
    closed: bool = False

    @property
    def lines(self) -> list[int]:
        return [line for lines in self.groups.values() for line in lines]


class Delivery:
    """A batch's conversation in that channel, in one life of the process."""

    def __init__(self, channel: Channel, life: Process, *, repeatable: bool = True) -> None:
        self._channel = channel
        self._life = life
        self.repeatable = repeatable

    async def progress(self, batch: Batch, counts: BatchCounts) -> None:
        self._channel.progress.append(counts)

    async def overnight(self, batch: Batch, night: Overnight, *, keyless: bool, late: bool) -> None:
        self._channel.nights.append(night)
        self._channel.keyless.append(keyless)
        self._channel.late.append(late)
        self._life.reach(f"told that it is {night.state}")

    async def group(self, batch: Batch, pictures: Sequence[BatchPicture]) -> Delivered:
        if self._channel.closed:
            raise CannotDeliver("closed")
        self._channel.calls += 1
        nonce = (pictures[0].line - 1) // 10 if self.repeatable else self._channel.calls
        self._channel.groups.setdefault(nonce, [picture.line for picture in pictures])
        self._life.reach("shown")
        return Delivered(500 + nonce, batch.channel_id)

    async def withdrawn(self, batch: Batch) -> None:
        self._channel.withdrawn += 1

    async def summary(self, batch: Batch, counts: BatchCounts, lines: Sequence[Job]) -> None:
        self._channel.summaries.append(counts)
        self._channel.ends.append(list(lines))
        self._life.reach("summed up")


class Nobody:
    """Is told of budgets and service, and keeps it to himself: what he was told of keys is in ``heard``."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, bool, str]] = []

    async def service(self, place: object, *, working: bool, why: str, model: str | None) -> None:
        self.heard.append((place, working, why))

    def __getattr__(self, name: str) -> Any:
        async def told(*_: object, **__: object) -> None: ...

        return told


class AtOnce:
    """A pace that makes nobody wait."""

    async def take(self, lane: str, images: int) -> Slot:
        return Slot(0)

    async def give_back(self, lane: str, slot: Slot) -> None: ...
