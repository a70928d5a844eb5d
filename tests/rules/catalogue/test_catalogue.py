"""The catalogue that comes along: every fact has a source, and says what the reference says."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.fields import FIELDS, PRICE_FIELDS
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.sizes import Size, SizeList, SizeRule
from bot.rules.requests import Endpoint

RAW: dict[str, Any] = tomllib.loads(builtin_catalogue())
CATALOGUE = load_catalogue(builtin_catalogue())
IDS = {
    "dall-e-2",
    "dall-e-3",
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-1.5",
    "chatgpt-image-latest",
    "gpt-image-2",
    "gpt-image-2-2026-04-21",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-sunburst-2026-09-08",
    "gpt-image-2.6-sunburst",
    "gpt-image-2.5-flare",
    "gpt-image-2.5-flare-2026-09-08",
    "gpt-image-2.6-flare",
}
LISTED = {"gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "chatgpt-image-latest"}
DALL_E = {"dall-e-2", "dall-e-3"}


def model(name: str) -> Model:
    found = CATALOGUE.get(name)
    assert found is not None, name
    return found


def test_every_known_model_is_there_and_the_default_comes_first() -> None:
    assert {its.id for its in CATALOGUE} == IDS
    assert next(iter(CATALOGUE)).id == "gpt-image-2.5-flare"


@pytest.mark.parametrize("name", sorted(RAW["models"]))
def test_every_fact_has_a_source_that_exists(name: str) -> None:
    entry = RAW["models"][name]
    facts = set(entry) & {*FIELDS, *PRICE_FIELDS}
    cited = entry.get("sources", {})
    assert facts <= set(cited), f"without a source: {sorted(facts - set(cited))}"
    for field, sources in cited.items():
        assert sources, field
        assert set(sources) <= set(RAW["sources"]), field
    assert set(cited) <= {*FIELDS, *PRICE_FIELDS}


def test_every_source_is_used_or_gone() -> None:
    used = {source for entry in RAW["models"].values() for sources in entry["sources"].values() for source in sources}
    assert set(RAW["sources"]) == used


@pytest.mark.parametrize("its", list(CATALOGUE), ids=lambda its: its.id)
def test_every_model_is_whole(its: Model) -> None:
    assert its.pricing is not None
    assert its.deadline_s
    assert Endpoint.GENERATIONS in its.endpoints
    assert 1 <= its.max_count <= 10
    assert all(CATALOGUE.get(successor) for successor in its.successors)


@pytest.mark.parametrize(
    ("name", "retired", "ends"),
    [
        ("dall-e-2", date(2026, 5, 12), None),
        ("dall-e-3", date(2026, 5, 12), None),
        ("gpt-image-1", date(2026, 10, 23), None),
        ("gpt-image-1.5", None, date(2026, 12, 1)),
        ("gpt-image-1-mini", None, date(2026, 12, 1)),
        ("chatgpt-image-latest", None, date(2026, 12, 1)),
        ("gpt-image-2", None, None),
        ("gpt-image-2.5-flare", None, None),
        ("gpt-image-2.6-sunburst", None, None),
    ],
)
def test_models_end_when_openai_says(name: str, retired: date | None, ends: date | None) -> None:
    assert (model(name).retired_on, model(name).ends_on) == (retired, ends)
    if retired or ends:
        assert "gpt-image-2.5-flare" in model(name).successors


@pytest.mark.parametrize("name", sorted(IDS - DALL_E - LISTED))
def test_gpt_image_2_and_later_follow_the_size_rule(name: str) -> None:
    sizes = model(name).sizes
    assert isinstance(sizes, SizeRule)
    assert (sizes.step_px, sizes.max_edge_px, sizes.max_ratio) == (16, 3840, 3.0)
    assert (sizes.min_pixels, sizes.max_pixels, sizes.auto) == (655_360, 8_294_400, True)
    assert model(name).fidelities == ()
    assert not model(name).takes_response_format


@pytest.mark.parametrize("name", sorted(LISTED))
def test_gpt_image_1_and_its_kin_make_three_sizes(name: str) -> None:
    assert model(name).sizes == SizeList((Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)), auto=True)
    assert model(name).qualities == ("low", "medium", "high", "auto")
    assert model(name).fidelities == (("low", "high") if name in {"gpt-image-1", "gpt-image-1.5"} else ())
    assert not model(name).has_markup


@pytest.mark.parametrize("name", sorted(IDS - DALL_E))
def test_what_all_gpt_image_models_share(name: str) -> None:
    its = model(name)
    assert its.endpoints == {Endpoint.GENERATIONS, Endpoint.EDITS}
    assert its.max_prompt == {Endpoint.GENERATIONS: 32_000, Endpoint.EDITS: 32_000}
    assert (its.max_count, its.max_partials, its.mask_max_bytes) == (10, 3, 4_194_304)
    assert its.inputs[Endpoint.EDITS].max_images == 16
    assert its.inputs[Endpoint.EDITS].max_bytes == 52_428_800
    assert its.styles == ()
    assert its.moderations == ("auto", "low")
    assert its.deadline_s["low"] == its.deadline_s["medium"] == 120
    assert its.deadline_s["high"] == 240


@pytest.mark.parametrize("name", sorted(name for name in IDS if "2.5" in name or "2.6" in name))
def test_later_models_have_five_qualities_and_markup(name: str) -> None:
    assert model(name).qualities == ("low", "medium", "high", "xhigh", "max", "auto")
    assert model(name).has_markup
    assert model(name).deadline_s["max"] == 420


@pytest.mark.parametrize("name", sorted(IDS))
def test_only_2_6_draws_gif_and_svg(name: str) -> None:
    new = "2.6" in name
    assert ("gif" in model(name).formats) == ("svg" in model(name).formats) == new
    assert model(name).frames == ((2, 16) if new else None)
    assert model(name).complexities == (("low", "medium", "high") if new else ())


def test_dall_e_is_what_it_was() -> None:
    two, three = model("dall-e-2"), model("dall-e-3")
    assert two.endpoints == {*Endpoint} - {Endpoint.CHAT}
    assert three.endpoints == {Endpoint.GENERATIONS}
    assert three.one_per_call
    assert not two.one_per_call
    assert three.styles == ("vivid", "natural")
    assert three.qualities == ("standard", "hd")
    assert (two.max_prompt[Endpoint.GENERATIONS], three.max_prompt[Endpoint.GENERATIONS]) == (1000, 4000)
    assert two.inputs[Endpoint.EDITS] == two.inputs[Endpoint.VARIATIONS]
    assert two.inputs[Endpoint.EDITS].square
    for its in (two, three):
        assert its.takes_response_format
        assert (its.formats, its.backgrounds, its.moderations, its.max_partials) == ((), (), (), 0)


@pytest.mark.parametrize("name", sorted(name for name in IDS if name[-10:-6].isdigit()))
def test_a_snapshot_is_like_the_model_it_pins(name: str) -> None:
    pinned = model(model(name).alias_of or "")
    for field in Model.__slots__:
        if field not in {"id", "alias_of", "short_name"}:
            assert getattr(model(name), field) == getattr(pinned, field), field


def test_the_catalogue_is_read_once_and_for_all() -> None:
    assert isinstance(CATALOGUE, Catalogue)
    assert len(CATALOGUE) == 14
