"""The pages and words of ``/settings`` and ``/limits``, at their fullest, in both languages; and their registration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.jobs.intake import Quote
from bot.ports import AuditEntry
from bot.rules.limits.decide import Standing
from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.money import MicroUSD
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import AccessDenied, Block, Defaults, DeniedBecause, ServerSettings
from bot.rules.servers.changes import BlockChanged, Stop
from bot.ui.client.client import Client
from bot.ui.client.registration import sorted_commands
from bot.ui.pages.limits import Share, limits_page, standing_line
from bot.ui.pages.settings import Office, audit_page, page
from bot.ui.words.catalogue import LANGUAGES, catalogue
from bot.ui.words.text import FIELD_LIMIT
from cogs import limits as limits_cog
from cogs import settings as settings_cog

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY, MONTH = Period.DAY, Period.MONTH
BIG = 10**18
WHOM = ("role", "member", "channel")
SUBCOMMANDS = {
    "open": (),
    "show": (),
    "cooldown": ("seconds", *WHOM, "remove"),
    "quota": ("images", "per", *WHOM, "remove"),
    "budget": ("usd", "per", *WHOM, "remove"),
    "concurrency": ("jobs", "role", "member", "remove"),
    "models": ("allow", "deny", "fallback"),
    "defaults": ("model", "size", "quality", "format", "private"),
    "channels": ("allow", "deny", "clear"),
    "roles": ("allow", "deny", "clear"),
    "block": ("member", "reason"),
    "unblock": ("member", "reason"),
    "moderation": ("level", "spoiler", "age_restricted_only"),
    "previews": ("enabled", "remove"),
    "look": ("cost", "layout", "hide", "show"),
    "review": ("channel", "remove"),
    "words": ("add", "remove", "clear"),
    "log": ("channel", "remove"),
    "apikey": ("remove",),
    "pause": ("reason",),
    "resume": ("reason",),
    "audit": (),
    "export": (),
    "import": ("file",),
    "reset": ("what",),
}


def full_office(locale: str) -> Office:
    """Everything set, and as much of it as can be."""
    limits: list[Limit] = [Quota(Scope.SERVER, Measure.DOLLARS, window, 10**12) for window in (DAY, MONTH)]
    limits += [Cooldown(Scope.EVERYONE, 2_592_000)]
    for measure in (Measure.IMAGES, Measure.REQUESTS, Measure.DOLLARS):
        windows = (Period.HOUR, DAY, MONTH)
        limits += [Quota(Scope.EVERYONE, measure, window, 1_000_000) for window in windows]
    limits += [Quota(Scope.EVERYONE, Measure.JOBS, Period.NOW, 1000)]
    limits += [Quota(Scope.ROLE, Measure.IMAGES, DAY, 1_000_000, BIG + n) for n in range(20)]
    limits += [Quota(Scope.MEMBER, Measure.DOLLARS, MONTH, 999_999_000_000, BIG + n) for n in range(50)]
    names = frozenset(f"some-rather-long-model-name-{n:02}" for n in range(40))
    ids = frozenset(BIG + n for n in range(100))
    settings = ServerSettings(
        allowed_models=names,
        denied_models=frozenset(f"x{name}" for name in names),
        allowed_channels=ids,
        denied_channels=ids,
        allowed_roles=ids,
        denied_roles=ids,
        blocked=tuple(Block(BIG + n, "r" * 200) for n in range(1000)),
        defaults=Defaults("m" * 60, "1024x1024", "high", "webp", True),
        moderation="auto",
        log_channel_id=BIG,
        paused=True,
        pause_reason="*" * 200,
        api_key_hint="a`b*",
    )
    standings = (Standing(limits[0], 5 * 10**11, 5 * 10**11, AT),)
    return Office(settings, tuple(limits), standings, "gpt-image-2.5-flare", lambda *_: True, locale)


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_however_much_is_set_the_page_fits_one_message(locale: str) -> None:
    embed = page(full_office(locale))
    assert len(embed) <= 6000
    assert all(len(field.value or "") <= FIELD_LIMIT for field in embed.fields)
    exceptions = str(embed.fields[2].value)
    assert exceptions.count("<@&") == 12
    assert "58" in exceptions


def test_limits_of_a_deleted_role_are_not_shown() -> None:
    office = full_office("en-US")
    gone = Office(office.settings, office.limits, (), "m", lambda scope, _: scope is not Scope.ROLE, "en-US")
    assert "<@&" not in str(page(gone).fields[2].value)


def test_a_page_of_fifty_long_changes_fits() -> None:
    entries = [AuditEntry(AT, BIG, BlockChanged(BIG, Stop(False), Stop(True, "*" * 200))) for _ in range(50)]
    embed = audit_page(entries, "en-US")
    assert len(embed) <= 6000
    assert "older entries" in str(embed.description)


# --- /limits -------------------------------------------------------------------------------------------------------


def standing(scope: Scope, measure: Measure, period: Period, amount: int | None, used: int, **more: Any) -> Standing:
    limit = Quota(scope, measure, period, amount, more.pop("subject", None))
    left = None if amount is None else max(0, amount - used)
    return Standing(limit, used, left, more.pop("resets_at", AT))


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            standing(Scope.ROLE, Measure.IMAGES, Period.DAY, 50, 20, subject=42),
            "**Pictures per day:** 30 of 50 left\n-# your role <@&42> · resets <t:1795262400:R>",
        ),
        (
            standing(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000, 12_000_000),
            (
                "**Budget per month:** $0.00 of $10.00 left\n-# this server's limit, shared by everyone"
                " · resets <t:1795262400:R>"
            ),
        ),
        (
            Standing(Cooldown(Scope.EVERYONE, 30), 1, 0, AT),
            "**Wait between two commands:** 30 s; ready <t:1795262400:R>\n-# applies to everyone",
        ),
        (
            Standing(Cooldown(Scope.EVERYONE, 30), 0, 1, None),
            "**Wait between two commands:** 30 s; ready now\n-# applies to everyone",
        ),
        (
            standing(Scope.MEMBER, Measure.JOBS, Period.NOW, None, 0, subject=7, resets_at=None),
            "**Jobs at once:** no limit\n-# your own limit",
        ),
    ],
)
def test_each_limit_says_what_is_left_and_which_rule_says_so(one: Standing, text: str) -> None:
    assert standing_line(one, "en-US") == text


def test_outside_servers_each_limit_is_the_operators_rule() -> None:
    one = standing(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000, 0)
    assert "server's" not in standing_line(one, "en-US", in_server=False)
    assert "Limit des Betreibers außerhalb von Servern" in standing_line(one, "de", in_server=False)


def test_the_operators_numbers_stay_with_the_operator() -> None:
    text = standing_line(standing(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 123_000_000, 45_000_000), "en-US")
    assert "123" not in text
    assert "45" not in text
    assert "not used up" in text


def quote(micro_usd: int) -> Quote:
    request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "some-model", "a", "a", size="1024x1024", quality="low")
    return Quote(request, MicroUSD(micro_usd), MicroUSD(micro_usd * 3 // 4))


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_the_page_says_what_a_picture_costs_or_why_there_is_none(locale: str) -> None:
    one = standing(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50, 20)
    priced = limits_page(Share((one,), quote(12_000), True, locale))
    assert "0.012" in str(priced.fields[0].value).replace(",", ".")
    assert "`some-model`, 1024x1024, low" in str(priced.fields[0].value)
    free = str(limits_page(Share((), quote(0), True, locale)).fields[0].value)
    assert "$" not in free
    denied = limits_page(Share((one,), AccessDenied(DeniedBecause.PAUSED, "party"), True, locale))
    assert "party" in str(denied.description)
    assert denied.fields == []


def test_what_is_used_up_comes_first() -> None:
    there = standing(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50, 20)
    used_up = standing(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000, 10_000_000)
    text = str(limits_page(Share((there, used_up), quote(5), True, "en-US")).description)
    assert text.index("Budget per month") < text.index("Pictures per day")


def test_a_thousand_limits_still_fit() -> None:
    many = [standing(Scope.CHANNEL, Measure.IMAGES, Period.DAY, 5, 0, subject=BIG + n) for n in range(300)]
    assert len(limits_page(Share(many, quote(5), True, "de"))) <= 6000


# --- registration --------------------------------------------------------------------------------------------------


@pytest.fixture
async def payloads(client: Client) -> dict[str, dict[str, Any]]:
    await settings_cog.setup(client)
    await limits_cog.setup(client)
    return {one.name: one.to_dict(client.tree) for one in sorted_commands(client.tree)}


def size(option: dict[str, Any]) -> int:
    sentence = catalogue("de").get(f"command.{option.get('description', '')}")
    german = sentence.other if sentence else ""
    own = len(option["name"]) + max(len(option.get("description", "")), len(german))
    choices = sum(len(one["name"]) + len(str(one["value"])) for one in option.get("choices", ()))
    return own + choices + sum(size(one) for one in option.get("options", ()))


async def test_settings_has_exactly_the_commands_and_options_that_were_promised(payloads: dict[str, Any]) -> None:
    commands = payloads["settings"]["options"]
    found = {one["name"]: tuple(option["name"] for option in one.get("options", ())) for one in commands}
    assert found == SUBCOMMANDS


async def test_settings_is_for_servers_and_their_managers_and_small_enough(payloads: dict[str, Any]) -> None:
    settings = payloads["settings"]
    assert settings["default_member_permissions"] == 1 << 5
    assert settings["integration_types"] == [0]
    assert settings["contexts"] == [0]
    assert size(settings) <= 8000


async def test_every_description_is_there_in_german(payloads: dict[str, Any]) -> None:
    def descriptions(option: dict[str, Any]) -> list[str]:
        return [option["description"], *(text for one in option.get("options", ()) for text in descriptions(one))]

    texts = [text for payload in payloads.values() for text in descriptions(payload)]
    assert [text for text in texts if f"command.{text}" not in catalogue("de")] == []
    assert all(len(catalogue("de")[f"command.{text}"].other) <= 100 for text in texts)


def test_both_languages_have_the_same_keys_here() -> None:
    ours = ("limit.", "limits.", "limits_rule.", "setting.", "settings.", "value.", "notice.", "kind_here.")
    keys = [{key for key in catalogue(language) if key.startswith(ours)} for language in LANGUAGES]
    assert keys[0] == keys[1]
