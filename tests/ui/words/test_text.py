from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ui.words.text import clean, clusters, cut, escaped, fits, inline, length

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
GERMANY, FRANCE = "\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (FAMILY, [FAMILY]),
        (GERMANY + FRANCE, [GERMANY, FRANCE]),
        (ENGLAND + "x", [ENGLAND, "x"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("👍🏽!", ["👍🏽", "!"]),
        ("❤\ufe0fx", ["❤\ufe0f", "x"]),
        ("\u1100\u1161\u11a8가", ["\u1100\u1161\u11a8", "가"]),
        ("\u1112\u1161\u11abg", ["\u1112\u1161\u11ab", "g"]),
        ("नमस्ते", ["न", "म", "स्ते"]),
        ("क्षत्रिय", ["क्ष", "त्रि", "य"]),
        ("हिन्दी", ["हि", "न्दी"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("น้ำ", ["น้ำ"]),
        ("\u0600\u0661\u0662", ["\u0600\u0661", "\u0662"]),
        ("بِسْمِ", ["بِ", "سْ", "مِ"]),
        ("தமிழ்", ["த", "மி", "ழ்"]),
        ("ខ្ញុំ", ["ខ្ញុំ"]),
        ("မြန်", ["မြ", "န်"]),
        ("1\ufe0f\u20e32", ["1\ufe0f\u20e3", "2"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("", []),
    ],
)
def test_what_people_see_as_one_character_stays_whole(text: str, whole: list[str]) -> None:
    assert list(clusters(text)) == whole


@given(st.text())
def test_clusters_lose_nothing(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(st.text(), st.integers(1, 60))
def test_a_cut_text_fits_as_discord_counts(text: str, limit: int) -> None:
    assert length(cut(text, limit)) <= limit
    assert length(escaped(text, limit)) <= limit
    assert length(clean(text, limit)) <= limit


@pytest.mark.parametrize("joint", ["\u0301", "\u200d", "\u0903", "\U0001f3fd"])
def test_what_is_longer_than_any_character_is_cut_all_the_same(joint: str) -> None:
    endless = "e" + joint * 5000
    assert max(map(len, clusters(endless))) <= 32
    assert 400 < length(cut(endless, 500)) <= 500


@pytest.mark.parametrize("limit", range(1, 14))
def test_a_family_is_never_torn_apart(limit: int) -> None:
    assert cut(f"ab{FAMILY}cd", limit).rstrip("…") in ("", "a", "ab", f"ab{FAMILY}", f"ab{FAMILY}c", f"ab{FAMILY}cd")


def test_length_counts_astral_characters_twice() -> None:
    assert length("a🦊") == 3


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        ("nul\x00 and \x1b[31mred", "nul and [31mred"),
        ("line\u2028break\r\nnext", "line\nbreak\nnext"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", "ab"),
        ("x\U000e0041\U000e0042", "x"),
        (ENGLAND, ENGLAND),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 6),
    ],
)
def test_what_cannot_be_seen_is_removed(typed: str, seen: str) -> None:
    assert clean(typed) == seen


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("**bold** __u__ ~~s~~ ||sp||", r"\*\*bold\*\* \_\_u\_\_ \~\~s\~\~ \|\|sp\|\|"),
        ("[safe](https://evil.example)", r"\[safe\]\(https\://evil.example\)"),
        ("# big\n## small\n-# tiny", "\\# big\n\\#\\# small\n\\-\\# tiny"),
        ("> quoted\n- item\n1. first", "\\> quoted\n\\- item\n1\\. first"),
        ("`code` ```block```", r"\`code\` \`\`\`block\`\`\`"),
        ("<@1> <@&2> <#3> <t:1:R> </x:1> <:e:1>", r"\<@1> \<@&2> \<#3> \<t:1:R> \</x:1> \<:e:1>"),
        ("discord.gg/abc Discord.com/invite/x", r"discord\.gg/abc Discord\.com/invite/x"),
        ("back\\slash", "back\\\\slash"),
        ("\u0600*a* \u0600[b](c) \u0600<@1>", "\u0600\\*a\\* \u0600\\[b\\]\\(c\\) \u0600\\<@1>"),
        ("well-known #1 e.g. a: b", "well-known #1 e.g. a: b"),
    ],
)
def test_markdown_and_mentions_are_only_letters(typed: str, seen: str) -> None:
    assert escaped(typed, 500) == seen


def test_everyone_is_called_by_nobody() -> None:
    text = escaped("@everyone and @HERE and \u0600@here", 100)
    assert "@everyone" not in text
    assert "@here" not in text.casefold()
    assert text.replace("\u200b", "") == "@everyone and @HERE and \u0600@here"


@given(st.text(alphabet="\\`*_~|[]()<>#@-ab 🦊\n"), st.integers(1, 40))
def test_an_escape_is_never_torn_apart(text: str, limit: int) -> None:
    body = escaped(text, limit).removesuffix("…")
    backslashes = re.search(r"\\*$", body)
    assert backslashes is not None
    assert len(backslashes[0]) % 2 == 0


@given(st.text(), st.integers(2, 60))
def test_fits_says_whether_something_was_left_out(text: str, limit: int) -> None:
    assert fits(text, limit) == (escaped(text, limit) == escaped(text, 10_000_000))


def test_inline_code_cannot_be_ended_early() -> None:
    assert inline("a`b\n``c").count("`") == 2
    assert "\n" not in inline("a\nb")
