"""What the image service takes and refuses, asked with the real client over a socket."""

from __future__ import annotations

import base64
import io
import warnings
from typing import Any

import openai
import pytest
from PIL import Image

from sandbox.images import ImageService
from sandbox.images.models import MODELS

ALL = tuple(MODELS)
GPT = tuple(name for name, rules in MODELS.items() if not rules.dalle)


async def test_it_serves_the_fourteen_models_and_says_which_end(client: openai.AsyncOpenAI) -> None:
    listed = {model.id: model.shutdown_date async for model in client.models.list()}
    assert len(listed) == 15  # one of them makes words
    assert listed["gpt-image-1.5"] == "2026-12-01"
    assert listed["gpt-image-2.5-flare"] is None
    assert (await client.models.retrieve("gpt-image-2")).id == "gpt-image-2"


@pytest.mark.parametrize("model", ALL)
async def test_every_model_makes_a_picture(model: str, client: openai.AsyncOpenAI, service: ImageService) -> None:
    made = await client.images.generate(model=model, prompt="a red fox", size="1024x1024")
    assert made.data is not None
    if MODELS[model].dalle:
        assert made.usage is None
        assert str(made.data[0].url).startswith(service.origin)
    else:
        assert made.usage is not None
        assert made.data[0].b64_json is not None
        with Image.open(io.BytesIO(base64.b64decode(made.data[0].b64_json))) as picture:
            assert (picture.format, picture.size) == ("PNG", (1024, 1024))
    assert (made.data[0].revised_prompt is not None) == (model == "dall-e-3")
    assert service.calls[-1].breaches == ()


LEGAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gpt-image-2", {"size": "816x816"}),
    ("gpt-image-2.5-flare", {"size": "2048x1152", "quality": "max"}),
    ("gpt-image-2.5-flare", {"background": "transparent", "output_format": "webp"}),
    ("gpt-image-1.5", {"output_format": "jpeg", "output_compression": 30, "moderation": "low", "n": 3}),
    ("gpt-image-2.6-flare", {"output_format": "gif", "extra_body": {"frame_count": 2, "frame_duration_ms": 80}}),
    ("gpt-image-2.6-flare", {"output_format": "gif", "size": "208x208", "extra_body": {"frame_count": 16}}),
    (
        "gpt-image-2.6-flare",
        {"output_format": "svg", "extra_body": {"svg": {"model": "x", "reasoning": {"effort": "low"}}}},
    ),
    ("gpt-image-2.6-sunburst", {"extra_body": {"complexity": "high"}}),
    ("gpt-image-2", {"extra_body": {"safety_identifier": "tag"}}),
    (
        "dall-e-3",
        {"quality": "hd", "style": "natural", "response_format": "b64_json", "size": "1792x1024", "user": "tag"},
    ),
    ("dall-e-2", {"size": "256x256", "n": 4, "quality": "standard"}),
)


@pytest.mark.parametrize(("model", "options"), LEGAL)
async def test_legal_options_are_served(
    model: str, options: dict[str, Any], client: openai.AsyncOpenAI, service: ImageService
) -> None:
    made = await client.images.generate(model=model, prompt="hills", **options)
    assert made.data is not None
    assert len(made.data) == options.get("n", 1)
    assert service.calls[-1].breaches == ()
    assert service.calls[-1].rendered


_COMPRESSION = "output_compression"
_FRAMES_17 = {"extra_body": {"frame_count": 17}}
_FRAMES_6 = {"extra_body": {"frame_count": 6}}
_FRAMES_16 = {"extra_body": {"frame_count": 16}}
REFUSED: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("gpt-image-2", {"size": "512x512"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "1000x1000"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "3840x1024"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "3840x3840"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "4096x2048"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "٣x٣"}, "invalid_value", "size"),
    ("gpt-image-2", {"size": "0x0"}, "invalid_value", "size"),
    ("gpt-image-1.5", {"size": "1024x1040"}, "invalid_value", "size"),
    ("dall-e-3", {"size": "auto"}, "invalid_value", "size"),
    ("gpt-image-2", {"quality": "xhigh"}, "invalid_value", "quality"),
    ("gpt-image-2.5-flare", {"quality": "hd"}, "invalid_value", "quality"),
    ("gpt-image-2", {"style": "vivid"}, "unknown_parameter", "style"),
    ("gpt-image-2", {"response_format": "url"}, "unknown_parameter", "response_format"),
    ("gpt-image-2", {"extra_body": {"complexity": "low"}}, "unknown_parameter", "complexity"),
    ("gpt-image-2", {"extra_body": {"seed": 1}}, "unknown_parameter", "seed"),
    ("gpt-image-2", {"extra_body": {"image": "x"}}, "unknown_parameter", "image"),
    ("gpt-image-2.5-flare", {"output_format": "gif"}, "invalid_value", "output_format"),
    ("gpt-image-2", {"background": "transparent", "output_format": "jpeg"}, "invalid_value", "background"),
    ("gpt-image-2", {"output_compression": 50}, "invalid_value", "output_compression"),
    ("gpt-image-2", {"output_format": "webp", "output_compression": 101}, "integer_above_max_value", _COMPRESSION),
    ("gpt-image-2", {"n": 11}, "integer_above_max_value", "n"),
    ("gpt-image-2", {"n": 0}, "integer_below_min_value", "n"),
    ("gpt-image-2", {"n": "2"}, "invalid_type", "n"),
    ("dall-e-3", {"n": 2}, "integer_above_max_value", "n"),
    ("gpt-image-2", {"moderation": "none"}, "invalid_value", "moderation"),
    ("gpt-image-2", {"partial_images": 1}, "invalid_value", "partial_images"),
    ("gpt-image-2.6-flare", {"extra_body": {"frame_count": 3}}, "invalid_value", "frame_count"),
    ("gpt-image-2.6-flare", {"output_format": "gif"} | _FRAMES_17, "integer_above_max_value", "frame_count"),
    ("gpt-image-2.6-flare", {"output_format": "gif", "size": "1024x1024"} | _FRAMES_6, "invalid_value", "size"),
    ("gpt-image-2.6-flare", {"output_format": "gif", "size": "960x960"} | _FRAMES_16, "invalid_value", "size"),
    ("gpt-image-2.6-flare", {"output_format": "gif", "size": "208x192"} | _FRAMES_16, "invalid_value", "size"),
    ("gpt-image-2.6-flare", {"output_format": "svg", "n": 2}, "invalid_value", "n"),
    ("gpt-image-2.6-flare", {"extra_body": {"svg": {"model": "x"}}}, "invalid_value", "svg"),
    ("dall-e-2", {"output_format": "png"}, "unknown_parameter", "output_format"),
    ("dall-e-2", {"prompt": "x" * 1001}, "string_above_max_length", "prompt"),
    ("gpt-image-2", {"prompt": "x" * 32001}, "string_above_max_length", "prompt"),
    ("gpt-image-2", {"prompt": ""}, "missing_required_parameter", "prompt"),
)  # fmt: skip


@pytest.mark.parametrize(("model", "options", "code", "param"), REFUSED)
async def test_illegal_options_are_refused_as_openai_refuses_them(
    model: str, options: dict[str, Any], code: str, param: str, client: openai.AsyncOpenAI, service: ImageService
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.images.generate(**({"model": model, "prompt": "hills"} | options))
    assert (caught.value.code, caught.value.param) == (code, param)
    assert caught.value.request_id == service.calls[-1].request_id
    assert not service.calls[-1].rendered


async def test_a_call_without_a_model_and_one_for_an_unknown_model_are_told_apart(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as missing:
        await client.images.generate(prompt="hills")
    assert (missing.value.code, missing.value.param) == ("missing_required_parameter", "model")
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.images.generate(prompt="hills", model="gpt-image-9")
    assert unknown.value.code == "model_not_found"


async def test_the_official_service_has_retired_models_and_variations(official: ImageService, client_for: Any) -> None:
    async with client_for(official, "sk-right-1234") as client:
        for model in ("dall-e-2", "dall-e-3", "gpt-image-1"):
            with pytest.raises(openai.NotFoundError) as gone:
                await client.images.generate(prompt="hills", model=model)
            assert gone.value.code == "model_not_found"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with pytest.raises(openai.NotFoundError) as bare:
                await client.images.create_variation(image=("a.png", b"x", "image/png"))
        assert (bare.value.body, bare.value.request_id) == ("", None)
        assert len((await client.models.list()).data) == 12


async def test_a_wrong_key_is_told_with_a_piece_of_it(official: ImageService, client_for: Any) -> None:
    async with client_for(official, "sk-wrong-987654") as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.images.generate(prompt="hills", model="gpt-image-2")
        assert caught.value.code == "invalid_api_key"
        assert "7654" in caught.value.message
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_trigger_words_are_refused_per_family_and_stage(
    client: openai.AsyncOpenAI, service: ImageService
) -> None:
    with pytest.raises(openai.BadRequestError) as blocked:
        await client.images.generate(prompt="a forbidden thing", model="gpt-image-2")
    assert blocked.value.code == "moderation_blocked"
    assert blocked.value.body["moderation_details"]["moderation_stage"] == "input"  # type: ignore[index]
    assert not service.calls[-1].rendered
    with pytest.raises(openai.BadRequestError) as late:
        await client.images.generate(prompt="an unspeakable thing", model="gpt-image-2")
    assert late.value.body["moderation_details"]["moderation_stage"] == "output"  # type: ignore[index]
    assert service.calls[-1].rendered
    with pytest.raises(openai.BadRequestError) as dalle:
        await client.images.generate(prompt="a forbidden thing", model="dall-e-3")
    assert dalle.value.code == "content_policy_violation"


TOKENS = (
    ("gpt-image-1", "low", "1024x1024", 272),
    ("gpt-image-1.5", "high", "1024x1536", 6240),
    ("gpt-image-2", "high", "1024x1024", 7024),
    ("gpt-image-2.5-flare", "low", "1024x1024", 196),
    ("gpt-image-2.5-flare", "medium", "1536x1024", 343),
    ("gpt-image-2.5-flare", "max", "1792x1024", 5063),
    ("gpt-image-2.5-sunburst", "low", "3840x2160", 371),
)


@pytest.mark.parametrize(("model", "quality", "size", "tokens"), TOKENS)
async def test_usage_follows_the_published_figures(
    model: str, quality: Any, size: str, tokens: int, client: openai.AsyncOpenAI
) -> None:
    made = await client.images.generate(model=model, prompt="hills and", quality=quality, size=size, n=2)
    assert made.usage is not None
    assert made.usage.output_tokens == 2 * tokens
    assert made.usage.input_tokens_details.text_tokens == 3 + 6  # of the prompt, and what the service adds


async def test_a_gif_uses_what_its_whole_sheet_uses(client: openai.AsyncOpenAI) -> None:
    """3x3 frames of 320x320 are one sheet of 960x960."""
    frames: dict[str, Any] = {"output_format": "gif", "size": "320x320", "extra_body": {"frame_count": 9}}
    gif = await client.images.generate(model="gpt-image-2.6-flare", prompt="x", quality="low", **frames)
    still = await client.images.generate(model="gpt-image-2.6-flare", prompt="x", quality="low", size="960x960")
    assert gif.usage is not None
    assert still.usage is not None
    assert gif.usage.output_tokens == still.usage.output_tokens


async def test_a_body_that_is_not_json_is_refused(service: ImageService, web: Any) -> None:
    url = f"{service.base_url}/images/generations"
    answer = await web.post(url, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert (await web.post(url, data={"prompt": "x"})).json()["error"]["code"] == "unsupported_content_type"
    assert (await web.post(f"{service.base_url}/images/edits", json={})).json()["error"][
        "code"
    ] == "unsupported_content_type"
    assert (await web.get(f"{service.base_url}/nothing")).status_code == 404
