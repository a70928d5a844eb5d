"""Money: whole micro-dollars, by the published token formula; an upper bound before, the real charge after.

Everything is reckoned in whole numbers and rounded up once at the end of a call, so nothing is lost or made up.

What the bound assumes, beside the catalogue's prices:

- a prompt has at most as many tokens as UTF-8 bytes (each token is at least one byte), and the service adds at most
  ``TEMPLATE_TOKENS`` of its own (6 were seen for pictures from words, about 80 for edits of several pictures);
- an input picture takes at most ``MAX_INPUT_TOKENS`` (32-pixel patches, capped), a mask or markup counts as one more;
  ``input_fidelity`` high adds ``HIGH_FIDELITY_TOKENS``. Inputs are counted once for each picture made;
- where the service chooses size or quality, the dearest of the standard ones;
- GIF and SVG have no published price: a GIF is taken as one still of the size of its sheet (``options/sheets.py``; that
  was measured, roughly) and ``SHEET_MARGIN_PERCENT`` more, an SVG as one still and ``SVG_AUTHOR_TOKENS`` of writing at
  the price of picture output. Margin and writing are Easel's assumptions. Without a grid a GIF is ``frames`` stills;
- words cost what is sent and the longest answer that is asked for; a described picture by the service's own bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.rules.catalogue.chat import INSTRUCTION_TOKENS
from bot.rules.catalogue.model import Chat, Model, usual_quality
from bot.rules.errors import UserError
from bot.rules.money import MILLION, MicroUSD, TokenPrices
from bot.rules.options.sheets import frame_rule, sheets_of
from bot.rules.options.sizes import Size, SizeRule, parse_size, standard_sizes
from bot.rules.requests import Endpoint, ImageRequest, Kind, Usage

MAX_INPUT_TOKENS = 1536
"""Of one input picture: 32-pixel patches, capped (OpenAI's cost calculator; matched to real usage of 2.5)."""

HIGH_FIDELITY_TOKENS = 6240
"""More for one input at high fidelity, $0.062 on gpt-image-1 (community.openai.com/t/1275254)."""

PARTIAL_TOKENS = 100
"""Of one partial picture (OpenAI's image generation guide)."""

TEMPLATE_TOKENS = 96
SVG_AUTHOR_TOKENS = 16_384

SHEET_MARGIN_PERCENT = 10

USUAL_BYTES_A_TOKEN = 4
USUAL_TEMPLATE_TOKENS = 6
USUAL_SVG_AUTHOR_TOKENS = 1_024
"""What a request usually takes of what the bound takes the most of."""

LITTLE_PERCENT = 10
"""Previews that add less than this to a picture's price are shown unasked."""

MOST_TOKENS = 10**9
"""A report of more is a broken answer; it is cut here so that no ledger overflows."""


class UnknownPrice(UserError):
    """The model has no price, so no bound can be reserved; the operator can add one in ``IMAGE_MODELS``."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model


def grid_tokens(side: int, size: Size) -> int:
    """Output tokens of a picture by OpenAI's calculator; ``side`` is the quality's grid (``Pricing.quality_g``).

    ``ceil(g * R(g * short / long) * (2,000,000 + w * h) / 4,000,000)``, R rounding half to even.
    """
    long, short = max(size.width, size.height), min(size.width, size.height)
    whole, rest = divmod(side * short, long)
    other = whole + (2 * rest > long or (2 * rest == long and whole % 2 == 1))
    return _ceil(side * other * (2 * MILLION + size.pixels), 4 * MILLION)


def upper_bound(request: ImageRequest, model: Model) -> MicroUSD:
    """What the request can cost at most; see the top of this file. Raises ``UnknownPrice``."""
    pricing = model.pricing
    if pricing is None:
        raise UnknownPrice(model.id)
    if pricing.free or (request.count < 1 and model.chat is None):
        return MicroUSD(0)
    if model.chat is not None and pricing.tokens is not None:
        return _most_of_words(request, model.chat, pricing.tokens)
    if pricing.tokens is None:
        return MicroUSD(_dearest_picture(request, model) * request.count)
    calls = max(request.calls, 1)
    pictures = _ceil(request.count, calls)
    text_in = (_text_bytes(request) + TEMPLATE_TOKENS) * pictures
    image_in = _most_input_tokens(request) * pictures
    image_out = _most_output_tokens(request, model) * pictures
    prices = pricing.tokens
    one_call = text_in * prices.text_in + image_in * prices.image_in + image_out * prices.image_out
    return MicroUSD(_ceil(one_call, MILLION) * calls)


def _most_of_words(request: ImageRequest, chat: Chat, prices: TokenPrices) -> MicroUSD:
    """What words can cost: all that is sent, the picture by the service's way of counting, and the longest answer."""
    most = (_text_bytes(request) + INSTRUCTION_TOKENS) * prices.text_in
    most += request.inputs * chat.image_tokens * prices.image_in + chat.output_tokens * prices.image_out
    return MicroUSD(_ceil(most, MILLION))


def usual_price(request: ImageRequest, model: Model) -> MicroUSD:
    """What the request usually costs, for showing; never more than the bound. Raises ``UnknownPrice``.

    Where the service chooses, what it mostly does: the usual quality, the first of the standard sizes.
    """
    if model.chat is not None:
        return upper_bound(request, model)
    quality = usual_quality(model) if request.quality in (None, "auto") else request.quality
    size = parse_size(request.size or "")
    sizes = model.sizes
    if request.format == "gif" and request.frames and isinstance(sizes, SizeRule):
        sizes = frame_rule(sizes, request.frames)
    usual_size = size if isinstance(size, Size) else standard_sizes(sizes)[0]
    narrow = replace(request, quality=quality, size=str(usual_size))
    most = upper_bound(narrow, model)
    prices = model.pricing.tokens if model.pricing else None
    if prices is None or most == 0:
        return most
    saved = (_text_bytes(request) + TEMPLATE_TOKENS - _usual_text_tokens(request)) * prices.text_in
    saved += (_most_input_tokens(request) - _usual_input_tokens(request)) * prices.image_in
    saved += (SVG_AUTHOR_TOKENS - USUAL_SVG_AUTHOR_TOKENS) * prices.image_out if request.format == "svg" else 0
    if request.format == "gif":
        saved += (_sheet_tokens(narrow, model) - _sheet_tokens(narrow, model, margin=0)) * prices.image_out
    return MicroUSD(max(most - saved * request.count // MILLION, 0))


def previews_add_little(request: ImageRequest, model: Model, previews: int) -> bool:
    """Whether so many partial pictures add next to nothing to the price. Not where the service chooses the quality."""
    if request.quality in (None, "auto") and usual_quality(model) is not None:
        return False
    try:
        bare, shown = (upper_bound(replace(request, partial_images=some), model) for some in (0, previews))
    except UnknownPrice:
        return False
    return (shown - bare) * 100 < LITTLE_PERCENT * bare or shown == bare


def charge(request: ImageRequest, model: Model, usage: Usage | None, images_made: int) -> MicroUSD:
    """What one call that made ``images_made`` pictures costs, by what the service reported.

    Where it reported nothing usable (none, zeros, or no output for pictures that are there) it is the upper bound
    for the pictures made: the caller marks that as estimated. Never below 0, not capped by what was reserved.
    Raises ``UnknownPrice``.
    """
    if model.pricing is None:
        raise UnknownPrice(model.id)
    prices = model.pricing.tokens
    if prices is None or model.pricing.free or not is_usable(usage, images_made):
        return upper_bound(replace(request, count=max(images_made, 0), calls=1), model)
    return usage_price(prices, usage or Usage())


def is_usable(usage: Usage | None, images_made: int) -> bool:
    """Whether a charge can be reckoned from this report; if not, ``charge`` is an estimate."""
    return usage is not None and usage.is_known and (usage.output_tokens > 0 or images_made < 1)


def usage_price(prices: TokenPrices, usage: Usage) -> MicroUSD:
    """The price of reported tokens. Cached tokens are part of the input tokens, not beside them."""
    total = _tokens(usage.output_tokens) * prices.image_out
    total += _input_price(usage.input_text_tokens, usage.cached_text_tokens, prices.text_in, prices.text_in_cached)
    total += _input_price(usage.input_image_tokens, usage.cached_image_tokens, prices.image_in, prices.image_in_cached)
    return MicroUSD(_ceil(total, MILLION))


def picture_price(model: Model, quality: str | None = None, size: Size | None = None) -> MicroUSD | None:
    """The price of one picture without prompt and inputs, for showing; None where it is not known.

    Without quality or size it is the dearest the service may choose.
    """
    pricing = model.pricing
    if pricing is None:
        return None
    if pricing.free:
        return MicroUSD(0)
    bare = ImageRequest(kind=Kind.IMAGINE, endpoint=Endpoint.GENERATIONS, model=model.id, prompt="")
    asked = replace(bare, quality=quality, size=str(size) if size else None)
    try:
        if pricing.tokens is None:
            return MicroUSD(_dearest_picture(asked, model))
        return MicroUSD(_ceil(_still_tokens(asked, model) * pricing.tokens.image_out, MILLION))
    except UnknownPrice:
        return None


def _qualities(request: ImageRequest, model: Model) -> list[str]:
    """The quality, or every one the service may choose."""
    if request.quality not in (None, "auto"):
        return [str(request.quality)]
    return [quality for quality in model.qualities if quality != "auto"] or ["*"]


def _sizes(request: ImageRequest, model: Model) -> list[Size]:
    asked = parse_size(request.size or "")
    return [asked] if isinstance(asked, Size) else list(standard_sizes(model.sizes))


def _dearest_picture(request: ImageRequest, model: Model) -> int:
    prices = model.pricing.per_image if model.pricing else {}
    return _dearest(
        (
            prices.get((quality, size), prices.get(("*", size)))
            for quality in _qualities(request, model)
            for size in _sizes(request, model)
        ),
        model,
    )


def _still_tokens(request: ImageRequest, model: Model) -> int:
    pricing = model.pricing
    if pricing is None:
        raise UnknownPrice(model.id)

    def one(quality: str, size: Size) -> int | None:
        if pricing.output_tokens:
            return pricing.output_tokens.get((quality, size), pricing.output_tokens.get(("*", size)))
        side = pricing.quality_g.get(quality, pricing.quality_g.get("*"))
        return None if side is None else grid_tokens(side, size)

    return _dearest((one(q, s) for q in _qualities(request, model) for s in _sizes(request, model)), model)


def _dearest(prices: Iterable[int | None], model: Model) -> int:
    """The highest; a hole among what may be chosen makes the price unknown."""
    known = []
    for price in prices:
        if price is None:
            raise UnknownPrice(model.id)
        known.append(price)
    if not known:
        raise UnknownPrice(model.id)
    return max(known)


def _most_output_tokens(request: ImageRequest, model: Model) -> int:
    """Of one picture, with its frames, its writing and its partial pictures."""
    partials = PARTIAL_TOKENS * request.partial_images
    match request.format:
        case "gif":
            return _sheet_tokens(request, model) + partials
        case "svg":
            return _still_tokens(request, model) + SVG_AUTHOR_TOKENS + partials
        case _:
            return _still_tokens(request, model) + partials


def _sheet_tokens(request: ImageRequest, model: Model, margin: int = SHEET_MARGIN_PERCENT) -> int:
    """Of a whole GIF."""
    frames = request.frames or (model.frames[1] if model.frames else 1)
    pricing, rule = model.pricing, model.sizes
    if pricing is None or pricing.output_tokens or not isinstance(rule, SizeRule):
        return _still_tokens(request, model) * frames
    asked = parse_size(request.size or "")
    sizes = [asked] if isinstance(asked, Size) else frame_rule(rule, frames).standard
    sides = [pricing.quality_g.get(one, pricing.quality_g.get("*")) for one in _qualities(request, model)]
    sheets = [sheet for size in sizes for sheet in sheets_of(size, frames)]
    most = _dearest((None if side is None else grid_tokens(side, sheet) for side in sides for sheet in sheets), model)
    return _ceil(most * (100 + margin), 100)


def _most_input_tokens(request: ImageRequest) -> int:
    each = MAX_INPUT_TOKENS + (HIGH_FIDELITY_TOKENS if request.fidelity == "high" else 0)
    overlays = int(request.has_mask) + int(request.has_markup)
    return request.inputs * each + overlays * MAX_INPUT_TOKENS


def _text_bytes(request: ImageRequest) -> int:
    return len(request.prompt.encode("utf-8", "surrogatepass"))


def _usual_text_tokens(request: ImageRequest) -> int:
    return _ceil(_text_bytes(request), USUAL_BYTES_A_TOKEN) + USUAL_TEMPLATE_TOKENS


def _usual_input_tokens(request: ImageRequest) -> int:
    """By the patches of each input, scaled so that the long side is 1,024; what was not measured counts as square."""
    each = (HIGH_FIDELITY_TOKENS if request.fidelity == "high" else 0) + 32 * 32
    shapes = [(width, height) for width, height in request.input_sizes if min(width, height) > 1]
    known = sum(_ceil(32 * min(one), max(one)) * 32 - 32 * 32 for one in shapes)
    overlays = int(request.has_mask) + int(request.has_markup)
    return request.inputs * each + known + overlays * 32 * 32


def _input_price(tokens: int, cached: int, price: int, cached_price: int | None) -> int:
    all_tokens = _tokens(tokens)
    from_cache = min(_tokens(cached), all_tokens)
    return (all_tokens - from_cache) * price + from_cache * (price if cached_price is None else cached_price)


def _tokens(reported: int) -> int:
    return min(max(reported, 0), MOST_TOKENS)


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)
