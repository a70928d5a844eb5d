"""Edits and variations: the rules of uploads, and pixels that prove where was painted."""

from __future__ import annotations

import base64
import io
import warnings
from typing import Any

import openai
import pytest
from PIL import Image, ImageChops

from sandbox.images import ImageService
from sandbox.images.tokens import image_tokens


def _picture(made: Any) -> Image.Image:
    with Image.open(io.BytesIO(base64.b64decode(made.data[0].b64_json))) as opened:
        return opened.convert("RGBA")


def _file(data: bytes, name: str = "a.png", mime: str = "image/png") -> tuple[str, bytes, str]:
    return name, data, mime


def _jpeg(size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (9, 9, 200)).save(out, "JPEG")
    return out.getvalue()


def _same(one: Image.Image, other: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return ImageChops.difference(one.crop(box).convert("RGB"), other.crop(box).convert("RGB")).getbbox() is None


async def test_a_mask_bounds_what_is_painted_to_the_pixel(
    client: openai.AsyncOpenAI, pictures: Any, service: ImageService
) -> None:
    source = pictures.png(1024, 1024)
    made = await client.images.edit(
        model="gpt-image-2.5-flare",
        image=_file(source),
        mask=_file(pictures.half_mask(1024, 1024)),
        prompt="a lighthouse",
        size="1024x1024",
    )
    result = _picture(made)
    with Image.open(io.BytesIO(source)) as before:
        assert _same(result, before, (512, 0, 1024, 1024))
        assert not _same(result, before, (0, 0, 512, 1024))
    call = service.calls[-1]
    assert [(one.field, one.mime, one.size) for one in call.files] == [
        ("image", "image/png", (1024, 1024)),
        ("mask", "image/png", (1024, 1024)),
    ]
    assert call.breaches == ()
    assert made.usage is not None
    assert made.usage.input_tokens_details.image_tokens == 1024


async def test_without_a_mask_the_clear_parts_of_the_picture_are_painted(
    client: openai.AsyncOpenAI, pictures: Any
) -> None:
    source = pictures.half_mask(1024, 1024)
    made = await client.images.edit(model="gpt-image-2", image=_file(source), prompt="sea", size="1024x1024")
    result = _picture(made)
    with Image.open(io.BytesIO(source)) as before:
        assert _same(result, before, (512, 0, 1024, 1024))
    assert result.crop((0, 0, 512, 1024)).getchannel("A").getextrema() == (255, 255)


async def test_without_any_transparency_the_whole_picture_is_tinted(client: openai.AsyncOpenAI, pictures: Any) -> None:
    source = pictures.png(1024, 1024)
    result = _picture(
        await client.images.edit(model="gpt-image-2", image=_file(source), prompt="sea", size="1024x1024")
    )
    with Image.open(io.BytesIO(source)) as before:
        assert not _same(result, before, (0, 0, 200, 200))
        assert not _same(result, before, (800, 0, 1024, 200))


async def test_further_pictures_show_as_insets(
    client: openai.AsyncOpenAI, pictures: Any, service: ImageService
) -> None:
    inputs = [_file(pictures.png(64, 64, "RGB", (0, 0, 0))), _file(_jpeg(), "b.jpg", "image/jpeg")]
    made = await client.images.edit(model="gpt-image-2", image=inputs, prompt="sea", size="1024x1024")
    assert any(
        blue > 150 and red < 60 for red, _, blue, _ in (_picture(made).getpixel((x, 150)) for x in range(0, 400, 5))
    )  # type: ignore[misc]
    assert len(service.calls[-1].files) == 2
    assert service.calls[-1].breaches == ()


async def test_markup_bounds_the_edit_too(client: openai.AsyncOpenAI, pictures: Any) -> None:
    source = pictures.png(1024, 1024)
    made = await client.images.edit(
        model="gpt-image-2.5-flare",
        image=_file(source),
        prompt="sea",
        size="1024x1024",
        extra_body=None,
        markup=_file(pictures.half_mask(1024, 1024)),
    )
    with Image.open(io.BytesIO(source)) as before:
        assert _same(_picture(made), before, (0, 0, 512, 1024))


def _png_of(pictures: Any, **kind: Any) -> tuple[str, bytes, str]:
    return _file(pictures.png(**kind))


EDITS: tuple[tuple[str, str, str, str], ...] = (
    ("gpt-image-2", "octet", "unsupported_file_mimetype", "image"),
    ("gpt-image-2", "lie", "invalid_image_file", "image"),
    ("gpt-image-2", "truncated", "invalid_image_file", "image"),
    ("gpt-image-2", "gif", "unsupported_file_mimetype", "image"),
    ("gpt-image-2", "seventeen", "array_above_max_length", "image"),
    ("gpt-image-2", "mask_size", "invalid_image_file", "mask"),
    ("gpt-image-2", "mask_opaque_mode", "invalid_image_file", "mask"),
    ("gpt-image-2", "mask_jpeg", "unsupported_file_mimetype", "mask"),
    ("gpt-image-2", "fidelity", "unknown_parameter", "input_fidelity"),
    ("gpt-image-1-mini", "fidelity", "invalid_value", "input_fidelity"),
    ("gpt-image-2", "markup", "unknown_parameter", "markup"),
    ("gpt-image-2.5-flare", "markup_and_mask", "invalid_value", "markup"),
    ("gpt-image-2.5-flare", "markup_opaque", "invalid_image_file", "markup"),
    ("dall-e-2", "jpeg", "unsupported_file_mimetype", "image"),
    ("dall-e-2", "oblong", "invalid_image_file", "image"),
    ("dall-e-2", "two", "array_above_max_length", "image"),
    ("dall-e-2", "plain", "invalid_image_file", "image"),
    ("dall-e-2", "heavy", "image_too_large", "image"),
    ("dall-e-3", "plain", "invalid_value", "model"),
)


def _case(name: str, pictures: Any) -> dict[str, Any]:
    plain = _file(pictures.png())
    mask = _file(pictures.half_mask())
    return {
        "octet": {"image": pictures.png()},
        "lie": {"image": _file(_jpeg())},
        "truncated": {"image": _file(pictures.png()[:60])},
        "gif": {"image": _file(b"GIF89a", "a.gif", "image/gif")},
        "seventeen": {"image": [plain] * 17},
        "mask_size": {"image": plain, "mask": _file(pictures.half_mask(32, 64))},
        "mask_opaque_mode": {"image": plain, "mask": plain},
        "mask_jpeg": {"image": plain, "mask": _file(_jpeg(), "m.jpg", "image/jpeg")},
        "fidelity": {"image": plain, "input_fidelity": "high"},
        "markup": {"image": plain, "markup": mask},
        "markup_and_mask": {"image": plain, "markup": mask, "mask": mask},
        "markup_opaque": {"image": plain, "markup": _file(pictures.png(mode="RGBA", colour=(1, 1, 1, 255)))},
        "jpeg": {"image": _file(_jpeg(), "a.jpg", "image/jpeg"), "mask": mask},
        "oblong": {"image": _file(pictures.png(64, 32)), "mask": mask},
        "two": {"image": [plain, plain]},
        "plain": {"image": plain},
        "heavy": {"image": _file(pictures.png() + b"\0" * 4 * 1024 * 1024), "mask": mask},
    }[name]


@pytest.mark.parametrize(("model", "case", "code", "param"), EDITS)
async def test_uploads_against_the_rules_are_refused(
    model: str, case: str, code: str, param: str, client: openai.AsyncOpenAI, pictures: Any, service: ImageService
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.images.edit(model=model, prompt="sea", **_case(case, pictures))
    assert (caught.value.code, caught.value.param) == (code, param)
    assert not service.calls[-1].rendered


async def test_dalle_2_edits_with_a_mask_or_its_own_transparency(client: openai.AsyncOpenAI, pictures: Any) -> None:
    options: dict[str, Any] = {"model": "dall-e-2", "prompt": "sea", "size": "256x256", "response_format": "b64_json"}
    mask = _file(pictures.half_mask())
    assert _picture(await client.images.edit(image=_file(pictures.png()), mask=mask, **options)).size == (256, 256)
    assert _picture(await client.images.edit(image=mask, **options)).size == (256, 256)


async def test_variations_keep_the_shapes_and_turn_the_colours(
    client: openai.AsyncOpenAI, pictures: Any, service: ImageService
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = await client.images.create_variation(
            image=_file(pictures.png()), model="dall-e-2", n=2, size="512x512", response_format="b64_json"
        )
        with pytest.raises(openai.BadRequestError):
            await client.images.create_variation(image=_file(pictures.png()), model="gpt-image-2")
    assert made.data is not None
    assert len({one.b64_json for one in made.data}) == 2
    assert _picture(made).size == (512, 512)
    assert service.calls[0].breaches == ()
    assert service.calls[0].usage is None


async def test_auto_takes_the_shape_of_the_picture(client: openai.AsyncOpenAI, pictures: Any) -> None:
    made = await client.images.edit(model="gpt-image-2", image=_file(pictures.png(300, 100)), prompt="sea", size="auto")
    assert made.size == "1536x1024"


def test_input_tokens_count_patches() -> None:
    assert [image_tokens(size) for size in ((1024, 1024), (1536, 1024), (64, 64), (3840, 2160))] == [
        1024,
        1536,
        1024,
        1536,
    ]
