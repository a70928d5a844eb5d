"""Files that are handed in: why one cannot be used, what was done to one, and where in a picture to edit.

``BadUpload`` is raised by ``bot.imaging`` and by the fetching of attachments. ``Note`` says what happened to a file
that could be used. Both carry facts; words are made of them in ``bot/ui/words/uploads.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.rules.errors import UserError

# --- facts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bytes:
    count: int


@dataclass(frozen=True, slots=True)
class Pixels:
    count: int


@dataclass(frozen=True, slots=True)
class Count:
    number: int


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Format:
    """What kind of file it is: ``png``, ``heic``, ``text``, ``program``, ``binary``."""

    name: str


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a text is written, such as ``UTF-16``."""

    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """The byte from which on something is wrong."""

    byte: int


@dataclass(frozen=True, slots=True)
class Options:
    """Options by their names, where it is about several."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    text: str


@dataclass(frozen=True, slots=True)
class Named:
    """A thing by its name, like a model."""

    name: str


Fact = Bytes | Pixels | Count | Size | Format | Encoding | Place | Options | Typed | Named

# --- what cannot be used, and what was done ------------------------------------------------------------------------


class UploadProblem(StrEnum):
    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"  # Bytes
    TOO_MANY_PIXELS = "too_many_pixels"  # Size, Pixels allowed
    WRONG_FORMAT = "wrong_format"  # Format, if it is known
    ANIMATED = "animated"  # Format
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"  # it takes too much memory or time to open
    GONE = "gone"  # deleted or its link expired
    STALLED = "stalled"
    FOREIGN_HOST = "foreign_host"
    TOO_MANY = "too_many"  # Count
    MASK_SIZE = "mask_size"  # Size of the mask, then of the picture
    MASK_OPAQUE = "mask_opaque"  # nothing would be edited
    MASK_CLEAR = "mask_clear"  # nothing would be kept
    MASK_TWICE = "mask_twice"  # Options: mask and area, or mask and markup
    MASK_NEEDED = "mask_needed"  # the model edits only with a mask, and there is none
    BAD_AREA = "bad_area"  # Typed
    NOT_TEXT = "not_text"  # a prompt file that is not UTF-8: its Encoding, Format("binary"), or the Place


class BadUpload(UserError):
    """``name`` is the option or file it is about; ``came`` is what it is or has, ``allowed`` what it may have, or what
    it was compared with. Nothing was spent."""

    def __init__(
        self, problem: UploadProblem, name: str, came: Fact | None = None, allowed: Fact | None = None
    ) -> None:
        super().__init__(f"{name}: {problem} {came or ''} {allowed or ''}".strip())
        self.problem = problem
        self.name = name
        self.came = came
        self.allowed = allowed


class NoteKind(StrEnum):
    """What was done to a file or a wish before it was sent; worth telling, never a refusal."""

    TURNED = "turned"  # EXIF said which way is up
    COLOURS = "colours"  # CMYK, 16 bit, palette, grey or a colour profile became sRGB
    CONVERTED = "converted"  # Format
    SCALED = "scaled"  # Size
    PADDED = "padded"  # transparent bars made it square, so that nothing is lost; Size
    METADATA_REMOVED = "metadata_removed"
    MASK_FITTED = "mask_fitted"  # its Size, and the picture's
    MASK_FROM_WHITE = "mask_from_white"  # it had no transparency: white was taken as "edit here"
    MASK_GREY = "mask_grey"  # it held much grey: everything brighter than half was taken as white
    MASK_FROM_TRANSPARENCY = "mask_from_transparency"  # the picture's own transparent parts are edited
    LOOK = "look"  # an option of the look that the model does not have: Typed, and what was taken instead
    OWN = "own"  # an option of the person's own defaults that could not be had here: Typed
    OTHER_MODEL = "other_model"  # the model that made the picture cannot edit one; which it was, and which did
    FLAG_READ = "flag_read"  # a flag of the prompt was taken as an option: Typed
    FLAGS_LEFT_OUT = "flags_left_out"  # Typed


@dataclass(frozen=True, slots=True)
class Note:
    """``name`` is the option it is about, as in ``BadUpload``; what it ``was`` and what it ``became``."""

    kind: NoteKind
    name: str
    was: Fact | None = None
    became: Fact | None = None


# --- how large a picture is worth sending ------------------------------------------------------------------------

READ_EDGE_PX = 1024
AUTO_EDGE_PX = 1536
_WIDTH_HEIGHT = re.compile(r"(\d{1,5})x(\d{1,5})")


def useful_edge_px(size: str | None) -> int:
    """The long edge beyond which a picture only costs: never below the size the member asked for, nor below 1024.

    OpenAI counts one token per 32x32 patch and scales smaller pictures up to 1024 before counting
    (reference: input_image_tokens_estimate), so less than 1024 saves nothing. Without a size the answer may be 1536.
    """
    asked = _WIDTH_HEIGHT.fullmatch(size or "")
    return max(READ_EDGE_PX, int(asked[1]), int(asked[2])) if asked else AUTO_EDGE_PX


# --- areas -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in percent of the picture's width and height, corners included."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle: centre in percent of width and height, radius in percent of the picture's shorter side."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A band along all four edges; its width in percent of the picture's shorter side."""

    width: float


Area = Box | Disc | Frame

_CENTRE = Box(25, 25, 75, 75)
AREAS: dict[str, Area] = {
    "circle": Disc(50, 50, 35),
    "centre": _CENTRE,
    "center": _CENTRE,
    "left": Box(0, 0, 50, 100),
    "right": Box(50, 0, 100, 100),
    "top": Box(0, 0, 100, 50),
    "bottom": Box(0, 50, 100, 100),
    "border": Frame(15),
}
"""Areas with a name. ``x,y,r`` and ``x,y,w,h`` are the others."""

_NUMBER = re.compile(r"\d{1,3}(\.\d{1,4})?")


def parse_area(text: str, name: str = "area") -> Area:
    """The part of a picture that ``text`` means. Raises ``BadUpload`` (``BAD_AREA``).

    ``x,y,r`` is a circle, ``x,y,w,h`` a box from its upper left corner; all in percent, ``%`` signs and spaces allowed.
    What reaches over the edge is cut; what lies wholly outside or has no extent is refused.
    """
    known = AREAS.get(text.strip().lower())
    if known is not None:
        return known
    words = [word.strip().removesuffix("%").strip() for word in text.split(",")]
    if len(words) not in (3, 4) or not all(_NUMBER.fullmatch(word) for word in words):
        raise BadUpload(UploadProblem.BAD_AREA, name, Typed(text.strip()[:60]))
    numbers = [float(word) for word in words]
    if any(number > 100 for number in numbers) or min(numbers[2:]) <= 0:
        raise BadUpload(UploadProblem.BAD_AREA, name, Typed(text.strip()[:60]))
    if len(numbers) == 3:
        return Disc(*numbers)
    x, y, width, height = numbers
    if x >= 100 or y >= 100:
        raise BadUpload(UploadProblem.BAD_AREA, name, Typed(text.strip()[:60]))
    return Box(x, y, min(100.0, x + width), min(100.0, y + height))
