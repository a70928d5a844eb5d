"""An order -> pictures. Blocking: the service runs it in threads. The law: outside a mask no pixel changes."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageOps

from sandbox.images.checks import Order
from sandbox.images.drawing.captions import put_caption
from sandbox.images.drawing.encoding import encode, encode_gif, encode_svg
from sandbox.images.drawing.reading import read
from sandbox.images.drawing.scenes import paint_emblem, paint_scene, palette
from sandbox.images.models import WxH
from sandbox.images.uploads import Inputs

SAMPLE = "SAMPLE · no AI"
"""What every picture says of itself: a newcomer must not take these shapes for what a model draws."""

_VIVIDNESS = {"vivid": 1.35, "natural": 0.7}
_DETAIL = {"low": 0.25, "medium": 0.5, "standard": 0.5}  # share of the resolution the scene is painted at
_MAX_PAINTED = 1280  # pixels of the longest side a scene is painted at; above, it is scaled up


@dataclass(frozen=True, slots=True)
class Drawn:
    """One finished picture file."""

    data: bytes
    format: str
    size: WxH
    seed: str


def resolve_size(order: Order, inputs: Inputs | None) -> WxH:
    """The size ``auto`` becomes: that of the input's shape, or what the words of the prompt suggest."""
    if order.size is not None:
        return order.size
    if order.format == "gif" and order.rules.sheet_rule is not None:
        return order.rules.sheet_rule.usual(order.frames)
    if inputs is not None:
        width, height = inputs.images[0].size
        wide, tall = width > 1.2 * height, height > 1.2 * width
    else:
        words = order.prompt.lower()
        wide, tall = "landscape" in words or "wide" in words, "portrait" in words or "tall" in words
    return (1536, 1024) if wide else (1024, 1536) if tall else (1024, 1024)


def seed_of(order: Order, index: int, take: int) -> str:
    """Eight hex digits that tell pictures apart: by prompt, place in the answer and ``take`` (a repeat)."""
    return hashlib.sha256(f"{order.prompt}\0{index}\0{take}".encode("utf-8", "replace")).hexdigest()[:8]


def facts_of(order: Order, size: WxH, index: int, seed: str) -> str:
    """The second line of a caption."""
    parts = [SAMPLE, order.rules.id, f"{size[0]}x{size[1]}", order.quality, f"{index + 1} of {order.n}", f"seed {seed}"]
    parts += [order.style] if order.style else []
    parts += [f"complexity {order.complexity}"] if order.complexity else []
    parts += [f"fidelity {order.fidelity}"] if order.fidelity else []
    parts += [order.background] if order.background != "auto" else []
    parts += [order.format] if order.format != "png" else []
    return " · ".join(parts)


def draw(order: Order, inputs: Inputs | None, size: WxH, index: int, take: int = 0) -> Drawn:
    """The picture number ``index`` of the order, encoded."""
    seed = seed_of(order, index, take)
    facts = facts_of(order, size, index, seed)
    if order.format == "gif":
        shifts = [frame / order.frames for frame in range(order.frames)]
        frames = [_picture(order, inputs, size, seed, facts, shift) for shift in shifts]
        return Drawn(encode_gif(frames, order.frame_ms), "gif", size, seed)
    if order.format == "svg":
        return Drawn(_svg(order, inputs, size, seed, facts), "svg", size, seed)
    picture = _picture(order, inputs, size, seed, facts)
    return Drawn(encode(picture, order.format, order.compression), order.format, size, seed)


def draw_partial(order: Order, inputs: Inputs | None, size: WxH, step: int, take: int = 0) -> bytes:
    """A preview: the picture to come, in blocks that shrink from step to step."""
    seed = seed_of(order, 0, take)
    rough = (max(1, size[0] // 4), max(1, size[1] // 4))
    picture = _picture(order, inputs, rough, seed, facts_of(order, size, 0, seed))
    blocks = 12 * 3**step
    coarse = picture.resize((blocks, max(1, blocks * size[1] // size[0])), Image.Resampling.BOX)
    return encode(coarse.resize(size, Image.Resampling.NEAREST), order.format, order.compression)


def _picture(order: Order, inputs: Inputs | None, size: WxH, seed: str, facts: str, shift: float = 0.0) -> Image.Image:
    if inputs is None:
        return _generated(order, size, seed, facts, shift)
    if order.endpoint == "variations":
        return _varied(inputs, size, seed, facts)
    return _edited(order, inputs, size, seed, facts, shift)


def _generated(order: Order, size: WxH, seed: str, facts: str, shift: float) -> Image.Image:
    picture = _scene(order, size, seed, shift)
    put_caption(picture, order.prompt, facts)
    return picture


def _put_inner_caption(picture: Image.Image, prompt: str, facts: str) -> None:
    """The caption in the middle of the picture, where a round mask does not cut it off."""
    width, height = picture.size
    box = (width // 6, height // 8, width - width // 6, height - height // 4)
    inner = picture.crop(box)
    put_caption(inner, prompt, facts)
    picture.paste(inner, box[:2])


def _scene(order: Order, size: WxH, seed: str, shift: float) -> Image.Image:
    vividness = _VIVIDNESS.get(order.style or "", 1.0)
    if order.background == "transparent":
        return paint_emblem(size, order.prompt, seed, vividness)
    share = min(_DETAIL.get(order.quality, 1.0), _MAX_PAINTED / max(size))
    small = (max(16, round(size[0] * share)), max(16, round(size[1] * share)))
    scene = paint_scene(small, order.prompt, seed, vividness, shift)
    return scene if small == size else scene.resize(size, Image.Resampling.BICUBIC)


def _edit_area(inputs: Inputs, size: WxH) -> Image.Image | None:
    """Where to paint, as a mask of 0 and 255 in the output's size; None: everywhere."""
    first = inputs.images[0]
    if inputs.mask is not None:
        alpha = inputs.mask.getchannel("A")
    elif inputs.markup is not None:
        alpha = ImageOps.invert(inputs.markup.getchannel("A").point(lambda level: 255 if level else 0))
    elif first.has_clear:
        alpha = first.picture.getchannel("A")
    else:
        return None
    return alpha.resize(size, Image.Resampling.NEAREST).point(lambda level: 0 if level else 255)


def _edited(order: Order, inputs: Inputs, size: WxH, seed: str, facts: str, shift: float) -> Image.Image:
    base = inputs.images[0].picture
    base = base if base.size == size else base.resize(size, Image.Resampling.LANCZOS)
    area = _edit_area(inputs, size)
    if area is None:
        return _tinted(order, inputs, base, seed, facts)
    box = area.getbbox()
    if box is None:
        return base.copy()
    part = (box[2] - box[0], box[3] - box[1])
    painted = _scene(order, part, seed, shift).convert("RGBA")
    _put_insets(painted, inputs)
    _put_inner_caption(painted, order.prompt, facts)
    layer = base.copy()
    layer.paste(painted, box[:2])
    return Image.composite(layer, base, area)


def _tinted(order: Order, inputs: Inputs, base: Image.Image, seed: str, facts: str) -> Image.Image:
    """No mask: the whole input under a wash of colour, with the other inputs as insets."""
    scene = paint_scene((64, 64), order.prompt, seed).resize(base.size, Image.Resampling.BICUBIC)
    shade = ImageChops.soft_light(base.convert("RGB"), scene)
    picture = Image.blend(shade, scene, 0.22)
    if order.background == "transparent":
        picture = picture.convert("RGBA")
        ring = Image.new("L", base.size, 0)
        inset = round(min(base.size) * 0.06)
        corners = (inset, inset, base.width - inset, base.height - inset)
        ImageDraw.Draw(ring).rounded_rectangle(corners, radius=inset, fill=255)
        picture.putalpha(ring)
    _put_insets(picture, inputs)
    put_caption(picture, order.prompt, facts)
    return picture


def _put_insets(picture: Image.Image, inputs: Inputs) -> None:
    """The second and later inputs as small framed pictures along the top, in place."""
    others = inputs.images[1:]
    if not others:
        return
    slot = min(picture.width // max(3, len(others)), picture.height // 3)
    frame = max(2, slot // 30)
    for place, one in enumerate(others):
        small = ImageOps.contain(one.picture, (max(1, slot - 4 * frame), max(1, slot - 4 * frame)))
        card = ImageOps.expand(small.convert("RGB"), frame, (255, 255, 255))
        picture.paste(card, (place * slot + frame, frame))


def _varied(inputs: Inputs, size: WxH, seed: str, facts: str) -> Image.Image:
    """The input with its colours turned round the wheel by the seed."""
    base = inputs.images[0].picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    hue, saturation, value = base.convert("HSV").split()
    turn = 32 + int(seed[:2], 16) % 192
    picture = Image.merge("HSV", (hue.point(lambda level: (level + turn) % 256), saturation, value)).convert("RGB")
    put_caption(picture, f"variation {seed}", facts)
    return picture


def _svg(order: Order, inputs: Inputs | None, size: WxH, seed: str, facts: str) -> bytes:
    picture = None
    if inputs is not None:
        small = ImageOps.contain(_picture(order, inputs, size, seed, facts), (512, 512))
        picture = encode(small, "png", 100)
    colours = palette(read(order.prompt), random.Random(seed))
    return encode_svg(size, order.prompt, facts, seed, colours, picture, clear=order.background == "transparent")
