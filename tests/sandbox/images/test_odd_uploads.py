"""The image service sees odd PNGs as another decoder does, so that a bot's mistakes with them show."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from sandbox.images.models import MODELS
from sandbox.images.odd.png import read_odd_png
from sandbox.images.uploads import Upload, open_uploads
from tests.support.odd_pngs import furthest, odd_pngs, seen


def test_odd_pngs_are_seen_as_another_decoder_shows_them() -> None:
    wrong, read = {}, 0
    for name, data in odd_pngs():
        picture = read_odd_png(data)
        if picture is None:
            assert name.startswith("palette") or name in ("grey 8", "rgb 8", "grey alpha 8", "rgba 8")
            continue
        read += 1
        if (apart := furthest(seen(data), picture.convert("RGBA"))) > 1:
            wrong[name] = apart
    assert wrong == {}
    assert read > 20


def test_a_clear_grey_of_an_upload_is_clear_to_the_service() -> None:
    data = dict(odd_pngs())["grey 4 tRNS 15"]
    (opened,) = open_uploads("edits", MODELS["gpt-image-2"], (Upload("image", "a.png", "image/png", data),)).images
    assert opened.has_clear
    assert opened.picture.getchannel("A").getextrema() == (0, 255)


def test_what_is_not_odd_is_left_to_the_usual_decoder() -> None:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    assert read_odd_png(out.getvalue()) is None
    assert read_odd_png(b"\xff\xd8\xff") is None
    with pytest.raises(ValueError, match="broken"):
        read_odd_png(dict(odd_pngs())["grey 4"][:60])
