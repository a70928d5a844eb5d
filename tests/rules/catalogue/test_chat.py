"""Models of words as data: where one lives, what it is asked for, and that no answer costs more than was reserved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.catalogue.catalogue import Catalogue, CatalogueError
from bot.rules.catalogue.chat import INSTRUCTION_TOKENS, INSTRUCTIONS, chat_models
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import charge, upper_bound
from bot.rules.catalogue.services import Service
from bot.rules.money import TokenPrices
from bot.rules.requests import Endpoint, ImageRequest, Kind, Usage

LOCAL = '[services.local]\nbase_url = "http://localhost:8080/v1"\nkey_in = "none"\n'
WORDS = 'chat_model = "words"\nchat_prices = { input = 0.15, output = 0.60 }\n'


def load(*parts: str) -> Catalogue:
    return load_catalogue(builtin_catalogue(), "".join(parts))


def refused(*parts: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        load(*parts)
    return list(caught.value.faults)


def test_there_is_no_model_of_words_where_none_is_named() -> None:
    assert load(LOCAL).chat_model is None


def test_a_model_of_words_lives_at_its_service_and_is_offered_nowhere() -> None:
    catalogue = load(LOCAL, WORDS)
    chat = catalogue.chat_model
    assert chat is not None
    assert (chat.id, chat.wire_name, catalogue.service_of(chat.id)) == ("words@local", "words", "local")
    assert catalogue.get("words@local") is chat
    assert chat.pricing is not None
    assert chat.pricing.tokens == TokenPrices(150_000, 150_000, 600_000)
    assert "words@local" not in [model.id for model in catalogue]
    assert catalogue.is_used("local")


def test_the_default_service_comes_before_the_others() -> None:
    catalogue = load(LOCAL, WORDS, "[services.default]\n", WORDS)
    assert catalogue.chat_model is not None
    assert catalogue.chat_model.id == "words"


def test_what_an_answer_may_have_is_asked_for_as_the_service_calls_it() -> None:
    def limit(*parts: str) -> str:
        model = load(*parts).chat_model
        assert model is not None
        assert model.chat is not None
        return model.chat.limit

    assert limit(LOCAL, WORDS) == "max_tokens"
    assert limit("[services.default]\n", WORDS) == "max_completion_tokens"
    assert limit(LOCAL, WORDS, 'chat_limit = "max_completion_tokens"\n') == "max_completion_tokens"


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ((LOCAL, 'chat_model = "words"'), "services.local.chat_prices: is missing; without a price"),
        (
            (LOCAL, "provenance_price = 0.002"),
            "services.local.provenance_price: means nothing without",
        ),
        ((LOCAL, "chat_output_tokens = 100"), "services.local.chat_output_tokens: chat_model is missing"),
        ((LOCAL, 'chat_model = ""'), "services.local.chat_model: expected text"),
        ((LOCAL, WORDS, "chat_output_tokens = 0"), "services.local.chat_output_tokens: expected a whole number"),
        ((LOCAL, WORDS, 'chat_limit = "most"'), "services.local.chat_limit: expected max_tokens or"),
        (
            (LOCAL, 'chat_model = "a"\nchat_prices = { input = 1 }'),
            "services.local.chat_prices: expected dollars for a million tokens",
        ),
        (
            ("[services.default]\n", WORDS.replace("words", "dall-e-2")),
            "services.default.chat_model: dall-e-2 is a model that draws",
        ),
    ],
)
def test_what_cannot_be_is_said_at_the_start(parts: tuple[str, ...], fault: str) -> None:
    assert [one for one in refused(*parts) if one.startswith(fault)]


def test_at_a_free_service_words_cost_nothing() -> None:
    model = load(LOCAL, 'free = true\nchat_model = "words"').chat_model
    assert model is not None
    assert upper_bound(asked("a fox", 0), model) == 0
    assert charge(asked("a fox", 0), model, Usage(10, 0, 10), 0) == 0


def test_the_instructions_fit_what_is_reserved_for_them() -> None:
    assert max(len(text.encode()) for text in INSTRUCTIONS.values()) + 100 <= INSTRUCTION_TOKENS


def asked(prompt: str, inputs: int) -> ImageRequest:
    kind = Kind.DESCRIBE if inputs else Kind.IMPROVE
    return ImageRequest(kind, Endpoint.CHAT, "words", prompt, count=0, inputs=inputs)


def model_with(prices: TokenPrices, output: int, image: int) -> Model:
    service = Service(chat_model="words", chat_prices=prices, chat_output_tokens=output, chat_image_tokens=image)
    return chat_models({"default": service})["words"]


@given(
    prompt=st.text(st.characters(exclude_categories=("Cs",)), max_size=500),
    inputs=st.integers(0, 1),
    read=st.integers(0, 10**9),
    written=st.integers(0, 10**9),
    cached=st.integers(0, 10**9),
    output=st.integers(16, 100_000),
    image=st.integers(1, 1_000_000),
    fraction=st.floats(0, 1),
)
def test_no_answer_within_its_bounds_costs_more_than_is_reserved(
    prompt: str, inputs: int, read: int, written: int, cached: int, output: int, image: int, fraction: float
) -> None:
    prices = TokenPrices(read, read, written)
    request, model = asked(prompt, inputs), model_with(prices, output, image)
    most_read = len(prompt.encode()) + INSTRUCTION_TOKENS + inputs * image
    usage = Usage(int(most_read * fraction), 0, int(output * fraction), min(cached, int(most_read * fraction)))
    assert charge(request, model, usage, 0) <= upper_bound(request, model)


def test_what_reported_no_use_is_charged_as_it_was_reserved() -> None:
    model = model_with(TokenPrices(150_000, 150_000, 600_000), 1_000, 26_000)
    request = asked("a fox", 1)
    assert charge(request, model, None, 0) == upper_bound(request, model) > 0
