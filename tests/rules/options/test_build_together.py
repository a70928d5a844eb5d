"""Options beside a server's defaults, uploads and each other; edits, variations and completions."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.catalogue.model import Model, usual_quality
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.options.build import build_request, suggest
from bot.rules.options.checks import Uploaded
from bot.rules.options.phrases import PhraseKey, phrase
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.prompts import VARIATION_PROMPT
from bot.rules.options.table import RawOptions
from bot.rules.requests import PICTURES, Endpoint, ImageRequest, Kind
from bot.rules.servers.access import Defaults
from tests.rules.asking import (
    CATALOGUE,
    D2,
    D3,
    FLARE,
    MARKED,
    MASKED,
    MODELS,
    NEW,
    OLD,
    ONE5,
    PICTURE,
    SUN,
    each_model,
    made,
    named,
    only_problem,
    problems,
)

# --- a server's defaults -----------------------------------------------------------------------------------------


def test_a_default_holds_where_nobody_chose() -> None:
    defaults = Defaults(size="16:9", quality="medium", format="webp", private=True)
    request = made(FLARE, defaults=defaults)
    assert (request.size, request.quality, request.format, request.private) == ("1536x864", "medium", "webp", True)
    own = made(FLARE, defaults=defaults, size="1024x1024", quality="low", format="png", private=False)
    assert (own.size, own.quality, own.format, own.private) == ("1024x1024", "low", "png", False)


@each_model
@pytest.mark.parametrize("size", ["512x513", "auto", "nonsense", "", "1:1"])
def test_a_default_the_model_does_not_have_is_left_out(model: Model, size: str) -> None:
    request = made(model.id, defaults=Defaults(size=size, quality="ultra", format="tiff"))
    assert request.quality == usual_quality(model)
    assert request.format is None
    assert request.size in {model.default_size, "1024x1024"} | ({"auto"} if model.sizes.auto else set())


@pytest.mark.parametrize(
    ("name", "default", "options"),
    [
        (FLARE, "jpeg", {"background": "transparent"}),
        (NEW, "svg", {"count": 3}),
        (NEW, "svg", {"preview": True}),
        (NEW, "gif", {"preview": True}),
        (NEW, "gif", {"background": "transparent"}),
    ],
)
def test_a_default_format_gives_way_to_what_the_person_chose(name: str, default: str, options: dict[str, Any]) -> None:
    assert made(name, defaults=Defaults(format=default), **options).format is None


def test_a_default_gif_gives_way_to_a_mask() -> None:
    assert made(NEW, Kind.EDIT, MASKED, defaults=Defaults(format="gif")).format is None
    assert made(NEW, Kind.EDIT, defaults=Defaults(format="gif")).frames == 9


def test_a_default_format_can_be_compressed() -> None:
    assert made(FLARE, defaults=Defaults(format="webp"), compression=40).compression == 40
    webp_first = replace(named(FLARE), default_format="webp")
    raw = RawOptions("a fox", compression=40)
    request = build_request(raw, webp_first, Kind.IMAGINE, defaults=Defaults(format="png"))
    assert (request.format, request.compression) == (None, 40)


# --- edits -------------------------------------------------------------------------------------------------------


def test_an_edit_carries_its_pictures() -> None:
    request = made(SUN, Kind.EDIT, Uploaded(((1024, 1024), (800, 600)), has_mask=True), size="1024x1024")
    assert (request.endpoint, request.inputs, request.has_mask) == (Endpoint.EDITS, 2, True)
    assert request.input_sizes == ((1024, 1024), (800, 600))


@pytest.mark.parametrize(("name", "most"), [(FLARE, 16), (OLD, 16), (D2, 1)])
def test_an_edit_takes_as_many_pictures_as_the_model(name: str, most: int) -> None:
    assert made(name, Kind.EDIT, Uploaded(((64, 64),) * most)).inputs == most
    assert only_problem(name, Kind.EDIT, Uploaded(((64, 64),) * (most + 1))).works == str(most)


@pytest.mark.parametrize("kind", [Kind.EDIT, Kind.VARY])
def test_there_must_be_a_picture_to_change(kind: Kind) -> None:
    with pytest.raises(InvalidOptions) as refused:
        build_request(RawOptions("x"), named(FLARE), kind)
    assert [problem.option for problem in refused.value.problems] == ["image"]


def test_a_model_without_edits_names_one_that_has_them() -> None:
    problem = only_problem(D3, Kind.EDIT)
    assert (problem.option, problem.works) == ("model", "gpt-image-2.5-flare")
    others = CATALOGUE.offered(official=False, today=date(2026, 11, 21))
    with pytest.raises(InvalidOptions) as refused:
        build_request(RawOptions("x"), named(D3), Kind.EDIT, uploaded=PICTURE, others=[named(D3), named(D2), *others])
    assert refused.value.problems[0].works == D2


def test_mask_and_markup_exclude_each_other() -> None:
    assert made(FLARE, Kind.EDIT, MARKED).has_markup
    both = only_problem(FLARE, Kind.EDIT, replace(MASKED, has_markup=True))
    assert (both.option, both.works) == ("markup", None)


@each_model
def test_markup_is_for_2_5_and_later(model: Model) -> None:
    if Endpoint.EDITS not in model.endpoints:
        return
    if model.has_markup:
        assert made(model.id, Kind.EDIT, MARKED).has_markup
    else:
        assert only_problem(model.id, Kind.EDIT, MARKED).option == "markup"


@each_model
@pytest.mark.parametrize("fidelity", ["low", "high"])
def test_fidelity_is_for_edits_with_the_first_models(model: Model, fidelity: str) -> None:
    assert only_problem(model.id, fidelity=fidelity).option == "fidelity"
    if model.id in {OLD, ONE5}:
        assert made(model.id, Kind.EDIT, fidelity=fidelity).fidelity == fidelity
    elif Endpoint.EDITS in model.endpoints:
        assert only_problem(model.id, Kind.EDIT, fidelity=fidelity).option == "fidelity"


def test_a_prompt_alone_takes_no_pictures() -> None:
    assert {p.option for p in problems(FLARE, Kind.IMAGINE, MASKED)} == {"image", "mask"}


# --- variations --------------------------------------------------------------------------------------------------


def test_a_variation_is_an_edit_with_a_prompt_where_there_is_no_endpoint() -> None:
    request = made(FLARE, Kind.VARY, prompt="at night", count=3)
    assert (request.endpoint, request.count, request.inputs) == (Endpoint.EDITS, 3, 1)
    assert request.prompt == f"{VARIATION_PROMPT} at night"
    assert request.shown_prompt == "at night"
    assert made(FLARE, Kind.VARY).prompt == VARIATION_PROMPT


def test_a_variation_of_dall_e_2_says_only_how_many_and_how_large() -> None:
    request = made(D2, Kind.VARY, size="512x512", count=2, defaults=Defaults(quality="standard", format="png"))
    assert request == ImageRequest(
        Kind.VARY, Endpoint.VARIATIONS, D2, "", count=2, size="512x512", inputs=1, input_sizes=((1024, 1024),)
    )


def test_a_variation_of_dall_e_2_takes_no_words_and_no_quality() -> None:
    assert only_problem(D2, Kind.VARY, prompt="at night").option == "hint"
    assert only_problem(D2, Kind.VARY, quality="standard").option == "quality"
    assert only_problem(D2, Kind.VARY, MASKED).option == "mask"


def test_a_hint_must_leave_room_for_the_variation_prompt() -> None:
    most = 32_000 - len(VARIATION_PROMPT) - 1
    assert len(made(FLARE, Kind.VARY, prompt="x" * most).prompt) == 32_000
    assert only_problem(FLARE, Kind.VARY, prompt="x" * (most + 1)).works == phrase(PhraseKey.CHARACTERS, count=most)


# --- everything at once ------------------------------------------------------------------------------------------


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        D3,
        Kind.EDIT,
        replace(MASKED, has_markup=True),
        prompt=" ",
        size="512x512",
        quality="max",
        style="cubist",
        background="transparent",
        format="gif",
        compression=50,
        count=11,
        moderation="low",
        complexity="high",
        frames=4,
        frame_ms=100,
        fidelity="high",
        preview=True,
    )
    told = [problem.option for problem in found]
    asked = {field.name for field in fields(RawOptions)} - {"private", "look"}
    assert set(told) == asked | {"model", "mask", "markup"}
    assert len(told) == len(set(told))


words = st.sampled_from([None] * 12 + ["auto", "low", "high", "hd", "vivid", "transparent", "jpeg", "gif", "svg"])
numbers = st.sampled_from([None] * 12 + [-1, 0, 1, 2, 9, 16, 20])
raws = st.builds(
    RawOptions,
    prompt=st.sampled_from(["", "a fox", "a fox", "a hen", "x" * 1500]),
    size=st.one_of(st.none(), st.sampled_from(["auto", "16:9", "1024x1024", "512x512", "1536x1024", "?"])),
    quality=words,
    style=words,
    background=words,
    format=words,
    compression=numbers,
    count=numbers,
    moderation=words,
    complexity=words,
    frames=numbers,
    frame_ms=numbers,
    fidelity=words,
    preview=st.sampled_from([None, True, False]),
)
uploads = st.sampled_from([Uploaded(), PICTURE, MASKED, MARKED, Uploaded(((5, 5),) * 3)])


@given(raws, st.sampled_from(MODELS), st.sampled_from(PICTURES), uploads)
def test_a_request_holds_what_was_asked_or_every_problem_is_told(
    raw: RawOptions, model: Model, kind: Kind, uploaded: Uploaded
) -> None:
    try:
        request = build_request(raw, model, kind, uploaded=uploaded)
    except InvalidOptions:
        return
    for option in ("quality", "style", "background", "compression", "moderation", "complexity", "frame_ms", "fidelity"):
        asked = getattr(raw, option)
        assert asked is None or getattr(request, option) == asked
    assert request.endpoint in model.endpoints
    assert (request.quality is None) or request.quality in model.qualities
    assert (request.format is None) or request.format in model.formats
    assert (request.compression is None) or request.format in model.compressible
    assert (request.frames is not None) == (request.format == "gif")
    assert not (request.partial_images and (request.count > 1 or request.format in {"gif", "svg"}))
    assert upper_bound(request, model) > 0


# --- completions -------------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("option", ["size", "quality", "style", "background", "format"])
@pytest.mark.parametrize("kind", PICTURES)
def test_every_completion_is_taken(model: Model, option: str, kind: Kind) -> None:
    offered = suggest(option, "", model, kind)
    assert len(offered) <= 25
    if kind is Kind.EDIT and Endpoint.EDITS not in model.endpoints:
        return
    if kind is Kind.VARY and not model.endpoints - {Endpoint.GENERATIONS}:
        return
    for value in offered:
        made(model.id, kind, **{option: value})


def test_completions_follow_what_is_typed() -> None:
    flare = named(FLARE)
    assert suggest("quality", "hi", flare, Kind.IMAGINE) == ("high", "xhigh")
    assert suggest("quality", "H", flare, Kind.IMAGINE) == ("high", "xhigh")
    assert suggest("quality", "zzz", flare, Kind.IMAGINE) == ()
    assert suggest("size", "16:9", flare, Kind.IMAGINE)[0] == "1536x864"
    assert suggest("quality", "", named(D2), Kind.VARY) == ()
    assert suggest("nonsense", "", flare, Kind.IMAGINE) == ()
    assert suggest("fidelity", "", named(OLD), Kind.EDIT) == ("low", "high")
