"""Tables as CSV for spreadsheets: RFC 4180, UTF-8 with a byte order mark.

Law: no cell is ever a formula, also where a spreadsheet splits at semicolons (as in many countries), tabs or bars. What
would be read as the beginning of one gets an apostrophe before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

BOM = b"\xef\xbb\xbf"
_BEGINS = re.compile(r"[\t\r\n]|[\s\"]*[=+\-@＝＋－＠]")
_SPLIT = re.compile(r"[;|\t\r\n](?=[\s\"]*[=+\-@＝＋－＠])")
"""Where another reader may begin a cell within ours, just before something that would be a formula there."""


def csv_file(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """The file. Text is made harmless; whole numbers stand as they are."""
    lines = [",".join(map(_cell, row)) for row in (header, *rows)]
    return BOM + "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def _cell(value: str | int) -> str:
    text = str(value) if isinstance(value, int) else harmless(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\r\n') else text


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, never counts it out: also behind white space, which some pass over, and
    behind a quote, which ends a cell's quotation where nobody has doubled it.
    """
    text = text.replace("\0", "")
    begins = _BEGINS.match(text) is not None
    text = _SPLIT.sub(r"\g<0>'", text)
    return f"'{text}" if begins else text
