"""Every reason why an option cannot be, in every language: worded, complete, and without a word of English left."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.phrases import Phrase, PhraseKey, Value, WordList, phrase
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.prompts import read_prompt_file
from bot.rules.options.table import RawOptions
from bot.rules.requests import PICTURES, Kind
from bot.rules.uploads import BadUpload, Format, UploadProblem
from bot.ui.words.catalogue import LANGUAGES, catalogue
from bot.ui.words.errors import words
from bot.ui.words.problems import phrase_words, problem_line

PICTURE = (64, 64)
UPLOADS = (
    Uploaded(),
    Uploaded((PICTURE,) * 2),
    Uploaded((PICTURE,) * 20),
    Uploaded((PICTURE,), has_mask=True),
    Uploaded((PICTURE,), has_mask=True, has_markup=True),
)
ASKED: tuple[dict[str, Any], ...] = (
    {"prompt": ""},
    {"prompt": "x" * 40_000},
    {"size": "512x512"},
    {"size": "9999x8"},
    {"size": "4000x4000"},
    {"size": "auto"},
    {"size": "?"},
    {"quality": "?"},
    {"background": "transparent", "format": "jpeg"},
    {"compression": 50},
    {"format": "webp", "compression": 500},
    {"count": 20},
    {"format": "svg", "count": 3},
    {"moderation": "low"},
    {"frames": 99},
    {"format": "gif", "frames": 99},
    {"format": "gif", "frames": 9, "size": "1024x1024"},
    {"format": "gif"},
    {"preview": True},
    {"preview": True, "count": 2},
    {"preview": True, "format": "svg"},
)


def refused(model: Model, kind: Kind, uploaded: Uploaded, options: dict[str, Any], **rules: Any) -> list[Problem]:
    try:
        build_request(RawOptions(**({"prompt": "x"} | options)), model, kind, uploaded=uploaded, **rules)
    except InvalidOptions as invalid:
        return list(invalid.problems)
    return []


def everything_wrong(models: Catalogue) -> Iterator[Problem]:
    for model in models:
        for kind in PICTURES:
            for options in ASKED:
                for uploaded in UPLOADS:
                    yield from refused(model, kind, uploaded, options)
                yield from refused(
                    model, kind, UPLOADS[1], options, previews_allowed=False, moderation_floor="auto", others=(model,)
                )


@pytest.fixture(scope="module")
def problems(catalogue: Catalogue) -> frozenset[Problem]:
    return frozenset(everything_wrong(catalogue))


def phrases(problem: Problem) -> list[Phrase]:
    told = (problem.wanted, problem.takes, problem.works, *problem.because)
    return [part for part in told if isinstance(part, Phrase)]


def test_every_phrase_of_the_rules_can_really_be_told(problems: frozenset[Problem]) -> None:
    never = set(PhraseKey) - {part.key for problem in problems for part in phrases(problem)}
    # only models of an operator's own file: a rule without auto, and a model that cannot start from a prompt
    assert never == {PhraseKey.SIZE_RULE, PhraseKey.PROMPT_ALONE, PhraseKey.ONLY_CHANGES}


@pytest.mark.parametrize("key", PhraseKey)
def test_every_phrase_is_worded_in_every_language_with_the_same_values(key: PhraseKey) -> None:
    for language in LANGUAGES:
        assert fields(worded(key, language)) == fields(worded(key, "en"))


def worded(key: PhraseKey, language: str) -> str:
    return catalogue(language)[f"phrase.{key}"].other


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("key", [key for key in PhraseKey if key is not PhraseKey.WORDS])
def test_no_phrase_was_left_in_english(key: PhraseKey, language: str) -> None:
    assert worded(key, language) != worded(key, "en")
    assert english_in(re.sub(r"{[a-z]+}", "", worded(key, language))) == []


ENGLISH_ONLY = re.compile(
    r"\b(a|and|are|as|at|be|cannot|characters|comes|done|frames|is|it|its|least|makes|mask|most|needs|empty|must|no|not|of|on|only|"
    r"one|or|picture|pictures|pixels|sides|size|takes|than|that|the|there|this|times|to|with|words|written)\b",
    re.IGNORECASE,
)


def english_in(text: str) -> list[str]:
    return ENGLISH_ONLY.findall(text)


def test_the_search_for_english_finds_it() -> None:
    assert all(english_in(worded(key, "en")) for key in PhraseKey if key not in (PhraseKey.WORDS, PhraseKey.MARKUP))


def test_no_german_answer_holds_a_word_of_english(problems: frozenset[Problem]) -> None:
    for problem in problems:
        answer = problem_line(problem, "model", "de")
        assert english_in(answer.removeprefix(f"**{problem.option}:**")) == [], answer


FEWEST = "both sides must be multiples of 16 and the picture must have at least 655,360 pixels"
LONGEST = "it takes at most 4,000 characters. Closest: 4,000 characters."
ENGLISH_ANSWERS = (
    ("gpt-image-2.5-flare", {"size": "512x512"}, f"cannot make 512x512: {FEWEST}. Closest: 816x816."),
    ("dall-e-2", {"size": "100x100"}, "cannot make 100x100: it makes 256x256, 512x512, 1024x1024. Closest: 256x256."),
    ("dall-e-3", {"quality": "low"}, "does not accept low: it takes standard, hd. Closest: standard."),
    ("dall-e-2", {"compression": 50}, "does not accept 50: this model does not have that option. Leave it out."),
    (
        "gpt-image-2.5-flare",
        {"format": "jpeg", "background": "transparent"},
        "does not accept jpeg: transparency needs png or webp. Closest: png.",
    ),
    ("dall-e-3", {"prompt": "x" * 5000}, f"does not accept 5,000 characters: {LONGEST}"),
)


@pytest.mark.parametrize(("name", "options", "answer"), ENGLISH_ANSWERS)
def test_a_problem_is_one_sentence_in_english(
    catalogue: Catalogue, name: str, options: dict[str, Any], answer: str
) -> None:
    model = catalogue.get(name)
    assert model is not None
    (problem,) = refused(model, Kind.IMAGINE, Uploaded(), options)
    assert problem_line(problem, name, "en-US") == f"**{next(iter(options))}:** `{name}` {answer}"


def test_a_size_is_refused_in_german_with_german_numbers(catalogue: Catalogue) -> None:
    model = catalogue.get("gpt-image-2.5-flare")
    assert model is not None
    (problem,) = refused(model, Kind.IMAGINE, Uploaded(), {"size": "512x512"})
    assert problem.because == (phrase(PhraseKey.MULTIPLES, step=16), phrase(PhraseKey.FEWEST_PIXELS, least=655_360))
    assert problem_line(problem, model.id, "de") == (
        "**größe:** `gpt-image-2.5-flare` kann 512x512 nicht erzeugen. Beide Seiten müssen Vielfache von 16 sein und "
        "das Bild muss mindestens 655.360 Pixel haben. Nimm stattdessen 816x816."
    )


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (655_360, "655,360", "655.360"),
        (2.5, "2.5", "2,5"),
        (3.0, "3", "3"),
        (WordList(("png", "webp", "gif"), "or"), "png, webp or gif", "png, webp oder gif"),
        (WordList(("png", "webp"), "and"), "png and webp", "png und webp"),
        (WordList(("a_b",)), "a\\_b", "a\\_b"),
        ("**x**", "\\*\\*x\\*\\*", "\\*\\*x\\*\\*"),
    ],
)
def test_values_are_written_as_the_language_does(value: Value, english: str, german: str) -> None:
    told = phrase(PhraseKey.MOST_PICTURES, most=value)
    assert phrase_words(told, "en-GB") == f"at most {english}"
    assert phrase_words(told, "de") == f"höchstens {german}"


@pytest.mark.parametrize(
    ("data", "english", "german"),
    [
        ("fox".encode("utf-16"), "in UTF-8 (it is UTF-16).", "in UTF-8 (sie ist UTF-16)."),
        (b"fox\x00", "(it holds binary data)", "(sie enthält Binärdaten)"),
        (b"a" * 12_000 + b"\xff", "(from byte 12,000 on)", "(ab Byte 12.000)"),
    ],
)
def test_a_file_that_is_no_text_is_told_in_every_language(data: bytes, english: str, german: str) -> None:
    with pytest.raises(BadUpload) as caught:
        read_prompt_file(data)
    assert english in words(caught.value, "en-US")
    assert german in words(caught.value, "de")


def test_what_a_file_is_instead_of_a_picture_is_told_in_german() -> None:
    for kind, german in (("text", "(ein Text)"), ("program", "(ein Programm)"), ("heic", "(HEIC)"), ("webp", "(WebP)")):
        assert german in words(BadUpload(UploadProblem.WRONG_FORMAT, "image", Format(kind)), "de")
