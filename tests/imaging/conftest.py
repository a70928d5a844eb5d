"""Builders of picture files: every one is made here, none is stored."""

from __future__ import annotations

import asyncio
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace

import pytest
from PIL import Image

COLOURS = ((220, 30, 30), (30, 200, 40), (30, 60, 220), (230, 210, 40))


def quarters(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Four flat quarters: red, green, blue, yellow in reading order. RGBA has a clear lower right quarter."""
    image = Image.new("RGBA", (width, height))
    for index, colour in enumerate(COLOURS):
        left, top = index % 2 * (width // 2), index // 2 * (height // 2)
        alpha = 0 if mode in ("RGBA", "LA") and index == 3 else 255
        image.paste((*colour, alpha), (left, top, left + width - width // 2, top + height - height // 2))
    return image if mode == "RGBA" else image.convert(mode) if mode == "LA" else image.convert("RGB").convert(mode)


def noise(width: int, height: int, mode: str = "RGB", seed: int = 7) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * channels))


def photo(width: int, height: int) -> Image.Image:
    """Something that compresses about like a photograph."""
    rough = noise(max(2, width // 8), max(2, height // 8)).resize((width, height), Image.Resampling.BICUBIC)
    return Image.blend(rough, noise(64, 64).resize((width, height)), 0.3)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def exif(turn: int = 1, *, gps: bool = False) -> Image.Exif:
    facts = Image.Exif()
    facts[0x0112] = turn
    facts[0x010F] = "SECRETCAMERA"
    if gps:
        facts.get_ifd(0x8825)[1] = "N"
        facts.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    return facts


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_with(data: bytes, kind: bytes, payload: bytes) -> bytes:
    """A PNG with one more chunk, right after its header."""
    return data[:33] + chunk(kind, payload) + data[33:]


def bomb(edge: int = 30_000) -> bytes:
    """A valid black 1-bit PNG of ``edge`` squared pixels in about 100 KB."""
    packer, row = zlib.compressobj(9), bytes(1 + edge // 8)
    pixels = b"".join([*(packer.compress(row) for _ in range(edge)), packer.flush()])
    header = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def many_scans(width: int, height: int, scans: int) -> bytes:
    """A whole progressive JPEG whose last refining scan is there again and again."""
    data = saved(Image.new("L", (width, height), 128), "JPEG", progressive=True, quality=50)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def strange_profile() -> bytes:
    """An ICC profile in which "red" is green light and "green" is red light."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in (x, y, z)))

    red, green, blue = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563) + b"\0\0"
    name = b"swapped\0"
    words = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    tags = [(b"desc", words), (b"wtpt", xyz(0.9642, 1, 0.8249)), (b"rXYZ", xyz(*green)), (b"gXYZ", xyz(*red))]
    tags += [(b"bXYZ", xyz(*blue)), (b"rTRC", curve), (b"gTRC", curve), (b"bTRC", curve)]
    table, body, offset = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for kind, content in tags:
        content += bytes(-len(content) % 4)
        table += kind + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = bytearray(128)
    header[0:4] = struct.pack(">I", 128 + len(table) + len(body))
    header[8:12], header[12:24], header[36:40] = b"\x02\x10\0\0", b"mntrRGB XYZ ", b"acsp"
    header[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    return bytes(header) + table + body


def jpeg_full_of_secrets() -> bytes:
    data = saved(quarters(), "JPEG", quality=95, subsampling=0, exif=exif(gps=True), comment=b"SECRETCOMMENT")
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x>SECRETXMP</x>"
    return data[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2) + xmp + data[2:] + b"SECRETTAIL" + data


def movie(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in COLOURS]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=80)


MAKE = SimpleNamespace(
    quarters=quarters,
    noise=noise,
    photo=photo,
    saved=saved,
    opened=opened,
    exif=exif,
    chunk=chunk,
    png_with=png_with,
    bomb=bomb,
    many_scans=many_scans,
    strange_profile=strange_profile,
    movie=movie,
    jpeg_full_of_secrets=jpeg_full_of_secrets,
    colours=COLOURS,
)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    return MAKE


class StallMeter:
    """Ticks on the loop every 2 ms; ``worst_s`` is the most that its thread worked between two ticks.

    What else goes on on the machine makes ticks late, but no work.
    """

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self._handle = self._loop.call_later(0.002, self._tick)

    def _tick(self) -> None:
        now = time.thread_time()
        self.worst_s = max(self.worst_s, now - self._last)
        self._last = now
        self._handle = self._loop.call_later(0.002, self._tick)

    def stop(self) -> float:
        self._handle.cancel()
        self.worst_s = max(self.worst_s, time.thread_time() - self._last)
        return self.worst_s


@pytest.fixture
def stalls() -> Callable[[], object]:
    @contextmanager
    def measuring() -> Iterator[StallMeter]:
        meter = StallMeter()
        try:
            yield meter
        finally:
            meter.stop()

    return measuring
