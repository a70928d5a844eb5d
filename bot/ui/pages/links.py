"""Links to messages: to where a job's pictures stand, and out of what a person pasted."""

from __future__ import annotations

import re

from bot.rules.ledger import Job

_LINK = re.compile(
    r"<?https://(?:\w+\.)?discord(?:app)?\.com/channels/(?P<guild>\d{1,20}|@me)/(?P<channel>\d{1,20})/"
    r"(?P<message>\d{1,20})>?"
)
_NUMBER = re.compile(r"\d{15,20}")


def link_to(guild_id: int | None, channel_id: int, message_id: int) -> str:
    return f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}/{message_id}"


def is_private(job: Job) -> bool:
    return job.request.private or (job.answer is not None and job.answer.private)


def jump_link(job: Job) -> str | None:
    """Where the pictures stand; None for what only one person can see, what nobody was shown, and what stands in a
    server that Easel is no member of: its number is not kept.
    """
    if job.message_id is None or job.message_channel_id is None or is_private(job):
        return None
    if not job.asker.place.is_server and job.asker.guild_locale is not None:
        return None
    return link_to(job.asker.place.guild_id, job.message_channel_id, job.message_id)


def read_message(typed: str, guild_id: int | None, channel_id: int) -> tuple[int, int] | None:
    """(channel, message) of a message of this very place, from its link or its number; None for anything else."""
    typed = typed.strip()
    found = _LINK.fullmatch(typed)
    if found is not None:
        same = found["guild"] == (str(guild_id) if guild_id is not None else "@me")
        return (int(found["channel"]), int(found["message"])) if same else None
    return (channel_id, int(typed)) if _NUMBER.fullmatch(typed) else None
