"""Thumbnails, contact sheets, and SVG drawn in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.imaging import svg
from bot.imaging.sheets import contact_sheet, svg_to_png, thumbnail
from bot.imaging.threads import offload_process

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="20" height="20" fill="#f00"/></svg>'


def test_a_thumbnail_keeps_shape_and_transparency(make: SimpleNamespace) -> None:
    data = thumbnail(make.saved(make.quarters(800, 600, "RGBA"), "PNG"), 256)
    assert data is not None
    small = make.opened(data)
    assert (small.format, small.size) == ("WEBP", (256, 192))
    assert small.getpixel((250, 190))[3] == 0


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_a_thumbnail_of_any_result_can_be_made(make: SimpleNamespace, kind: str) -> None:
    data = thumbnail(make.saved(make.quarters(400, 300), kind), 100)
    assert data is not None
    assert make.opened(data).size == (100, 75)


def test_what_cannot_be_drawn_has_no_thumbnail(make: SimpleNamespace) -> None:
    assert thumbnail(b"nothing", 100) is None
    assert thumbnail(make.saved(make.noise(40, 40), "PNG")[:500], 100) is None


def test_a_contact_sheet_is_as_square_as_it_can_be(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(800, 600), "PNG")
    for count, size in ((1, (124, 124)), (2, (236, 124)), (4, (236, 236)), (5, (348, 236)), (10, (460, 348))):
        assert make.opened(contact_sheet([data] * count, cell_px=100)).size == size
    sheet = make.opened(contact_sheet([data, b"broken", SVG], cell_px=100))
    assert sheet.getpixel((12 + 75, 12 + 30)) == pytest.approx(make.colours[1], abs=3)
    assert sheet.getpixel((112 + 24 + 75, 12 + 50)) == (43, 45, 49)
    assert sheet.getpixel((12 + 25, 112 + 24 + 50)) == (255, 0, 0)
    with pytest.raises(ValueError):
        contact_sheet([])


def test_an_svg_is_drawn_to_its_long_edge(make: SimpleNamespace) -> None:
    data = svg_to_png(SVG, 200)
    assert data is not None
    drawn = make.opened(data)
    assert drawn.size == (200, 100)
    assert (drawn.getpixel((50, 50)), drawn.getpixel((150, 50))[3]) == ((255, 0, 0, 255), 0)
    assert make.opened(svg_to_png(SVG.replace(b"0 0 40 20", b"0 0 20 40"), 200)).size == (100, 200)


def test_an_svg_that_points_outside_is_not_drawn(make: SimpleNamespace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(make.saved(make.quarters(), "PNG"))
    for href in (str(secret), secret.as_uri(), "http://example.com/x.png", "data:image/svg+xml;base64,PHN2Zy8+"):
        image = f'<image width="9" height="9" href="{href}"/></svg>'.encode()
        assert svg_to_png(SVG.replace(b"</svg>", image), 100) is None
    assert svg_to_png(SVG.replace(b"</svg>", b'<use href="#a"/></svg>'), 100) is not None


async def test_an_svg_that_takes_for_ever_is_given_up_without_a_stall(
    monkeypatch: pytest.MonkeyPatch,
    stalls: Callable,  # type: ignore[type-arg]
) -> None:
    monkeypatch.setattr(svg, "RENDER_TIMEOUT_S", 0.7)
    blur = b'<filter id="f"><feGaussianBlur stdDeviation="9"/></filter>'
    disc = b'<circle cx="20" cy="10" r="9" opacity=".1" filter="url(#f)"/>'
    with stalls() as meter:
        assert (
            await offload_process("g1", svg_to_png, SVG.replace(b"</svg>", blur + disc * 300 + b"</svg>"), 1024) is None
        )
    assert meter.worst_s < 0.15
