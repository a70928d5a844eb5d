from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from bot.rules.requests import Kind
from bot.rules.servers.access import Defaults, ServerSettings
from bot.ui.client.client import EXTENSIONS, Client
from bot.ui.client.registration import payloads
from bot.ui.orders.choices import completer
from tests.ui.conftest import FakeStore

RETIRED = {"dall-e-2", "dall-e-3", "gpt-image-1"}


@pytest.fixture
async def typing(client: Client, interact: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> Callable[..., Any]:
    """Completes an option as one types; what ``completer`` swallows and logs is a failure here."""
    await importlib.import_module("cogs.imagine").setup(client)

    async def complete(
        option: str, typed: str = "", *, model: str | None = None, kind: Kind = Kind.IMAGINE
    ) -> list[str]:
        options = [{"name": option, "type": 3, "value": typed, "focused": True}]
        if model is not None:
            options.append({"name": "model", "type": 3, "value": model})
        data = {"id": "1", "name": "imagine", "type": 1, "options": options}
        choices = await completer(option, kind)(interact(type=4, data=data), typed)
        assert "completing" not in caplog.text
        assert len(choices) <= 25
        assert all(1 <= len(choice.name) <= 100 and 1 <= len(choice.value) <= 100 for choice in choices)
        return [choice.value for choice in choices]

    return complete


async def test_models_begin_with_the_default_and_leave_out_the_retired(typing: Callable[..., Any]) -> None:
    models = await typing("model")
    assert models[0] == "gpt-image-2.5-flare"
    assert not RETIRED & set(models)


async def test_only_allowed_models_are_offered(typing: Callable[..., Any], store: FakeStore) -> None:
    store.place_settings = ServerSettings(allowed_models=frozenset({"gpt-image-2"}), denied_models=frozenset())
    assert await typing("model") == ["gpt-image-2"]


async def test_every_word_typed_must_be_in_the_name(typing: Callable[..., Any]) -> None:
    found = await typing("model", "2.6 flare")
    assert found
    assert all("2.6" in name and "flare" in name for name in found)
    assert await typing("model", "no such thing") == []


async def test_options_follow_the_chosen_model(typing: Callable[..., Any]) -> None:
    assert "xhigh" in await typing("quality", model="gpt-image-2.5-flare")
    assert "xhigh" not in await typing("quality", model="gpt-image-2")
    assert "hd" in await typing("quality", model="dall-e-3")
    assert await typing("style", model="gpt-image-2") == []


async def test_without_a_model_the_servers_default_counts(typing: Callable[..., Any], store: FakeStore) -> None:
    store.place_settings = ServerSettings(defaults=Defaults(model="dall-e-3"))
    assert "hd" in await typing("quality")


@pytest.mark.parametrize("typed", ["", "16:9", "9" * 100, "٣x٣", "\x00", "`@everyone`"])
@pytest.mark.parametrize(
    "option", ["model", "size", "quality", "style", "background", "format", "moderation", "complexity"]
)
async def test_completing_never_fails(typing: Callable[..., Any], option: str, typed: str) -> None:
    for model in (None, "nonsense", "gpt-image-2.6-sunburst"):
        await typing(option, typed, model=model)


async def test_completing_survives_a_ledger_that_is_away(typing: Callable[..., Any], store: FakeStore) -> None:
    store.fails = True
    assert await typing("model")


async def test_every_cog_is_loaded_and_its_commands_can_be_registered(client: Client) -> None:
    from pathlib import Path

    files = {f"cogs.{path.stem}" for path in (Path(__file__).parents[3] / "cogs").glob("[a-z]*.py")}
    assert files == set(EXTENSIONS)
    for name in EXTENSIONS:
        await importlib.import_module(name).setup(client)
    for payload in payloads(client.tree):
        assert payload["contexts"]
        assert len(payload.get("options", [])) <= 25
        size = sum(
            len(part["name"]) + len(part["description"])
            for part in [payload, *payload.get("options", [])]
            if "description" in part
        )
        assert size <= 8000
