"""What the option tests share: asking a model for something, and the problems it has with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.requests import ImageRequest, Kind

CATALOGUE: Catalogue = load_catalogue(builtin_catalogue())
MODELS = list(CATALOGUE)
FLARE, SUN, NEW, OLD, MINI, ONE5, D2, D3 = (
    "gpt-image-2.5-flare",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.6-flare",
    "gpt-image-1",
    "gpt-image-1-mini",
    "gpt-image-1.5",
    "dall-e-2",
    "dall-e-3",
)
PICTURE = Uploaded(((1024, 1024),))
MASKED = replace(PICTURE, has_mask=True)
MARKED = replace(PICTURE, has_markup=True)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)


def named(name: str) -> Model:
    model = CATALOGUE.get(name)
    assert model is not None
    return model


def made(name: str, kind: Kind = Kind.IMAGINE, uploaded: Uploaded | None = None, **options: Any) -> ImageRequest:
    rules = {key: options.pop(key) for key in ("defaults", "previews_allowed", "moderation_floor") if key in options}
    given = uploaded or (Uploaded() if kind is Kind.IMAGINE else PICTURE)
    raw = RawOptions(**({"prompt": "a red fox" if kind is not Kind.VARY else ""} | options))
    return build_request(raw, named(name), kind, uploaded=given, **rules)


def problems(name: str, kind: Kind = Kind.IMAGINE, uploaded: Uploaded | None = None, **options: Any) -> list[Problem]:
    with pytest.raises(InvalidOptions) as refused:
        made(name, kind, uploaded, **options)
    assert refused.value.model == name
    return list(refused.value.problems)


def only_problem(name: str, kind: Kind = Kind.IMAGINE, uploaded: Uploaded | None = None, **options: Any) -> Problem:
    found = problems(name, kind, uploaded, **options)
    assert len(found) == 1, found
    return found[0]
