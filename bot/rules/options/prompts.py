"""Prompts: what is removed before sending, the words of ``/vary``, prompt files, and the lines of ``/batch``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from string import punctuation

from bot.rules.uploads import BadUpload, Bytes, Count, Encoding, Format, Place, UploadProblem

VARIATION_PROMPT = (
    "Create a variation of this image: keep subject, palette and composition recognisable; "
    "change details, pose, lighting."
)
"""What ``/vary`` asks of models without the variations endpoint, as OpenAI's SDK advises: an edit with a prompt."""

MAX_FILE_BYTES = 256 * 1024
"""More than the longest prompt any model takes (32,000 characters of up to four bytes, fifty short lines)."""

MAX_BATCH_LINES = 50

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")
"""Marks that are drawn as nothing by themselves. Above: letters and symbols that are, and the Braille pattern without
dots (Unicode, Default_Ignorable_Code_Point). What is not assigned is not among them: it may be a newer emoji."""

UTF8_BOM = b"\xef\xbb\xbf"
OTHER_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One prompt of a batch; ``number`` is its line in the file or form, from 1, for telling where a fault is."""

    number: int
    prompt: str


def variation_prompt(hint: str = "") -> str:
    """The prompt for a variation by edit; ``hint`` is what the member added."""
    return f"{VARIATION_PROMPT} {hint}" if hint else VARIATION_PROMPT


def clean_prompt(text: str) -> str:
    """The text as it is sent: without NUL, without lone surrogates (no UTF-8 can hold them), and without white space
    around it. Everything else stays, also what is escaped or hidden when it is shown.
    """
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return whole.replace("\x00", "").strip()


def says_nothing(text: str) -> bool:
    """Whether there is nothing to draw by: nothing but punctuation and what cannot be seen. An emoji says enough."""
    return not any(is_seen(one) and one not in punctuation and unicodedata.category(one)[0] != "P" for one in text)


def is_unseen(text: str) -> bool:
    """Whether a person sees nothing of it."""
    return not any(map(is_seen, text))


def is_seen(character: str) -> bool:
    """Whether this character alone leaves a mark."""
    if unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN:
        return False
    return not unicodedata.name(character, "").startswith(_SELECTORS)


def read_prompt_file(data: bytes, name: str = "prompt_file") -> str:
    """The text of an uploaded file, cleaned. Raises ``BadUpload`` unless it is UTF-8 text with something in it.

    Other encodings are refused with their name, not guessed: a wrong guess costs money.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadUpload(UploadProblem.TOO_MANY_BYTES, name, Bytes(len(data)), Bytes(MAX_FILE_BYTES))
    if encoding := OTHER_BOMS.get(data[:2]):
        raise BadUpload(UploadProblem.NOT_TEXT, name, Encoding(encoding))
    if b"\x00" in data:
        raise BadUpload(UploadProblem.NOT_TEXT, name, Format("binary"))
    try:
        text = clean_prompt(data.removeprefix(UTF8_BOM).decode("utf-8"))
    except UnicodeDecodeError as fault:
        raise BadUpload(UploadProblem.NOT_TEXT, name, Place(fault.start)) from None
    if says_nothing(text):
        raise BadUpload(UploadProblem.EMPTY, name)
    return text


def split_batch(text: str, name: str = "file") -> tuple[BatchLine, ...]:
    """A prompt a line; lines without anything to see and those that start with ``#`` are skipped. Raises ``BadUpload``
    for none or more than ``MAX_BATCH_LINES``.
    """
    cleaned = ((number, clean_prompt(line)) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1))
    said = ((number, line) for number, line in cleaned if not is_unseen(line) and not line.startswith("#"))
    lines = tuple(BatchLine(number, line) for number, line in said)
    if not lines:
        raise BadUpload(UploadProblem.EMPTY, name)
    if len(lines) > MAX_BATCH_LINES:
        raise BadUpload(UploadProblem.TOO_MANY, name, Count(len(lines)), Count(MAX_BATCH_LINES))
    return lines
