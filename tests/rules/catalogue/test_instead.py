"""Who may draw where the first model certainly did not, and what must be reserved so that each of them is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.instead import GIVES_WAY, dearest, gives_way, stand_ins, takes_files
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.pricing import upper_bound
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.money import MicroUSD
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.table import RawOptions
from bot.rules.requests import ImageRequest, InputImage, Inputs, Kind
from bot.rules.servers.access import ServerSettings

TODAY = date(2026, 11, 29)
FLARE = "gpt-image-2.5-flare"
SERVER = ServerSettings()
CATALOGUE: Catalogue = load_catalogue(
    builtin_catalogue(),
    f"""
[services.second]
base_url = "https://api.openai.com/v1"
key = "env SECOND"
[services.local]
base_url = "http://localhost:8080/v1"
key_in = "none"
free = true
[models."{FLARE}"]
instead = ["{FLARE}@second", "sd@local", "gpt-image-2", "dear@second"]
[models."{FLARE}@second"]
[models."dear@second"]
like = "gpt-image-2"
prices = {{ text_in = 50, image_in = 80, image_out = 300 }}
[models."sd@local"]
like = "dall-e-2"
""",
)


def asked(model: str = FLARE, **options: object) -> ImageRequest:
    found = CATALOGUE.get(model)
    assert found is not None
    return build_request(RawOptions(**{"prompt": "a fox", "quality": "low", **options}), found, Kind.IMAGINE)


def others(request: ImageRequest, settings: ServerSettings = SERVER, *, own_key: bool = False) -> list[str]:
    found = stand_ins(request, CATALOGUE, settings, own_key=own_key, official=True, today=TODAY)
    return [one.request.model for one in found]


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("billed", Billed)
def test_only_what_certainly_was_not_drawn_for_want_of_a_service_gives_way(kind: FaultKind, billed: Billed) -> None:
    expected = billed is Billed.NO and kind in {
        FaultKind.RATE_LIMITED,
        FaultKind.OUT_OF_FUNDS,
        FaultKind.BAD_KEY,
        FaultKind.UNREACHABLE,
    }
    assert gives_way([Fault(kind, billed)]) is expected
    assert not gives_way([Fault(FaultKind.RATE_LIMITED, Billed.NO), Fault(FaultKind.TIMED_OUT, Billed.MAYBE)])
    assert not gives_way([])
    assert {FaultKind.MODERATION, FaultKind.TIMED_OUT, FaultKind.OVERLOADED}.isdisjoint(GIVES_WAY)


def test_those_may_draw_where_the_request_is_legal_in_the_operators_order() -> None:
    assert others(asked()) == [f"{FLARE}@second", "gpt-image-2", "dear@second"]  # dall-e-2's kind has no quality
    assert others(asked(quality=None)) == [f"{FLARE}@second", "sd@local", "gpt-image-2", "dear@second"]
    assert others(asked(quality="xhigh")) == [f"{FLARE}@second"]


def test_what_nobody_chose_is_left_to_each_model_and_what_somebody_chose_is_kept() -> None:
    (second, local, *_) = stand_ins(
        asked(quality=None, private=True), CATALOGUE, SERVER, own_key=False, official=True, today=TODAY
    )
    assert (local.request.quality, local.request.private, second.request.private) == (None, True, True)
    (second, *_) = stand_ins(asked(size="1536x1024"), CATALOGUE, SERVER, own_key=False, official=True, today=TODAY)
    assert (second.request.size, second.request.quality) == ("1536x1024", "low")


def test_a_server_may_forbid_all_of_them_or_one() -> None:
    assert others(asked(), replace(SERVER, fallback=False)) == []
    assert others(asked(), replace(SERVER, denied_models=frozenset({"gpt-image-2"}))) == [
        f"{FLARE}@second",
        "dear@second",
    ]
    assert others(asked(), replace(SERVER, allowed_models=frozenset({FLARE, "gpt-image-2"}))) == ["gpt-image-2"]


def test_nobody_else_pays_than_who_was_to() -> None:
    with_key = replace(SERVER, api_key_hint="1234")
    assert others(asked(), with_key, own_key=True) == ["gpt-image-2"]
    assert others(asked(), SERVER, own_key=True) == []  # it was taken away meanwhile
    assert "gpt-image-2" not in others(asked(), with_key)


def test_the_dearest_is_reserved() -> None:
    request = asked()
    model = CATALOGUE.get(FLARE)
    assert model is not None
    found = stand_ins(request, CATALOGUE, SERVER, own_key=False, official=True, today=TODAY)
    upper = upper_bound(request, model)
    assert dearest(upper, found) == max(one.upper_micro_usd for one in found) > upper
    assert dearest(upper, ()) == upper


def test_pictures_made_ready_for_one_model_go_to_another_only_as_it_takes_them() -> None:
    found = CATALOGUE.get("dall-e-2")
    assert found is not None
    edit = build_request(RawOptions("red"), found, Kind.EDIT, uploaded=Uploaded(sizes=((64, 64),)))
    square = InputImage("a.png", "image/png", b"x" * 100, 64, 64)
    assert takes_files(Inputs((square,)), found, edit)
    assert not takes_files(Inputs((replace(square, width=65),)), found, edit)
    assert not takes_files(Inputs((replace(square, mime="image/webp"),)), found, edit)
    assert not takes_files(Inputs((replace(square, data=b"x" * 5_000_000),)), found, edit)
    assert not takes_files(Inputs((square, square)), found, edit)
    assert takes_files(Inputs(), found, edit)
    tight = replace(found, mask_max_bytes=100)
    assert takes_files(Inputs((square,), replace(square)), tight, edit)
    assert not takes_files(Inputs((square,), replace(square, data=b"x" * 101)), tight, edit)


def test_nobody_who_draws_instead_draws_previews_that_were_not_asked_for() -> None:
    for request in (asked(quality="high", preview=False), asked(quality="high", preview=True)):
        found = stand_ins(request, CATALOGUE, SERVER, own_key=False, official=True, today=TODAY)
        assert [one.request.partial_images for one in found] == [request.partial_images] * len(found) != []


def test_who_has_no_previews_draws_instead_without() -> None:
    assert "sd@local" in others(asked(quality=None, preview=True))


def test_who_draws_instead_is_asked_with_the_mask_and_as_strictly_as_the_server_wants() -> None:
    found = CATALOGUE.get(FLARE)
    assert found is not None
    masked = Uploaded(sizes=((64, 64),), has_mask=True)
    edit = build_request(RawOptions("red", quality="low"), found, Kind.EDIT, uploaded=masked)
    strict = replace(SERVER, moderation="auto")
    (second, *_) = stand_ins(edit, CATALOGUE, strict, own_key=False, official=True, today=TODAY)
    assert (second.request.has_mask, second.request.moderation) == (True, "auto")
    assert second.upper_micro_usd == upper_bound(edit, found)


def test_whatever_the_price_a_stand_in_that_was_found_is_legal_where_it_would_be_sent() -> None:
    for size in ("1024x1024", "1536x1024", "auto", None):
        for one in stand_ins(asked(size=size), CATALOGUE, SERVER, own_key=False, official=True, today=TODAY):
            model = CATALOGUE.get(one.request.model)
            assert model is not None
            assert one.upper_micro_usd == upper_bound(one.request, model)
            assert one.upper_micro_usd >= MicroUSD(0)
