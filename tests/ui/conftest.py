"""Jobs, people and made pictures for the tests of what people see; and a client that is connected to nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop, which Python 3.13 drops
    import discord

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.ledger import Answer, Bill, Job, JobState
from bot.rules.money import MicroUSD
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, ImageRequest, Kind, Made, MadeImage, Usage
from bot.rules.servers.access import ServerSettings
from bot.ui.client.client import Client
from tests.support.shell import bare_shell

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GUILD, CHANNEL, USER, OTHER, APP = 11, 22, 33, 34, 99
DISCORD_EPOCH_MS = 1420070400000


def snowflake(at: datetime, low: int = 1) -> int:
    return (int(at.timestamp() * 1000) - DISCORD_EPOCH_MS) << 22 | low


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


class FakeStore:
    """The few questions the shell asks of the ledger."""

    def __init__(self) -> None:
        self.rows: dict[str, Job] = {}
        self.place_settings = ServerSettings()
        self.postings: dict[str, datetime | None] = {}
        self.fails = False
        self.jobs = self.servers = self.notes = self

    async def get(self, job_id: str) -> Job | None:
        return self.rows.get(job_id)

    async def settings(self, place: Place) -> ServerSettings:
        if self.fails:
            raise ConnectionError("the ledger is away")
        return self.place_settings

    async def posting(self, key: str) -> datetime | None:
        return self.postings.get(key)

    async def set_posting(self, key: str, began: datetime | None) -> None:
        self.postings[key] = began

    async def set_answer_message(self, job: Job, message_id: int) -> Job:
        return job


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(builtin_catalogue())


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def client(catalogue: Catalogue, store: FakeStore) -> Client:
    """A client with a fake ledger, connected to nothing."""
    client = Client(lambda _: bare_shell(catalogue, store=store, clock=lambda: NOW))
    await client._async_setup_hook()
    me: Any = {"id": str(APP), "username": "easel", "discriminator": "0", "avatar": None}
    client._connection.user = discord.ClientUser(state=client._connection, data=me)
    return client


@pytest.fixture
def interact(client: Client) -> Callable[..., Any]:
    """Builds an interaction as Discord sends it; keywords replace parts of the payload."""

    def build(**changes: Any) -> Any:
        payload: dict[str, Any] = {
            "id": str(snowflake(NOW)),
            "application_id": str(APP),
            "type": 2,
            "token": "interaction-token",
            "version": 1,
            "guild_id": str(GUILD),
            "guild": {"id": str(GUILD), "locale": "de", "features": []},
            "channel": {"id": str(CHANNEL), "type": 0, "name": "art", "guild_id": str(GUILD), "position": 0},
            "member": {
                "user": {"id": str(USER), "username": "ada", "discriminator": "0", "avatar": None},
                "roles": ["501", "502"],
                "joined_at": "2024-01-01T00:00:00+00:00",
                "deaf": False,
                "mute": False,
                "flags": 0,
                "permissions": "0",
            },
            "locale": "en-GB",
            "guild_locale": "de",
            "app_permissions": str(discord.Permissions.all().value & ~discord.Permissions(administrator=True).value),
            "attachment_size_limit": 20 * 1024 * 1024,
            "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0,
            "entitlements": [],
            "data": {"id": "1", "name": "imagine", "type": 1},
        }
        payload.update(changes)
        payload = {key: value for key, value in payload.items() if value is not None}
        return discord.Interaction(data=payload, state=client._connection)  # type: ignore[arg-type]

    return build
