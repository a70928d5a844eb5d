"""What each of the fourteen models takes, written down a second time, from the published facts and not from the bot.

Two opinions that agree are worth more than one: a mistake in either shows as a refusal in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

Endpoint = Literal["generations", "edits", "variations"]
WxH = tuple[int, int]

MIB = 1024 * 1024
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_COMMON = ("prompt", "model", "n", "size", "quality", "user")
_GPT = (
    *_COMMON,
    "background",
    "output_format",
    "output_compression",
    "moderation",
    "stream",
    "partial_images",
    "safety_identifier",
)


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Sizes by arithmetic, in pixels: sides divisible by ``step``, and four bounds."""

    step: int = 16
    max_edge: int = 3840
    max_ratio: int = 3
    min_pixels: int = 655_360
    max_pixels: int = 8_294_400

    def fault(self, size: WxH) -> str | None:
        """Why the size is not legal, or None."""
        width, height = size
        if width % self.step or height % self.step:
            return f"width and height must both be divisible by {self.step}"
        if max(size) > self.max_edge:
            return f"the longest edge must not exceed {self.max_edge} pixels"
        if max(size) > self.max_ratio * min(size):
            return f"the aspect ratio must be between 1:{self.max_ratio} and {self.max_ratio}:1"
        if not self.min_pixels <= width * height <= self.max_pixels:
            return f"the picture must have {self.min_pixels} to {self.max_pixels} pixels"
        return None


@dataclass(frozen=True, slots=True)
class SheetRule:
    """GIF: all frames lie on one sheet, 3x3 up to 9, 4x3 up to 12, 4x4 up to 16; it is what has bounds and a price."""

    picture: SizeRule = field(default_factory=SizeRule)

    def sheet(self, frame: WxH, frames: int) -> WxH:
        across, down = (3, 3) if frames <= 9 else (4, 3) if frames <= 12 else (4, 4)
        return frame[0] * across, frame[1] * down

    def fault(self, frame: WxH, frames: int) -> str | None:
        """Why frames of this size are not legal, or None."""
        width, height = self.sheet(frame, frames)
        rule = self.picture
        if frame[0] % rule.step or frame[1] % rule.step:
            return f"the sides of a frame must be divisible by {rule.step}"
        if max(width, height) > rule.max_edge or width * height > rule.max_pixels:
            return f"{frames} frames of {frame[0]}x{frame[1]} need a sheet of {width}x{height}, which is too large"
        if max(width, height) > rule.max_ratio * min(width, height):
            return f"the aspect ratio of the sheet must be between 1:{rule.max_ratio} and {rule.max_ratio}:1"
        if frames * frame[0] * frame[1] < rule.min_pixels:
            return f"all frames together must have at least {rule.min_pixels} pixels"
        return None

    def usual(self, frames: int) -> WxH:
        """What the service takes where nobody chose: the largest square."""
        edge = 960 if frames <= 9 else 816 if frames <= 12 else 720
        return edge, edge


@dataclass(frozen=True, slots=True)
class ModelRules:
    """One model: what it takes, refuses and reports. An empty tuple means the parameter is unknown to it."""

    id: str
    generate: frozenset[str]
    edit: frozenset[str] = frozenset()
    vary: frozenset[str] = frozenset()
    max_prompt: int = 32_000
    max_n: int = 10
    sizes: tuple[str, ...] = ()
    size_rule: SizeRule | None = None
    sheet_rule: SheetRule | None = None
    qualities: tuple[str, ...] = ()
    default_quality: str = "auto"
    styles: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("png",)
    fidelities: tuple[str, ...] = ()
    dalle: bool = False
    one_image: bool = False
    square_inputs: bool = False
    input_types: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    max_input_bytes: int = 50 * MIB
    table: Mapping[tuple[str, str], int] = field(default_factory=dict, hash=False)
    grid: Mapping[str, int] = field(default_factory=dict, hash=False)
    created: int = 0
    retired_on: date | None = None
    shutdown_on: date | None = None

    def parameters(self, endpoint: Endpoint) -> frozenset[str]:
        """What the endpoint takes for this model; empty: the model has no such endpoint."""
        return {"generations": self.generate, "edits": self.edit, "variations": self.vary}[endpoint]

    @property
    def ended_on(self) -> date:
        """The day OpenAI's own service stops, or stopped, serving the model."""
        return min(self.retired_on or date.max, self.shutdown_on or date.max)


_EDIT = frozenset((*_GPT, "image", "mask"))
_TOKENS_1 = {
    ("low", "1024x1024"): 272,
    ("low", "1024x1536"): 408,
    ("low", "1536x1024"): 400,
    ("medium", "1024x1024"): 1056,
    ("medium", "1024x1536"): 1584,
    ("medium", "1536x1024"): 1568,
    ("high", "1024x1024"): 4160,
    ("high", "1024x1536"): 6240,
    ("high", "1536x1024"): 6208,
}

_DALLE_2 = ModelRules(
    id="dall-e-2",
    generate=frozenset((*_COMMON, "response_format")),
    edit=frozenset((*_COMMON, "response_format", "image", "mask")),
    vary=frozenset(("image", "model", "n", "size", "response_format", "user")),
    max_prompt=1000,
    sizes=("256x256", "512x512", "1024x1024"),
    qualities=("standard",),
    default_quality="standard",
    dalle=True,
    one_image=True,
    square_inputs=True,
    input_types=("image/png",),
    max_input_bytes=4 * MIB,
    created=1_698_798_177,
    retired_on=date(2026, 5, 12),
)
_DALLE_3 = ModelRules(
    id="dall-e-3",
    generate=frozenset((*_COMMON, "response_format", "style")),
    max_prompt=4000,
    max_n=1,
    sizes=("1024x1024", "1792x1024", "1024x1792"),
    qualities=("standard", "hd"),
    default_quality="standard",
    styles=("vivid", "natural"),
    dalle=True,
    created=1_698_785_189,
    retired_on=date(2026, 5, 12),
)
_GPT_1 = ModelRules(
    id="gpt-image-1",
    generate=frozenset(_GPT),
    edit=_EDIT | {"input_fidelity"},
    sizes=("1024x1024", "1536x1024", "1024x1536", "auto"),
    qualities=("low", "medium", "high", "auto"),
    formats=("png", "webp", "jpeg"),
    fidelities=("low", "high"),
    table=_TOKENS_1,
    created=1_745_517_030,
    retired_on=date(2026, 10, 23),
)
_ENDS = date(2026, 12, 1)
_GPT_1_5 = replace(_GPT_1, id="gpt-image-1.5", created=1_764_030_620, retired_on=None, shutdown_on=_ENDS)
_GPT_1_MINI = replace(_GPT_1_5, id="gpt-image-1-mini", fidelities=("low",), created=1_758_845_821)
_CHATGPT = replace(_GPT_1_5, id="chatgpt-image-latest", created=1_765_925_279)
_GPT_2 = replace(
    _GPT_1,
    id="gpt-image-2",
    edit=_EDIT,
    sizes=(),
    size_rule=SizeRule(),
    fidelities=(),
    table={},
    grid={"low": 16, "medium": 48, "high": 96},
    created=1_776_729_600,
    retired_on=None,
)
_GPT_2_5 = replace(
    _GPT_2,
    id="gpt-image-2.5-sunburst",
    edit=_EDIT | {"markup"},
    qualities=("low", "medium", "high", "xhigh", "max", "auto"),
    grid={"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96},
    created=1_788_825_600,
)
_NEW = frozenset(("complexity", "frame_count", "frame_duration_ms", "svg"))
_GPT_2_6 = replace(
    _GPT_2_5,
    id="gpt-image-2.6-sunburst",
    generate=_GPT_2_5.generate | _NEW,
    edit=_GPT_2_5.edit | _NEW,
    formats=("png", "webp", "jpeg", "gif", "svg"),
    sheet_rule=SheetRule(),
    grid={"low": 34, "medium": 48, "high": 48, "xhigh": 64, "max": 96},
    created=1_793_750_400,
)

MODELS: Mapping[str, ModelRules] = {
    rules.id: rules
    for rules in (
        _DALLE_2,
        _DALLE_3,
        _GPT_1,
        _GPT_1_MINI,
        _GPT_1_5,
        _CHATGPT,
        _GPT_2,
        replace(_GPT_2, id="gpt-image-2-2026-04-21"),
        _GPT_2_5,
        replace(_GPT_2_5, id="gpt-image-2.5-sunburst-2026-09-08"),
        _GPT_2_6,
        replace(_GPT_2_5, id="gpt-image-2.5-flare"),
        replace(_GPT_2_5, id="gpt-image-2.5-flare-2026-09-08"),
        replace(_GPT_2_6, id="gpt-image-2.6-flare"),
    )
}


def parse_size(word: str) -> WxH | None:
    """``WxH`` in ASCII digits without leading zeros, as two numbers; None when it is not one."""
    found = _SIZE.fullmatch(word)
    return (int(found[1]), int(found[2])) if found else None
