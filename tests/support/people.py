"""People, what they ask for, and the jobs that come of it: one maker each; keywords replace what a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.rules.ledger import Answer, Bill, Job, JobState
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind, Made, MadeImage, Usage
from bot.rules.servers.access import ServerSettings
from bot.rules.servers.changes import Imported
from bot.rules.servers.edits import Edit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GUILD, CHANNEL, USER, OTHER, APP = 11, 22, 33, 34, 99
DISCORD_EPOCH_MS = 1420070400000


def snowflake(at: datetime, low: int = 1) -> int:
    return (int(at.timestamp() * 1000) - DISCORD_EPOCH_MS) << 22 | low


def asker(user: int = 1, *, guild: int | None = 10, channel: int = 100, **more: Any) -> Asker:
    """Somebody in a server, or without one in direct messages."""
    return Asker(user, Place(guild, user), channel, **more)


def make_asker(**changes: Any) -> Asker:
    return replace(Asker(USER, Place(GUILD, USER), CHANNEL, guild_locale="en-US"), **changes)


def make_request(**changes: Any) -> ImageRequest:
    base = ImageRequest(
        Kind.IMAGINE,
        Endpoint.GENERATIONS,
        "gpt-image-2.5-flare",
        "a red fox",
        "a red fox",
        size="1024x1024",
        quality="low",
    )
    return replace(base, **changes)


def make_answer(**changes: Any) -> Answer:
    return replace(Answer(5, APP, "interaction-token", CHANNEL, NOW + timedelta(minutes=15), message_id=77), **changes)


def make_job(**changes: Any) -> Job:
    base = Job(
        id="JOB45678901234567890",
        state=JobState.PRODUCED,
        epoch=1,
        asker=make_asker(),
        request=make_request(),
        answer=make_answer(),
        reserved_micro_usd=MicroUSD(9000),
        charged_micro_usd=MicroUSD(5910),
        created_at=NOW,
        bill=Bill(MicroUSD(5910), 1, Usage(10, 0, 196)),
    )
    return replace(base, **changes)


def make_made(count: int = 1, *, data: bytes = b"picture", image_format: str = "png", **changes: Any) -> Made:
    return Made(tuple(MadeImage(data, image_format, 1024, 1024, **changes) for _ in range(count)))


def becomes(settings: ServerSettings) -> Edit:
    """These settings in place of all others; the API key stays the server's own."""
    return lambda now: (replace(settings, api_key_hint=now.api_key_hint), Imported())
