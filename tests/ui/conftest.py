"""Jobs, people and made pictures for the tests of what people see; and a client that is connected to nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop, which Python 3.13 drops
    import discord

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.ledger import Job
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.ui.client.client import Client
from bot.ui.internals import keep_channel
from tests.support.people import APP, CHANNEL, GUILD, NOW, USER, snowflake
from tests.support.shell import bare_shell


class FakeStore:
    """The few questions the shell asks of the ledger."""

    def __init__(self) -> None:
        self.rows: dict[str, Job] = {}
        self.place_settings = ServerSettings()
        self.settings_of: dict[str, ServerSettings] = {}
        self.postings: dict[str, datetime | None] = {}
        self.fails = False
        self.jobs = self.servers = self.notes = self

    async def get(self, job_id: str) -> Job | None:
        return self.rows.get(job_id)

    async def settings(self, place: Place) -> ServerSettings:
        if self.fails:
            raise ConnectionError("the ledger is away")
        return self.settings_of.get(place.key, self.place_settings)

    async def posting(self, key: str) -> datetime | None:
        return self.postings.get(key)

    async def set_posting(self, key: str, began: datetime | None) -> None:
        self.postings[key] = began


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
        keep_channel(payload)
        return discord.Interaction(data=payload, state=client._connection)  # type: ignore[arg-type]

    return build
