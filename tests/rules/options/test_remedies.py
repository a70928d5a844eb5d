"""What would make a refused request work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.limits.decide import Cost, Refusal, has_room
from bot.rules.limits.limit import Measure, Period, Quota, Scope
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.remedies import Remedy, able, affordable, lacks, repaired
from bot.rules.options.table import RawOptions
from bot.rules.options.words import words_request
from bot.rules.requests import ImageRequest, Kind

CATALOGUE = load_catalogue(builtin_catalogue())
FLARE, D3 = "gpt-image-2.5-flare", "dall-e-3"


def named(name: str) -> Model:
    model = CATALOGUE.get(name)
    assert model is not None
    return model


def made(name: str, **options: Any) -> ImageRequest:
    return build_request(RawOptions(**({"prompt": "a fox"} | options)), named(name), Kind.IMAGINE)


def refused(name: str, **options: Any) -> InvalidOptions:
    with pytest.raises(InvalidOptions) as caught:
        made(name, **options)
    return caught.value


REPAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (FLARE, {"size": "512x512"}, {"size": "816x816"}),
    (FLARE, {"quality": "hd", "size": "512x512"}, {"quality": "high", "size": "816x816"}),
    (FLARE, {"style": "vivid"}, {"style": None}),
    (FLARE, {"count": 10, "preview": True}, {"preview": False}),
    ("gpt-image-2.6-flare", {"frames": 4}, {"format": "gif"}),
    ("gpt-image-2.6-flare", {"frames": 99, "format": "gif"}, {"frames": 16}),
    (D3, {"count": 10, "compression": 7}, {"compression": None}),
]


@pytest.mark.parametrize(("name", "options", "changes"), REPAIRS)
def test_every_problem_is_mended_by_the_nearest_that_works(
    name: str, options: dict[str, Any], changes: dict[str, Any]
) -> None:
    remedy = repaired(refused(name, **options).problems)
    assert remedy is not None
    assert dict(remedy.changes) == changes
    assert made(name, **options | changes)


def test_what_only_the_person_can_mend_has_no_remedy() -> None:
    assert repaired(refused(FLARE, prompt="?!", size="512x512").problems) is None
    assert repaired(refused(D3, prompt="x" * 5000).problems) is None


def test_another_model_is_the_answer_where_this_one_cannot_do_it_at_all() -> None:
    assert lacks(refused(FLARE, format="gif").problems)
    assert lacks(refused(FLARE, style="vivid").problems)
    assert not lacks(refused(FLARE, size="512x512", quality="ultra-fine").problems)
    makers = able(
        lambda model: build_request(RawOptions("a fox", format="gif", frames=4), model, Kind.IMAGINE), CATALOGUE
    )
    assert [model.id for model in makers] == ["gpt-image-2.6-flare", "gpt-image-2.6-sunburst"]


# --- what has room -----------------------------------------------------------------------------------------------


def room(request: ImageRequest, micro_usd: int) -> tuple[Remedy, ...]:
    return affordable(request, named(request.model), lambda cost: cost.micro_usd <= micro_usd)


def test_the_best_quality_that_has_room_is_offered() -> None:
    dear = made(FLARE, quality="max")
    assert room(dear, 100_000) == (Remedy((("quality", "xhigh"), ("preview", False))),)
    assert room(dear, 14_000) == (Remedy((("quality", "medium"), ("preview", False))),)
    assert room(dear, 210_500 + 1_000) == (Remedy((("preview", False),)),)
    assert room(dear, 5_700) == (Remedy((("size", "816x816"), ("quality", "low"), ("preview", False))),)
    assert room(dear, 100) == ()
    assert room(made(FLARE, quality="low", size="816x816"), 100) == ()


def test_fewer_pictures_are_offered_as_many_as_have_room() -> None:
    four = made(FLARE, quality="low", count=4)
    each = upper_bound(replace(four, count=1), named(FLARE))
    assert room(four, 3 * each)[-1] == Remedy((("count", 3),))
    assert room(made(D3, count=4), 90_000) == (Remedy((("count", 2),)),)


def test_of_words_there_is_neither_less_nor_smaller() -> None:
    words = CATALOGUE.with_chat("words", None).chat_model
    assert words is not None
    request = words_request(Kind.IMPROVE, RawOptions("a fox"), words, locale="de", look=None, sizes=())
    assert affordable(request, words, lambda cost: True) == ()


def test_a_quota_of_pictures_has_room_for_fewer_and_for_no_other_quality() -> None:
    quota = Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 10)
    refusals = (Refusal(quota, used=8, asked=4, resets_at=None),)
    four = made(FLARE, count=4)
    assert affordable(four, named(FLARE), lambda cost: has_room(refusals, cost)) == (Remedy((("count", 2),)),)
    assert not has_room(refusals, Cost(images=3))
    assert has_room(refusals, Cost(images=2))
