"""Results under Discord's limits: what fits is untouched, what is changed says how, nothing ever exceeds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.imaging.fit import CannotFit, Fitted, fit_for_upload
from bot.imaging.inspect import inspect_result

SVG = b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 500 + b"</svg>"


def test_what_fits_is_not_touched(make: SimpleNamespace) -> None:
    pictures = [("a.png", make.saved(make.quarters(), "PNG"), "png"), ("b.svg", SVG, "svg")]
    total = sum(len(data) for _, data, _ in pictures)
    assert fit_for_upload(pictures, total, total) == [Fitted(*picture) for picture in pictures]


def test_a_photo_becomes_the_best_jpeg_that_fits(make: SimpleNamespace) -> None:
    data = make.saved(make.photo(800, 600), "PNG")
    [best] = fit_for_upload([("image-1.png", data, "png")], len(data) - 1, len(data))
    assert (best.name, best.format, best.changed) == ("image-1.jpg", "jpeg", "JPEG 95")
    assert make.opened(best.data).layer[0][1:3] == (1, 1)  # full colour resolution
    [less] = fit_for_upload([("image-1.png", data, "png")], len(best.data) - 1, len(data))
    assert less.changed == "JPEG 90"
    [small] = fit_for_upload([("image-1.png", data, "png")], 5000, len(data))
    assert small.changed is not None
    assert "JPEG 85, " in small.changed
    assert inspect_result(small.data).width < 800


def test_transparency_survives_as_webp(make: SimpleNamespace) -> None:
    image = make.photo(400, 300)
    image.putalpha(make.quarters(400, 300, "RGBA").getchannel("A"))
    data = make.saved(image, "PNG")
    [fitted] = fit_for_upload([("x.png", data, "png")], len(data) // 2, len(data))
    assert (fitted.name, fitted.format, fitted.changed) == ("x.webp", "webp", "WebP 95")
    assert make.opened(fitted.data).getpixel((390, 290))[3] == 0


def test_a_moving_gif_stays_moving(make: SimpleNamespace) -> None:
    frames = [make.noise(120, 90, seed=n) for n in range(5)]
    data = make.saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0)
    [fitted] = fit_for_upload([("a.gif", data, "gif")], len(data) // 2, len(data))
    told = inspect_result(fitted.data)
    assert (told.format, told.frames) == ("gif", 5)
    assert told.width < 120
    assert make.opened(fitted.data).info["duration"] == 70


def test_of_several_the_largest_gives_way_first(make: SimpleNamespace) -> None:
    pictures = [(f"{n}.png", make.saved(make.photo(200 * n, 100 * n), "PNG"), "png") for n in (1, 3, 2)]
    total = sum(len(data) for _, data, _ in pictures)
    fitted = fit_for_upload(pictures, total, total - 1)
    assert [picture.changed is None for picture in fitted] == [True, False, True]
    assert [picture.name for picture in fitted] == ["1.png", "3.jpg", "2.png"]


@pytest.mark.parametrize(("per_file", "total"), [(100, 10_000), (10_000, 100)])
def test_an_svg_is_never_touched(per_file: int, total: int) -> None:
    with pytest.raises(CannotFit) as refused:
        fit_for_upload([("a.svg", SVG, "svg")], per_file, total)
    assert refused.value.name == "a.svg"


def test_a_limit_nothing_fits_in_is_an_error(make: SimpleNamespace) -> None:
    with pytest.raises(CannotFit):
        fit_for_upload([("a.png", make.saved(make.photo(64, 64), "PNG"), "png")], 20, 20)


def test_what_cannot_be_decoded_cannot_fit() -> None:
    with pytest.raises(CannotFit):
        fit_for_upload([("a.png", bytes(1000), "png")], 100, 100)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shapes=st.lists(
        st.tuples(st.integers(8, 200), st.integers(8, 200), st.sampled_from(["RGB", "RGBA", "L"])),
        min_size=1,
        max_size=5,
    ),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]),
    per_file=st.integers(2_500, 60_000),
    total=st.integers(12_500, 120_000),
)
def test_the_answer_is_always_within_both_limits(
    make: SimpleNamespace, shapes: list[tuple[int, int, str]], kind: str, per_file: int, total: int
) -> None:
    pictures = []
    for index, (width, height, mode) in enumerate(shapes):
        image = make.noise(width, height, mode, seed=index)
        image = image.convert("RGB") if kind == "JPEG" else image
        pictures.append((f"{index}.{kind.lower()}", make.saved(image, kind), kind.lower()))
    fitted = fit_for_upload(pictures, per_file, total)
    assert len(fitted) == len(pictures)
    assert sum(len(picture.data) for picture in fitted) <= total
    for picture, (name, data, _) in zip(fitted, pictures, strict=True):
        assert len(picture.data) <= per_file
        assert inspect_result(picture.data).format == picture.format
        assert picture.name.split(".")[0] == name.split(".")[0]
        assert (picture.changed is None) == (picture.data == data)


def test_a_4k_png_fits_ten_megabytes_as_jpeg_95(make: SimpleNamespace) -> None:
    data = make.saved(make.photo(3840, 2160), "PNG", compress_level=1)
    assert len(data) > 10 * 1024 * 1024
    [fitted] = fit_for_upload([("image-1.png", data, "png")], 10 * 1024 * 1024, 24 * 1024 * 1024)
    assert fitted.changed == "JPEG 95"
    assert Image.open(__import__("io").BytesIO(fitted.data)).size == (3840, 2160)


def test_what_is_not_read_here_is_never_touched(make: SimpleNamespace) -> None:
    odd = ("odd.bmp", b"BM" + bytes(range(200)), "bmp")
    photo = ("photo.png", make.saved(make.photo(200, 150), "PNG"), "png")
    first, second = fit_for_upload([odd, photo], 100_000, 20_000)
    assert (first.data, first.changed) == (odd[1], None)
    assert second.changed is not None
    with pytest.raises(CannotFit, match="odd"):
        fit_for_upload([odd], 100, 100_000)


def test_a_picture_over_every_bound_is_not_decoded_to_fit(make: SimpleNamespace) -> None:
    with pytest.raises(CannotFit):
        fit_for_upload([("bomb.png", make.bomb(), "png")], 50_000, 100_000)
    with pytest.raises(CannotFit):
        fit_for_upload([("scans.jpg", make.many_scans(64, 64, 3000), "jpeg")], 500, 100_000)
