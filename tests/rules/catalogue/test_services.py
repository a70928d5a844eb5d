"""Services as data: what they may say, at which of them a model lives, and what is refused at the start."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bot.rules.catalogue.catalogue import Catalogue, CatalogueError, ModelRetired
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.services import Dialect, KeyPlace, Service, read_services

BUILTIN = builtin_catalogue()
TODAY = date(2026, 11, 29)
LOCAL = '[services.local]\nbase_url = "http://localhost:8080/v1"\nkey_in = "none"\n'
SCHOOL = '[services.school]\nbase_url = "https://school.example/v1"\nkey = "env SCHOOL_KEY"\n'


def load(*parts: str) -> Catalogue:
    return load_catalogue(BUILTIN, "\n".join(parts))


def refused(*parts: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        load(*parts)
    return list(caught.value.faults)


def test_a_service_is_read_whole() -> None:
    service = load(
        SCHOOL,
        'key_in = "api-key"\ndialect = "azure"\nquery = { api-version = "2025-04-01-preview" }\n',
        'headers = { X-Team = "art", x-gateway-key = "env GATEWAY_KEY" }\nhosts = ["Minio.lan:9000"]\n',
        "images_per_minute = 30\nfree = true\n",
    ).services["school"]
    assert (service.key_in, service.dialect) == (KeyPlace.API_KEY, Dialect.AZURE)
    assert service.headers == {"x-team": "art", "x-gateway-key": "env GATEWAY_KEY"}
    assert (service.hosts, service.images_per_minute, service.free) == (frozenset({"minio.lan:9000"}), 30, True)
    assert not service.is_official


def test_a_name_with_a_service_lives_there_is_called_so_and_is_like_the_model_of_that_name() -> None:
    catalogue = load(SCHOOL, '[models."gpt-image-2@school"]\n[models.own]\nlike = "gpt-image-2"\nservice = "school"')
    model, own, builtin = catalogue.get("gpt-image-2@school"), catalogue.get("own"), catalogue.get("gpt-image-2")
    assert model is not None
    assert own is not None
    assert builtin is not None
    assert (model.service, model.wire_name, model.sizes) == ("school", "gpt-image-2", builtin.sizes)
    assert (own.service, own.wire_name) == ("school", "own")
    assert (builtin.service, builtin.wire_name) == ("default", "gpt-image-2")


def test_an_id_with_a_version_after_an_at_sign_is_an_id() -> None:
    model = load(SCHOOL, '[models."imagegeneration@006"]\nlike = "dall-e-2"').get("imagegeneration@006")
    assert model is not None
    assert (model.service, model.wire_name) == ("default", "imagegeneration@006")


def test_what_lives_at_a_free_service_costs_nothing_unless_it_has_a_price() -> None:
    catalogue = load(
        LOCAL,
        "free = true\n",
        '[models."sd@local"]\nlike = "dall-e-2"\n',
        '[models."dear@local"]\nlike = "dall-e-2"\nsizes = { list = ["512x512"] }\n',
        'per_image = { "*" = { 512x512 = 0.02 } }',
    )
    free, dear, builtin = (catalogue.get(name) for name in ("sd@local", "dear@local", "dall-e-2"))
    assert free is not None
    assert free.pricing is not None
    assert free.pricing.free
    assert dear is not None
    assert dear.pricing is not None
    assert not dear.pricing.free
    assert builtin is not None
    assert builtin.pricing is not None
    assert not builtin.pricing.free


def test_all_of_easels_models_are_hidden_but_those_that_the_file_names() -> None:
    catalogue = load('hide = "all"\n', LOCAL, '[models."sd@local"]\nlike = "dall-e-2"\n[models."gpt-image-2"]')
    assert [model.id for model in catalogue] == ["sd@local", "gpt-image-2"]


def test_xai_is_known_by_its_host_and_a_dialect_that_was_said_holds() -> None:
    xai = load('[services.x]\nbase_url = "https://api.x.ai/v1"\nkey = "env X"').services["x"]
    plain = load('[services.x]\nbase_url = "https://api.x.ai/v1"\nkey = "env X"\ndialect = "openai"').services["x"]
    assert (xai.dialect, plain.dialect) == (Dialect.XAI, Dialect.OPENAI)
    assert load("").at("https://api.x.ai/v1").services["default"].dialect is Dialect.XAI


def test_who_may_draw_instead_is_named_by_id_or_with_its_service() -> None:
    catalogue = load(
        SCHOOL,
        '[models."gpt-image-2@school"]\n[models.own]\nlike = "gpt-image-2"\nservice = "school"\n',
        '[models."gpt-image-2"]\ninstead = ["gpt-image-2@school", "own@school", "own", "gpt-image-1"]',
    )
    model = catalogue.get("gpt-image-2")
    assert model is not None
    assert model.instead == ("gpt-image-2@school", "own", "gpt-image-1")


SECRET_KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[services.a]\nkey = "env A"', "services.a.base_url: is missing"),
        ('[services.a]\nbase_url = "http://a/v1"', "services.a.key: is missing"),
        (
            f'[services.a]\nbase_url = "http://a/v1"\nkey = "{SECRET_KEY}"',
            "services.a.key: must not hold the key itself",
        ),
        (LOCAL + 'key = "env A"', "services.local.key: goes nowhere"),
        (LOCAL + LOCAL, "IMAGE_MODELS: not TOML"),
        ('[services."Two Words"]\nbase_url = "http://a/v1"', "services.'Two Words': a name has small letters"),
        ("services = 3", "services: expected tables"),
        ("[services]\na = 3", "services.a: expected a table"),
        (LOCAL + 'headers = { a = "b\\r\\nx-evil: 1" }', "services.local.headers.a: expected one line"),
        (LOCAL + 'headers = { "a\\nb" = "c" }', "services.local.headers: is no name of a header"),
        (LOCAL + f'headers = {{ a = "{SECRET_KEY}" }}', "services.local.headers.a: must not hold the secret itself"),
        (LOCAL + 'headers = { x-api-key = "short" }', "services.local.headers.x-api-key: must not hold the secret"),
        (LOCAL + 'headers = { Authorization = "Bearer a" }', "services.local.headers.Authorization: Easel sets"),
        ('[services.a]\nbase_url = "http://a/v1?b=c"', "services.a.base_url: must end with the path"),
        ('[services.a]\nbase_url = "http://u:p@a/v1"', "services.a.base_url: holds a password"),
        ('[services.a]\nbase_url = "ftp://a/v1"', "services.a.base_url: expected an address"),
        ('[services.a]\nbase_url = "http://[/v1"', "services.a.base_url: expected an address"),
        (LOCAL + "query = { a = 3 }", "services.local.query.a: expected one line"),
        (LOCAL + 'hosts = ["http://a/b"]', "services.local.hosts: expected hosts without path"),
        (LOCAL + 'dialect = "soap"', "services.local.dialect: expected openai or xai or azure"),
        (LOCAL + 'dialect = "azure"', "services.local.query: Azure's classic addresses need"),
        (LOCAL + 'base_ulr = "x"', "services.local.base_ulr: no such key; is base_url meant?"),
        (LOCAL + "images_per_minute = 0", "services.local.images_per_minute: expected a whole number"),
        ('[services.default]\nbase_url = "http://a/v1"', "services.default.base_url: OPENAI_BASE_URL says it"),
        ('[services.default]\nkey = "env A"', "services.default.key: OPENAI_API_KEY says it"),
        (
            '[services.two]\nbase_url = "https://api.openai.com/v1"\nkey = "env TWO"\nfree = true',
            "services.two.free: OpenAI's own service is not free",
        ),
        ('[models.a]\nlike = "dall-e-2"\nservice = "gone"', "models.a.service: there is no service 'gone'"),
        (
            LOCAL + '[models."a@locla"]\nlike = "dall-e-2"',
            "models.a@locla: there is no service 'locla'; is local meant?",
        ),
        (
            LOCAL + SCHOOL + '[models."a@local"]\nlike = "dall-e-2"\nservice = "school"',
            "models.a@local.service: its name says local",
        ),
        ('[models."dall-e-2"]\ninstead = ["nobody"]', "models.dall-e-2.instead: there is no model 'nobody'"),
        ('[models."dall-e-2"]\ninstead = ["dall-e-2"]', "models.dall-e-2.instead: dall-e-2 -> dall-e-2 goes round"),
        (
            '[models."dall-e-2"]\ninstead = ["dall-e-3"]\n[models."dall-e-3"]\ninstead = ["dall-e-2"]',
            "models.dall-e-3.instead: dall-e-3 -> dall-e-2 -> dall-e-3 goes round in a circle",
        ),
        ('hide = "some"', 'IMAGE_MODELS.hide: expected "all"'),
    ],
)
def test_bad_input_is_one_sentence_with_its_key_and_without_any_secret(text: str, told: str) -> None:
    faults = refused(text)
    assert any(fault.startswith(told) for fault in faults), faults
    assert SECRET_KEY not in str(faults)
    assert all("\n" not in fault for fault in faults)


def test_what_a_service_says_of_its_models_is_believed_of_its_models_alone() -> None:
    catalogue = load(SCHOOL, '[models."gpt-image-2@school"]\n[models."dall-e-3@school"]')
    told = catalogue.with_service_facts({"gpt-image-2": date(2026, 11, 1)}, service="school")
    with pytest.raises(ModelRetired) as retired:
        told.choose("gpt-image-2@school", official=True, today=TODAY)
    assert retired.value.retired_on == date(2026, 11, 1)
    assert told.choose("gpt-image-2", official=True, today=TODAY).ends_on != date(2026, 11, 1)
    elsewhere = told.choose("dall-e-3@school", official=True, today=TODAY)  # OpenAI retired it; that one may have it
    assert told.is_unlisted(elsewhere)
    assert told.ends_on(elsewhere, official=True) is None


def test_a_second_key_at_openai_is_openais_own_and_keeps_its_dates() -> None:
    catalogue = load(
        '[services.two]\nbase_url = "https://api.openai.com/v1"\nkey = "env TWO"\n', '[models."dall-e-3@two"]'
    )
    assert catalogue.services["two"].is_official
    with pytest.raises(ModelRetired):
        catalogue.choose("dall-e-3@two", official=False, today=TODAY)
    assert catalogue.choose("dall-e-3", official=False, today=TODAY)


def test_openais_own_service_is_asked_where_a_picture_is_from_unless_the_operator_says_otherwise() -> None:
    services = read_services({"default": {"provenance": False}}, [])
    assert not services["default"].checks_provenance
    assert Service().checks_provenance
    assert not Service(base_url="http://localhost:8080/v1").checks_provenance
    assert Service(base_url="http://localhost:8080/v1", provenance=True).checks_provenance


HIDDEN = 'hide = "all"\n[models."x@local"]\nlike = "gpt-image-2"\n'


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", "default"),
        ("[services.default]\nprovenance = false\n", None),
        (f"[services.default]\nprovenance = false\n{LOCAL}provenance = true\n", "local"),
        (f"{LOCAL}provenance = true\n", "default"),
        (f"{HIDDEN}{LOCAL}", None),
        (f"{HIDDEN}{LOCAL}provenance = true\n", "local"),
        (f"{HIDDEN}[services.default]\nprovenance = true\n{LOCAL}", "default"),
    ],
)
def test_who_is_asked_is_the_default_service_else_the_first_that_can_tell(text: str, asked: str | None) -> None:
    found = load_catalogue(builtin_catalogue(), text).knows_origins
    assert (found.name if found else None) == asked


def test_a_check_has_the_price_that_the_operator_says() -> None:
    services = read_services({"default": {"provenance_price": Decimal("0.002")}}, [])
    assert services["default"].provenance_price == 2000
