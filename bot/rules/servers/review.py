"""Looking at pictures before anybody sees them: what is waited for, and what may be wrong with a decision."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rules.errors import UserError


@dataclass(frozen=True, slots=True)
class Review:
    """A picture that moderators look at first. Those of one ``group_id`` stand in one message and are decided together.

    ``message_id`` None: no message stands in the moderators' channel. ``approved``: it may be shown, and was not yet.
    """

    job_id: str
    group_id: str
    place_key: str
    channel_id: int | None = None
    message_id: int | None = None
    approved: bool = False


class Undecided(UserError):
    """Somebody else is deciding about it at this moment, or has. Nothing was done."""


class ReviewRefused(UserError):
    """The moderators did not post the picture; ``reason`` is theirs, ``count`` how many pictures it is about."""

    def __init__(self, reason: str, count: int) -> None:
        super().__init__("refused by moderators")
        self.reason = reason
        self.count = count
