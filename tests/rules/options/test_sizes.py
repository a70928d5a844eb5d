"""Sizes: what is read, what is legal, and that the nearest always works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.options.phrases import Phrase, PhraseKey, WordList, phrase, word_list
from bot.rules.options.sizes import (
    AUTO,
    WORDS,
    Ratio,
    Size,
    SizeList,
    SizeRule,
    fit_ratio,
    is_legal,
    meant,
    nearest_size,
    parse_size,
    reasons_against,
    suggest_sizes,
    takes,
)

GPT_IMAGE_2 = SizeRule(
    16, 3840, 3.0, 655_360, 8_294_400, (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)), auto=True
)
GPT_IMAGE_1 = SizeList((Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)), auto=True)
DALL_E_3 = SizeList((Size(1024, 1024), Size(1792, 1024), Size(1024, 1792)), auto=False)
DALL_E_2 = SizeList((Size(256, 256), Size(512, 512), Size(1024, 1024)), auto=False)
ODD_RULE = SizeRule(8, 2048, 2.0, 4096, 2_000_000, (Size(512, 512),), auto=False)
ALL = (GPT_IMAGE_2, GPT_IMAGE_1, DALL_E_3, DALL_E_2, ODD_RULE)

any_sizes = st.builds(Size, st.integers(1, 99_999), st.integers(1, 99_999))
any_ratios = st.builds(Ratio, st.integers(1, 999), st.integers(1, 999))
any_rules = st.sampled_from(ALL)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1536x1024", Size(1536, 1024)),
        ("1536X1024", Size(1536, 1024)),
        (" 1536 × 1024 ", Size(1536, 1024)),
        ("1x1", Size(1, 1)),
        ("99999x99999", Size(99_999, 99_999)),
        ("16:9", Ratio(16, 9)),
        (" 3 : 2 ", Ratio(3, 2)),
        ("portrait", Ratio(2, 3)),
        ("Landscape", Ratio(3, 2)),
        ("square", Ratio(1, 1)),
        ("wide", Ratio(16, 9)),
        ("tall", Ratio(9, 16)),
        ("AUTO", AUTO),
        ("16/9", Ratio(16, 9)),
        ("4K", Size(3840, 2160)),
        ("full_hd", Size(1920, 1080)),
        (" Square HD ", Size(1024, 1024)),
    ],
)
def test_what_people_type_is_read(typed: str, read: object) -> None:
    assert parse_size(typed) == read


@pytest.mark.parametrize(
    ("typed", "sizes", "size"),
    [
        ("4k", GPT_IMAGE_2, Size(3840, 2160)),
        ("1080p", GPT_IMAGE_2, Size(1920, 1088)),
        ("hd", GPT_IMAGE_2, Size(1280, 720)),
        ("square-hd", DALL_E_3, Size(1024, 1024)),
        ("4k", DALL_E_3, None),
        ("hd", GPT_IMAGE_1, None),
        ("full hd", DALL_E_3, None),
        ("50x50", GPT_IMAGE_2, Size(1024, 1024)),
        ("51x51", GPT_IMAGE_2, None),
        ("32x32", SizeList((Size(32, 32), Size(64, 64)), auto=False), None),
        ("16x9", GPT_IMAGE_2, Size(1536, 864)),
        ("1x1", DALL_E_3, Size(1024, 1024)),
        ("512x512", GPT_IMAGE_2, None),
        ("16:9", GPT_IMAGE_2, None),
        ("nonsense", GPT_IMAGE_2, None),
    ],
)
def test_a_screen_and_a_shape_written_as_a_size_are_understood_where_something_is_that_near(
    typed: str, sizes: SizeRule | SizeList, size: Size | None
) -> None:
    assert meant(sizes, typed) == size


@pytest.mark.parametrize(
    "typed",
    ["", " ", "x", "1024", "1024x", "x1024", "0x0", "0x1024", "1024x0", "01024x1024", "1e3x1", "1.5x1", "-1x5", "+1x5",
     "٣x٣", "１０２４x１０２４", "²x²", "1024xx1024", "1024x1024x1", "1024*1024", "1_024x1024", "1,024x1024", "NaNxNaN",
     "infxinf", "0:0", "16:0", "1000:1", "16:9:4", "16//9", "100000x1", "9" * 5000 + "x1", "1x" + "9" * 5000,
     "1024x1024\x00", "\ud800x1", "1024x1024; drop table", "portraits", "auto auto"],
)  # fmt: skip
def test_what_is_no_size_is_not_read(typed: str) -> None:
    assert parse_size(typed) is None


@given(any_sizes)
def test_a_size_is_read_as_it_is_written(size: Size) -> None:
    assert parse_size(str(size)) == size


@given(any_ratios)
def test_a_ratio_is_read_as_it_is_written(ratio: Ratio) -> None:
    assert parse_size(str(ratio)) == ratio


@given(st.text())
def test_reading_never_fails(text: str) -> None:
    assert parse_size(text) is None or text.strip() != ""


@pytest.mark.parametrize(
    "size", ["816x816", "2880x2880", "1536x864", "1792x1024", "1024x1792", "2048x1152", "3840x2160", "1408x480"]
)
def test_sizes_openai_names_as_good_are_legal(size: str) -> None:
    read = parse_size(size)
    assert isinstance(read, Size)
    assert is_legal(GPT_IMAGE_2, read)
    assert reasons_against(GPT_IMAGE_2, read) == ()


@pytest.mark.parametrize(
    ("size", "nearest", "why"),
    [
        ("512x512", "816x816", phrase(PhraseKey.FEWEST_PIXELS, least=655_360)),
        ("768x768", "816x816", phrase(PhraseKey.FEWEST_PIXELS, least=655_360)),
        ("1x1", "816x816", phrase(PhraseKey.FEWEST_PIXELS, least=655_360)),
        ("1000x1000", "1008x1008", phrase(PhraseKey.MULTIPLES, step=16)),
        ("1920x1080", "1920x1088", phrase(PhraseKey.MULTIPLES, step=16)),
        ("1080x1920", "1088x1920", phrase(PhraseKey.MULTIPLES, step=16)),
        ("3840x3840", "2880x2880", phrase(PhraseKey.MOST_PIXELS, most=8_294_400)),
        ("99999x99999", "2880x2880", phrase(PhraseKey.LONGEST_SIDE, most=3840)),
        ("4096x2048", "3840x1920", phrase(PhraseKey.LONGEST_SIDE, most=3840)),
        ("99999x1", "1408x480", phrase(PhraseKey.LONGEST_SHAPE, most=3.0)),
        ("640x480", "944x704", phrase(PhraseKey.FEWEST_PIXELS, least=655_360)),
    ],
)
def test_an_illegal_size_is_explained_and_has_a_nearest(size: str, nearest: str, why: Phrase) -> None:
    read = parse_size(size)
    assert isinstance(read, Size)
    assert not is_legal(GPT_IMAGE_2, read)
    assert str(nearest_size(GPT_IMAGE_2, read)) == nearest
    assert why in reasons_against(GPT_IMAGE_2, read)


def test_of_two_that_are_equally_near_it_is_the_larger() -> None:
    sizes = SizeList((Size(256, 512), Size(1024, 512)), auto=False)
    assert nearest_size(sizes, Size(512, 512)) == Size(1024, 512)


def test_a_reason_begins_with_the_multiple_or_names_the_list() -> None:
    assert reasons_against(GPT_IMAGE_2, Size(512, 512)) == (
        phrase(PhraseKey.MULTIPLES, step=16),
        phrase(PhraseKey.FEWEST_PIXELS, least=655_360),
    )
    three = WordList(("256x256", "512x512", "1024x1024"))
    assert reasons_against(DALL_E_2, Size(100, 100)) == (phrase(PhraseKey.MAKES_SIZES, sizes=three),)


@pytest.mark.parametrize(
    ("sizes", "asked", "nearest"),
    [
        (DALL_E_2, Size(500, 500), "512x512"),
        (DALL_E_2, Size(9999, 1), "256x256"),
        (DALL_E_3, Size(1920, 1080), "1792x1024"),
        (GPT_IMAGE_1, Size(1024, 1792), "1024x1536"),
    ],
)
def test_the_nearest_of_a_list_is_the_one_most_alike(sizes: SizeList, asked: Size, nearest: str) -> None:
    assert str(nearest_size(sizes, asked)) == nearest


@given(any_rules, any_sizes)
def test_the_nearest_size_is_always_legal_and_nearest_to_itself(sizes: SizeList | SizeRule, asked: Size) -> None:
    near = nearest_size(sizes, asked)
    assert is_legal(sizes, near)
    assert nearest_size(sizes, near) == near


@given(any_sizes)
def test_a_legal_size_is_its_own_nearest_and_the_rest_is_explained(asked: Size) -> None:
    for sizes in ALL:
        assert is_legal(sizes, asked) == (reasons_against(sizes, asked) == ())
        if is_legal(sizes, asked):
            assert nearest_size(sizes, asked) == asked


@given(any_sizes)
def test_turning_a_size_turns_its_nearest(asked: Size) -> None:
    near, turned = nearest_size(GPT_IMAGE_2, asked), nearest_size(GPT_IMAGE_2, Size(asked.height, asked.width))
    assert near.pixels == turned.pixels


@pytest.mark.parametrize(
    ("sizes", "ratio", "size"),
    [
        (GPT_IMAGE_2, "16:9", "1536x864"),
        (GPT_IMAGE_2, "9:16", "864x1536"),
        (GPT_IMAGE_2, "1:1", "1024x1024"),
        (GPT_IMAGE_2, "3:2", "1536x1024"),
        (GPT_IMAGE_2, "portrait", "1024x1536"),
        (GPT_IMAGE_2, "4:3", "1280x960"),
        (GPT_IMAGE_2, "5:4", "1280x1024"),
        (GPT_IMAGE_2, "100:1", "1920x640"),
        (GPT_IMAGE_1, "16:9", "1536x1024"),
        (GPT_IMAGE_1, "tall", "1024x1536"),
        (DALL_E_3, "16:9", "1792x1024"),
        (DALL_E_3, "square", "1024x1024"),
        (DALL_E_2, "16:9", "1024x1024"),
        (ODD_RULE, "2:1", "768x384"),
    ],
)
def test_a_ratio_becomes_a_size_people_would_choose(sizes: SizeList | SizeRule, ratio: str, size: str) -> None:
    read = parse_size(ratio)
    assert isinstance(read, Ratio)
    assert str(fit_ratio(sizes, read)) == size


@given(any_rules, any_ratios)
def test_every_ratio_becomes_a_legal_size(sizes: SizeList | SizeRule, ratio: Ratio) -> None:
    assert is_legal(sizes, fit_ratio(sizes, ratio))


@given(any_rules, st.one_of(st.text(max_size=12), any_sizes.map(str), any_ratios.map(str)))
def test_everything_suggested_works(sizes: SizeList | SizeRule, typed: str) -> None:
    for text in suggest_sizes(sizes, typed):
        read = parse_size(text)
        assert read is not None
        assert not isinstance(read, Size) or is_legal(sizes, read)
        assert read != AUTO or sizes.auto


def test_suggestions_begin_with_what_was_meant() -> None:
    assert suggest_sizes(GPT_IMAGE_2, "16:9")[0] == "1536x864"
    assert suggest_sizes(GPT_IMAGE_2, "512x512")[0] == "816x816"
    assert suggest_sizes(GPT_IMAGE_2, "1040x1040") == ["1040x1040"]
    assert suggest_sizes(GPT_IMAGE_2, "1536x102")[0] == "1536x1024"
    assert suggest_sizes(GPT_IMAGE_2, "")[0] == AUTO
    assert suggest_sizes(DALL_E_3, "17") == ["1792x1024", "1024x1792"]
    assert suggest_sizes(GPT_IMAGE_2, "por") == ["portrait"]
    assert suggest_sizes(DALL_E_2, "nonsense") == []


def test_descriptions_name_the_bounds() -> None:
    three = ("1024x1024", "1792x1024", "1024x1792")
    assert takes(DALL_E_3) == word_list(three)
    assert takes(GPT_IMAGE_1) == phrase(
        PhraseKey.WORDS, words=WordList(("1024x1024", "1536x1024", "1024x1536", "auto"))
    )
    bounds = {"step": 16, "edge": 3840, "ratio": 3.0, "low": 655_360, "high": 8_294_400}
    assert takes(GPT_IMAGE_2) == phrase(PhraseKey.SIZE_RULE_OR_AUTO, **bounds)
    assert set(WORDS) <= set(suggest_sizes(GPT_IMAGE_2, ""))
