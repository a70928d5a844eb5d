"""Picture sizes: reading what people type, checking it against a model, and finding the nearest that works.

Nearest means: first grown or shrunk into the bounds with its shape kept (512x512 becomes 816x816), then the closest
legal sides, measured on their logarithms so that twice as wide is as far as half (1920x1080 becomes 1920x1088).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor, log, sqrt

from bot.rules.options.phrases import Phrase, PhraseKey, WordList, phrase

AUTO = "auto"
"""The word that leaves the size to the model."""

PIXELS_READABLE = re.compile(r"([1-9][0-9]{0,4})\s*[x×]\s*([1-9][0-9]{0,4})")
RATIO_READABLE = re.compile(r"([1-9][0-9]{0,2})\s*[:/]\s*([1-9][0-9]{0,2})")
COMMON = ("1280x960", "960x1280", "1536x864", "864x1536", "1280x1024", "1792x1024", "1024x1792", "2048x2048",
          "2048x1152", "1152x2048", "2560x1440", "1440x2560", "3840x2160", "2160x3840")  # fmt: skip
"""Sizes people know, offered as completions where a rule lets them through."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """Width and height in pixels, both at least 1. ``str()`` gives ``1536x1024``."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def ratio(self) -> float:
        """Long side over short side, at least 1."""
        return max(self.width, self.height) / min(self.width, self.height)

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A shape without a size: width to height. ``str()`` gives ``16:9``."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}:{self.height}"


@dataclass(frozen=True, slots=True)
class SizeList:
    """A model that makes exactly these sizes (and picks one itself where ``auto`` is true)."""

    sizes: tuple[Size, ...]
    auto: bool


@dataclass(frozen=True, slots=True)
class SizeRule:
    """A model that makes any size within these bounds (pixels; sides are multiples of ``step_px``).

    ``standard`` are the sizes its maker recommends, and what ``auto`` is priced by; at least one.
    """

    step_px: int
    max_edge_px: int
    max_ratio: float
    min_pixels: int
    max_pixels: int
    standard: tuple[Size, ...]
    auto: bool


Sizes = SizeList | SizeRule

WORDS = {
    "square": Ratio(1, 1),
    "portrait": Ratio(2, 3),
    "landscape": Ratio(3, 2),
    "wide": Ratio(16, 9),
    "widescreen": Ratio(16, 9),
    "tall": Ratio(9, 16),
    "vertical": Ratio(2, 3),
    "horizontal": Ratio(3, 2),
}

NAMES = {
    "hd": Size(1280, 720),
    "720p": Size(1280, 720),
    "full hd": Size(1920, 1080),
    "fhd": Size(1920, 1080),
    "1080p": Size(1920, 1080),
    "2k": Size(2560, 1440),
    "qhd": Size(2560, 1440),
    "1440p": Size(2560, 1440),
    "4k": Size(3840, 2160),
    "uhd": Size(3840, 2160),
    "4k uhd": Size(3840, 2160),
    "2160p": Size(3840, 2160),
    "square hd": Size(1024, 1024),
}
"""Sizes by the names of screens. A model that makes nearly that (1920x1088) makes it without a question."""

NEARLY = 0.02
LARGEST_RATIO = 50
"""Two numbers up to this are a shape, whatever stands between them: ``16x9`` is no picture."""


def parse_size(text: str) -> Size | Ratio | str | None:
    """What was typed: a ``Size`` (also by a name like ``4k``), a ``Ratio`` (also for words like ``portrait``),
    ``AUTO``, or None: not a size.

    Only ASCII digits count, at most five a side, so ``٣x٣``, ``1e3x1``, ``-1x5`` and ``0x0`` are not sizes.
    """
    typed = text.strip().lower()
    if typed == AUTO:
        return AUTO
    if typed in WORDS:
        return WORDS[typed]
    if named := NAMES.get(_name(typed)):
        return named
    if pixels := PIXELS_READABLE.fullmatch(typed):
        return Size(int(pixels[1]), int(pixels[2]))
    if ratio := RATIO_READABLE.fullmatch(typed):
        return Ratio(int(ratio[1]), int(ratio[2]))
    return None


def _name(typed: str) -> str:
    return " ".join(re.split(r"[\s_-]+", typed))


def meant(sizes: Sizes, typed: str) -> Size | None:
    """The legal size that ``16x9`` or the name of a screen stands for here; None where it is neither, or nothing comes
    near.
    """
    asked = parse_size(typed)
    if isinstance(asked, Size) and max(asked.width, asked.height) <= LARGEST_RATIO and not is_legal(sizes, asked):
        return fit_ratio(sizes, Ratio(asked.width, asked.height))
    named = NAMES.get(_name(typed.strip().lower()))
    if named is None:
        return None
    near = nearest_size(sizes, named)
    off = max(abs(near.width / named.width - 1), abs(near.height / named.height - 1))
    return near if off <= NEARLY else None


def is_legal(sizes: Sizes, size: Size) -> bool:
    """Whether the model makes exactly this size."""
    match sizes:
        case SizeList():
            return size in sizes.sizes
        case SizeRule():
            return not _breaches(sizes, size)


def standard_sizes(sizes: Sizes) -> tuple[Size, ...]:
    """The sizes a model is known by: all of a list, the recommended ones of a rule."""
    return sizes.sizes if isinstance(sizes, SizeList) else sizes.standard


def takes(sizes: Sizes) -> Phrase:
    """What the model allows, in a few words: the list, or the whole rule."""
    match sizes:
        case SizeList():
            return phrase(PhraseKey.WORDS, words=_words(sizes))
        case SizeRule():
            return phrase(
                PhraseKey.SIZE_RULE_OR_AUTO if sizes.auto else PhraseKey.SIZE_RULE,
                step=sizes.step_px,
                edge=sizes.max_edge_px,
                ratio=float(sizes.max_ratio),
                low=sizes.min_pixels,
                high=sizes.max_pixels,
            )


def _words(sizes: SizeList) -> WordList:
    return WordList((*map(str, sizes.sizes), *((AUTO,) if sizes.auto else ())))


def reasons_against(sizes: Sizes, size: Size) -> tuple[Phrase, ...]:
    """Why the model cannot make this size, each a part of one sentence; empty if it can."""
    if is_legal(sizes, size):
        return ()
    match sizes:
        case SizeList():
            return (phrase(PhraseKey.MAKES_SIZES, sizes=_words(sizes)),)
        case SizeRule():
            others = [breach for breach in _breaches(sizes, size) if breach.key is not PhraseKey.MULTIPLES]
            return (phrase(PhraseKey.MULTIPLES, step=sizes.step_px), *others)


def _breaches(rule: SizeRule, size: Size) -> list[Phrase]:
    """One entry per bound that is broken; every sentence begins with the multiple, broken or not."""
    checks = (
        (size.width % rule.step_px == 0 and size.height % rule.step_px == 0,
         phrase(PhraseKey.MULTIPLES, step=rule.step_px)),
        (max(size.width, size.height) <= rule.max_edge_px, phrase(PhraseKey.LONGEST_SIDE, most=rule.max_edge_px)),
        (size.ratio <= rule.max_ratio, phrase(PhraseKey.LONGEST_SHAPE, most=float(rule.max_ratio))),
        (size.pixels >= rule.min_pixels, phrase(PhraseKey.FEWEST_PIXELS, least=rule.min_pixels)),
        (size.pixels <= rule.max_pixels, phrase(PhraseKey.MOST_PIXELS, most=rule.max_pixels)),
    )  # fmt: skip
    return [breach for holds, breach in checks if not holds]


def nearest_size(sizes: Sizes, asked: Size) -> Size:
    """The legal size closest to the one asked for, which is itself if that is legal. Equally close: the larger."""
    match sizes:
        case SizeList():
            width, height = float(asked.width), float(asked.height)
            candidates: Iterable[Size] = sizes.sizes
        case SizeRule():
            width, height = _into_bounds(sizes, asked)
            candidates = [size for column in _widths(sizes) for size in _column(sizes, column, height)]

    def distance(size: Size) -> float:
        return log(size.width / width) ** 2 + log(size.height / height) ** 2

    return min(candidates, key=lambda size: (round(distance(size), 12), -size.pixels, -size.width))


def _into_bounds(rule: SizeRule, asked: Size) -> tuple[float, float]:
    """Width and height within ratio, pixels and edge, with the asked shape as far as the ratio lets it be."""
    if is_legal(rule, asked):
        return asked.width, asked.height
    pixels = min(max(asked.pixels, rule.min_pixels), rule.max_pixels)
    ratio = min(asked.ratio, rule.max_ratio)
    long = min(sqrt(pixels * ratio), rule.max_edge_px)
    short = long / ratio
    return (long, short) if asked.width >= asked.height else (short, long)


def _widths(rule: SizeRule) -> range:
    return range(rule.step_px, rule.max_edge_px + 1, rule.step_px)


def _column(rule: SizeRule, width: int, height: float) -> Iterator[Size]:
    """The legal sizes of this width whose heights are next to ``height`` on either side."""
    step = rule.step_px
    low = ceil(max(rule.min_pixels / width, width / rule.max_ratio, step) / step) * step
    high = floor(min(rule.max_pixels / width, width * rule.max_ratio, rule.max_edge_px) / step) * step
    if low > high:
        return
    wanted = min(max(height, low), high)
    for near in {floor(wanted / step) * step, ceil(wanted / step) * step}:
        size = Size(width, near)
        if low <= near <= high and is_legal(rule, size):
            yield size


def fit_ratio(sizes: Sizes, ratio: Ratio) -> Size:
    """The legal size of the nearest shape: a standard one if it has it, else one with about as many pixels.

    Of sizes with the same shape the roundest wins (sides with the highest power of two), then the larger.
    """
    match sizes:
        case SizeList():
            return min(sizes.sizes, key=lambda size: (_bend(size, ratio), -size.pixels))
        case SizeRule():
            exact = [size for size in sizes.standard if _bend(size, ratio) == 0]
            if exact:
                return max(exact, key=lambda size: size.pixels)
            return min(_of_ratio(sizes, ratio), key=lambda size: (_bend(size, ratio), -_roundness(size), -size.pixels))


def _bend(size: Size, ratio: Ratio) -> float:
    """How far the shape is off; 0 only where it is the very same (compared in whole numbers)."""
    if size.width * ratio.height == size.height * ratio.width:
        return 0.0
    return abs(log(size.width * ratio.height / (size.height * ratio.width)))


def _roundness(size: Size) -> int:
    """The largest power of two that divides both sides."""
    both = size.width | size.height
    return both & -both


def _of_ratio(rule: SizeRule, ratio: Ratio) -> list[Size]:
    """Legal sizes near the shape with as many pixels as the standard ones; any number of pixels if there are none."""
    wanted = [size for width in _widths(rule) for size in _column(rule, width, width * ratio.height / ratio.width)]
    fewest = min(size.pixels for size in rule.standard)
    most = max(size.pixels for size in rule.standard)
    if fewest == most:
        fewest, most = fewest * 2 // 3, most * 3 // 2
    return [size for size in wanted if fewest <= size.pixels <= most] or wanted


def suggest_sizes(sizes: Sizes, typed: str) -> list[str]:
    """Sizes to offer while someone types: what is meant already, known sizes it may become, the nearest that works."""
    asked = parse_size(typed)
    match asked:
        case Size() if is_legal(sizes, asked):
            first, last = [str(asked)], []
        case Size():
            first, last = [], [str(nearest_size(sizes, asked))]
        case Ratio():
            first, last = [str(fit_ratio(sizes, asked))], []
        case _:
            first, last = [], []
    known = [AUTO] if sizes.auto else []
    known += map(str, standard_sizes(sizes))
    known += [text for text in COMMON if isinstance(size := parse_size(text), Size) and is_legal(sizes, size)]
    known += WORDS
    wanted = typed.strip().lower().replace("×", "x")
    return list(dict.fromkeys([*first, *(text for text in known if wanted in text), *last]))
