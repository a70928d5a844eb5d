"""What waits for a server's moderators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.rules.ledger import Job
from bot.rules.people import Place
from bot.rules.servers.review import Review


class ReviewStore(Protocol):
    """Reviews by job and by group. A group is dropped when all is decided and shown."""

    async def open(self, held: Sequence[Job]) -> list[Review]:
        """Those of the jobs of which no message stands yet, as one group, which is named after the first."""
        ...

    async def of_job(self, job: Job) -> tuple[int | None, Review | None]:
        """The channel in which its server's moderators look at pictures by now, and the review of this job, should
        there be one.
        """
        ...

    async def of_group(self, group_id: str) -> list[Review]: ...
    async def stands(self, group_id: str, channel_id: int, message_id: int | None) -> None:
        """Moderators have the group before their eyes."""
        ...

    async def take(self, group_id: str, now: datetime) -> bool:
        """Whether this one may decide: of many at once one. Who was cut off in the middle leaves it after a while."""
        ...

    async def leave(self, group_id: str) -> None:
        """Nothing was decided after all."""
        ...

    async def approve(self, group_id: str) -> None: ...
    async def drop(self, job_id: str) -> None: ...
    async def of_maker(self, user_id: int) -> list[Review]:
        """What of theirs is undecided, or approved and was not shown, on any server."""
        ...

    async def unseen(self) -> list[Review]:
        """What is undecided, on any server, and stands in no message: its channel took none."""
        ...

    async def pending(self, place: Place) -> list[Review]:
        """All that is undecided in a server, each by itself again, to be shown anew."""
        ...
