"""SVG: read without expanding anything, and drawn in a process of its own.

The renderer holds the interpreter lock while it draws and a few hundred bytes of SVG can keep it busy for minutes
(measured: 100 blurred circles, 11 s), so it never runs in the bot's own process. It is the only user of ``resvg_py``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from xml.parsers import expat

from bot.imaging.headers import CannotLook

MAX_SVG_BYTES = 20_000_000
MAX_ELEMENTS = 300_000
MAX_DEPTH = 256
RENDER_TIMEOUT_S = 10.0
RENDER_MEMORY_BYTES = 1_500_000_000

_NAMESPACE = "http://www.w3.org/2000/svg"
_LENGTH = re.compile(r"\s*(\d{1,6}(?:\.\d*)?)\s*(px|pt|pc|mm|cm|in)?\s*")
_PX_PER = {None: 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_OWN_DATA = ("data:image/png", "data:image/jpeg", "data:image/jpg", "data:image/gif", "data:image/webp")


@dataclass(frozen=True, slots=True)
class SvgFacts:
    """Size in CSS pixels; ``self_contained`` is false when it points at anything outside of itself."""

    width: int
    height: int
    self_contained: bool


class _Reader:
    """Expat's callbacks: no tree is kept, nothing is expanded or fetched."""

    def __init__(self) -> None:
        self.root: dict[str, str] | None = None
        self.self_contained = True
        self.is_too_rich = False
        self._elements = 0
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        self.is_too_rich |= self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH
        namespace, _, name = tag.rpartition(" ")
        if self.root is None:
            if name != "svg" or namespace not in (_NAMESPACE, ""):
                raise ValueError("the root is not an SVG")
            self.root = attributes
        if name == "script":
            raise ValueError("the SVG holds a script")
        for key, value in attributes.items():
            self._look_at(key.rpartition(" ")[2].lower(), value.strip())

    def _look_at(self, key: str, value: str) -> None:
        if key.startswith("on"):
            raise ValueError("the SVG holds a script")
        if key == "href":
            if value.lower().startswith("javascript:"):
                raise ValueError("the SVG holds a script")
            if not value.startswith("#") and not value.lower().startswith(_OWN_DATA):
                self.self_contained = False

    def end(self, _tag: str) -> None:
        self._depth -= 1

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
        if has_subset:
            raise ValueError("the SVG declares entities")

    def entity(self, *_: object) -> None:
        raise ValueError("the SVG declares entities")


def read_svg(data: bytes) -> SvgFacts:
    """What a whole, harmless SVG says of itself. Raises ``ValueError`` for anything else, ``CannotLook`` for too much.

    Size: ``width`` and ``height``, else those of ``viewBox``, else 300x150 as in browsers.
    """
    if len(data) > MAX_SVG_BYTES:
        raise CannotLook("the SVG is too large")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"not whole XML: {error}") from None
    if reader.is_too_rich:
        raise CannotLook("the SVG has too many elements")
    width, height = _size(reader.root or {})
    return SvgFacts(width, height, reader.self_contained)


def _size(root: dict[str, str]) -> tuple[int, int]:
    numbers = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    box = [_pixels(number) for number in numbers[2:]] if len(numbers) == 4 else [None, None]
    width, height = _pixels(root.get("width", "")), _pixels(root.get("height", ""))
    if box[0] and box[1]:
        ratio = box[0] / box[1]
        if width is None and height is None:
            width, height = box
        width = width or (height or 0) * ratio
        height = height or width / ratio
    return max(1, round(width or 300)), max(1, round(height or 150))


def _pixels(text: str) -> float | None:
    match = _LENGTH.fullmatch(text)
    return float(match[1]) * _PX_PER[match[2]] if match else None


# --- drawing -------------------------------------------------------------------------------------------------------

_CHILD = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]),) * 2)
except (ImportError, ValueError, OSError):
    pass
import resvg_py
side = {sys.argv[1]: int(sys.argv[2])}
text = sys.stdin.buffer.read().decode("utf-8-sig")
sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=text, **side))
"""


def svg_to_png(data: bytes, long_edge: int) -> bytes | None:
    """The SVG drawn as PNG, its long edge ``long_edge`` pixels; None if it cannot be drawn safely and in time.

    One that points outside of itself is not drawn: it could show files of this machine.
    """
    try:
        facts = read_svg(data)
    except ValueError:
        return None
    if not facts.self_contained or max(facts.width, facts.height) > 200 * min(facts.width, facts.height):
        return None
    side = "width" if facts.width >= facts.height else "height"
    # -I: neither the environment nor the working directory decides what is imported
    command = [sys.executable, "-I", "-c", _CHILD, side, str(long_edge), str(RENDER_MEMORY_BYTES)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=RENDER_TIMEOUT_S, check=False)  # noqa: S603  # fixed words; the picture goes in as data
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout if done.returncode == 0 and done.stdout.startswith(b"\x89PNG") else None
