"""Every option of every model: what passes, what is told, and what is never sent."""

from __future__ import annotations

from typing import Any

import pytest

from bot.rules.catalogue.model import Model, usual_quality
from bot.rules.options.build import build_request
from bot.rules.options.phrases import PhraseKey, WordList, phrase, word_list
from bot.rules.options.table import RawOptions
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import Defaults
from tests.rules.asking import D2, D3, FLARE, MASKED, NEW, OLD, each_model, made, only_problem

# --- the plain case ----------------------------------------------------------------------------------------------


@each_model
def test_a_bare_prompt_sends_nothing_it_need_not(model: Model) -> None:
    request = build_request(RawOptions("a red fox"), model, Kind.IMAGINE)
    assert request == ImageRequest(
        Kind.IMAGINE,
        Endpoint.GENERATIONS,
        model.id,
        "a red fox",
        shown_prompt="a red fox",
        size=model.default_size,
        quality=usual_quality(model),
    )


def test_dall_e_says_size_and_quality_so_that_the_price_is_certain() -> None:
    assert (made(D3).size, made(D3).quality) == ("1024x1024", "standard")
    assert (made(D2).size, made(D2).quality) == ("1024x1024", None)


@each_model
def test_every_value_a_model_has_is_taken_and_sent(model: Model) -> None:
    for option, values in {
        "quality": model.qualities,
        "style": model.styles,
        "background": model.backgrounds,
        "format": model.formats,
        "moderation": model.moderations,
        "complexity": model.complexities,
    }.items():
        for value in values:
            assert getattr(made(model.id, **{option: value}), option) == value
            assert getattr(made(model.id, **{option: f" {value.upper()} "}), option) == value
    for value in model.fidelities:
        assert made(model.id, Kind.EDIT, fidelity=value).fidelity == value


@each_model
@pytest.mark.parametrize("option", ["quality", "style", "background", "format", "moderation", "complexity", "fidelity"])
def test_a_word_no_model_knows_is_told_with_what_there_is(model: Model, option: str) -> None:
    kind = Kind.EDIT if Endpoint.EDITS in model.endpoints else Kind.IMAGINE
    values = {
        "quality": model.qualities,
        "format": model.formats or ("png",),
        "moderation": model.moderations,
        "complexity": model.complexities,
        "fidelity": model.fidelities,
        "style": model.styles,
        "background": model.backgrounds,
    }[option]
    for asked in ("ultra", "", " ", "\x00", "\ud800", "1", "high; drop", "x" * 9000, "🦊", "ＨＩＧＨ"):
        problem = only_problem(model.id, kind, **{option: asked})
        assert problem.option == option
        assert problem.takes == (word_list(values) if values else None)
        assert (problem.works in values) if values else (problem.works is None)
        assert isinstance(problem.wanted, str)
        assert len(problem.wanted) <= 100
        problem.wanted.encode()


@pytest.mark.parametrize(
    ("name", "option", "asked", "nearest"),
    [
        (FLARE, "quality", "hd", "high"),
        (FLARE, "quality", "standard", "medium"),
        (FLARE, "quality", "hgih", "high"),
        ("gpt-image-2", "quality", "max", "high"),
        ("gpt-image-2", "quality", "xhigh", "high"),
        (D3, "quality", "low", "standard"),
        (D3, "quality", "high", "hd"),
        (D3, "quality", "max", "hd"),
        (D3, "quality", "auto", "standard"),
        (D3, "style", "naturel", "natural"),
        (FLARE, "style", "vivid", None),
        (FLARE, "background", "transparant", "transparent"),
        (FLARE, "format", "gif", "png"),
        (FLARE, "format", "svg", "png"),
        (FLARE, "format", "avif", "webp"),
        (D3, "format", "webp", "png"),
        (FLARE, "complexity", "high", None),
        (D2, "moderation", "low", None),
    ],
)
def test_the_nearest_word_is_the_one_that_was_meant(name: str, option: str, asked: str, nearest: str | None) -> None:
    assert only_problem(name, **{option: asked}).works == nearest


def test_the_format_a_model_always_makes_may_be_asked_for_and_is_not_sent() -> None:
    assert made(D3, format="png").format is None
    assert made(D2, Kind.VARY, format="PNG").format is None
    assert made(FLARE, format="jpg").format == "jpeg"


# --- size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked", "sent"),
    [
        (FLARE, "1536x864", "1536x864"),
        (FLARE, "1536 × 864", "1536x864"),
        (FLARE, "16:9", "1536x864"),
        (FLARE, "portrait", "1024x1536"),
        (FLARE, "AUTO", "auto"),
        (OLD, "auto", "auto"),
        (OLD, "16:9", "1536x1024"),
        (D3, "wide", "1792x1024"),
        (D3, "square", "1024x1024"),
        (D2, "256x256", "256x256"),
    ],
)
def test_sizes_are_sent_as_the_model_takes_them(name: str, asked: str, sent: str) -> None:
    assert made(name, size=asked).size == sent


@pytest.mark.parametrize(
    ("name", "asked", "nearest"),
    [
        (FLARE, "1920x1080", "1920x1088"),
        (FLARE, "99999x99999", "2880x2880"),
        (OLD, "1792x1024", "1536x1024"),
        (D3, "1536x1024", "1792x1024"),
        (D3, "auto", "1024x1024"),
        (D2, "300x300", "256x256"),
        (FLARE, "0x0", "1024x1024"),
        (FLARE, "٣x٣", "1024x1024"),
        (FLARE, "1e3x1", "1024x1024"),
        (FLARE, "-1x5", "1024x1024"),
        (FLARE, "9" * 10_000, "1024x1024"),
        (D2, "huge", "1024x1024"),
        (FLARE, "", "1024x1024"),
    ],
)
def test_a_size_that_cannot_be_is_told_with_the_nearest(name: str, asked: str, nearest: str) -> None:
    problem = only_problem(name, size=asked)
    assert (problem.option, problem.works) == ("size", nearest)
    assert made(name, size=problem.works).size == nearest


# --- prompt ------------------------------------------------------------------------------------------------------


UNSEEN = ["\u200b", "\u2060\ufeff", "\u3164", "\u2800\u2800", "\u00ad", "\ufe0f", "\U000e0041\U000e007f", "\u202e"]
"""Prompts of which nobody sees anything."""


@pytest.mark.parametrize(
    "prompt", ["", "   ", "\x00", "\ud800", "\n\t", "-", " - ", "?", "--", "…!\u200b", "~+", *UNSEEN]
)
def test_a_prompt_needs_words(prompt: str) -> None:
    for kind in (Kind.IMAGINE, Kind.EDIT):
        assert only_problem(FLARE, kind, prompt=prompt).option == "prompt"


@pytest.mark.parametrize("prompt", ["7?", "∞", "❤️", "🏳️\u200d🌈", "\u200bfox", "ﷺ", "क", "\U0001fae9"])
def test_whatever_shows_is_a_prompt_and_is_sent_as_it_is(prompt: str) -> None:
    assert made(FLARE, prompt=prompt).prompt == prompt


@pytest.mark.parametrize("hint", ["-", "\u200b"])
def test_a_hint_of_which_nobody_sees_anything_is_none(hint: str) -> None:
    assert made(FLARE, Kind.VARY, prompt=hint) == made(FLARE, Kind.VARY, prompt="")


@each_model
def test_a_prompt_may_be_as_long_as_the_model_takes(model: Model) -> None:
    most = model.max_prompt[Endpoint.GENERATIONS]
    assert made(model.id, prompt="🦊" * most).prompt == "🦊" * most
    problem = only_problem(model.id, prompt="🦊" * (most + 1))
    assert problem.option == "prompt"
    assert problem.wanted == phrase(PhraseKey.CHARACTERS, count=most + 1)
    assert problem.takes == phrase(PhraseKey.MOST_CHARACTERS, most=most)


def test_what_cannot_be_sent_is_taken_out_of_the_prompt() -> None:
    request = made(FLARE, prompt=" a\x00 fox\ud800 ")
    assert request.prompt == request.shown_prompt == "a fox"


# --- format, compression, background -----------------------------------------------------------------------------


@pytest.mark.parametrize("image_format", ["webp", "jpeg"])
@pytest.mark.parametrize("percent", [0, 1, 100])
def test_webp_and_jpeg_are_compressed(image_format: str, percent: int) -> None:
    assert made(FLARE, format=image_format, compression=percent).compression == percent


@pytest.mark.parametrize(("percent", "nearest"), [(-1, "0"), (101, "100"), (10**30, "100")])
def test_compression_is_a_percentage(percent: int, nearest: str) -> None:
    assert only_problem(FLARE, format="webp", compression=percent).works == nearest


@pytest.mark.parametrize(("name", "image_format"), [(FLARE, None), (FLARE, "png"), (NEW, "gif"), (NEW, "svg")])
def test_other_formats_are_not_compressed(name: str, image_format: str | None) -> None:
    problem = only_problem(name, format=image_format, compression=50)
    assert (problem.option, problem.works) == ("compression", "format:jpeg")


@pytest.mark.parametrize("name", [D2, D3])
def test_dall_e_has_no_compression(name: str) -> None:
    assert only_problem(name, compression=50).works is None


@pytest.mark.parametrize("image_format", [None, "png", "webp"])
def test_transparency_goes_with_png_and_webp(image_format: str | None) -> None:
    assert made(FLARE, background="transparent", format=image_format).background == "transparent"


@pytest.mark.parametrize(("name", "image_format"), [(FLARE, "jpeg"), (NEW, "gif"), (NEW, "svg"), (OLD, "jpeg")])
def test_transparency_does_not_go_with_the_rest(name: str, image_format: str) -> None:
    problem = only_problem(name, background="transparent", format=image_format)
    assert (problem.option, problem.works) == ("format", "png")
    assert problem.because == (phrase(PhraseKey.TRANSPARENCY, formats=WordList(("png", "webp"), "or")),)


# --- count, GIF, SVG ---------------------------------------------------------------------------------------------


@each_model
def test_one_to_ten_pictures_and_a_call_each_where_the_model_makes_one(model: Model) -> None:
    for count in (1, 4, 10):
        request = made(model.id, count=count)
        assert (request.count, request.calls) == (count, count if model.id == D3 else 1)
    for count, nearest in ((0, "1"), (-3, "1"), (11, "10"), (10**20, "10")):
        problem = only_problem(model.id, count=count)
        assert (problem.option, problem.works) == ("count", nearest)
        assert problem.takes == phrase(PhraseKey.RANGE, low=1, high=10)


def test_a_gif_has_frames_and_says_how_many() -> None:
    assert made(NEW, format="gif").frames == 9
    request = made(NEW, format="gif", frames=16, frame_ms=655_350, count=2)
    assert (request.frames, request.frame_ms, request.count, request.partial_images) == (16, 655_350, 2, 0)


@pytest.mark.parametrize(
    ("option", "asked", "nearest"),
    [("frames", 1, "2"), ("frames", 17, "16"), ("frame_ms", 9, "10"), ("frame_ms", 655_351, "655350")],
)
def test_frames_have_bounds(option: str, asked: int, nearest: str) -> None:
    assert only_problem(NEW, format="gif", **{option: asked}).works == nearest


@pytest.mark.parametrize("option", ["frames", "frame_ms"])
def test_only_a_gif_has_frames(option: str) -> None:
    assert only_problem(NEW, **{option: 12}).works == "format:gif"
    assert only_problem(NEW, format="png", **{option: 12}).works == "format:gif"
    assert only_problem(FLARE, **{option: 12}).works is None


def test_an_svg_is_drawn_alone_and_whole() -> None:
    assert made(NEW, format="svg").partial_images == 0
    assert only_problem(NEW, format="svg", count=2).works == "1"
    assert only_problem(NEW, format="svg", preview=True).option == "preview"


def test_a_gif_takes_no_mask() -> None:
    assert only_problem(NEW, Kind.EDIT, MASKED, format="gif").option == "mask"
    assert made(NEW, Kind.EDIT, MASKED, format="svg").has_mask


# --- previews ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "partials"),
    [
        ({}, 0),
        ({"quality": "auto"}, 0),
        ({"quality": "low"}, 0),
        ({"quality": "xhigh"}, 2),
        ({"quality": "xhigh", "size": "1792x608"}, 0),
        ({"previews_allowed": True}, 2),
        ({"preview": True}, 2),
        ({"quality": "low", "preview": True}, 2),
        ({"quality": "max", "preview": False}, 0),
        ({"count": 2}, 0),
        ({"quality": "low", "previews_allowed": True}, 2),
        ({"previews_allowed": True, "preview": False}, 0),
        ({"previews_allowed": False}, 0),
        ({"defaults": Defaults(quality="low")}, 0),
        ({"previews_allowed": True, "count": 2}, 0),
    ],
)
def test_previews_come_where_they_add_less_than_a_tenth_unless_somebody_said_otherwise(
    options: dict[str, Any], partials: int
) -> None:
    assert made(FLARE, **options).partial_images == partials
    assert made(FLARE, Kind.EDIT, **options).partial_images == partials


def test_an_edit_has_its_picture_in_the_price_that_previews_add_to() -> None:
    assert made(FLARE, quality="high").partial_images == 0
    assert made(FLARE, Kind.EDIT, quality="high").partial_images == 2


@pytest.mark.parametrize(
    ("name", "options"),
    [(FLARE, {"count": 2}), (FLARE, {"previews_allowed": False}), (NEW, {"format": "gif"}), (D3, {}), (D2, {})],
)
def test_a_preview_that_cannot_be_is_told(name: str, options: dict[str, Any]) -> None:
    problem = only_problem(name, preview=True, **options)
    assert (problem.option, bool(problem.because)) == ("preview", True)
    assert made(name, preview=False, **options).partial_images == 0


# --- moderation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "floor", "sent"),
    [
        (None, None, None),
        ("low", None, "low"),
        (None, "auto", "auto"),
        (None, "low", "low"),
        ("auto", "low", "auto"),
        ("auto", "auto", "auto"),
        ("low", "low", "low"),
        (None, "nonsense", None),
    ],
)
def test_moderation_is_never_laxer_than_the_server_asks(asked: str | None, floor: str | None, sent: str | None) -> None:
    assert made(FLARE, moderation=asked, moderation_floor=floor).moderation == sent


def test_laxer_moderation_than_the_server_asks_is_told() -> None:
    problem = only_problem(FLARE, moderation="low", moderation_floor="auto")
    assert (problem.option, problem.works) == ("moderation", "auto")
    assert made(D3, moderation_floor="auto").moderation is None


# --- words as people say them --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "quality"), [("med", "medium"), ("MEDI", "medium"), ("hi", "high"), ("xh", "xhigh"), ("lo", "low")]
)
def test_a_word_may_be_begun(typed: str, quality: str) -> None:
    assert made(FLARE, quality=typed).quality == quality


@pytest.mark.parametrize("typed", ["m", "ma-", "h", "", "mediums"])
def test_a_beginning_that_says_too_little_is_a_problem(typed: str) -> None:
    assert only_problem(FLARE, quality=typed).option == "quality"


@pytest.mark.parametrize(
    ("name", "typed", "nearest"),
    [
        (FLARE, "ultra", "max"),
        (FLARE, "best", "max"),
        (FLARE, "4k", "max"),
        (FLARE, "draft", "low"),
        (FLARE, "hd", "high"),
        ("gpt-image-2", "Ultra", "high"),
        (D3, "best", "hd"),
    ],
)
def test_the_dearest_quality_is_proposed_and_never_taken_by_itself(name: str, typed: str, nearest: str) -> None:
    assert only_problem(name, quality=typed).works == nearest


def test_a_format_may_be_begun_and_a_screen_is_a_size() -> None:
    assert made(FLARE, format="jp").format == "jpeg"
    assert made(FLARE, size="4k").size == "3840x2160"
    assert made(FLARE, size="1080p").size == "1920x1088"
    assert only_problem(D3, size="4k").works == "1792x1024"
    assert made(FLARE, defaults=Defaults(size="1080p")).size == "1920x1088"
