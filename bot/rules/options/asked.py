"""What a person asked for, as it came, and what of it cannot be. ``options.py`` offers all of this; import it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.rules.errors import UserError
from bot.rules.options.phrases import Phrase
from bot.rules.options.prompts import clean_prompt

SHOWN_CHARS = 100
SAME_FORMAT = {"jpg": "jpeg"}

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


@dataclass(frozen=True, slots=True)
class RawOptions:
    """What a person typed or chose, untouched. None: nothing was chosen."""

    prompt: str
    size: str | None = None
    quality: str | None = None
    style: str | None = None
    background: str | None = None
    format: str | None = None
    compression: int | None = None
    count: int | None = None
    moderation: str | None = None
    complexity: str | None = None
    frames: int | None = None
    frame_ms: int | None = None
    fidelity: str | None = None
    preview: bool | None = None
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What is known of uploads when options are checked: sizes in pixels, and whether a mask or markup came along."""

    sizes: tuple[tuple[int, int], ...] = ()
    has_mask: bool = False
    has_markup: bool = False


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
    """At least one option does not fit its model; all problems are listed. Nothing was sent."""

    def __init__(self, model: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"{model}: " + ", ".join(p.option for p in problems))
        self.model = model
        self.problems = tuple(problems)


def plain(word: str | None) -> str:
    """The word as models spell it."""
    typed = (word or "").strip().lower()
    return SAME_FORMAT.get(typed, typed)


def shown(text: str) -> str:
    """What was asked, short enough to repeat."""
    clean = clean_prompt(text)
    return clean if len(clean) <= SHOWN_CHARS else clean[: SHOWN_CHARS - 1] + "…"


def nearest_word(word: str, values: Sequence[str]) -> str | None:
    """The value meant: its kin of another model, else the one spelt most alike, else the first."""
    kin = next((other for other in KIN.get(word, ()) if other in values), None)
    return kin or next(iter([*get_close_matches(word[:SHOWN_CHARS], values, n=1, cutoff=0.5), *values]), None)
