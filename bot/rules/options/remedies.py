"""What would make a refused request work, as changes to its options.

Law: a remedy is only a proposal. Whoever offers one has it checked by the same door as the request itself, and what it
changes is told before it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import UnknownPrice, upper_bound
from bot.rules.limits.decide import Cost
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.sizes import Size, nearest_size
from bot.rules.options.table import NAMED, OptionKind
from bot.rules.requests import ImageRequest

Value = str | int | bool | None

MODEL = "model"
BETTER_WORDS = "improve"
"""Whether one's words are improved first, before a picture is made of them."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Options to ask for otherwise, ``model`` among them; None leaves one out."""

    changes: tuple[tuple[str, Value], ...]


OWN_WORDS = Remedy(((BETTER_WORDS, False),))
"""A picture of the words as they are."""


def repaired(problems: Sequence[Problem]) -> Remedy | None:
    """Every problem mended by the nearest that works; None where one of them needs the person."""
    changes: dict[str, Value] = {}
    for problem in problems:
        change = _change(problem)
        if change is None:
            return None
        changes |= (change,)
    return Remedy(tuple(changes.items()))


LEVELS = frozenset({"size", "quality", "moderation", "compression", "preview"})
"""What each model has in its own way: no reason to take another one."""


def lacks(problems: Sequence[Problem]) -> bool:
    """Whether the model cannot do at all what is asked, so that another one is the better answer."""
    return any(problem.works is None or problem.option not in LEVELS for problem in problems)


def _change(problem: Problem) -> tuple[str, Value] | None:
    """A word may name another option: ``format:gif``."""
    if problem.option not in (*NAMED, MODEL) or not isinstance(problem.works, str | None):
        return None
    if problem.works is None:
        return problem.option, None
    other, colon, word = problem.works.partition(":")
    option, text = (other, word) if colon and other in NAMED else (problem.option, problem.works)
    match NAMED[option].kind if option in NAMED else OptionKind.WORD:
        case OptionKind.WHOLE:
            return (option, int(text)) if text.isdecimal() else None
        case OptionKind.SWITCH:
            return option, text == "True"
        case OptionKind.SIZE | OptionKind.WORD:
            return option, text


def able(build: Callable[[Model], object], models: Iterable[Model]) -> tuple[Model, ...]:
    """The models that could make just what was asked; snapshots stay behind the model they are like."""
    found = []
    for model in models:
        if model.alias_of is None:
            try:
                build(model)
            except InvalidOptions:
                continue
            found.append(model)
    return tuple(found)


def affordable(request: ImageRequest, model: Model, fits: Callable[[Cost], bool]) -> tuple[Remedy, ...]:
    """What of the same wish has room: the best quality, or the smallest picture; and as many pictures as have it.

    Of words there is neither less nor smaller.
    """
    if request.is_words:
        return ()

    def has_room(trial: ImageRequest) -> bool:
        try:
            return fits(Cost(images=trial.count, micro_usd=upper_bound(trial, model)))
        except UnknownPrice:
            return False

    cheaper = next((remedy for remedy, trial in _cheaper(request, model) if has_room(trial)), None)
    fewer = next((remedy for remedy, trial in _fewer(request, model) if has_room(trial)), None)
    return tuple(remedy for remedy in (cheaper, fewer) if remedy is not None)


def _cheaper(request: ImageRequest, model: Model) -> Iterator[tuple[Remedy, ImageRequest]]:
    """Without previews, then every lower quality, then the smallest picture: the least change first."""
    plain = replace(request, partial_images=0)
    bare: tuple[tuple[str, Value], ...] = (("preview", False),) if request.partial_images else ()
    if bare:
        yield Remedy(bare), plain
    lower = _lower_qualities(plain, model)
    for quality in lower:
        yield Remedy((("quality", quality), *bare)), replace(plain, quality=quality)
    smallest = str(nearest_size(model.sizes, Size(1, 1)))
    if smallest != request.size:
        lowest: tuple[tuple[str, Value], ...] = (("quality", lower[-1]),) if lower else ()
        trial = replace(plain, size=smallest, quality=lower[-1] if lower else plain.quality)
        yield Remedy((("size", smallest), *lowest, *bare)), trial


def _lower_qualities(request: ImageRequest, model: Model) -> list[str]:
    """Those that cost less than what is asked, the dearest first."""
    try:
        prices = {
            quality: upper_bound(replace(request, quality=quality), model)
            for quality in model.qualities
            if quality != "auto"
        }
        asked = upper_bound(request, model)
    except UnknownPrice:
        return []
    return sorted((quality for quality in prices if prices[quality] < asked), key=lambda one: -prices[one])


def _fewer(request: ImageRequest, model: Model) -> Iterator[tuple[Remedy, ImageRequest]]:
    for count in range(request.count - 1, 0, -1):
        trial = replace(request, count=count, calls=count if model.one_per_call else 1)
        yield Remedy((("count", count),)), trial
