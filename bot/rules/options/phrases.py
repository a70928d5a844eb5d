"""What rules say of numbers and words, as data: each language words it.

Law: a rule that tells people something tells a ``Phrase`` (or what they typed themselves), never a sentence.
``bot/ui/words/locales`` has every key under ``phrase``, with the values named beside it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class PhraseKey(StrEnum):
    """Which phrase: first what was asked, then what a model takes, why something cannot be, and what works."""

    EMPTY_PROMPT = "empty_prompt"
    CHARACTERS = "characters"  # count
    PROMPT_ALONE = "prompt_alone"
    PICTURE_TO_EDIT = "picture_to_edit"
    PICTURE_TO_VARY = "picture_to_vary"
    PICTURES = "pictures"  # count
    NO_PICTURE = "no_picture"
    MASK = "mask"
    MARKUP = "markup"

    WORDS = "words"  # words
    RANGE = "range"  # low, high
    MOST_CHARACTERS = "most_characters"  # most
    MOST_PICTURES = "most_pictures"  # most
    SIZE_RULE = "size_rule"  # step, edge, ratio, low, high
    SIZE_RULE_OR_AUTO = "size_rule_or_auto"  # the same

    ONLY_CHANGES = "only_changes"
    ONLY_MAKES = "only_makes"
    NEEDS_WORDS = "needs_words"
    NO_WORDS = "no_words"
    SIZE_WRITTEN = "size_written"
    MAKES_SIZES = "makes_sizes"  # sizes
    MULTIPLES = "multiples"  # step; the beginning of why a size cannot be, the next four go on from it
    LONGEST_SIDE = "longest_side"  # most
    LONGEST_SHAPE = "longest_shape"  # most
    FEWEST_PIXELS = "fewest_pixels"  # least
    MOST_PIXELS = "most_pixels"  # most
    ONE_SHEET = "one_sheet"  # frames, size; goes on from the same
    TRANSPARENCY = "transparency"  # formats
    NOT_COMPRESSED = "not_compressed"  # formats, format
    SVG_ALONE = "svg_alone"
    SERVER_ASKS = "server_asks"  # level
    ONLY_GIF_FRAMES = "only_gif_frames"
    NO_PREVIEWS = "no_previews"
    PREVIEWS_OFF = "previews_off"
    ONLY_WHOLE = "only_whole"  # format
    PREVIEWS_ONE = "previews_one"
    PROMPT_MAKES_NEW = "prompt_makes_new"
    NOTHING_TO_CHANGE = "nothing_to_change"
    NO_GIF_WITH_MASK = "no_gif_with_mask"
    MASK_OR_MARKUP = "mask_or_markup"

    FEW_WORDS = "few_words"
    ONE_PICTURE = "one_picture"


@dataclass(frozen=True, slots=True)
class WordList:
    """Words in a row: ``a, b, c``, or ``a, b or c`` with the last one joined by that word of the language."""

    words: tuple[str, ...]
    last: Literal["", "or", "and"] = ""


Value = int | float | str | WordList
"""What may stand in a phrase. Numbers are written as the language does; text stands as it is, and may be foreign."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with what stands in it."""

    key: PhraseKey
    values: tuple[tuple[str, Value], ...] = ()


def phrase(key: PhraseKey, **values: Value) -> Phrase:
    return Phrase(key, tuple(values.items()))


def word_list(words: Sequence[object]) -> Phrase:
    """The words one may choose from."""
    return phrase(PhraseKey.WORDS, words=WordList(tuple(map(str, words))))
