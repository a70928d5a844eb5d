"""Flags of another bot at the end of a prompt."""

from __future__ import annotations

import pytest

from bot.rules.options.flags import read_flags
from bot.rules.options.table import RawOptions
from bot.rules.uploads import Note, NoteKind, Typed


@pytest.mark.parametrize(
    ("typed", "prompt", "size", "left_out"),
    [
        ("a fox --ar 16:9", "a fox", "16:9", ""),
        ("a fox —ar 3:2", "a fox", "3:2", ""),
        ("a fox --aspect=16:9  ", "a fox", "16:9", ""),
        ("a fox --ar 16:9 --v 6.1 --q 2", "a fox", "16:9", "--v 6.1 --q 2"),
        ("a fox --tile --AR 2:3 --style raw", "a fox", "2:3", "--tile --style raw"),
        ("a fox --ar wrong", "a fox", None, "--ar wrong"),
        ("a fox --ar 16:9 --ar 1:1", "a fox", "1:1", "--ar 16:9"),
        ("a fox --no hat", "a fox --no hat", None, ""),
        ("a fox -- v 6", "a fox -- v 6", None, ""),
        ("git commit --amend", "git commit --amend", None, ""),
        ("a --v 6 in the middle of it", "a --v 6 in the middle of it", None, ""),
        ("--ar 16:9", "--ar 16:9", None, ""),
        ("", "", None, ""),
    ],
)
def test_a_shape_becomes_the_size_and_the_rest_is_left_out_and_told(
    typed: str, prompt: str, size: str | None, left_out: str
) -> None:
    raw, notes = read_flags(RawOptions(typed))
    assert (raw.prompt, raw.size) == (prompt, size)
    told = {note.kind: note for note in notes}
    assert (NoteKind.FLAG_READ in told) == (size is not None)
    left = Note(NoteKind.FLAGS_LEFT_OUT, "prompt", Typed(left_out))
    assert told.get(NoteKind.FLAGS_LEFT_OUT) == (left if left_out else None)


def test_a_size_that_was_chosen_comes_before_a_flag() -> None:
    raw, notes = read_flags(RawOptions("a fox --ar 16:9", size="1024x1024"))
    assert (raw.prompt, raw.size) == ("a fox", "1024x1024")
    assert notes == (Note(NoteKind.FLAGS_LEFT_OUT, "prompt", Typed("--ar 16:9")),)
