"""Pictures -> files. PNG at zlib level 1: a sample picture should be quick, not small."""

from __future__ import annotations

import base64
import io
import random
from xml.sax.saxutils import escape

from PIL import Image

from sandbox.images.drawing.captions import clean
from sandbox.images.drawing.pens import SvgPen, hex_of
from sandbox.images.drawing.reading import read
from sandbox.images.drawing.scenes import Palette, places, put


def encode(picture: Image.Image, form: str, compression: int) -> bytes:
    """A PNG, JPEG or WebP file; ``compression`` is OpenAI's percentage, 100 the best picture."""
    out = io.BytesIO()
    if form == "png":
        picture.save(out, "PNG", compress_level=1)
    elif form == "jpeg":
        picture.convert("RGB").save(out, "JPEG", quality=max(1, min(95, compression)))
    else:
        picture.save(out, "WEBP", quality=max(1, min(95, compression)), method=1)
    return out.getvalue()


def encode_gif(frames: list[Image.Image], frame_ms: int) -> bytes:
    """A looping animation; the delay is rounded to 10 ms as the format demands."""
    flat = [frame.convert("RGB").quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    delay = max(10, round(frame_ms / 10) * 10)
    flat[0].save(out, "GIF", save_all=True, append_images=flat[1:], duration=delay, loop=0, optimize=False)
    return out.getvalue()


def encode_svg(
    size: tuple[int, int], prompt: str, facts: str, seed: str, colours: Palette, picture: bytes | None, *, clear: bool
) -> bytes:
    """A small scene as SVG, or ``picture`` (a PNG) inside one; foreign text is escaped."""
    width, height = size
    rng = random.Random(seed)
    body: list[str] = []
    if picture is not None:
        data = base64.b64encode(picture).decode()
        body.append(f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/>')
    else:
        if not clear:
            body.append(f'<rect width="{width}" height="{height}" fill="url(#sky)"/>')
        x, radius = width * rng.uniform(0.25, 0.75), min(size) * 0.13
        body.append(f'<circle cx="{x:.0f}" cy="{height * 0.32:.0f}" r="{radius:.0f}" fill="{hex_of(colours.glow)}"/>')
        for layer in range(3):
            base = height * (0.55 + 0.13 * layer)
            lifts = [base - height * rng.uniform(-0.05, 0.12) for _ in range(4)]
            curve = f"M0 {height} V{base:.0f} C{width * 0.3:.0f} {lifts[0]:.0f} {width * 0.3:.0f} {lifts[1]:.0f} "
            curve += f"{width * 0.55:.0f} {base:.0f} S{width * 0.9:.0f} {lifts[2]:.0f} {width} {lifts[3]:.0f} "
            curve += f"V{height} Z"
            fill = colours.far if layer == 0 else colours.near
            body.append(f'<path d="{curve}" fill="{hex_of(fill)}" opacity="{0.6 + 0.2 * layer:.1f}"/>')
        for left, top, edge, thing in places(size, read(prompt).things, 0.0):
            pen = SvgPen(left, top, edge)
            put(pen, thing)
            body += pen.elements
    big = max(14, min(size) // 26)
    words = clean(prompt)[:60]
    body.append(f'<rect x="0" y="{height - 4 * big}" width="{width}" height="{4 * big}" fill="#10121b" opacity="0.7"/>')
    for y, text, scale in ((height - 2.3 * big, words, 1.0), (height - big, clean(facts), 0.65)):
        style = f'font-family="sans-serif" font-size="{big * scale:.0f}" fill="#fff"'
        body.append(f'<text x="{big}" y="{y:.0f}" {style}>{escape(text)}</text>')
    stops = ((0, colours.zenith), (1, colours.horizon))
    sky = "".join(f'<stop offset="{at}" stop-color="{hex_of(colour)}"/>' for at, colour in stops)
    defs = f'<defs><linearGradient id="sky" x2="0" y2="1">{sky}</linearGradient></defs>'
    frame = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>{defs}{"".join(body)}</svg>'.encode()
