"""Masks by pixels: kept is (0, 0, 0, 255), to be edited is (255, 255, 255, 0), and nothing else occurs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PIL import Image, ImageDraw

from bot.imaging.masks import (
    PreparedMask,
    check_markup,
    mask_from_area,
    mask_from_image,
    mask_from_transparency,
    preview_markup,
    preview_mask,
)
from bot.imaging.uploads import PreparedImage, prepare_image
from bot.rules.catalogue.model import InputRule
from bot.rules.uploads import AREAS, BadUpload, NoteKind, Size, Typed, UploadProblem

ANY = InputRule(16, frozenset({"png", "jpeg", "webp"}), 52_428_800)
DALLE2 = InputRule(1, frozenset({"png"}), 4_194_304, square=True)
KEEP, EDIT = (0, 0, 0, 255), (255, 255, 255, 0)


def target(
    make: SimpleNamespace,
    width: int = 200,
    height: int = 100,
    rule: InputRule = ANY,
    mode: str = "RGB",
    edge: int | None = None,
) -> PreparedImage:
    data = make.saved(make.quarters(width, height, mode), "PNG")
    return prepare_image(data, name="image", rule=rule, target_long_edge=edge)


def edited(make: SimpleNamespace, mask: PreparedMask, size: tuple[int, int]) -> Image.Image:
    """The part to edit as a bilevel picture, after checking that the mask is well formed."""
    picture = make.opened(mask.image.data)
    assert mask.image.mime == "image/png"
    assert picture.mode == "RGBA"
    assert picture.size == (mask.image.width, mask.image.height) == size
    assert {colour for _, colour in picture.getcolors()} == {KEEP, EDIT}
    assert len(mask.image.data) < 4_000_000
    return picture.getchannel("R").convert("1")


def boxed(size: tuple[int, int], *box: int) -> Image.Image:
    area = Image.new("1", size)
    area.paste(1, box)
    return area


BOXES = {
    "left": (0, 0, 100, 100),
    "right": (100, 0, 200, 100),
    "top": (0, 0, 200, 50),
    "bottom": (0, 50, 200, 100),
    "centre": (50, 25, 150, 75),
    "Center ": (50, 25, 150, 75),
    "10,20,30,40": (20, 20, 80, 60),
    "10%, 20 %, 30%, 40%": (20, 20, 80, 60),
    "90,90,50,50": (180, 90, 200, 100),
    "0,0,0.1,0.1": (0, 0, 1, 1),
}


@pytest.mark.parametrize("text", BOXES)
def test_an_area_is_exactly_its_pixels(make: SimpleNamespace, text: str) -> None:
    mask = mask_from_area(text, target=target(make))
    assert edited(make, mask, (200, 100)).tobytes() == boxed((200, 100), *BOXES[text]).tobytes()


def test_a_border_leaves_the_inside_alone(make: SimpleNamespace) -> None:
    area = edited(make, mask_from_area("border", target=target(make)), (200, 100))
    inside = Image.new("1", (200, 100), 1)
    inside.paste(0, (15, 15, 185, 85))
    assert area.tobytes() == inside.tobytes()


@pytest.mark.parametrize(
    ("text", "x", "y", "r"), [("circle", 100, 50, 35), ("25,50,20", 50, 50, 20), ("0,0,50", 0, 0, 50)]
)
def test_a_circle_holds_what_is_nearer_than_its_radius(
    make: SimpleNamespace, text: str, x: int, y: int, r: int
) -> None:
    area = edited(make, mask_from_area(text, target=target(make)), (200, 100))
    for column in range(0, 200, 3):
        for row in range(0, 100, 3):
            distance = ((column - x) ** 2 + (row - y) ** 2) ** 0.5
            if abs(distance - r) > 1.5:
                assert bool(area.getpixel((column, row))) is (distance < r), (column, row)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "middle",
        "1,2",
        "1,2,3,4,5",
        "a,b,c",
        "101,0,5",
        "50,50,0",
        "0,0,0,5",
        "-1,2,3",
        "nan,1,1",
        "1e9,1,1",
        "100,0,5,5",
        "1;2;3",
        "9" * 5000 + ",1,1",
        "x" * 5000,
    ],
)
def test_an_area_that_means_nothing_is_refused_with_what_was_typed(make: SimpleNamespace, text: str) -> None:
    with pytest.raises(BadUpload) as refused:
        mask_from_area(text, target=target(make))
    assert refused.value.problem is UploadProblem.BAD_AREA
    assert refused.value.name == "area"
    assert refused.value.came == Typed(text[:60])


def test_an_area_that_leaves_nothing_or_everything_is_refused(make: SimpleNamespace) -> None:
    with pytest.raises(BadUpload) as refused:
        mask_from_area("0,0,100,100", target=target(make))
    assert refused.value.problem is UploadProblem.MASK_CLEAR


@pytest.mark.parametrize("text", AREAS)
def test_every_named_area_works_on_every_shape(make: SimpleNamespace, text: str) -> None:
    for width, height in ((1, 5000), (5000, 1), (3, 3), (17, 400)):
        try:
            mask = mask_from_area(text, target=target(make, width, height))
        except BadUpload as refused:  # on a line of pixels a half can be all or nothing
            assert refused.problem in (UploadProblem.MASK_CLEAR, UploadProblem.MASK_OPAQUE)  # noqa: PT017
        else:
            edited(make, mask, (width, height))


# --- masks that were handed in -----------------------------------------------------------------------------------


def blob(size: tuple[int, int]) -> Image.Image:
    area = Image.new("L", size)
    ImageDraw.Draw(area).ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] * 3 // 4), fill=255)
    return area


@pytest.mark.parametrize(
    ("rubbed", "left", "seen"),
    [
        (0, 255, True),
        (140, 255, True),  # an eraser at 45 %
        (200, 255, True),
        (229, 255, True),
        (235, 255, False),  # nobody sees that: no transparency, white is edited
        (0, 140, True),
        (100, 255, True),
        (140, 200, True),
    ],
)
def test_a_soft_mask_is_edited_where_a_person_sees_it_rubbed_out(
    make: SimpleNamespace, rubbed: int, left: int, seen: bool
) -> None:
    image = Image.new("RGBA", (200, 100), (0, 0, 0, left))
    image.paste((255, 255, 255, rubbed), (0, 0, 80, 100))
    if seen:
        image.putpixel((199, 99), (0, 0, 0, 0))  # one stray pixel decides nothing
    mask = mask_from_image(make.saved(image, "PNG"), target=target(make, 200, 100))
    sent = make.opened(mask.image.data)
    assert [sent.getpixel(at) for at in ((10, 50), (70, 50), (90, 50), (190, 50))] == [EDIT, EDIT, KEEP, KEEP]
    assert (mask.notes == ()) is seen


def test_an_alpha_mask_is_edited_where_it_is_transparent(make: SimpleNamespace) -> None:
    image = make.noise(200, 100)
    image.putalpha(blob((200, 100)).point(lambda v: 255 - v))
    mask = mask_from_image(make.saved(image, "PNG"), target=target(make))
    assert edited(make, mask, (200, 100)).tobytes() == blob((200, 100)).convert("1").tobytes()
    assert mask.notes == ()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "PNG"),
        ("1", "PNG"),
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("RGB", "WEBP"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
    ],
)
def test_a_black_and_white_mask_is_edited_where_it_is_white_and_says_so(
    make: SimpleNamespace, mode: str, kind: str
) -> None:
    wanted = boxed((200, 100), 40, 16, 120, 80)
    options = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100}}[kind]
    data = make.saved(wanted.convert("RGB").convert(mode), kind, **options)
    mask = mask_from_image(data, target=target(make))
    assert edited(make, mask, (200, 100)).tobytes() == wanted.tobytes()
    assert [note.kind for note in mask.notes] == [NoteKind.MASK_FROM_WHITE]


def test_a_grey_mask_is_split_in_the_middle_and_says_so(make: SimpleNamespace) -> None:
    ramp = Image.linear_gradient("L").resize((200, 100))
    mask = mask_from_image(make.saved(ramp, "PNG"), target=target(make))
    area = edited(make, mask, (200, 100))
    assert (area.getpixel((100, 20)), area.getpixel((100, 80))) == (0, 255)
    assert {note.kind for note in mask.notes} == {NoteKind.MASK_FROM_WHITE, NoteKind.MASK_GREY}


@pytest.mark.parametrize("scale", [0.5, 2, 4])
def test_a_mask_of_another_size_is_fitted_if_its_shape_matches(make: SimpleNamespace, scale: float) -> None:
    size = int(200 * scale), int(100 * scale)
    wanted = boxed((200, 100), 40, 20, 120, 80)
    data = make.saved(wanted.convert("L").resize(size, Image.Resampling.NEAREST), "PNG")
    mask = mask_from_image(data, target=target(make))
    assert edited(make, mask, (200, 100)).tobytes() == wanted.tobytes()
    note = next(note for note in mask.notes if note.kind is NoteKind.MASK_FITTED)
    assert (note.was, note.became) == (Size(*size), Size(200, 100))


def test_a_shape_one_percent_off_is_fitted_and_two_percent_off_is_refused_with_both_sizes(
    make: SimpleNamespace,
) -> None:
    wanted = boxed((202, 100), 40, 20, 120, 80).convert("L")
    edited(make, mask_from_image(make.saved(wanted, "PNG"), target=target(make)), (200, 100))
    with pytest.raises(BadUpload) as refused:
        mask_from_image(make.saved(wanted.resize((204, 100)), "PNG"), target=target(make))
    assert refused.value.problem is UploadProblem.MASK_SIZE
    assert (refused.value.came, refused.value.allowed) == (Size(204, 100), Size(200, 100))
    assert refused.value.name == "mask"


def test_a_thin_stroke_survives_being_made_small(make: SimpleNamespace) -> None:
    wide = boxed((2000, 1000), 700, 0, 701, 1000).convert("L")
    area = edited(make, mask_from_image(make.saved(wide, "PNG"), target=target(make)), (200, 100))
    assert area.getbbox() == (70, 0, 71, 100)


def test_a_mask_for_a_shrunken_picture_fits_the_picture_as_sent(make: SimpleNamespace) -> None:
    small = target(make, 2000, 1000, edge=1000)
    data = make.saved(boxed((2000, 1000), 400, 200, 1200, 800).convert("L"), "PNG")
    mask = mask_from_image(data, target=small)
    assert edited(make, mask, (1000, 500)).tobytes() == boxed((1000, 500), 200, 100, 600, 400).tobytes()
    assert [note.kind for note in mask.notes] == [NoteKind.MASK_FROM_WHITE]


def test_a_mask_for_a_squared_picture_moves_with_it_and_opens_the_bars(make: SimpleNamespace) -> None:
    square = target(make, rule=DALLE2)
    data = make.saved(boxed((200, 100), 40, 20, 120, 80).convert("L"), "PNG")
    wanted = Image.new("1", (200, 200), 1)
    wanted.paste(boxed((200, 100), 40, 20, 120, 80), (0, 50))
    assert edited(make, mask_from_image(data, target=square), (200, 200)).tobytes() == wanted.tobytes()
    whole = make.saved(boxed((200, 200), 0, 0, 200, 90).convert("L"), "PNG")
    area = edited(make, mask_from_image(whole, target=square), (200, 200))
    assert area.tobytes() == boxed((200, 200), 0, 0, 200, 90).tobytes()


@pytest.mark.parametrize(
    ("fill", "mode", "problem"),
    [
        (0, "L", UploadProblem.MASK_OPAQUE),
        (255, "L", UploadProblem.MASK_CLEAR),
        ((9, 9, 9, 0), "RGBA", UploadProblem.MASK_CLEAR),
        ((0, 0, 0, 255), "RGBA", UploadProblem.MASK_OPAQUE),
    ],
)
def test_a_mask_that_keeps_all_or_nothing_is_refused(
    make: SimpleNamespace, fill: object, mode: str, problem: UploadProblem
) -> None:
    with pytest.raises(BadUpload) as refused:
        mask_from_image(make.saved(Image.new(mode, (200, 100), fill), "PNG"), target=target(make))
    assert refused.value.problem is problem


def test_a_mask_is_refused_like_any_upload(make: SimpleNamespace) -> None:
    for data, problem in (
        (b"", "empty"),
        (make.saved(blob((8, 8)), "GIF"), "wrong_format"),
        (make.bomb(), "too_many_pixels"),
    ):
        with pytest.raises(BadUpload) as refused:
            mask_from_image(data, target=target(make))
        assert (refused.value.problem, refused.value.name) == (problem, "mask")


def test_a_mask_too_large_for_the_service_is_refused(make: SimpleNamespace) -> None:
    rough = make.noise(200, 100, "L").point(lambda v: 255 * (v > 127))
    with pytest.raises(BadUpload) as refused:
        mask_from_image(make.saved(rough, "PNG"), target=target(make), max_bytes=2000)
    assert refused.value.problem is UploadProblem.TOO_MANY_BYTES


# --- the picture's own transparency, markup, previews --------------------------------------------------------------


def test_own_transparency_becomes_the_mask_and_says_so(make: SimpleNamespace) -> None:
    mask = mask_from_transparency(target(make, mode="RGBA"))
    assert mask is not None
    assert edited(make, mask, (200, 100)).tobytes() == boxed((200, 100), 100, 50, 200, 100).tobytes()
    assert [note.kind for note in mask.notes] == [NoteKind.MASK_FROM_TRANSPARENCY]


def test_own_transparency_in_a_squared_picture_is_not_the_bars(make: SimpleNamespace) -> None:
    assert mask_from_transparency(target(make, rule=DALLE2)) is None
    mask = mask_from_transparency(target(make, rule=DALLE2, mode="RGBA"))
    assert mask is not None
    area = edited(make, mask, (200, 200))
    assert [area.getpixel(spot) for spot in ((10, 10), (10, 60), (150, 60), (150, 140))] == [255, 0, 0, 255]


def test_an_opaque_picture_or_round_corners_are_no_mask(make: SimpleNamespace) -> None:
    assert mask_from_transparency(target(make)) is None
    image = make.quarters(200, 100).convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    prepared = prepare_image(make.saved(image, "PNG"), name="image", rule=ANY)
    assert prepared.transparent
    assert mask_from_transparency(prepared) is None


def test_markup_must_lie_over_the_picture_and_let_it_through(make: SimpleNamespace) -> None:
    drawn = Image.new("RGBA", (400, 200))
    ImageDraw.Draw(drawn).line((0, 0, 400, 200), fill=(255, 0, 0, 255), width=20)
    markup = check_markup(make.saved(drawn, "PNG"), target=target(make))
    picture = make.opened(markup.image.data)
    assert picture.size == (200, 100)
    assert picture.getpixel((100, 50)) == (255, 0, 0, 255)
    assert picture.getpixel((10, 90))[3] == 0
    assert [note.kind for note in markup.notes] == [NoteKind.MASK_FITTED]


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (lambda m: m.saved(m.quarters(200, 100), "PNG"), UploadProblem.MASK_OPAQUE),
        (lambda m: m.saved(Image.new("RGBA", (200, 100)), "PNG"), UploadProblem.MASK_CLEAR),
        (lambda m: m.saved(m.quarters(100, 100, "RGBA"), "PNG"), UploadProblem.MASK_SIZE),
        (lambda m: m.saved(m.quarters(200, 100), "JPEG"), UploadProblem.WRONG_FORMAT),
    ],
)
def test_markup_that_hides_shows_or_misses_is_refused(
    make: SimpleNamespace, build: object, problem: UploadProblem
) -> None:
    with pytest.raises(BadUpload) as refused:
        check_markup(build(make), target=target(make))
    assert (refused.value.problem, refused.value.name) == (problem, "markup")


def test_a_preview_reddens_what_is_edited_and_leaves_the_rest(make: SimpleNamespace) -> None:
    prepared = target(make)
    mask = mask_from_area("left", target=prepared)
    shown = make.opened(preview_mask(prepared.image.data, mask.image.data))
    before = make.opened(prepared.image.data)
    assert shown.size == (200, 100)
    assert shown.getpixel((150, 20)) == before.getpixel((150, 20))
    red, green, blue = shown.getpixel((20, 80))
    assert red > 120 > green
    assert blue < before.getpixel((20, 80))[2]


def test_previews_are_small_and_of_the_picture_as_sent(make: SimpleNamespace) -> None:
    prepared = target(make, 3000, 1500)
    shown = make.opened(preview_mask(prepared.image.data, mask_from_area("circle", target=prepared).image.data))
    assert shown.size == (1024, 512)
    drawn = make.saved(Image.new("RGBA", (3000, 1500), (0, 255, 0, 128)), "PNG")
    shown = make.opened(preview_markup(prepared.image.data, check_markup(drawn, target=prepared).image.data))
    assert shown.size == (1024, 512)
    assert shown.getpixel((10, 10))[1] > 120
