"""The recipes of docs/image-servers.md, each as it stands, against the stand-in of its server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.adapters.openai.images import OpenAIImages
from bot.ports import OperatorPays
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.options.build import build_request
from bot.rules.options.table import RawOptions
from bot.rules.requests import Inputs, Kind
from sandbox.gateways import DIALECTS, Gateway
from sandbox.images import ImageService
from tests.adapters.openai.fault_server import NOW, inspect

PAGE = (Path(__file__).parents[3] / "docs" / "image-servers.md").read_text(encoding="utf-8")
RECIPES = {name.strip('"'): toml for name, toml in re.findall(r"```toml recipe=([^\n]+)\n(.+?)```", PAGE, re.DOTALL)}
WITHOUT = {"Portkey", "Azure OpenAI, classic addresses", "OpenRouter"}


def test_every_stand_in_is_on_the_page_with_a_recipe_or_with_the_reason_why_not():
    assert set(RECIPES) == set(DIALECTS) - WITHOUT
    missing = PAGE.partition("### What does not work")[2]
    assert all(name.partition(" ")[0] in missing for name in WITHOUT)


@pytest.mark.parametrize("name", RECIPES)
async def test_a_recipe_of_the_page_makes_the_first_picture(name):
    catalogue = load_catalogue(builtin_catalogue(), RECIPES[name])
    (model_id,) = re.findall(r'\[models\."(.+?)"\]', RECIPES[name])
    model = catalogue.get(model_id)
    behind = ImageService()
    await behind.start()
    gateway = Gateway(DIALECTS[name], behind, key="sk-test", models=(model_id,))
    await gateway.start()
    service = OpenAIImages(
        base_url=gateway.base_url, api_key="sk-test", inspect=inspect, models=catalogue, clock=lambda: NOW
    )
    request = build_request(RawOptions(prompt="a red fox"), model, Kind.IMAGINE)

    made = await service.make(
        request, Inputs(), payer=OperatorPays(), member_tag="tag", deadline_s=20, on_partial=_listen
    )

    assert len(made.images) == 1
    assert sum(call.rendered for call in behind.calls) == 1
    await service.aclose()
    await gateway.stop()
    await behind.stop()


async def _listen(_: object) -> None: ...
