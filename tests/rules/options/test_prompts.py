"""Prompts: what is taken out, which files are text, and how a batch is cut into lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.options.prompts import (
    MAX_BATCH_LINES,
    MAX_FILE_BYTES,
    VARIATION_PROMPT,
    BatchLine,
    clean_prompt,
    read_prompt_file,
    split_batch,
    variation_prompt,
)
from bot.rules.uploads import BadUpload, Count, Encoding, UploadProblem


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a red fox", "a red fox"),
        ("  a red fox\n", "a red fox"),
        ("a\x00red\x00fox", "aredfox"),
        ("\x00", ""),
        ("fox \ud83d", "fox"),
        ("\udd8a fox", "fox"),
        ("\ud83e\udd8a", "🦊"),
        ("👩‍👩‍👧 and ‮rtl", "👩‍👩‍👧 and ‮rtl"),
        ("@everyone **bold**\nsecond line", "@everyone **bold**\nsecond line"),
        ("z̷̡a̵l̶g̷o", "z̷̡a̵l̶g̷o"),
    ],
)
def test_only_what_cannot_be_sent_is_taken_out(typed: str, sent: str) -> None:
    assert clean_prompt(typed) == sent


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_what_is_cleaned_is_utf8_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_prompt(text)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert clean_prompt(cleaned) == cleaned


def test_a_hint_follows_the_variation_prompt() -> None:
    assert variation_prompt() == VARIATION_PROMPT
    assert variation_prompt("at night") == f"{VARIATION_PROMPT} at night"


@pytest.mark.parametrize("data", ["ein Fuchs 🦊".encode(), b"\xef\xbb\xbf" + "ein Fuchs 🦊\r\n".encode()])
def test_a_utf8_file_is_read_with_or_without_its_mark(data: bytes) -> None:
    assert read_prompt_file(data) == "ein Fuchs 🦊"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", UploadProblem.EMPTY),
        (b" \n\t", UploadProblem.EMPTY),
        (b"\xef\xbb\xbf", UploadProblem.EMPTY),
        ("fox".encode("utf-16"), UploadProblem.NOT_TEXT),
        (b"\xfe\xff\x00f", UploadProblem.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n\x00\x00", UploadProblem.NOT_TEXT),
        ("Füchse".encode("latin-1"), UploadProblem.NOT_TEXT),
        (b"fox\x00", UploadProblem.NOT_TEXT),
        (b"\xed\xa0\x80", UploadProblem.NOT_TEXT),
        (b"a" * (MAX_FILE_BYTES + 1), UploadProblem.TOO_MANY_BYTES),
    ],
)
def test_a_file_that_is_not_utf8_text_is_refused_by_name(data: bytes, problem: UploadProblem) -> None:
    with pytest.raises(BadUpload) as refused:
        read_prompt_file(data, "prompt_file")
    assert (refused.value.problem, refused.value.name) == (problem, "prompt_file")


def test_utf16_is_named_so_that_it_can_be_mended() -> None:
    with pytest.raises(BadUpload) as refused:
        read_prompt_file("fox".encode("utf-16"))
    assert refused.value.came == Encoding("UTF-16")


def test_a_batch_is_a_prompt_a_line_and_keeps_the_numbers_of_the_file() -> None:
    text = "# my animals\r\n\r\na fox\r  a hen  \n#no\n\u2028\na\u2028pig"
    assert split_batch(text) == (BatchLine(3, "a fox"), BatchLine(4, "a hen"), BatchLine(7, "a\u2028pig"))


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# remarks", "\x00\n\ud800"])
def test_a_batch_without_prompts_is_refused(text: str) -> None:
    with pytest.raises(BadUpload) as refused:
        split_batch(text)
    assert refused.value.problem is UploadProblem.EMPTY


def test_fifty_lines_pass_and_fifty_one_do_not() -> None:
    assert len(split_batch("fox\n" * MAX_BATCH_LINES)) == 50
    with pytest.raises(BadUpload) as refused:
        split_batch("fox\n" * 51)
    assert refused.value.problem is UploadProblem.TOO_MANY
    assert refused.value.came == Count(51)


def test_a_file_or_line_of_which_nobody_sees_anything_is_empty() -> None:
    with pytest.raises(BadUpload) as refused:
        read_prompt_file("\u200b\n\u3164".encode())
    assert refused.value.problem is UploadProblem.EMPTY
    assert split_batch("a fox\n\u200b\u2060\n-") == (BatchLine(1, "a fox"), BatchLine(3, "-"))
