"""Who decides what nobody typed: the look, the person's own defaults, the server's, the operator's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.rules.catalogue.catalogue import NoSuchModel
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded, endpoint_of
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions, raw_of
from bot.rules.requests import ImageRequest, Kind
from bot.rules.servers.access import Defaults
from bot.rules.styles.layers import Layers, Settled, settle
from bot.rules.styles.style import make_style
from bot.rules.uploads import Note, NoteKind, Typed

MODELS = {model.id: model for model in load_catalogue(builtin_catalogue())}
FLARE, D3, MINI = "gpt-image-2.6-flare", "dall-e-3", "gpt-image-1-mini"
NOTHING = Defaults()


def finish(
    *,
    model: str | None = None,
    look: dict[str, Any] | None = None,
    own: Defaults = NOTHING,
    server: Defaults = NOTHING,
    denied: str = "",
    masked: bool = False,
    **typed: Any,
) -> tuple[ImageRequest, Settled]:
    """The request as the intake makes it."""
    kind = Kind.EDIT if masked else Kind.IMAGINE
    uploaded = Uploaded(((64, 64),), has_mask=True) if masked else Uploaded()

    def build(raw: RawOptions, chosen: Model) -> ImageRequest:
        return build_request(raw, chosen, kind, uploaded=uploaded, defaults=server)

    def problems(raw: RawOptions, chosen: Model) -> tuple[Problem, ...]:
        try:
            build(raw, chosen)
        except InvalidOptions as invalid:
            return invalid.problems
        return ()

    def usable(name: str) -> Model | None:
        found = MODELS.get(name)
        return found if found and name != denied and endpoint_of(found, kind) in found.endpoints else None

    def demanded(name: str) -> Model:
        if name not in MODELS:
            raise NoSuchModel(name, ())
        return MODELS[name]

    words = {"words": "{prompt}, noir", "model": None, **(look or {})}
    style = (
        make_style("Noir", words.pop("words"), model=words.pop("model"), options=words) if look is not None else None
    )
    raw = RawOptions(**{"prompt": "a fox", **typed})
    layers = Layers(raw, model, style if look is not None else None, own, server, FLARE)
    settled = settle(layers, usable=usable, demanded=demanded, problems=problems)
    return build(settled.raw, settled.model), settled


ORDER = [
    # typed, look, own, server -> what is asked for
    ("high", "medium", "low", "auto", "high"),
    (None, "medium", "low", "auto", "medium"),
    (None, None, "low", "auto", "low"),
    (None, None, None, "high", "high"),
    (None, None, "max-no-model-has", "high", "high"),
    (None, "medium", "max-no-model-has", "high", "medium"),
    ("low", None, None, "high", "low"),
]


@pytest.mark.parametrize(("typed", "look", "own", "server", "asked"), ORDER)
def test_the_strongest_who_says_something_decides(typed, look, own, server, asked) -> None:
    request, _ = finish(
        quality=typed,
        look=None if look is None else {"quality": look},
        own=Defaults(quality=own),
        server=Defaults(quality=server),
        model=MINI,
    )

    assert request.quality == asked


MODEL_ORDER = [
    (MINI, D3, "gpt-image-1.5", "gpt-image-1", MINI),
    (None, D3, "gpt-image-1.5", "gpt-image-1", D3),
    (None, None, "gpt-image-1.5", "gpt-image-1", "gpt-image-1.5"),
    (None, None, None, "gpt-image-1", "gpt-image-1"),
    (None, None, None, None, FLARE),
    (None, "gone", "gpt-image-1.5", None, "gpt-image-1.5"),
    (None, "gone", "gone too", "gpt-image-1", "gpt-image-1"),
]


@pytest.mark.parametrize(("typed", "look", "own", "server", "asked"), MODEL_ORDER)
def test_the_model_is_decided_alike(typed, look, own, server, asked) -> None:
    request, settled = finish(model=typed, look={"model": look}, own=Defaults(model=own), server=Defaults(model=server))

    assert request.model == asked
    assert {note.name for note in settled.notes} <= {"model"}
    assert len(settled.notes) == [look, own].count("gone") + [look, own].count("gone too")


def test_a_model_that_was_typed_and_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchModel):
        finish(model="gone", look={"model": D3})


def test_a_model_denied_here_or_unable_is_passed_over_and_told() -> None:
    request, settled = finish(own=Defaults(model=D3), denied=D3)
    assert (request.model, settled.notes) == (FLARE, (Note(NoteKind.OWN, "model", Typed(D3)),))
    request, settled = finish(own=Defaults(model=D3), masked=True)
    assert (request.model, settled.notes) == (FLARE, (Note(NoteKind.OWN, "model", Typed(D3)),))


def test_the_finished_prompt_is_sent_and_shown_and_the_look_is_named() -> None:
    request, _ = finish(look={})

    assert (request.prompt, request.shown_prompt, request.look) == ("a fox, noir", "a fox, noir", "Noir")


def test_a_prompt_that_says_nothing_is_refused_with_a_look_too() -> None:
    with pytest.raises(InvalidOptions) as refused:
        finish(prompt="-", look={})
    assert [problem.option for problem in refused.value.problems] == ["prompt"]


def test_what_a_look_asks_for_and_the_model_has_not_becomes_the_nearest_and_is_told() -> None:
    request, settled = finish(model=D3, look={"quality": "high", "background": "transparent", "size": "1536x1024"})

    assert (request.quality, request.background) == ("hd", None)
    assert request.size in {"1792x1024", "1024x1024"}
    told = {note.name: note.became for note in settled.notes}
    assert told["quality"] == Typed("hd")
    assert told["background"] is None
    assert told["size"] == Typed(request.size)
    assert {note.kind for note in settled.notes} == {NoteKind.LOOK}


def test_what_was_typed_stands_against_the_look_without_a_word() -> None:
    request, settled = finish(background="transparent", format="webp", look={"format": "jpeg", "quality": "low"})

    assert (request.format, request.quality, settled.notes) == ("webp", "low", ())


def test_a_look_makes_legal_what_alone_is_not() -> None:
    request, settled = finish(compression=40, look={"format": "webp"})

    assert (request.format, request.compression, settled.notes) == ("webp", 40, ())


def test_an_own_default_that_does_not_go_with_what_was_typed_is_passed_over() -> None:
    request, settled = finish(masked=True, own=Defaults(format="gif", quality="low"))

    assert (request.format, request.quality) == (None, "low")
    assert settled.notes == (Note(NoteKind.OWN, "format", Typed("gif")),)


def test_of_own_defaults_that_do_not_go_together_the_size_stands() -> None:
    request, settled = finish(own=Defaults(size="3840x2160", format="gif"), model="gpt-image-2.6-flare")

    assert (request.size, request.format) == ("3840x2160", None)
    assert settled.notes == (Note(NoteKind.OWN, "format", Typed("gif")),)


def settled_by(problems: Callable[[RawOptions], list[str]], look: dict[str, Any], own: Defaults) -> Settled:
    """Where what is wrong, option by option, has "low" or "1x1" as its nearest."""
    style = make_style("Noir", "{prompt}, noir", options=look)
    nearest = {"quality": "low", "size": "1x1"}
    return settle(
        Layers(RawOptions("a fox", compression=40), FLARE, style, own, NOTHING, FLARE),
        usable=MODELS.get,
        demanded=lambda name: MODELS[name],
        problems=lambda raw, _: [Problem(one, "", works=nearest.get(one)) for one in problems(raw)],
    )


def test_where_the_nearest_goes_wrong_too_nothing_is_asked_for() -> None:
    settled = settled_by(lambda raw: ["quality"] if raw.quality else [], {"quality": "high"}, NOTHING)

    assert settled.raw.quality is None
    assert settled.notes == (Note(NoteKind.LOOK, "quality", Typed("high")),)


def test_what_a_look_has_set_right_goes_wrong_by_no_default() -> None:
    def problems(raw: RawOptions) -> list[str]:
        return ["compression"] if raw.format != "webp" or raw.size else []

    settled = settled_by(problems, {"format": "webp"}, Defaults(size="1024x1024"))

    assert (settled.raw.format, settled.raw.size) == ("webp", None)
    assert settled.notes == (Note(NoteKind.OWN, "size", Typed("1024x1024")),)


def test_what_the_person_typed_wrong_is_told_and_not_what_others_said() -> None:
    with pytest.raises(InvalidOptions) as refused:
        finish(size="170x170", look={"quality": "low"}, own=Defaults(format="webp"))
    assert [problem.option for problem in refused.value.problems] == ["size"]


def test_again_needs_no_look_for_the_same_prompt() -> None:
    request, _ = finish(look={"quality": "low"})
    raw = raw_of(request)
    again = build_request(replace(raw, private=False), MODELS[FLARE], Kind.IMAGINE)

    assert again == request
