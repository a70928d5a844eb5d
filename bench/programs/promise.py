"""The promise floor: the least a bare program needs that keeps what Easel promises.

Reserved, dispatched and produced are durable before anything goes on; the picture's checksums are compared; it is kept
and synced on disk before it is shown. No limits, no prices, no words, no recovery.
"""

from __future__ import annotations

import asyncio
import os
import zlib
from pathlib import Path

from bench.programs.bare import Bare, Order, bare
from bench.programs.ledger import Ledger

SIGNATURE = b"\x89PNG\r\n\x1a\n"


async def handle(bot: Bare, ledger: Ledger, folder: Path, order: Order) -> None:
    number = int(order["id"])
    await ledger.reserve(number)
    await bot.defer(order)
    await ledger.step(number, "dispatched")
    async with bot.drawing(order):
        data = await bot.made(order)
    check(data)
    await asyncio.to_thread(keep, folder, number, data)
    await ledger.step(number, "produced")
    await bot.show(order, data)
    await ledger.step(number, "settled", durable=False)


def check(data: bytes) -> None:
    """Raises ``ValueError`` unless every chunk of the PNG is whole."""
    view, at, kind = memoryview(data), len(SIGNATURE), b""
    if data[:at] != SIGNATURE:
        raise ValueError("no PNG")
    while kind != b"IEND":
        size, kind = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8])
        end = at + 8 + size
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ValueError("a chunk is damaged")
        at = end + 4


def keep(folder: Path, number: int, data: bytes) -> None:
    """On disk, and the name as well, when it returns."""
    part = folder / f"{number}.part"
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL)
    try:
        os.write(descriptor, data)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(folder / f"{number}.png")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def main() -> None:
    folder = Path(os.environ["DATA_DIR"])
    pictures = folder / "promised"
    pictures.mkdir()
    ledger = Ledger(folder / "promise.db")
    try:
        async with bare() as bot:
            await bot.serve(lambda order: handle(bot, ledger, pictures, order))
    finally:
        ledger.close()


if __name__ == "__main__":
    asyncio.run(main())
