"""About seventy files a member might hand in, and what must become of each."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from PIL import Image, ImageOps

from bot.imaging.headers import sniff
from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule
from bot.rules.uploads import BadUpload, Fact, Format, NoteKind, Size, UploadProblem

ANY = InputRule(16, frozenset({"png", "jpeg", "webp"}), 52_428_800)
DALLE2 = InputRule(1, frozenset({"png"}), 4_194_304, square=True)

P, N = UploadProblem, NoteKind
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 40), (30, 60, 220), (230, 210, 40)
GREYS = tuple(((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16,) * 3 for r, g, b in (RED, GREEN, BLUE, YELLOW))


@dataclass(frozen=True)
class Case:
    """``fate``: the problem, or the format sent. ``corners``: colours of the quarters. ``same``: bytes untouched."""

    name: str
    build: Callable[[SimpleNamespace], bytes]
    fate: UploadProblem | str
    came: Fact | None = None
    notes: frozenset[NoteKind] = frozenset()
    size: tuple[int, int] | None = (64, 48)
    corners: tuple[tuple[int, int, int], ...] | None = (RED, GREEN, BLUE, YELLOW)
    clear_corner: bool = False
    same: bool = False
    rule: InputRule = field(default=ANY)
    edge: int | None = None


def with_png(kind: bytes, payload: bytes) -> Callable[[SimpleNamespace], bytes]:
    return lambda m: m.png_with(m.saved(m.quarters(), "PNG"), kind, payload)


def image_file(kind: str, mode: str = "RGB", **options: object) -> Callable[[SimpleNamespace], bytes]:
    return lambda m: m.saved(m.quarters(mode=mode), kind, **options)


def cut(kind: str, share: float) -> Callable[[SimpleNamespace], bytes]:
    def build(m: SimpleNamespace) -> bytes:
        data = m.saved(m.noise(64, 48), kind)
        return data[: int(len(data) * share)]

    return build


COMMENT = b"\xff\xfe\x00\x02"


def million_segments(m: SimpleNamespace) -> bytes:
    data = m.saved(m.quarters(), "JPEG")
    return data[:2] + COMMENT * 1_000_000 + data[2:]


def million_late_segments(m: SimpleNamespace) -> bytes:
    return m.saved(m.quarters(), "JPEG")[:-2] + COMMENT * 1_000_000 + b"\xff\xd9"


def million_chunks(m: SimpleNamespace) -> bytes:
    data = m.saved(m.quarters(), "PNG")
    return data[:33] + m.chunk(b"teXt", b"") * 1_000_000 + data[33:]


def flipped(m: SimpleNamespace) -> bytes:
    data = bytearray(m.saved(m.noise(64, 48), "PNG"))
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def nonsense_pixels(m: SimpleNamespace) -> bytes:
    """A PNG whose checksums are right and whose pixels are not."""
    data = m.saved(m.quarters(), "PNG")
    return data[:33] + m.chunk(b"IDAT", b"not zlib at all") + m.chunk(b"IEND", b"")


def lying_header(m: SimpleNamespace) -> bytes:
    data = m.saved(m.quarters(), "PNG")
    header = (640).to_bytes(4) + (480).to_bytes(4) + data[24:29]
    return data[:8] + m.chunk(b"IHDR", header) + data[33:]


def zip_file(_: SimpleNamespace) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", b"x")
    return out.getvalue()


def palette_clear(m: SimpleNamespace) -> bytes:
    image = m.quarters().quantize(16, dither=Image.Dither.NONE)
    return m.saved(image, "PNG", transparency=image.getpixel((60, 40)))


def deep_grey(m: SimpleNamespace) -> bytes:
    dark, bright = bytes((99, 30)) * 32, bytes((77, 200)) * 32
    return m.saved(Image.frombytes("I;16", (64, 48), (dark + bright) * 24 + bright * 48), "PNG")


def deep_rgb(m: SimpleNamespace) -> bytes:
    rows = b"".join(b"\0" + b"".join(bytes((v, 99)) for v in RED) * 64 for _ in range(48))
    header = (64).to_bytes(4) + (48).to_bytes(4) + bytes((16, 2, 0, 0, 0))
    chunks = m.chunk(b"IHDR", header) + m.chunk(b"IDAT", zlib.compress(rows)) + m.chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def turned(kind: str, turn: int) -> Callable[[SimpleNamespace], bytes]:
    """A file whose pixels lie so that the upright picture is the four quarters in order."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Transpose values that undo the turn

    def build(m: SimpleNamespace) -> bytes:
        image = m.quarters()
        lying = image.transpose(Image.Transpose(back[turn])) if turn > 1 else image
        assert ImageOps.exif_transpose(m.opened(m.saved(lying, "PNG", exif=m.exif(turn)))).tobytes() == image.tobytes()
        options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {"lossless": True}
        return m.saved(lying, kind, exif=m.exif(turn), **(options if kind != "PNG" else {}))

    return build


def big_text(m: SimpleNamespace) -> bytes:
    return m.png_with(m.saved(m.quarters(), "PNG"), b"zTXt", b"k\0\0" + zlib.compress(b"A" * 80_000_000, 9))


META, TURN, COL, CONV, SCALE, PAD = (
    N.METADATA_REMOVED,
    N.TURNED,
    N.COLOURS,
    N.CONVERTED,
    N.SCALED,
    N.PADDED,
)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)

REFUSED = [
    Case("nothing", lambda m: b"", P.EMPTY),
    Case("gif", image_file("GIF"), P.WRONG_FORMAT, Format("gif")),
    Case("moving gif", lambda m: m.movie("GIF"), P.WRONG_FORMAT, Format("gif")),
    Case("bmp", image_file("BMP"), P.WRONG_FORMAT, Format("bmp")),
    Case("tiff", image_file("TIFF"), P.WRONG_FORMAT, Format("tiff")),
    Case("ico", lambda m: m.saved(m.quarters(32, 32), "ICO"), P.WRONG_FORMAT, Format("ico")),
    Case("eps", image_file("EPS"), P.WRONG_FORMAT, Format("eps")),
    Case("pdf", image_file("PDF"), P.WRONG_FORMAT, Format("pdf")),
    Case("avif", image_file("AVIF"), P.WRONG_FORMAT, Format("avif")),
    Case("heic", lambda m: HEIC, P.WRONG_FORMAT, Format("heic")),
    Case("mp4", lambda m: b"\0\0\0\x18ftypisom" + bytes(64), P.WRONG_FORMAT, Format("mp4")),
    Case("jpeg 2000", image_file("JPEG2000"), P.WRONG_FORMAT, Format("jpeg2000")),
    Case("svg", lambda m: b'<svg xmlns="http://www.w3.org/2000/svg"/>', P.WRONG_FORMAT, Format("svg")),
    Case(
        "svg behind a declaration",
        lambda m: b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>',
        P.WRONG_FORMAT,
        Format("svg"),
    ),
    Case("html named .png", lambda m: b"<!DOCTYPE html><html><svg></svg></html>", P.WRONG_FORMAT, Format("html")),
    Case("zip", zip_file, P.WRONG_FORMAT, Format("zip")),
    Case("gzip", lambda m: gzip.compress(b"x"), P.WRONG_FORMAT, Format("gzip")),
    Case("text", lambda m: "nur ein Wörtchen".encode(), P.WRONG_FORMAT, Format("text")),
    Case("random bytes", lambda m: bytes(range(128, 256)), P.WRONG_FORMAT, None),
    Case("moving png", lambda m: m.movie("PNG"), P.ANIMATED, Format("png")),
    Case("moving webp", lambda m: m.movie("WEBP"), P.ANIMATED, Format("webp")),
    Case("png bomb", lambda m: m.bomb(), P.TOO_MANY_PIXELS, Size(30000, 30000)),
    Case("just too many pixels", lambda m: m.bomb(7080), P.TOO_MANY_PIXELS, Size(7080, 7080)),
    Case(
        "png of one row too wide",
        lambda m: m.bomb(8)[:16] + b"\x7f\xff\xff\xff\0\0\0\x01" + m.bomb(8)[24:],
        P.TOO_MANY_PIXELS,
    ),
    Case("png of no width", lambda m: m.bomb(8)[:16] + bytes(4) + m.bomb(8)[20:], P.DAMAGED),
    Case("png signature alone", lambda m: b"\x89PNG\r\n\x1a\n", P.DAMAGED),
    Case("jpeg start alone", lambda m: b"\xff\xd8\xff\xe0", P.DAMAGED),
    Case("webp start alone", lambda m: b"RIFF\x10\0\0\0WEBPVP8 ", P.DAMAGED),
    Case("png cut in half", cut("PNG", 0.5), P.DAMAGED),
    Case("png without its end", lambda m: m.saved(m.quarters(), "PNG")[:-12], P.DAMAGED),
    Case("png cut by a byte", lambda m: m.saved(m.quarters(), "PNG")[:-1], P.DAMAGED),
    Case("png with a flipped bit", flipped, P.DAMAGED),
    Case("png of nonsense with right checksums", nonsense_pixels, P.DAMAGED),
    Case("png that claims more than it holds", lying_header, P.DAMAGED),
    Case("jpeg cut in half", cut("JPEG", 0.5), P.DAMAGED),
    Case("jpeg of thousands of scans", lambda m: m.many_scans(64, 64, 2000), P.UNREADABLE),
    Case("jpeg of a million segments", million_segments, P.UNREADABLE),
    Case("jpeg of a million segments behind its scan", million_late_segments, P.UNREADABLE),
    Case("png of a million chunks", million_chunks, P.UNREADABLE),
    Case("large jpeg of many scans", lambda m: m.many_scans(5000, 5000, 100), P.UNREADABLE),
    Case("webp cut in half", cut("WEBP", 0.5), P.DAMAGED),
    Case("webp cut late", cut("WEBP", 0.9), P.DAMAGED),
    Case("jpeg header with webp body", lambda m: b"\xff\xd8\xff\xe0" + m.saved(m.quarters(), "WEBP"), P.DAMAGED),
]

TAKEN = [
    Case("clean png", image_file("PNG"), "png", same=True),
    Case("clean rgba png", image_file("PNG", "RGBA"), "png", clear_corner=True, same=True),
    Case("clean webp", image_file("WEBP", lossless=True), "webp", same=True),
    Case("clean rgba webp", image_file("WEBP", "RGBA", lossless=True), "webp", clear_corner=True, same=True),
    Case("jpeg as Pillow writes it", image_file("JPEG", quality=95, subsampling=0), "jpeg", same=True),
    Case("progressive jpeg", image_file("JPEG", progressive=True, quality=95, subsampling=0), "jpeg", same=True),
    Case("grey png", image_file("PNG", "L"), "png", notes=frozenset({COL}), corners=GREYS),
    Case("grey jpeg", image_file("JPEG", "L", quality=100), "jpeg", notes=frozenset({COL}), corners=GREYS),
    Case("grey and alpha", image_file("PNG", "LA"), "png", notes=frozenset({COL}), corners=GREYS, clear_corner=True),
    Case("palette", lambda m: m.saved(m.quarters().quantize(16), "PNG"), "png", notes=frozenset({COL})),
    Case("palette with a clear colour", palette_clear, "png", notes=frozenset({COL}), clear_corner=True),
    Case("one bit", image_file("PNG", "1"), "png", notes=frozenset({COL}), corners=None),
    Case(
        "16-bit grey", deep_grey, "png", notes=frozenset({COL}), corners=((30,) * 3, (200,) * 3, (200,) * 3, (200,) * 3)
    ),
    Case("16-bit rgb", deep_rgb, "png", notes=frozenset({COL}), corners=(RED, RED, RED, RED)),
    Case(
        "rgb with a clear colour",
        lambda m: m.saved(m.quarters(), "PNG", transparency=YELLOW),
        "png",
        notes=frozenset(),
        clear_corner=True,
    ),
    Case("cmyk jpeg", image_file("JPEG", "CMYK", quality=100), "jpeg", notes=frozenset({COL})),
    Case("opaque rgba", lambda m: m.saved(m.quarters().convert("RGBA"), "PNG"), "png", same=True),
    Case(
        "foreign colour profile, png",
        lambda m: m.saved(m.quarters(), "PNG", icc_profile=m.strange_profile()),
        "png",
        notes=frozenset({COL, META}),
        corners=None,
    ),
    Case(
        "foreign colour profile, jpeg",
        lambda m: m.saved(m.quarters(), "JPEG", icc_profile=m.strange_profile()),
        "jpeg",
        notes=frozenset({COL, META}),
        corners=None,
    ),
    Case(
        "broken colour profile",
        lambda m: m.saved(m.quarters(), "PNG", icc_profile=b"no profile"),
        "png",
        notes=frozenset({COL, META}),
    ),
    *(
        Case(f"jpeg turned {n}", turned("JPEG", n), "jpeg", notes=frozenset({META, TURN} if n > 1 else {META}))
        for n in range(1, 9)
    ),
    Case("png turned 6", turned("PNG", 6), "png", notes=frozenset({META, TURN})),
    Case("webp turned 8", turned("WEBP", 8), "png", notes=frozenset({META, TURN, CONV})),
    Case(
        "exif that ends early",
        lambda m: m.png_with(m.saved(m.quarters(), "PNG"), b"eXIf", b"II*\0\x08\0\0\0\xff\xff"),
        "png",
        notes=frozenset({META}),
    ),
    Case("png with text", with_png(b"tEXt", b"prompt\0SECRETTEXT"), "png", notes=frozenset({META})),
    Case("png with 80 MB of packed text", big_text, "png", notes=frozenset({META})),
    Case(
        "png with something behind its end",
        lambda m: m.saved(m.quarters(), "PNG") + b"SECRETTAIL",
        "png",
        notes=frozenset({META}),
    ),
    Case(
        "jpeg with gps, xmp, comment and a second jpeg",
        lambda m: m.jpeg_full_of_secrets(),
        "jpeg",
        notes=frozenset({META}),
    ),
    Case(
        "webp with exif and xmp",
        lambda m: m.saved(m.quarters(), "WEBP", lossless=True, exif=m.exif(gps=True), xmp=b"SECRETXMP"),
        "webp",
        notes=frozenset({META}),
    ),
    Case("1x5000", lambda m: m.saved(m.noise(1, 5000), "PNG"), "png", size=(1, 5000), corners=None, same=True),
    Case(
        "1x5000 made smaller",
        lambda m: m.saved(m.noise(1, 5000), "PNG"),
        "png",
        size=(1, 1024),
        corners=None,
        edge=1024,
        notes=frozenset({SCALE}),
    ),
    Case("1x1", lambda m: m.saved(Image.new("RGB", (1, 1)), "PNG"), "png", size=(1, 1), corners=None, same=True),
    Case(
        "large png made smaller",
        lambda m: m.saved(m.quarters(2000, 1500), "PNG"),
        "png",
        size=(1024, 768),
        edge=1024,
        notes=frozenset({SCALE}),
    ),
    Case(
        "large jpeg made smaller and turned",
        lambda m: m.saved(m.quarters(1500, 2000), "JPEG", exif=m.exif(6)),
        "jpeg",
        size=(1024, 768),
        corners=(BLUE, RED, YELLOW, GREEN),
        edge=1024,
        notes=frozenset({SCALE, TURN, META}),
    ),
    Case("small png is not grown", image_file("PNG"), "png", edge=1024, same=True),
    Case("square png for dall-e-2", lambda m: m.saved(m.quarters(64, 64), "PNG"), "png", size=(64, 64), rule=DALLE2),
    Case(
        "wide jpeg for dall-e-2",
        lambda m: m.saved(m.quarters(2048, 1024), "JPEG", quality=100, subsampling=0),
        "png",
        size=(1024, 1024),
        corners=None,
        rule=DALLE2,
        notes=frozenset({CONV, SCALE, PAD}),
    ),
    Case(
        "noise that is too large for dall-e-2",
        lambda m: m.saved(m.noise(1024, 1024, "RGBA"), "PNG"),
        "png",
        size=None,
        corners=None,
        rule=DALLE2,
        notes=frozenset({SCALE}),
    ),
    Case(
        "noise that is too large as png",
        lambda m: m.saved(m.noise(1100, 1100), "PNG"),
        "jpeg",
        size=(1100, 1100),
        corners=None,
        rule=InputRule(1, frozenset({"png", "jpeg"}), 3_000_000),
        notes=frozenset({CONV}),
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_cannot_be_used_is_refused_for_its_true_reason(case: Case, make: SimpleNamespace) -> None:
    with pytest.raises(BadUpload) as refused:
        prepare_image(case.build(make), name="image2", rule=case.rule)
    assert refused.value.problem is case.fate
    assert refused.value.name == "image2"
    if case.came is not None:
        assert refused.value.came == case.came


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.name)
def test_what_can_be_used_arrives_upright_in_srgb_and_bare(case: Case, make: SimpleNamespace) -> None:
    data = case.build(make)
    prepared = prepare_image(data, name="image", rule=case.rule, target_long_edge=case.edge)
    sent = prepared.image
    assert sniff(sent.data) == case.fate
    assert sent.mime == f"image/{case.fate}"
    assert {note.kind for note in prepared.notes} == case.notes
    assert (sent.data == data) is case.same
    picture = make.opened(sent.data)
    assert picture.size == (sent.width, sent.height) == prepared.size
    if case.size is not None:
        assert picture.size == case.size
    assert picture.mode in ("RGB", "RGBA")
    assert not picture.getexif()
    assert not {"icc_profile", "exif", "xmp", "comment"} & picture.info.keys()
    assert b"SECRET" not in sent.data
    assert len(sent.data) < case.rule.max_bytes
    assert prepared.transparent is case.clear_corner or case.corners is None
    if case.corners is not None:
        _check_corners(picture, case)


def _check_corners(picture: Image.Image, case: Case) -> None:
    for index, wanted in enumerate(case.corners or ()):
        spot = picture.width * (1 + 2 * (index % 2)) // 4, picture.height * (1 + 2 * (index // 2)) // 4
        *colour, alpha = picture.convert("RGBA").getpixel(spot)
        if index == 3 and case.clear_corner:
            assert alpha == 0
        else:
            assert alpha == 255
            assert all(abs(a - b) <= 4 for a, b in zip(colour, wanted, strict=True)), (index, colour, wanted)
