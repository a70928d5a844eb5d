"""The catalogue as people read it: a line each, snapshots folded, what is not allowed marked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.servers.access import Defaults, ServerSettings
from bot.ui.pages.models import PER_PAGE, Shelf, choice_line, details, pages

FLARE = "gpt-image-2.5-flare"


def shelf(catalogue: Catalogue, locale: str = "en-US", **settings: object) -> Shelf:
    return Shelf(catalogue, ServerSettings(**settings), FLARE, True, date(2026, 11, 29), locale)


def lines(text: str | None) -> list[str]:
    return [line for line in (text or "").split("\n") if line.startswith(("**", "🚫"))]


def test_a_line_each_the_default_first_and_fixed_versions_behind(catalogue: Catalogue) -> None:
    (page,) = pages(shelf(catalogue, defaults=Defaults(model="gpt-image-2", quality="high")))

    told = lines(page.embed.description)
    assert told[0].startswith("**GPT Image 2** · ≈ $0.22")
    assert len(told) == 8
    assert "2026-04-21" in str(page.embed.description).split("\n")[-1]
    assert {model.id for model in page.models} >= {"gpt-image-2", "gpt-image-2-2026-04-21"}
    assert all(len(line) < 90 for line in told)


def test_what_is_not_allowed_here_is_marked_and_comes_last(catalogue: Catalogue) -> None:
    here = shelf(catalogue, denied_models=frozenset({"gpt-image-2.5-sunburst"}))
    (page,) = pages(here)

    last = lines(page.embed.description)[-1]
    assert last.startswith("🚫 ~~**2.5 sunburst**~~")
    assert "not allowed here" in last
    model = next(one for one in page.models if one.id == "gpt-image-2.5-sunburst")
    assert "not allowed here" in choice_line(model, here)
    assert "not allowed here" in str(details(model, here).description)


def test_the_model_of_words_is_named_behind_those_that_draw(catalogue: Catalogue) -> None:
    (page,) = pages(shelf(catalogue.with_chat("tell_me*", None)))
    assert (
        str(page.embed.description).split("\n")[-1] == r"-# tell\_me\* finds the words for `/describe` and *Improve*."
    )
    assert "tell_me*" not in {model.id for model in page.models}


def test_what_ends_says_when(catalogue: Catalogue) -> None:
    (page,) = pages(shelf(catalogue))
    assert "ends 2026-12-01" in next(line for line in lines(page.embed.description) if "1.5" in line)


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_very_many_models_take_pages_and_every_page_fits(catalogue: Catalogue, locale: str) -> None:
    first = next(iter(catalogue))
    many = {f"model-{n}": replace(first, id=f"model-{n}", short_name="*" * 60, alias_of=None) for n in range(50)}
    made = pages(shelf(Catalogue(many), locale))

    assert [len(page.models) for page in made] == [PER_PAGE, PER_PAGE, 10]
    assert all(len(page.embed) <= 6000 for page in made)


def test_no_model_at_all_is_said(catalogue: Catalogue) -> None:
    (page,) = pages(shelf(Catalogue({})))
    assert page.models == ()
    assert "No models are available" in str(page.embed.description)


def test_where_a_model_lives_and_what_its_service_says_of_it_is_told() -> None:
    text = """
[services.school]
base_url = "https://school.example/v1"
key = "env SCHOOL"
[models.drawing]
like = "gpt-image-2"
service = "school"
[models."gpt-image-2@school"]
[models."dall-e-2@school"]
"""
    told = load_catalogue(builtin_catalogue(), text).with_service_facts(
        {"drawing": date(2026, 12, 24), "gpt-image-2": None}, service="school"
    )
    (page,) = pages(shelf(told))
    found = {line.split("**")[1]: line for line in lines(page.embed.description) if "**" in line}
    assert "at school · " not in found["gpt-image-2@school"]
    assert "ends 2026-12-24 · at school" in found["drawing"]
    assert "its service does not list it" in found["dall-e-2@school"]
    assert "its service does not list it" not in found["gpt-image-2@school"]
