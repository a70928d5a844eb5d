"""Tables as CSV for spreadsheets: RFC 4180, UTF-8 with a byte order mark.

Law: no cell is ever a formula. What a spreadsheet would read as the beginning of one gets an apostrophe before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BOM = b"\xef\xbb\xbf"
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_file(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """The file. Text is made harmless; whole numbers stand as they are."""
    lines = [",".join(map(_cell, row)) for row in (header, *rows)]
    return BOM + "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def _cell(value: str | int) -> str:
    text = str(value) if isinstance(value, int) else harmless(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\r\n') else text


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, never counts it out: also behind white space, which some pass over."""
    text = text.replace("\0", "")
    begins = text.startswith(_BEGINNINGS) or text.lstrip().startswith(_BEGINNINGS)
    return f"'{text}" if begins else text
