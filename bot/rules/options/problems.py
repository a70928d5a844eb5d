"""What of a person's wish cannot be, as data, and the nearest that works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.rules.errors import UserError
from bot.rules.options.phrases import Phrase
from bot.rules.options.prompts import clean_prompt

SHOWN_CHARS = 100

KIN = {
    "standard": ("medium", "auto"),
    "hd": ("high", "max"),
    "low": ("standard",),
    "medium": ("standard",),
    "auto": ("standard",),
    "high": ("hd",),
    "xhigh": ("high", "hd"),
    "max": ("xhigh", "high", "hd"),
    "avif": ("webp",),
    "apng": ("gif", "png"),
    "bmp": ("png",),
    "tiff": ("png",),
    "none": ("transparent",),
    "off": ("low",),
}
"""What comes closest to a word another model would have known."""


HIGHEST = frozenset({"best", "ultra", "highest", "maximum", "premium", "top", "4k", "8k", "uhd", "finest", "extreme"})
LOWEST = frozenset({"draft", "fast", "lowest", "cheap", "cheapest", "quick", "minimum", "min", "worst"})
"""Words for the two ends of a model's qualities. Only proposed: the highest costs many times the usual one."""

SHORTEST = 2
"""Letters that are enough for a beginning."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that cannot be: which option, what was asked, what the model allows, and the nearest that works.

    Text is what somebody typed or can type; a ``Phrase`` is worded by each language. ``because`` says why where what
    the model ``takes`` does not explain it, its parts are one sentence; neither: the model has no such option.
    ``works`` None: leave it out.
    """

    option: str
    wanted: str | Phrase
    takes: Phrase | None = None
    works: str | Phrase | None = None
    because: tuple[Phrase, ...] = ()


class InvalidOptions(UserError):
    """At least one option does not fit its model; all problems are word_list. Nothing was sent."""

    def __init__(self, model: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"{model}: " + ", ".join(p.option for p in problems))
        self.model = model
        self.problems = tuple(problems)


def repeated(text: str) -> str:
    """What was asked, short enough to repeat."""
    clean = clean_prompt(text)
    return clean if len(clean) <= SHOWN_CHARS else clean[: SHOWN_CHARS - 1] + "…"


def begun_word(word: str, values: Sequence[str]) -> str | None:
    """The one value that begins so: ``med`` is medium."""
    begun = [value for value in values if value.startswith(word)]
    return begun[0] if len(begun) == 1 and len(word) >= SHORTEST else None


def extreme_word(word: str, values: Sequence[str]) -> str | None:
    """The highest or lowest of a model's qualities, which it names from the lowest on."""
    levels = [value for value in values if value != "auto"]
    if not levels or word not in HIGHEST | LOWEST:
        return None
    return levels[-1] if word in HIGHEST else levels[0]


def nearest_word(word: str, values: Sequence[str]) -> str | None:
    """The value meant: its kin of another model, else the one spelt most alike, else the first."""
    kin = next((other for other in KIN.get(word, ()) if other in values), None)
    return kin or next(iter([*get_close_matches(word[:SHOWN_CHARS], values, n=1, cutoff=0.5), *values]), None)
