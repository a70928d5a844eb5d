"""What is told without being asked: where it goes, in which words, and that nothing of it ever raises."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import aiohttp
import pytest

from bot.core.tasks import Tasks
from bot.ports import AuditEntry, BudgetWarning
from bot.rules.limits.limit import Measure, Period, Quota, Scope, slot_of
from bot.rules.money import MicroUSD
from bot.rules.people import Place
from bot.rules.servers.access import Defaults, ServerSettings
from bot.rules.servers.changes import Change, LimitChanged, PauseChanged, Stop
from bot.ui.delivery.notices import DiscordNotifier

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE, THERE, DIRECT = Place(11, 0), Place(12, 0), Place(None, 5)
SERVER_BUDGET = Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000)


class Ledger:
    def __init__(self) -> None:
        self.places: dict[str, tuple[Place, ServerSettings]] = {}
        self.fails = False
        self.servers = self

    async def settings(self, place: Place) -> ServerSettings:
        if self.fails:
            raise ConnectionError("the ledger is away")
        return self.places.get(place.key, (place, ServerSettings()))[1]

    async def watched(self) -> list[tuple[Place, ServerSettings]]:
        return [one for one in self.places.values() if one[1].log_channel_id is not None]


@dataclass
class Guild:
    preferred_locale: str


@dataclass
class Channel:
    client: Client
    id: int

    async def send(self, text: str, *, allowed_mentions: Any) -> None:
        if self.client.broken:
            raise self.client.broken
        assert not any((allowed_mentions.everyone, allowed_mentions.users, allowed_mentions.roles))
        self.client.posted.append((self.id, text))


@dataclass
class Remembered:
    forgotten: list[Place] = field(default_factory=list)

    def forget(self, place: Place) -> None:
        self.forgotten.append(place)


@dataclass
class Owner:
    id: int


@dataclass
class Application:
    owner: Owner
    team: Any = None


class Client:
    """The few things a notifier asks of the client."""

    def __init__(self) -> None:
        self.tasks, self.settings_cache = Tasks(), Remembered()
        self.application: Application | None = Application(Owner(900))
        self.posted: list[tuple[int, str]] = []
        self.broken: Exception | None = None
        self.languages = {11: "en-US", 12: "de"}

    def get_guild(self, guild_id: int) -> Guild | None:
        return Guild(self.languages[guild_id]) if guild_id in self.languages else None

    def get_partial_messageable(self, channel_id: int, *, guild_id: int | None) -> Channel:
        return Channel(self, channel_id)

    async def create_dm(self, owner: Owner) -> Channel:
        return Channel(self, owner.id)


@dataclass
class Post:
    notifier: DiscordNotifier
    client: Client
    ledger: Ledger

    async def posted(self) -> list[tuple[int, str]]:
        await self.client.tasks.finish(5)
        return self.client.posted


@pytest.fixture
def post() -> Post:
    ledger: Any = Ledger()
    ledger.places = {
        "g11": (HERE, ServerSettings(log_channel_id=110, defaults=Defaults(model="old-model"))),
        "g12": (THERE, ServerSettings(log_channel_id=120)),
    }
    client: Any = Client()
    notifier = DiscordNotifier(client, ledger, client.settings_cache, client.tasks)
    return Post(notifier, client, ledger)


async def test_a_change_is_told_where_it_was_made_with_mentions_that_do_not_ping(post: Post) -> None:
    quota = Quota(Scope.ROLE, Measure.IMAGES, Period.DAY, 5, 42)
    await post.notifier.changed(HERE, AuditEntry(AT, 8, LimitChanged(slot_of(quota), None, quota)))
    ((channel, text),) = await post.posted()
    assert channel == 110
    assert text == "⚙️ <@8> changed a setting. **Pictures per day for members with <@&42>:** not set → 5"
    assert post.client.settings_cache.forgotten == [HERE]


async def test_the_server_reads_its_own_language(post: Post) -> None:
    old, new = (replace(SERVER_BUDGET, amount=amount) for amount in (1_250_000_000, None))
    await post.notifier.changed(THERE, AuditEntry(AT, 8, LimitChanged(slot_of(SERVER_BUDGET), old, new)))
    ((channel, text),) = await post.posted()
    assert (channel, text) == (
        120, "⚙️ <@8> hat eine Einstellung geändert. **Budget pro Monat für den ganzen Server:** 1.250,00 $ → kein Limit"
    )  # fmt: skip


def pause(reason: str) -> Change:
    return PauseChanged(Stop(False), Stop(True, reason))


async def test_what_admins_typed_is_only_letters(post: Post) -> None:
    await post.notifier.changed(HERE, AuditEntry(AT, 8, pause("@everyone [x](http://y.z)")))
    ((_, text),) = await post.posted()
    assert "paused: @\u200beveryone \\[x\\]\\(" in text


async def test_no_log_channel_no_post(post: Post) -> None:
    post.ledger.places.clear()
    await post.notifier.changed(HERE, AuditEntry(AT, 8, pause("")))
    await post.notifier.budget(DIRECT, BudgetWarning(DIRECT.key, SERVER_BUDGET, 50, MicroUSD(5_000_000)))
    assert await post.posted() == []


@pytest.mark.parametrize(("percent", "full"), [(50, False), (80, False), (100, True)])
async def test_a_budget_says_how_far_it_is_used(post: Post, percent: int, full: bool) -> None:
    used = MicroUSD(100_000 * percent)
    await post.notifier.budget(HERE, BudgetWarning(HERE.key, SERVER_BUDGET, percent, used))
    ((_, text),) = await post.posted()
    assert f"{percent}% used" in text
    assert "Budget per month for the whole server" in text
    assert "of $10.00" in text
    assert ("No more pictures" in text) is full


async def test_the_operators_budget_is_told_to_nobody_else(post: Post) -> None:
    limit = Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 500_000_000)
    await post.notifier.budget(HERE, BudgetWarning(HERE.key, limit, 80, MicroUSD(400_000_000)))
    ((channel, text),) = await post.posted()
    assert channel == 900
    assert "$400.00 of $500.00" in text


async def test_a_refused_key_is_told_to_whose_it_is(post: Post) -> None:
    await post.notifier.service(HERE, working=False, why="bad_key", model=None)
    await post.notifier.service(None, working=False, why="out_of_funds", model=None)
    await post.notifier.service(None, working=True, why="", model=None)
    posted = await post.posted()
    assert [channel for channel, _ in posted] == [110, 900, 900]
    assert "own API key: the key is wrong" in posted[0][1]
    assert "no funds left" in posted[1][1]
    assert "again" in posted[2][1]


async def test_what_one_model_meets_is_told_with_its_name(post: Post) -> None:
    for place in (HERE, None):
        for working in (False, True):
            await post.notifier.service(place, working=working, why="" if working else "bad_key", model="sd-3")
    assert all("`sd-3`" in text for _, text in await post.posted())


async def test_every_member_of_a_team_is_told(post: Post) -> None:
    @dataclass
    class Team:
        members: list[Owner]

    post.client.application = Application(Owner(1), Team([Owner(901), Owner(902)]))
    await post.notifier.service(None, working=True, why="", model=None)
    assert [channel for channel, _ in await post.posted()] == [901, 902]


async def test_a_models_end_is_told_where_settings_name_it(post: Post) -> None:
    post.ledger.places["g12"] = THERE, ServerSettings(log_channel_id=120, allowed_models=frozenset({"old-model", "x"}))
    post.ledger.places["g13"] = Place(13, 0), ServerSettings(log_channel_id=130)
    await post.notifier.model_ends("old-model", date(2026, 12, 1), "new-model")
    posted = dict(await post.posted())
    assert sorted(posted) == [110, 120]
    assert "`old-model`" in posted[110]
    assert "2026-12-01" in posted[110]
    assert "`new-model`" in posted[120]


@pytest.mark.parametrize("broken", [aiohttp.ClientOSError(104, "reset"), TimeoutError(), RuntimeError("a bug")])
async def test_what_cannot_be_posted_disturbs_nobody(post: Post, broken: Exception) -> None:
    post.client.broken = broken
    await post.notifier.changed(HERE, AuditEntry(AT, 8, pause("")))
    await post.notifier.service(None, working=False, why="bad_key", model=None)
    post.ledger.fails = True
    await post.notifier.changed(HERE, AuditEntry(AT, 8, pause("")))
    assert await post.posted() == []


async def test_without_a_client_there_is_only_the_log(post: Post) -> None:
    post.client.application = None
    await post.notifier.changed(HERE, AuditEntry(AT, 8, pause("")))
    await post.notifier.service(None, working=False, why="bad_key", model=None)
    await post.notifier.model_ends("old-model", date(2026, 12, 1), None)
    assert await post.posted() == []
