"""Everything one command uploads, together; and that the event loop never waits for pixels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PIL import Image

from bot.imaging.edits import Where, prepare_inputs
from bot.imaging.inspect import inspect_result
from bot.imaging.threads import PixelGate, offload
from bot.rules.catalogue.model import InputRule
from bot.rules.uploads import BadUpload, Count, NoteKind, UploadProblem, useful_edge_px

ANY = InputRule(16, frozenset({"png", "jpeg", "webp"}), 52_428_800)
DALLE2 = InputRule(1, frozenset({"png"}), 4_194_304, square=True)


async def test_sixteen_pictures_keep_their_order_and_get_names_of_ours(make: SimpleNamespace) -> None:
    uploads = [(f"image{n}", make.saved(Image.new("RGB", (8 + n, 8)), "PNG")) for n in range(16)]
    ready = await prepare_inputs(uploads, rule=ANY, lane="g1")
    assert [image.width for image in ready.inputs.images] == [8 + n for n in range(16)]
    assert ready.inputs.images[15].name == "image-16.png"
    assert ready.inputs.mask is None
    assert await ready.preview() is None


async def test_with_a_mask_the_first_picture_goes_out_as_png_too(make: SimpleNamespace) -> None:
    uploads = [("image", make.saved(make.quarters(), "JPEG")), ("image2", make.saved(make.quarters(), "JPEG"))]
    ready = await prepare_inputs(uploads, rule=ANY, where=Where(area="circle"), lane="g1")
    assert [image.mime for image in ready.inputs.images] == ["image/png", "image/jpeg"]
    mask = ready.inputs.mask
    assert mask is not None
    assert (mask.width, mask.height) == (64, 48)
    preview = await ready.preview()
    assert preview is not None
    assert make.opened(preview).size == (64, 48)


async def test_own_transparency_of_a_webp_makes_it_a_png_with_a_mask(make: SimpleNamespace) -> None:
    upload = ("image", make.saved(make.quarters(mode="RGBA"), "WEBP", lossless=True))
    ready = await prepare_inputs([upload], rule=ANY, where=Where(), lane="g1")
    assert ready.inputs.images[0].mime == "image/png"
    assert ready.inputs.images[0].name == "image-1.png"
    assert ready.inputs.mask is not None
    assert ready.notes[-1].kind is NoteKind.MASK_FROM_TRANSPARENCY
    unmasked = await prepare_inputs([upload], rule=ANY, lane="g1")
    assert unmasked.inputs.mask is None


async def test_markup_travels_as_markup(make: SimpleNamespace) -> None:
    upload = ("image", make.saved(make.quarters(), "PNG"))
    markup = make.saved(make.quarters(mode="RGBA"), "PNG")
    ready = await prepare_inputs([upload], rule=ANY, where=Where(markup=markup), lane="g1")
    assert ready.inputs.mask is None
    assert ready.inputs.markup is not None
    assert await ready.preview() is not None


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (Where(mask=b"x", area="left"), "area"),
        (Where(mask=b"x", markup=b"x"), "markup"),
        (Where(area="left", markup=b"x"), "markup"),
    ],
)
async def test_only_one_thing_may_say_where(make: SimpleNamespace, where: Where, name: str) -> None:
    with pytest.raises(BadUpload) as refused:
        await prepare_inputs([("image", make.saved(make.quarters(), "PNG"))], rule=ANY, where=where, lane="g1")
    assert (refused.value.problem, refused.value.name) == (UploadProblem.MASK_TWICE, name)


async def test_too_many_pictures_are_refused_before_any_is_opened(make: SimpleNamespace) -> None:
    with pytest.raises(BadUpload) as refused:
        await prepare_inputs([("image", b""), ("image2", b"")], rule=DALLE2, lane="g1")
    assert (refused.value.problem, refused.value.name) == ("too_many", "image2")
    assert (refused.value.came, refused.value.allowed) == (Count(2), Count(1))


async def test_a_model_that_needs_a_mask_says_so(make: SimpleNamespace) -> None:
    upload = ("image", make.saved(make.quarters(), "JPEG"))
    with pytest.raises(BadUpload) as refused:
        await prepare_inputs([upload], rule=DALLE2, where=Where(needed=True), lane="g1")
    assert refused.value.problem is UploadProblem.MASK_NEEDED


@pytest.mark.parametrize(
    ("size", "edge"), [("1024x1024", 1024), ("3840x2160", 3840), ("256x256", 1024), ("auto", 1536), (None, 1536)]
)
def test_a_picture_is_never_shrunk_below_what_was_asked(size: str | None, edge: int) -> None:
    assert useful_edge_px(size) == edge


@pytest.mark.slow
async def test_a_large_edit_never_blocks_the_loop(make: SimpleNamespace, stalls: Callable) -> None:  # type: ignore[type-arg]
    data = make.saved(make.photo(3840, 2160), "PNG", compress_level=1)
    mask = make.saved(Image.new("L", (1920, 1080)).point(lambda v: v), "PNG")
    half = Image.new("L", (1920, 1080))
    half.paste(255, (0, 0, 960, 1080))
    mask = make.saved(half, "PNG")
    with stalls() as meter:
        ready = await prepare_inputs(
            [("image", data)], rule=ANY, where=Where(mask=mask), target_long_edge=3840, lane="g1"
        )
        await prepare_inputs([("image", data)], rule=ANY, where=Where(area="circle"), target_long_edge=1536, lane="g1")
        await prepare_inputs([("image", data)], rule=DALLE2, lane="g1")
        await ready.preview()
        await offload("g1", inspect_result, data)
    assert meter.worst_s < 0.05, meter.worst_s


async def test_the_stall_meter_would_see_work_on_the_loop(make: SimpleNamespace, stalls: Callable) -> None:  # type: ignore[type-arg]
    data = make.saved(make.photo(3840, 2160), "PNG", compress_level=1)
    with stalls() as meter:
        make.opened(data)
        await asyncio.sleep(0)
    assert meter.worst_s > 0.05


async def test_work_in_flight_is_bounded_in_pixels() -> None:
    gate, most = PixelGate(100), 0

    def work() -> None:
        nonlocal most
        with gate.hold(60):
            most = max(most, gate.busy)
            with gate.hold(60):  # inside already: must not wait for itself
                pass

    await asyncio.gather(*(offload("g1", work) for _ in range(20)))
    assert most == 60
    assert gate.busy == 0


async def test_a_picture_larger_than_the_bound_still_gets_its_turn() -> None:
    gate = PixelGate(10)
    with gate.hold(1000):
        assert gate.busy == 1000
    assert gate.busy == 0


async def test_a_refusal_crosses_the_thread_as_itself() -> None:
    with pytest.raises(BadUpload):
        await prepare_inputs([("image", b"GIF89a" + bytes(20))], rule=ANY, lane="g1")
