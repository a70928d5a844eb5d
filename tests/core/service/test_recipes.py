"""The recipes of docs/image-servers.md, each as it stands, against the stand-in of its server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.parts import catalogue_of, service_of
from bot.ports import OperatorPays
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, Inputs, Kind
from bot.settings.sources import parse_settings
from sandbox.gateways import DIALECTS, Gateway
from sandbox.images import ImageService
from tests.core.service.test_dialects import PHOTO

PAGE = (Path(__file__).parents[3] / "docs" / "image-servers.md").read_text(encoding="utf-8")
RECIPES = {name.strip('"'): toml for name, toml in re.findall(r"```toml recipe=([^\n]+)\n(.+?)```", PAGE, re.DOTALL)}
WITHOUT = {"OpenRouter"}
KEY = "sk-test"


def test_every_stand_in_is_on_the_page_with_a_recipe_or_with_the_reason_why_not():
    assert set(RECIPES) == set(DIALECTS) - WITHOUT
    missing = PAGE.partition("### What does not work")[2]
    assert all(name.partition(" ")[0] in missing for name in WITHOUT)


@pytest.mark.parametrize("name", RECIPES)
async def test_a_recipe_of_the_page_makes_the_first_picture_and_whatever_else_it_says_the_model_can(name, tmp_path):
    (table,) = re.findall(r'\[models\."(.+?)"\]', RECIPES[name])
    behind = ImageService()
    await behind.start()
    gateway = Gateway(DIALECTS[name], behind, key=KEY, models=(table.partition("@")[0],))
    await gateway.start()
    recipe = tmp_path / "models.toml"
    recipe.write_text(re.sub(r'(base_url = )"https?://[^/"]+', rf'\1"{gateway.origin}', RECIPES[name]), "utf-8")
    settings = parse_settings(
        {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": gateway.base_url,
            "IMAGE_MODELS": str(recipe),
            **dict.fromkeys(re.findall(r'"env (\w+)"', RECIPES[name]), KEY),
        }
    )
    catalogue = catalogue_of(settings)
    service = service_of(settings, catalogue)
    model = catalogue.get(table)
    kinds = [Kind.IMAGINE, *([Kind.EDIT, Kind.VARY] if Endpoint.EDITS in model.endpoints else [])]
    photo = Uploaded(sizes=((64, 64),))
    requests = [
        build_request(
            RawOptions(prompt="a red fox"), model, kind, uploaded=photo if kind is not Kind.IMAGINE else Uploaded()
        )
        for kind in kinds
    ]

    made = [
        await service.make(
            request,
            Inputs(images=(PHOTO,)) if request.inputs else Inputs(),
            payer=OperatorPays(),
            member_tag="tag",
            deadline_s=20,
            on_partial=_listen,
        )
        for request in requests
    ]

    assert [len(one.images) for one in made] == [1] * len(kinds)
    assert sum(call.rendered for call in behind.calls) == len(kinds)
    await service.aclose()
    await gateway.stop()
    await behind.stop()


async def _listen(_: object) -> None: ...
