"""What is asked of a model of words."""

from __future__ import annotations

import pytest

from bot.rules.catalogue.chat import LONGEST_ASKED
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions
from bot.rules.options.words import words_request
from bot.rules.requests import ImageRequest, Kind

WORDS = load_catalogue(builtin_catalogue()).with_chat("words", None).chat_model


def asked(kind: Kind, prompt: str) -> ImageRequest:
    assert WORDS is not None
    return words_request(kind, RawOptions(prompt, size="16:9"), WORDS, locale="de", look="noir", sizes=())


@pytest.mark.parametrize("prompt", ["", " \n", "\u200b", "?!"])
def test_what_says_nothing_is_not_improved(prompt: str) -> None:
    with pytest.raises(InvalidOptions):
        asked(Kind.IMPROVE, prompt)


def test_so_much_is_improved_and_no_more() -> None:
    assert len(asked(Kind.IMPROVE, "f" * LONGEST_ASKED).prompt) == LONGEST_ASKED
    with pytest.raises(InvalidOptions) as caught:
        asked(Kind.IMPROVE, "f" * (LONGEST_ASKED + 1))
    assert [problem.option for problem in caught.value.problems] == ["prompt"]


def test_a_picture_is_described_without_a_word_in_the_language_of_who_asks() -> None:
    request = asked(Kind.DESCRIBE, "")
    assert " de." in request.prompt
    assert request.own_words == ""
    assert (request.size, request.look) == ("16:9", "noir")
