"""Refused words: the tricks that must be caught, the innocents that must pass, and what a list may hold."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.servers.words.look_alikes import LIKE
from bot.rules.servers.words.words import MOST_CHARS, BadWord, added, holds_refused, removed, word_of, words_in

LIST = frozenset(
    {
        "ass", "badger", "cunt", "penis", "hell", "rape", "nude", "whore", "tit", "kill all humans", "secret cow",
        "email", "Möse", "Straße", "scheiße", "арбуз", "тыква", "καρπούζι", "裸体", "セックス", "ควาย",
        "시발", "कुत्ता", "🍆", "الموت",
    }
)  # fmt: skip

TRICKS = [
    "a badger",
    "BADGER",
    "Badger!",
    "(badger)",
    "two—badger—three",
    "badger's den",
    "a badger\u2019s den",
    "#badger",
    "bаdger",  # Cyrillic a
    "ваdgеr",
    "badgєr",
    "bαdger",  # Greek alpha
    "ΒΑDGΕR",  # Greek capitals
    "ｂａｄｇｅｒ",
    "𝐛𝐚𝐝𝐠𝐞𝐫",
    "𝓫𝓪𝓭𝓰𝓮𝓻",
    "𝔅𝔞𝔡𝔤𝔢𝔯",
    "𝕓𝕒𝕕𝕘𝕖𝕣",
    "ⓑⓐⓓⓖⓔⓡ",
    "🅑🅐🅓🅖🅔🅡",
    "🅱🅰🅳🅶🅴🆁",
    "🄱🄰🄳🄶🄴🅁",
    "🇧🇦🇩🇬🇪🇷",
    "ʙᴀᴅɢᴇʀ",
    "ᵇᵃᵈᵍᵉʳ",
    "ᏴᎪᎠᏀᎬᎡ",  # Cherokee
    "ꓐꓮꓓꓖꓰꓣ",  # Lisu
    "bad\u200bger",
    "b\u200ba\u200cd\u200dg\u2060er",
    "bad\u00adger",
    "bad\ufe0fger",
    "bad\u034fger",
    "bad\u3164ger",
    "badger\u0345",
    "\u202eregdab",
    "bad\U000e0067ger",
    "b\u0336a\u0336d\u0336g\u0336e\u0336r\u0336",
    "b̸̢̛a̵̧͌d̴͙̍g̷̳̈́e̶̼̕r̷̹͋",
    "bádgèr",
    "bɑdɡɛr",
    "bađger",
    "badgęr",
    "b a d g e r",
    "b.a.d.g.e.r",
    "b-a-d-g-e-r",
    "b_a_d_g_e_r",
    "b  a  d  g  e  r",
    "a b a d g e r",
    "see b.a.d.g.e.r now",
    "ba.dg.er",
    "b.adger",
    "badge-r",
    "badddger",
    "badgerrrrr",
    "a$$",
    "@ss",
    "p3nis",
    "pen1s",
    "he1l",
    "badg3r",
    "n u d e",
    "kill all humans",
    "KILL  ALL\nHUMANS",
    "kill, all humans!",
    "kіll аll humаns",
    "killallhumans",
    "k i l l a l l h u m a n s",
    "the secret-cow",
    "MÖSE",
    "Mo\u0308se",
    "moese",
    "STRASSE",
    "strasse",
    "SCHEISSE",
    "scheiẞe",
    "АРБУЗ",
    "аpбyз",  # Latin p and y
    "Καρπουζι",
    "ΚΑΡΠΟΎΖΙ",
    "一个裸体的人",
    "裸 体",
    "裸·体",
    "ｾｯｸｽする",
    "ดูควายนี้",
    "시발",
    "एक कुत्ता है",
    "an 🍆 on a table",
    "🍆\ufe0f",
    "رأى الموت",
]

INNOCENTS = [
    "Scunthorpe United",
    "Penistone in Yorkshire",
    "Middlesex and Essex",
    "a classic assassin",
    "mass, bass and grass",
    "an embassy pass",
    "a shell on the beach",
    "he'll draw it, she’ll paint it, we'll see",
    "he\u02bcll come",
    "grapes, drapes and a therapist",
    "denuded hills",
    "a title, titans and a titmouse",
    "Kill Bill; all humans smile",
    "kill all the humans",
    "a secret about a cow",
    "m a s s",
    "C. U. N. Tyler",
    "the letters a s and s t",
    "A.S. Smith",
    "U.S.A.",
    "i.e. a cat, e.g. Tom",
    "R.A. Pesky",
    "pen.island at dusk",
    "This is my pen.is it yours?",
    "a who, re-drawn",
    "schon schön",
    "Moses und die Mosel",
    "Mose",  # not Möse
    "die Straßen von Köln",
    "ein Strass-Stein und Strasser",
    "арбузы и дыни",
    "καρπός",
    "一个体育馆",
    "裸麦的身体",
    "시발점",
    "कुत्तों",
    "an eggplant",
    "1536x1024, f/1.8, 50 mm, ISO 100",
    "a4 paper, mp3, ps5, 4k, r2d2, c3po",
    "#ff00aa and rgba(10, 20, 30)",
    "costs $55 or 5$",
    "aaah, brrr, hmmm",
    "https://example.com/a-b-c?d=e",
    "me@example.com",
    "bad ger mans",
    "a bad\nger",
    "",
    "\u200b",
    "🇩🇪 🇫🇷",
    "e e cummings",
]


@pytest.mark.parametrize("text", TRICKS)
def test_a_refused_word_is_found_however_it_is_written(text):
    assert holds_refused(LIST, text)
    assert holds_refused(LIST, "a red fox", f"in a wood, {text}, at night")


@pytest.mark.parametrize("text", INNOCENTS)
def test_what_only_looks_a_little_like_it_passes(text):
    assert not holds_refused(LIST, text)


def test_there_are_enough_of_both():
    assert len(set(TRICKS)) >= 60
    assert len(set(INNOCENTS)) >= 40


def test_an_empty_list_refuses_nothing():
    assert not holds_refused(frozenset(), "badger", "")


# --- whatever is done to a word ------------------------------------------------------------------------------------

UNSEEN = st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f\u3164\u180e\U000e0001")
MARKS = st.sampled_from([chr(code) for code in range(0x0300, 0x0370) if code not in (0x0308, 0x0344, 0x034F)])
FOREIGN = {latin: tuple(letters) for latin, letters in LIKE.items()}


@st.composite
def disguised(draw, word: str) -> str:
    """The word with letters that look alike, marks, and what nobody sees."""
    drawn = ""
    for letter in word:
        drawn += draw(st.sampled_from([letter, letter.upper(), *FOREIGN.get(letter, ())]))
        drawn += "".join(draw(st.lists(st.one_of(UNSEEN, MARKS), max_size=3)))
    return drawn


@given(disguised("badger"))
def test_no_disguise_of_single_letters_passes(text):
    assert holds_refused(frozenset({"badger"}), text)


@given(st.text(max_size=60), st.text(max_size=12))
def test_any_text_is_read_and_any_word_is_kept_or_refused(text, word):
    try:
        kept = word_of(word)
    except BadWord:
        return
    assert holds_refused(frozenset({kept}), kept)
    assert isinstance(holds_refused(frozenset({kept}), text), bool)
    assert word_of(kept) == kept


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=60))
def test_plain_words_are_refused_only_whole(text):
    spelled = [row for row in text.split() if len(row) == 1]
    if "badger" not in text.split() and len(spelled) < 3:
        assert not holds_refused(frozenset({"badger"}), text)


# --- lists -------------------------------------------------------------------------------------------------------


def test_a_word_is_kept_without_what_nobody_sees():
    assert word_of("  kill \u200b  all\thumans ") == "kill all humans"


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "...", "?!", "\u0301", "x" * (MOST_CHARS + 1)])
def test_what_cannot_be_read_is_no_word(typed):
    with pytest.raises(BadWord):
        word_of(typed)


def test_letters_that_are_drawn_out_are_one_or_two():
    for text in ("a daaark room", "a coooool room", "x, b a d"):
        assert holds_refused(frozenset({"dark", "cool", "bad"}), text), text
    assert not holds_refused(frozenset({"ab"}), "a b")  # two are initials


def test_a_letter_with_more_than_its_dots_is_no_umlaut():
    assert holds_refused(frozenset({"nu"}), "nǚ")
    assert not holds_refused(frozenset({"nue"}), "nǚ")


def test_a_word_has_an_end():
    assert word_of("x" * MOST_CHARS) == "x" * MOST_CHARS
    with pytest.raises(BadWord):
        word_of("x" * (MOST_CHARS + 1))


def test_words_come_one_a_line():
    assert words_in("badger\n\n  secret cow \r\nhell") == {"badger", "secret cow", "hell"}
    with pytest.raises(BadWord):
        words_in("badger\n!!!")


def test_another_spelling_is_the_same_word():
    assert added(frozenset({"Möse"}), {"MO\u0308SE", "badger"}) == {"Möse", "badger"}
    assert removed(frozenset({"Möse", "badger"}), {"möse"}) == {"badger"}


def test_a_long_prompt_and_a_full_list_take_no_time():
    """By the amount of work, not by the clock: each reading of a prompt looks at each of its words once."""
    words = frozenset(f"word{number}" for number in range(500))
    assert not holds_refused(words, unicodedata.normalize("NFD", "ein schöner Tag für alle " * 1300))
