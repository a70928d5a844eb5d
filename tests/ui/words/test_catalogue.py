from __future__ import annotations

import ast
import re
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.ui.words.catalogue import LANGUAGES, Sentence, catalogue, has, joined, language_of, say
from bot.ui.words.numbers import duration, moment, money, number, ordinal, size_of

ROOT = Path(__file__).parents[3]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(sentence: Sentence) -> list[str]:
    return [*sentence.forms.values(), sentence.other]


def every_form(language: str) -> list[tuple[str, str]]:
    return [(key, text) for key, sentence in catalogue(language).items() for text in forms(sentence)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence(language: str) -> None:
    ours = {key for key in catalogue(language) if not key.startswith("command.")}
    assert ours == {key for key in catalogue("en") if not key.startswith("command.")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_fills_in_the_same_things(language: str) -> None:
    english = catalogue("en")
    wrong = {
        key: fields(sentence.other) ^ fields(english[key].other)
        for key, sentence in catalogue(language).items()
        if key in english and fields(sentence.other) != fields(english[key].other)
    }
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_of_one_needs_no_more_than_what_is_said_of_others(language: str) -> None:
    plurals = {key: sentence for key, sentence in catalogue(language).items() if sentence.forms}
    assert len(plurals) > 10
    assert not [key for key, told in plurals.items() if set(told.forms) != set(told.rules)]
    told_of_few = [(key, text, told) for key, told in plurals.items() for text in told.forms.values()]
    assert not [key for key, text, told in told_of_few if fields(text) - fields(told.other) - {told.by}]
    assert not [key for key, text, told in told_of_few if text == told.other]


NUMBERS = {
    *("amount", "asked", "count", "done", "edge", "failed", "high", "jobs", "least", "left", "low", "made", "most"),
    *("number", "percent", "ratio", "step", "total", "used"),
}
PLURALS = {
    "en": re.compile(r"\b1 (?:are|were|(?:\w+ )?(?!(?:is|was|this)\b)\w+[^s\W]s)\b"),
    "de": re.compile(
        r"\b1 (?:sind|waren|laufen|ließen|davon ließen|weitere(?! Zeile\b)|(?:\w+e )?"
        r"(?:Bilder|Bildern|Befehle|Befehlen|Aufträge|Aufträgen|Zeilen|Tage|Tagen|Änderungen|Einträge|Modelle))\b"
        r"|\b(?:liegen|sind) 1\b"
    ),
}
NEVER_ONE = {
    "error.bad_dollars": "the most is a billion",
    "error.own_styles_full": "one may have fifty",
    "error.server_styles_full": "a server may have a hundred",
    "error.style_name": "a name may have forty",
    "form.prompt_long": "it is said of more than 4,000 characters",
    "phrase.size_rule": "no range of pixels ends at one",
    "phrase.size_rule_or_auto": "no range of pixels ends at one",
    "models.sizes_rule": "no range of pixels ends at one",
    "refused.dollars": "an amount of money is written with its cents",
    "misfit.ids": "a list holds more than one",
    "misfit.styles": "a server may have a hundred",
    "misfit.names": "a list holds more than one",
    "misfit.refused_words": "a list holds more than one",
    "error.bad_word": "a word may be longer than a character",
    "error.too_many_words": "a list holds more than one",
    "words.how": "a list holds more than one",
    "result.fewer": "fewer than one were none",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_of_something_is_never_told_as_many(language: str) -> None:
    told = {
        key: sentence.of({name: "1" if name in NUMBERS else "(…)" for name in fields(sentence.other) | {sentence.by}})
        for key, sentence in catalogue(language).items()
    }
    assert not {key: text for key, text in told.items() if key not in NEVER_ONE and PLURALS[language].search(text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_told_of_one_would_be_found(language: str) -> None:
    assert PLURALS[language].search({"en": "1 finished pictures", "de": "1 fertige Bilder"}[language])
    assert PLURALS[language].search({"en": "1 pictures per day", "de": "1 Bilder pro Tag"}[language])


def test_the_number_decides_and_may_be_written_out_already() -> None:
    assert say("en-US", "usage.pictures", count=1) == say("en-US", "usage.pictures", count="1") == "1 picture"
    assert [say("de", "usage.pictures", count=n) for n in (0, 1, 2)] == ["0 Bilder", "1 Bild", "2 Bilder"]
    assert say("en-US", "usage.pictures", count=number("en-US", 1000)) == "1,000 pictures"


def test_every_key_that_the_code_says_is_in_the_catalogue() -> None:
    said = set()
    for path in [*(ROOT / "bot" / "ui").rglob("*.py"), *(ROOT / "cogs").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and len(node.args) > 1:
                key = node.args[1]
                if isinstance(key, ast.Constant):
                    said.add(str(key.value))
    assert len(said) > 50
    assert not {key for key in said if not has(key)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_mentions_anybody(language: str) -> None:
    loud = {key for key, text in every_form(language) if re.search(r"@(everyone|here)", text)}
    assert not loud


def test_an_unknown_language_is_english() -> None:
    assert language_of("pt-BR") == "en"
    assert say("pt-BR", "button.again") == "Again"


def test_a_foreign_brace_is_only_a_letter() -> None:
    assert "{0.__class__}" in say("en-US", "error.no_such_model", asked="{0.__class__}", nearest="")


@pytest.mark.parametrize(
    ("micro", "english", "german"),
    [
        (0, "$0.00", "0,00 $"),
        (12_500_000, "$12.50", "12,50 $"),
        (1_234_567_890, "$1,234.57", "1.234,57 $"),
        (13_170, "$0.013", "0,013 $"),
        (400, "$0.0004", "0,0004 $"),
        (1, "$0.000001", "0,000001 $"),
        (53_000, "$0.053", "0,053 $"),
    ],
)
def test_money_has_as_many_digits_as_it_needs(micro: int, english: str, german: str) -> None:
    assert money("en-US", micro) == english
    assert money("de", micro) == german


def test_numbers_follow_the_language() -> None:
    assert (number("en-GB", 655_360), number("de", 655_360)) == ("655,360", "655.360")
    assert [ordinal("en-US", n) for n in (1, 2, 3, 4, 11, 12, 21, 103)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "103rd",
    ]  # fmt: skip
    assert ordinal("de", 3) == "3."
    assert [duration("en", s) for s in (0.2, 40, 119, 3600, 7200)] == ["1 s", "40 s", "2 min", "60 min", "2 h"]
    assert (size_of("en", 3_565_158), size_of("de", 3_565_158), size_of("en", 10)) == ("3.4 MB", "3,4 MB", "1 KB")


def test_lists_are_joined_as_one_speaks() -> None:
    assert joined("en", ["a"]) == "a"
    assert joined("en", ["a", "b", "c"]) == "a, b or c"
    assert joined("de", ["a", "b"], last="and") == "a und b"


def test_a_moment_is_never_told_too_early() -> None:
    assert moment(datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC)) == "<t:1795262401:R>"
