"""The checks behind ``build_request``: one for all plain words and numbers, and one for each rule of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import previews_add_little
from bot.rules.options.phrases import Phrase, PhraseKey, WordList, phrase, word_list
from bot.rules.options.problems import Problem, begun_word, extreme_word, nearest_word, repeated
from bot.rules.options.prompts import VARIATION_PROMPT, clean_prompt, says_nothing, variation_prompt
from bot.rules.options.sheets import frame_rule, largest_square, usual_frame
from bot.rules.options.sizes import (
    AUTO,
    Ratio,
    Size,
    SizeRule,
    Sizes,
    fit_ratio,
    is_legal,
    meant,
    nearest_size,
    parse_size,
    reasons_against,
    standard_sizes,
    takes,
)
from bot.rules.options.table import NAMED, Option, OptionKind, RawOptions
from bot.rules.requests import Endpoint, ImageRequest, Kind
from bot.rules.servers.access import Defaults

FRAME_MS = (10, 655_350)
"""Milliseconds a GIF can hold a frame: whole hundredths of a second in 16 bits (openai 3.54.0, frame_duration_ms)."""

PREVIEWS = 2
"""Partial pictures asked for. Each costs 100 tokens."""

STILL_ONLY = frozenset({"gif", "svg"})
"""Formats without streaming and partial pictures."""

SAME_FORMAT = {"jpg": "jpeg"}

STRICTNESS = {"low": 0, "auto": 1}
"""Of moderation; words of other services count as the strictest."""


def endpoint_of(model: Model, kind: Kind) -> Endpoint:
    """Where a job of this kind goes: ``/vary`` to variations where the model has them, else to edits."""
    match kind:
        case Kind.IMAGINE:
            return Endpoint.GENERATIONS
        case Kind.EDIT | Kind.CHECK:
            return Endpoint.EDITS
        case Kind.VARY:
            return Endpoint.VARIATIONS if Endpoint.VARIATIONS in model.endpoints else Endpoint.EDITS
        case Kind.DESCRIBE | Kind.IMPROVE:
            return Endpoint.CHAT


WHAT_IT_CANNOT = {
    Kind.IMAGINE: (Phrase(PhraseKey.PROMPT_ALONE), Phrase(PhraseKey.ONLY_CHANGES)),
    Kind.EDIT: (Phrase(PhraseKey.PICTURE_TO_EDIT), Phrase(PhraseKey.ONLY_MAKES)),
    Kind.VARY: (Phrase(PhraseKey.PICTURE_TO_VARY), Phrase(PhraseKey.ONLY_MAKES)),
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What is known of uploads when options are checked: sizes in pixels, and whether a mask or markup came along.

    ``based_on`` are the words behind the first picture, where Easel made it; ``way`` is where it is to be extended.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    has_mask: bool = False
    has_markup: bool = False
    based_on: str = ""
    way: str = ""


def as_spelt(word: str | None) -> str:
    """The word as models spell it."""
    typed = (word or "").strip().lower()
    return SAME_FORMAT.get(typed, typed)


def words_for(option: Option, model: Model, endpoint: Endpoint) -> tuple[str, ...]:
    """The words the option may be there; empty: it is not one of words, or the model does not have it there."""
    if option.kind is not OptionKind.WORD or not option.model_field or endpoint not in option.endpoints:
        return ()
    words: tuple[str, ...] = getattr(model, option.model_field)
    return words


@dataclass(slots=True)
class OptionChecks:
    """One request in the making: a method gives a value to send, or adds to ``problems`` and gives a harmless one."""

    raw: RawOptions
    model: Model
    kind: Kind
    uploaded: Uploaded
    defaults: Defaults
    endpoint: Endpoint
    problems: list[Problem] = field(default_factory=list)
    sheet: tuple[int, SizeRule] | None = None

    @property
    def sizes(self) -> Sizes:
        """Of the picture, or of one frame of a GIF."""
        return self.model.sizes if self.sheet is None else self.sheet[1]

    def lay_out(self, frames: int | None) -> None:
        """From now on sizes are those of a frame, if there are any."""
        if frames is not None and isinstance(self.model.sizes, SizeRule):
            self.sheet = frames, frame_rule(self.model.sizes, frames)

    def problem(
        self, option: str, asked: object, takes: Phrase | None = None, nearest: object = None, *because: Phrase
    ) -> None:
        wanted = asked if isinstance(asked, Phrase) else repeated(str(asked))
        works = nearest if nearest is None or isinstance(nearest, Phrase) else str(nearest)
        self.problems.append(Problem(option, wanted, takes, works, because))

    def words(self, option: str) -> tuple[str, ...]:
        return words_for(NAMED[option], self.model, self.endpoint)

    def usual(self, option: Option) -> str | int | None:
        """An option that needs no rule of its own: a word of the model's, or a number within its bounds."""
        if option.kind is OptionKind.WORD:
            return self.word(option.name)
        asked = getattr(self.raw, option.name)
        bounds = getattr(self.model, option.model_field) if self.endpoint in option.endpoints else None
        if asked is not None and bounds is None:
            self.problem(option.name, asked)
        return None if asked is None or bounds is None else self.whole(option.name, asked, *bounds)

    def endpoint_exists(self, others: Sequence[Model]) -> None:
        if self.endpoint in self.model.endpoints:
            return
        asked, why = WHAT_IT_CANNOT[self.kind]
        able = [other.id for other in others if endpoint_of(other, self.kind) in other.endpoints]
        self.problem("model", asked, None, next(iter([*able, *self.model.successors]), None), why)

    def prompt(self) -> str:
        text = clean_prompt(self.raw.prompt)
        if self.kind is Kind.VARY:
            return self.hint("" if says_nothing(text) else text)
        if says_nothing(text):
            empty, few = Phrase(PhraseKey.EMPTY_PROMPT), Phrase(PhraseKey.FEW_WORDS)
            self.problem("prompt", empty, None, few, Phrase(PhraseKey.NEEDS_WORDS))
        self.prompt_fits("prompt", text, 0)
        return text

    def hint(self, text: str) -> str:
        if self.endpoint is not Endpoint.VARIATIONS:
            self.prompt_fits("hint", text, len(VARIATION_PROMPT) + 1)
            return variation_prompt(text)
        if text:
            self.problem("hint", text, None, None, Phrase(PhraseKey.NO_WORDS))
        return ""

    def prompt_fits(self, option: str, text: str, beside: int) -> None:
        """``beside`` is what Easel itself adds to the text."""
        most = self.model.max_prompt.get(self.endpoint, len(text) + beside) - beside
        if len(text) > most:
            asked, nearest = (phrase(PhraseKey.CHARACTERS, count=count) for count in (len(text), most))
            self.problem(option, asked, phrase(PhraseKey.MOST_CHARACTERS, most=most), nearest)

    def word(self, option: str, default: str | None = None, otherwise: str | None = None) -> str | None:
        """One of the model's words as asked, else the server's default, else the model's."""
        asked, values = getattr(self.raw, option), self.words(option)
        if asked is None:
            return next((word for word in (as_spelt(default), otherwise) if word in values), None)
        word = as_spelt(asked)
        if word in values:
            return word
        if begun := begun_word(word, values):
            return begun
        nearest = extreme_word(word, values) if option == "quality" else None
        self.problem(option, asked, word_list(values) if values else None, nearest or nearest_word(word, values))
        return None

    def size(self) -> str | None:
        if self.raw.size is None:
            return self.default_size()
        sizes = self.sizes
        if (named := meant(sizes, self.raw.size)) is not None:
            return str(named)
        match parse_size(self.raw.size):
            case Size() as size if is_legal(sizes, size):
                return str(size)
            case Size() as size:
                reasons = (*reasons_against(sizes, size), *self.of_the_sheet())
                self.problem("size", size, takes(sizes), nearest_size(sizes, size), *reasons)
            case Ratio() as ratio:
                return str(fit_ratio(sizes, ratio))
            case str() if sizes.auto:
                return AUTO
            case str():
                self.problem("size", "auto", takes(sizes), self.usual_size())
            case None:
                why = Phrase(PhraseKey.SIZE_WRITTEN)
                self.problem("size", self.raw.size, takes(sizes), self.usual_size(), why)
        return None

    def usual_size(self) -> str:
        return self.model.default_size or str(standard_sizes(self.sizes)[0])

    def of_the_sheet(self) -> tuple[Phrase, ...]:
        """Why a GIF's frames are bound more tightly than a picture."""
        if self.sheet is None:
            return ()
        frames, rule = self.sheet
        return (phrase(PhraseKey.ONE_SHEET, frames=frames, size=str(largest_square(rule))),)

    def default_size(self) -> str | None:
        if (named := meant(self.sizes, self.defaults.size or "")) is not None:
            return str(named)
        match parse_size(self.defaults.size or ""):
            case Size() as size if is_legal(self.sizes, size):
                return str(size)
            case Ratio() as ratio:
                return str(fit_ratio(self.sizes, ratio))
            case str() if self.sizes.auto:
                return AUTO
            case _ if self.sheet is not None and self.kind is Kind.IMAGINE:
                return str(usual_frame(self.sheet[1]))
            case _:
                return self.model.default_size

    def format(self, background: str | None) -> str | None:
        model, asked = self.model, self.raw.format
        formats = self.words("format")
        if asked is None:
            default = as_spelt(self.defaults.format)
            return default if default in formats and self.default_format_fits(default, background) else None
        word = as_spelt(asked)
        if word == model.default_format and not formats:
            return None  # it makes nothing else, and has no parameter to say so
        word = word if word in formats else begun_word(word, formats) or word
        if word not in formats:
            self.problem("format", asked, word_list(formats or (model.default_format,)), self.usual_format(word))
            return None
        if background == "transparent" and word not in model.transparent_formats:
            allowed = self.among_formats(model.transparent_formats)
            why = phrase(PhraseKey.TRANSPARENCY, formats=WordList(tuple(allowed), "or"))
            self.problem("format", word, word_list(allowed), next(iter(allowed), None), why)
        return word

    def usual_format(self, word: str) -> str:
        return nearest_word(word, self.model.formats) or self.model.default_format

    def among_formats(self, wanted: frozenset[str]) -> list[str]:
        return [name for name in self.words("format") if name in wanted]

    def default_format_fits(self, default: str, background: str | None) -> bool:
        """Whether a server's default format goes with everything the person chose."""
        model, raw = self.model, self.raw
        return (
            (background != "transparent" or default in model.transparent_formats)
            and (raw.compression is None or default in model.compressible)
            and (default == "gif" or (raw.frames is None and raw.frame_ms is None))
            and not (default == "gif" and self.uploaded.has_mask)
            and not (default == "svg" and (raw.count or 1) > 1)
            and not (default in STILL_ONLY and raw.preview)
        )

    def compression(self, image_format: str | None) -> int | None:
        asked = self.raw.compression
        if asked is None:
            return None
        usable = self.among_formats(self.model.compressible)
        if not usable:
            self.problem("compression", asked)
        elif (image_format or self.model.default_format) not in usable:
            this, those = image_format or self.model.default_format, WordList(tuple(usable), "and")
            why = phrase(PhraseKey.NOT_COMPRESSED, formats=those, format=this)
            self.problem("compression", asked, word_list(usable), f"format:{usable[-1]}", why)
        else:
            return self.whole("compression", asked, 0, 100)
        return None

    def whole(self, option: str, asked: int, low: int, high: int) -> int | None:
        if low <= asked <= high:
            return asked
        self.problem(option, asked, phrase(PhraseKey.RANGE, low=low, high=high), min(max(asked, low), high))
        return None

    def count(self, image_format: str | None) -> int:
        asked = self.raw.count if self.raw.count is not None else 1
        if image_format == "svg" and asked > 1:
            self.problem("count", asked, word_list([1]), 1, Phrase(PhraseKey.SVG_ALONE))
            return 1
        return self.whole("count", asked, 1, self.model.max_count) or 1

    def moderation(self, floor: str | None) -> str | None:
        chosen = self.word("moderation", floor)
        if floor is None or chosen is None or floor not in self.words("moderation"):
            return chosen
        if STRICTNESS.get(chosen, 1) < STRICTNESS.get(floor, 1):
            self.problem("moderation", chosen, None, floor, phrase(PhraseKey.SERVER_ASKS, level=floor))
        return chosen

    def frames(self, image_format: str | None) -> int | None:
        asked = self.raw.frames
        if not self.animated("frames", asked, image_format):
            return None
        if self.model.frames is None:
            if asked is not None:
                self.problem("frames", asked)
            return None
        return self.model.default_frames if asked is None else self.whole("frames", asked, *self.model.frames)

    def frame_ms(self, image_format: str | None) -> int | None:
        asked = self.raw.frame_ms
        if not self.animated("frame_ms", asked, image_format) or asked is None:
            return None
        return self.whole("frame_ms", asked, *FRAME_MS)

    def animated(self, option: str, asked: int | None, image_format: str | None) -> bool:
        """Whether a GIF is made; a problem if not and the option speaks of its frames."""
        if image_format == "gif":
            return True
        if asked is not None and "gif" in self.words("format"):
            self.problem(option, asked, None, "format:gif", Phrase(PhraseKey.ONLY_GIF_FRAMES))
        elif asked is not None:
            self.problem(option, asked)
        return False

    def partials(self, allowed: bool | None, request: ImageRequest) -> int:
        """For this request, which has none yet."""
        asked = self.raw.preview
        reason = self.no_previews(allowed, request.format, request.count)
        if asked and reason:
            self.problem("preview", "True", None, "preview:False", reason)
        if reason:
            return 0
        most = min(PREVIEWS, self.model.max_partials)
        wanted = asked if asked is not None else allowed or previews_add_little(request, self.model, most)
        return most if wanted else 0

    def no_previews(self, allowed: bool | None, image_format: str | None, count: int) -> Phrase | None:
        """Why no partial pictures can be had; None if they can."""
        reasons = (
            (
                self.model.max_partials == 0 or self.endpoint is Endpoint.VARIATIONS,
                Phrase(PhraseKey.NO_PREVIEWS),
            ),
            (allowed is False, Phrase(PhraseKey.PREVIEWS_OFF)),
            (image_format in STILL_ONLY, phrase(PhraseKey.ONLY_WHOLE, format=(image_format or "").upper())),
            (count > 1, Phrase(PhraseKey.PREVIEWS_ONE)),
        )
        return next((reason for holds, reason in reasons if holds), None)

    def uploads(self, image_format: str | None) -> None:
        given = len(self.uploaded.sizes)
        pictures = phrase(PhraseKey.PICTURES, count=given)
        rule = self.model.inputs.get(self.endpoint)
        if self.kind is Kind.IMAGINE:
            if given:
                self.problem("image", pictures, None, None, Phrase(PhraseKey.PROMPT_MAKES_NEW))
        elif given == 0:
            none, one = Phrase(PhraseKey.NO_PICTURE), Phrase(PhraseKey.ONE_PICTURE)
            self.problem("image", none, None, one, Phrase(PhraseKey.NOTHING_TO_CHANGE))
        elif rule is not None and given > rule.max_images:
            self.problem("image", pictures, phrase(PhraseKey.MOST_PICTURES, most=rule.max_images), rule.max_images)
        if self.uploaded.has_mask:
            self.mask(image_format)
        if self.uploaded.has_markup:
            self.markup()

    def mask(self, image_format: str | None) -> None:
        if self.endpoint is not Endpoint.EDITS or self.model.mask_max_bytes is None:
            self.problem("mask", Phrase(PhraseKey.MASK))
        elif image_format == "gif":
            self.problem("mask", Phrase(PhraseKey.MASK), None, None, Phrase(PhraseKey.NO_GIF_WITH_MASK))

    def markup(self) -> None:
        if self.endpoint is not Endpoint.EDITS or not self.model.has_markup:
            self.problem("markup", Phrase(PhraseKey.MARKUP))
        elif self.uploaded.has_mask:
            self.problem("markup", Phrase(PhraseKey.MARKUP), None, None, Phrase(PhraseKey.MASK_OR_MARKUP))
