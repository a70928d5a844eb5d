"""Saved looks: names, the place for the prompt, and what is offered."""

from __future__ import annotations

import pytest

from bot.rules.styles.style import (
    HOLE,
    NAME_CHARS,
    BadStyleName,
    EmptyStyle,
    Style,
    make_style,
    name_key,
    nearest_names,
    offered,
)


@pytest.mark.parametrize(
    ("words", "finished"),
    [
        ("{prompt}, film noir", "a fox, film noir"),
        ("film noir", "film noir, a fox"),
        ("film noir:", "film noir: a fox"),
        ("{prompt} and again {prompt}", "a fox and again a fox"),
        ("{a} {{b}} {prompt} {prompt", "{a} {{b}} a fox {prompt"),
        ("{Prompt}", "{Prompt}, a fox"),
        ("by %s and {0} \\1", "by %s and {0} \\1, a fox"),
    ],
)
def test_the_prompt_goes_where_the_look_says(words: str, finished: str) -> None:
    assert make_style("x", words, options={}).filled("a fox") == finished


def test_a_prompt_with_a_hole_in_it_fills_nothing_twice() -> None:
    assert make_style("x", "{prompt}, {prompt}", options={}).filled("{prompt}") == "{prompt}, {prompt}"


def test_six_thousand_characters_and_mentions_are_kept_as_they_are() -> None:
    words = "@everyone <@42> " + "x" * 6000
    assert make_style("x", words, options={}).prompt == f"{words}, {HOLE}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Noir", "noir"),
        ("  film   noir ", "Film\tNoir"),
        ("ｎｏｉｒ", "noir"),
        ("no\u200bir", "noir"),
        ("noir\ufe0f", "noir"),
        ("STRASSE", "straße"),
        ("cafe\u0301", "café"),
        ("ﬁlm", "FILM"),
    ],
)
def test_a_name_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u2060", "\u3164", "\x00", "x" * (NAME_CHARS + 1)])
def test_a_name_that_cannot_be_seen_or_is_too_long_is_none(name: str) -> None:
    with pytest.raises(BadStyleName):
        make_style(name, "noir", options={})


@pytest.mark.parametrize("words", ["{prompt}", " {prompt} ", "\u200b"])
def test_a_look_that_changes_nothing_is_none(words: str) -> None:
    with pytest.raises(EmptyStyle):
        make_style("x", words, options={"size": None})
    assert make_style("x", words, options={"size": "16:9"}).filled("a fox") == "a fox"


def named(*names: str, servers: bool = False) -> tuple[Style, ...]:
    return tuple(make_style(name, "words", options={}, servers=servers) for name in names)


def test_ones_own_are_offered_first_and_hide_the_servers_of_that_name() -> None:
    own, servers = named("noir", "pop"), named("NOIR", "noir blanc", servers=True)

    assert [style.name for style in offered("", own, servers)] == ["noir", "pop", "noir blanc"]
    assert [style.name for style in offered("oir", own, servers)] == ["noir", "noir blanc"]
    assert [style.name for style in offered("BLANC", own, servers)] == ["noir blanc"]


def test_a_name_spelt_almost_right_finds_its_look() -> None:
    assert nearest_names("Noire", named("noir", "watercolour")) == ("noir",)
    assert nearest_names("zzz", named("noir")) == ()
