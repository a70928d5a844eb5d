"""Single promises about uploads that a table of files cannot show."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from PIL import Image

from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule
from bot.rules.uploads import BadUpload, Bytes, UploadProblem

ANY = InputRule(16, frozenset({"png", "jpeg", "webp"}), 52_428_800)
DALLE2 = InputRule(1, frozenset({"png"}), 4_194_304, square=True)


def test_a_colour_profile_is_applied_before_it_is_removed(make: SimpleNamespace) -> None:
    data = make.saved(Image.new("RGB", (8, 8), (200, 10, 10)), "PNG", icc_profile=make.strange_profile())
    red, green, blue = make.opened(prepare_image(data, name="image", rule=ANY).image.data).getpixel((4, 4))
    assert green > 180
    assert red < 60
    assert blue < 60


def test_a_profile_applies_to_a_picture_with_transparency_too(make: SimpleNamespace) -> None:
    image = Image.new("RGBA", (8, 8), (200, 10, 10, 100))
    data = make.saved(image, "PNG", icc_profile=make.strange_profile())
    red, green, _, alpha = make.opened(prepare_image(data, name="image", rule=ANY).image.data).getpixel((4, 4))
    assert green > 180 > 60 > red
    assert alpha == 100


def test_metadata_is_cut_out_of_a_jpeg_without_touching_its_pixels(make: SimpleNamespace) -> None:
    bare = make.saved(make.quarters(), "JPEG", quality=95, subsampling=0)
    sent = prepare_image(make.jpeg_full_of_secrets(), name="image", rule=ANY).image
    assert sent.data == bare


def test_a_square_for_dalle_2_shows_the_whole_picture_in_its_middle(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(200, 100), "PNG")
    prepared = prepare_image(data, name="image", rule=DALLE2)
    picture = make.opened(prepared.image.data)
    assert (picture.mode, picture.size, prepared.box) == ("RGBA", (200, 200), (0, 50, 200, 150))
    assert picture.crop(prepared.box).convert("RGB").tobytes() == make.quarters(200, 100).tobytes()
    assert picture.getpixel((100, 49))[3] == picture.getpixel((100, 150))[3] == 0
    assert not prepared.transparent


def test_the_file_name_sent_holds_nothing_of_a_hostile_one(make: SimpleNamespace) -> None:
    data = make.saved(make.quarters(), "JPEG")
    for name in ("../../etc/passwd", "a\0b\nc", "\u202egnp.exe", "x" * 300, "", "C:\\con"):
        sent = prepare_image(data, name=name, rule=ANY).image.name
        assert len(sent) <= 45
        assert set(sent) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert sent.endswith(".jpg")
        assert not sent.startswith((".", "-"))


def test_too_many_bytes_are_refused_before_they_are_looked_at() -> None:
    with pytest.raises(BadUpload) as refused:
        prepare_image(bytes(50 * 1024 * 1024 + 1), name="image", rule=ANY)
    assert refused.value.problem is UploadProblem.TOO_MANY_BYTES
    assert (refused.value.came, refused.value.allowed) == (Bytes(52428801), Bytes(52428800))


_BOMB_RUN = """
import resource, sys, time
from bot.imaging.inspect import inspect_result
from bot.imaging.uploads import prepare_image
from bot.rules.catalogue.model import InputRule
data = sys.stdin.buffer.read()
rule = InputRule(16, frozenset({"png"}), 52_428_800)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for act in (lambda: prepare_image(data, name="image", rule=rule), lambda: inspect_result(data)):
    start = time.perf_counter()
    try:
        print("kept" if act().kept else "whole", end=" ")
    except Exception as error:
        print(type(error).__name__, end=" ")
    print(round((time.perf_counter() - start) * 1000), end=" ")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory by getrusage")
def test_a_bomb_is_refused_or_kept_in_under_100_ms_with_flat_memory(make: SimpleNamespace) -> None:
    data = make.bomb()
    assert 90_000 < len(data) < 130_000
    run = subprocess.run([sys.executable, "-c", _BOMB_RUN], input=data, capture_output=True, check=True)
    upload, upload_ms, result, result_ms, grown_kib = run.stdout.decode().split()
    assert (upload, result) == ("BadUpload", "kept")
    assert int(upload_ms) < 100
    assert int(result_ms) < 100
    assert int(grown_kib) < 4096


def test_a_progressive_jpeg_keeps_its_scans_and_loses_what_hides_between_them(make: SimpleNamespace) -> None:
    bare = make.saved(make.photo(200, 150), "JPEG", progressive=True, quality=90)
    second = bare.index(b"\xff\xda", bare.index(b"\xff\xda") + 2)
    comment = b"\xff\xfe\x00\x10SECRET" + b"\xff\xd9" * 4
    sent = prepare_image(bare[:second] + comment + bare[second:], name="image", rule=ANY).image
    assert sent.data == bare
