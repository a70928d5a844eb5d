"""What rules say of numbers and words, as data: each language words it, English stands here for logs and tests.

Law: a rule that tells people something tells a ``Phrase`` (or what they typed themselves), never a sentence.
``bot/ui/words/locales`` has every key under ``phrase``; a test holds its English against this file.
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


ENGLISH = {
    PhraseKey.EMPTY_PROMPT: "an empty prompt",
    PhraseKey.CHARACTERS: "{count} characters",
    PhraseKey.PROMPT_ALONE: "a prompt alone",
    PhraseKey.PICTURE_TO_EDIT: "a picture to edit",
    PhraseKey.PICTURE_TO_VARY: "a picture to vary",
    PhraseKey.PICTURES: "{count} pictures",
    PhraseKey.NO_PICTURE: "no picture",
    PhraseKey.MASK: "a mask",
    PhraseKey.MARKUP: "markup",
    PhraseKey.WORDS: "{words}",
    PhraseKey.RANGE: "{low} to {high}",
    PhraseKey.MOST_CHARACTERS: "at most {most} characters",
    PhraseKey.MOST_PICTURES: "at most {most}",
    PhraseKey.SIZE_RULE: "sides in multiples of {step} up to {edge}, at most {ratio} times as long as wide, "
    "{low} to {high} pixels",
    PhraseKey.SIZE_RULE_OR_AUTO: "sides in multiples of {step} up to {edge}, at most {ratio} times as long as wide, "
    "{low} to {high} pixels, or auto",
    PhraseKey.ONLY_CHANGES: "it only changes pictures that are there",
    PhraseKey.ONLY_MAKES: "it only makes new pictures",
    PhraseKey.NEEDS_WORDS: "it needs words to go by",
    PhraseKey.NO_WORDS: "its variations take no words",
    PhraseKey.SIZE_WRITTEN: "a size is written like 1536x1024, 16:9 or portrait",
    PhraseKey.MAKES_SIZES: "it makes {sizes}",
    PhraseKey.MULTIPLES: "both sides must be multiples of {step}",
    PhraseKey.LONGEST_SIDE: "no side longer than {most} pixels",
    PhraseKey.LONGEST_SHAPE: "the long side at most {most} times the short one",
    PhraseKey.FEWEST_PIXELS: "the picture at least {least} pixels",
    PhraseKey.MOST_PIXELS: "the picture at most {most} pixels",
    PhraseKey.TRANSPARENCY: "transparency needs {formats}",
    PhraseKey.NOT_COMPRESSED: "only {formats} are compressed, and this is {format}",
    PhraseKey.SVG_ALONE: "an SVG is drawn alone",
    PhraseKey.SERVER_ASKS: "this server asks for {level}",
    PhraseKey.ONLY_GIF_FRAMES: "only a GIF has frames",
    PhraseKey.NO_PREVIEWS: "it shows nothing before it is done",
    PhraseKey.PREVIEWS_OFF: "previews are switched off on this server",
    PhraseKey.ONLY_WHOLE: "{format} comes only as a whole",
    PhraseKey.PREVIEWS_ONE: "previews are for one picture at a time",
    PhraseKey.PROMPT_MAKES_NEW: "a prompt alone makes new pictures",
    PhraseKey.NOTHING_TO_CHANGE: "there is nothing to change",
    PhraseKey.NO_GIF_WITH_MASK: "a GIF cannot be made with one",
    PhraseKey.MASK_OR_MARKUP: "it takes a mask or markup, not both",
    PhraseKey.FEW_WORDS: "a few words",
    PhraseKey.ONE_PICTURE: "one picture",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """Words in a row: ``a, b, c``, or ``a, b or c`` with the last one joined by that word of the language."""

    words: tuple[str, ...]
    last: Literal["", "or", "and"] = ""

    def __str__(self) -> str:
        if not self.last or len(self.words) < 2:
            return ", ".join(self.words)
        return f"{', '.join(self.words[:-1])} {self.last} {self.words[-1]}"


Value = int | float | str | Listed
"""What may stand in a phrase. Numbers are written as the language does; text stands as it is, and may be foreign."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with what stands in it; ``str()`` gives it in English."""

    key: PhraseKey
    values: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        return ENGLISH[self.key].format(**{name: _english(value) for name, value in self.values})


def phrase(key: PhraseKey, **values: Value) -> Phrase:
    return Phrase(key, tuple(values.items()))


def listed(words: Sequence[object]) -> Phrase:
    """The words one may choose from."""
    return phrase(PhraseKey.WORDS, words=Listed(tuple(map(str, words))))


def sentence(phrases: Sequence[Phrase]) -> str:
    """One English sentence of them all, without a full stop: ``a, b and c``."""
    return str(Listed(tuple(map(str, phrases)), "and"))


def _english(value: Value) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
