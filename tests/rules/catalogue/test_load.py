"""Choosing a model, the day it ends, and the operator's file over the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.rules.catalogue.catalogue import CatalogueError, ModelRetired, ModelWithheld, NoSuchModel
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import deadline_of
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.money import MicroUSD
from bot.rules.options.build import build_request
from bot.rules.options.sizes import Size, SizeList
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, ImageRequest, Kind

BUILTIN = builtin_catalogue()
CATALOGUE = load_catalogue(BUILTIN)
TODAY = date(2026, 11, 21)


def overridden(overrides: str) -> list[str]:
    with pytest.raises(CatalogueError) as refused:
        load_catalogue(BUILTIN, overrides)
    return list(refused.value.faults)


# --- choosing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["gpt-image-2", " gpt-image-2 ", "GPT-Image-2"])
def test_a_model_is_chosen_by_its_id(typed: str) -> None:
    assert CATALOGUE.choose(typed, official=True, today=TODAY).id == "gpt-image-2"


@pytest.mark.parametrize("typed", ["2.5 flare", " 2.5 Flare"])
def test_a_model_is_chosen_by_its_short_name(typed: str) -> None:
    assert CATALOGUE.choose(typed, official=True, today=TODAY).id == "gpt-image-2.5-flare"


def test_a_misspelt_model_is_answered_with_the_nearest_on_offer() -> None:
    with pytest.raises(NoSuchModel) as refused:
        CATALOGUE.choose("gpt-imgae-2", official=True, today=TODAY)
    assert refused.value.nearest[0] == "gpt-image-2"
    with pytest.raises(NoSuchModel) as refused:
        CATALOGUE.choose("dalle3", official=True, today=TODAY)
    assert "dall-e-3" not in refused.value.nearest
    with pytest.raises(NoSuchModel) as refused:
        CATALOGUE.choose("dalle3", official=False, today=TODAY)
    assert refused.value.nearest[0] == "dall-e-3"


@pytest.mark.parametrize("typed", ["", "\x00", "🦊", "x" * 100_000])
def test_nonsense_is_no_model(typed: str) -> None:
    with pytest.raises(NoSuchModel) as refused:
        CATALOGUE.choose(typed, official=True, today=TODAY)
    assert len(refused.value.asked) <= 100


@pytest.mark.parametrize(
    ("name", "since", "successor"),
    [
        ("dall-e-2", date(2026, 5, 12), "gpt-image-2.5-flare"),
        ("dall-e-3", date(2026, 5, 12), "gpt-image-2.5-flare"),
        ("gpt-image-1", date(2026, 10, 23), "gpt-image-2.5-sunburst"),
    ],
)
def test_a_retired_model_is_refused_with_its_successor_on_openais_own_service(
    name: str, since: date, successor: str
) -> None:
    with pytest.raises(ModelRetired) as refused:
        CATALOGUE.choose(name, official=True, today=TODAY)
    assert (refused.value.retired_on, refused.value.successor) == (since, successor)
    assert CATALOGUE.choose(name, official=False, today=TODAY).id == name


@pytest.mark.parametrize("name", ["gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image-latest"])
def test_a_model_is_served_until_the_day_it_ends(name: str) -> None:
    assert CATALOGUE.choose(name, official=True, today=date(2026, 11, 30)).id == name
    for day in (date(2026, 12, 1), date(2027, 1, 1)):
        with pytest.raises(ModelRetired) as refused:
            CATALOGUE.choose(name, official=True, today=day)
        assert refused.value.retired_on == date(2026, 12, 1)


def test_a_successor_that_is_gone_itself_is_not_offered() -> None:
    catalogue = load_catalogue(BUILTIN, '[models."gpt-image-2.5-sunburst"]\nhidden = true')
    with pytest.raises(ModelRetired) as refused:
        catalogue.choose("gpt-image-1", official=True, today=TODAY)
    assert refused.value.successor == "gpt-image-2.5-flare"


def test_offered_are_all_on_a_compatible_server_and_the_living_on_openais_own() -> None:
    everywhere = {model.id for model in CATALOGUE.offered(official=False, today=TODAY)}
    official = {model.id for model in CATALOGUE.offered(official=True, today=TODAY)}
    assert everywhere - official == {"dall-e-2", "dall-e-3", "gpt-image-1"}
    assert len(everywhere) == 14


def test_what_the_service_says_of_an_end_comes_before_the_catalogue() -> None:
    told = CATALOGUE.with_service_facts(
        {
            "gpt-image-2": date(2026, 11, 1),
            "gpt-image-1.5": date(2027, 6, 1),
            "gpt-image-1": date(2027, 6, 1),
            "gpt-image-1-mini": None,
            "sora": None,
        }
    )
    assert told.choose("gpt-image-1", official=True, today=TODAY).retired_on is None
    with pytest.raises(ModelRetired):
        told.choose("gpt-image-2", official=True, today=TODAY)
    assert told.choose("gpt-image-1.5", official=True, today=date(2026, 12, 24)).ends_on == date(2027, 6, 1)
    assert told.choose("gpt-image-1-mini", official=True, today=TODAY).ends_on == date(2026, 12, 1)
    assert CATALOGUE.choose("gpt-image-2", official=True, today=TODAY).ends_on is None
    assert [model.id for model in told] == [model.id for model in CATALOGUE]


# --- deadlines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "quality", "size", "inputs", "seconds"),
    [
        ("gpt-image-2.5-flare", "low", None, 0, 120),
        ("gpt-image-2.5-flare", "medium", "1024x1024", 1, 180),
        ("gpt-image-2.5-flare", "high", "1024x1024", 0, 240),
        ("gpt-image-2.5-flare", "max", None, 0, 420),
        ("gpt-image-2.5-flare", None, None, 0, 420),
        ("gpt-image-2.5-flare", "auto", None, 0, 420),
        ("gpt-image-2.5-flare", "low", "2560x1440", 0, 120),
        ("gpt-image-2.5-flare", "low", "3840x2160", 0, 420),
        ("gpt-image-2", None, None, 0, 240),
        ("dall-e-2", None, "256x256", 1, 180),
        ("dall-e-3", "hd", None, 0, 240),
    ],
)
def test_deadlines_follow_quality_size_and_uploads(
    name: str, quality: str | None, size: str | None, inputs: int, seconds: int
) -> None:
    model = CATALOGUE.choose(name, official=False, today=TODAY)
    request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, name, "x", quality=quality, size=size, inputs=inputs)
    assert deadline_of(model, request) == seconds


# --- the operator's file -----------------------------------------------------------------------------------------


def test_a_known_model_changes_only_in_what_is_named() -> None:
    changed = load_catalogue(BUILTIN, '[models."gpt-image-2"]\nmax_count = 4\nends_on = 2027-01-01')
    before, after = CATALOGUE.get("gpt-image-2"), changed.get("gpt-image-2")
    assert before is not None
    assert after is not None
    assert (after.max_count, after.ends_on) == (4, date(2027, 1, 1))
    assert (after.pricing, after.sizes, after.qualities) == (before.pricing, before.sizes, before.qualities)
    for name in ("gpt-image-2.5-flare", "gpt-image-2-2026-04-21"):
        assert changed.get(name) == CATALOGUE.get(name)


def test_a_hidden_model_is_gone_and_the_order_stays() -> None:
    fewer = load_catalogue(BUILTIN, '[models."dall-e-3"]\nhidden = true')
    assert [model.id for model in fewer] == [model.id for model in CATALOGUE if model.id != "dall-e-3"]


def test_a_new_model_starts_from_another_without_its_dates() -> None:
    catalogue = load_catalogue(BUILTIN, '[models.my-azure]\nlike = "gpt-image-1"\n')
    mine = catalogue.choose("my-azure", official=True, today=TODAY)
    assert mine.fidelities == ("low", "high")
    assert (mine.retired_on, mine.ends_on, mine.successors, mine.alias_of) == (None, None, (), None)
    assert mine.pricing == CATALOGUE.choose("gpt-image-1", official=False, today=TODAY).pricing


def test_a_new_model_may_be_like_another_new_one_and_override_its_price() -> None:
    catalogue = load_catalogue(
        BUILTIN,
        """
        [models.b]
        like = "a"
        per_image = { "*" = { 640x480 = 0.0025, 1024x768 = 1 } }
        [models.a]
        like = "gpt-image-2"
        free = true
        sizes = { list = ["640x480", "1024x768"] }
        """,
    )
    a, b = catalogue.get("a"), catalogue.get("b")
    assert a is not None
    assert b is not None
    assert a.sizes == b.sizes == SizeList((Size(640, 480), Size(1024, 768)), auto=False)
    assert a.pricing is not None
    assert a.pricing.free
    assert b.pricing is not None
    assert not b.pricing.free
    assert b.pricing.tokens is None
    assert b.pricing.per_image["*", Size(640, 480)] == MicroUSD(2500)


@pytest.mark.parametrize(
    "prices",
    [
        'per_image = { "*" = { 640x480 = 0.0025 } }',
        'prices = { text_in = 5, image_in = 8, image_out = 30 }\nquality_g = { "*" = 16 }',
        'prices = { text_in = 5, image_in = 8, image_out = 30 }\noutput_tokens = { "*" = { 640x480 = 300 } }',
    ],
)
def test_what_has_a_price_is_not_free_though_it_is_like_what_is(prices: str) -> None:
    catalogue = load_catalogue(
        BUILTIN,
        f"""
        [models.b]
        like = "a"
        {prices}
        [models.a]
        like = "gpt-image-2"
        free = true
        sizes = {{ list = ["640x480"] }}
        """,
    )
    priced = catalogue.get("b")
    assert priced is not None
    request = build_request(RawOptions("a fox", size="640x480"), priced, Kind.IMAGINE)
    assert upper_bound(request, priced) >= 2500


def test_half_a_price_is_none_though_it_is_like_what_is_free() -> None:
    free = '[models.a]\nlike = "gpt-image-2"\nfree = true\n'
    faults = overridden(f'{free}[models.b]\nlike = "a"\nprices = {{ text_in = 5, image_in = 8, image_out = 30 }}')
    assert ["models.b.quality_g: is missing" in fault for fault in faults] == [True]


def test_a_model_can_be_told_from_nothing() -> None:
    catalogue = load_catalogue(
        BUILTIN,
        """
        [models."sd/turbo"]
        endpoints = ["generations"]
        max_prompt = { generations = 500 }
        max_count = 1
        sizes = { list = ["512x512"] }
        free = true
        """,
    )
    assert catalogue.choose("sd/turbo", official=False, today=TODAY).formats == ()


def test_a_default_that_no_longer_fits_is_not_taken_over() -> None:
    catalogue = load_catalogue(
        BUILTIN, '[models.x]\nlike = "dall-e-3"\nqualities = []\nsizes = { list = ["64x64"] }\nfree = true'
    )
    model = catalogue.get("x")
    assert model is not None
    assert (model.default_quality, model.default_size) == (None, None)


def test_all_faults_are_told_at_once_with_model_and_field() -> None:
    faults = overridden(
        """
        nonsense = 1
        [models.a]
        like = "nope"
        [models.b]
        like = "c"
        [models.c]
        like = "b"
        [models.d]
        max_count = 99
        max_cuont = 1
        free = "yes"
        [models."gpt-image-2"]
        sizes = { list = ["0x0"] }
        ends_on = "2027-01-01"
        prices = { text_in = 5.0000001, image_in = 1, image_out = 1 }
        successors = ["ghost"]
        [models."dall-e-3"]
        inputs = { edits = { max_images = 0, formats = [], max_bytes = 1 } }
        """
    )
    told = "\n".join(faults)
    for start in (
        "IMAGE_MODELS.nonsense: ",
        "models.a.like: there is no model 'nope'",
        "models.b.like: ",
        "models.d.max_count: expected a whole number from 1 to 10",
        "models.d.max_cuont: no such field; is max_count meant?",
        "models.d.free: expected true or false",
        "models.d.endpoints: is missing",
        "models.gpt-image-2.sizes.list: expected a size",
        "models.gpt-image-2.ends_on: expected a date",
        "models.gpt-image-2.prices.text_in: expected dollars",
        "models.dall-e-3.inputs.edits.max_images: expected a whole number from 1 to 16",
    ):
        assert start in told


@pytest.mark.parametrize("field", ["released_on = 2026-01-01", "revises_prompts = true", "reports_usage = 3"])
def test_a_field_of_an_earlier_version_does_no_harm(field: str) -> None:
    catalogue = load_catalogue(BUILTIN, f'[models.mine]\nlike = "gpt-image-2"\n{field}')
    mine, like = catalogue.get("mine"), catalogue.get("gpt-image-2")
    assert like is not None
    assert mine == replace(like, id="mine", short_name="")


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        ("[models", "IMAGE_MODELS: not TOML"),
        ("models = 3", "IMAGE_MODELS.models: expected tables"),
        ("[models]\nx = 3", "models.x: expected a table"),
        ('[models.x]\nalias_of = "y"', "models.x.alias_of: there is no model 'y'"),
        ('[models.x]\nlike = "x"', "goes round in a circle"),
        ('[models."gpt-image-2"]\nsuccessors = ["ghost"]', "successors: there is no model 'ghost'"),
        ('[models."gpt-image-2"]\nqualities = ["low", "low"]', "qualities: names something twice"),
        ('[models."gpt-image-2"]\nqualities = ["low", "ultra"]', "quality_g: says nothing of ultra"),
        ('[models."gpt-image-2"]\nendpoints = ["generate"]', "endpoints: expected generations, edits, variations"),
        ('[models."gpt-image-2"]\nendpoints = []', "endpoints: expected at least one"),
        ('[models."gpt-image-2"]\nendpoints = ["variations"]', "inputs: says nothing"),
        ('[models."gpt-image-2"]\nmax_prompt = { generations = 1 }', "max_prompt: says nothing"),
        ('[models."gpt-image-2"]\nuser_field = "who"', "user_field: expected user or safety_identifier"),
        ('[models."gpt-image-2"]\nmax_count = true', "max_count: expected a whole number"),
        ('[models."gpt-image-2"]\nfree = true\nprices = { text_in = nan, image_in = 0, image_out = 0 }', "text_in"),
        ('[models."gpt-image-2"]\nprices = { text_in = -1, image_in = 0, image_out = 0 }', "prices.text_in"),
        ('[models."gpt-image-2"]\nprices = { text_in = 1 }', "prices.image_in: is missing"),
        ('[models."gpt-image-2"]\nframes = [3, 2]', "frames: expected fewest and most"),
        ('[models."gpt-image-2"]\ndefault_frames = 3', "default_frames: lies outside"),
        ('[models."gpt-image-2"]\ndefault_size = "512x512"', "default_size: is not one of the sizes"),
        ('[models."gpt-image-2"]\ndefault_size = "16:9"', "default_size: expected a size"),
        ('[models."gpt-image-2"]\ndefault_quality = "hd"', "default_quality: is not one"),
        ('[models."gpt-image-2"]\nformats = ["webp"]', "default_format: is not one"),
        ('[models."gpt-image-2"]\ndeadline_s = { low = 0 }', "deadline_s.low: expected"),
        ('[models."dall-e-3"]\nsizes = { list = ["64x64"] }', "per_image: says nothing of hd 64x64"),
        ('[models."gpt-image-1"]\nqualities = ["low", "max"]', "output_tokens: says nothing of max 1024x1024"),
        (
            (
                '[models."gpt-image-2".sizes]\nstep_px = 16\nmax_edge_px = 64\nmax_ratio = 3\n'
                'min_pixels = 1\nmax_pixels = 99999\nstandard = ["128x128"]'
            ),
            "sizes.standard: 128x128 breaks the rule itself",
        ),
        ('[models."gpt-image-2".sizes]\nstep_px = 16', "sizes.max_edge_px: is missing"),
        (f'[models."{"x" * 101}"]\nlike = "gpt-image-2"', "its id needs 1 to 100 characters"),
    ],
)
def test_a_fault_is_told_in_words_that_help(overrides: str, fault: str) -> None:
    assert any(fault in told for told in overridden(overrides)), overridden(overrides)


def test_a_new_price_by_tokens_replaces_a_price_by_picture() -> None:
    faults = overridden('[models."dall-e-3"]\nprices = { text_in = 1, image_in = 1, image_out = 1 }')
    assert faults == ["models.dall-e-3.quality_g: is missing; give quality_g or output_tokens beside prices"]


def test_what_openai_does_not_list_for_this_key_is_withheld_and_what_it_lists_is_not() -> None:
    catalogue = load_catalogue(builtin_catalogue())
    listed = {"gpt-image-2.5-flare": None, "gpt-image-2": None, "gpt-5": None}

    on_openai = catalogue.with_service_facts(listed, complete=True)
    elsewhere = catalogue.with_service_facts(listed)
    odd = catalogue.with_service_facts({"gpt-5": None}, complete=True)

    today = date(2026, 11, 21)
    assert {model.id for model in on_openai.offered(official=True, today=today)} == {
        "gpt-image-2.5-flare",
        "gpt-image-2",
    }
    with pytest.raises(ModelWithheld) as withheld:
        on_openai.choose("gpt-image-2.5-sunburst", official=True, today=today)
    assert withheld.value.nearest[0] == "gpt-image-2.5-flare"
    with pytest.raises(ModelRetired):
        on_openai.choose("dall-e-3", official=True, today=today)
    assert elsewhere.choose("gpt-image-2.5-sunburst", official=True, today=today)
    assert odd.choose("gpt-image-2.5-sunburst", official=True, today=today)


def test_a_short_name_is_a_models_own() -> None:
    catalogue = load_catalogue(BUILTIN, '[models."mine"]\nlike = "gpt-image-2.5-flare"\nfree = true\n')
    assert catalogue.short_name("gpt-image-2.5-flare") == "2.5 flare"
    assert catalogue.short_name("mine") == "mine"
    assert catalogue.short_name("nobody knows") == "nobody knows"
    names = [catalogue.short_name(model.id) for model in catalogue]
    assert len(set(names)) == len(names)
