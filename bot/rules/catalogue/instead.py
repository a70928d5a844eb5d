"""Who draws where the first model certainly did not: which models may, and the request as each of them takes it.

Law: never after anything that may have been billed, never after a refusal of what was asked; never where the request is
not legal, the server forbids it, somebody else would pay, or more than was reserved could be charged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE, InputRule, Model, usual_quality
from bot.rules.catalogue.pricing import UnknownPrice, upper_bound
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.money import MicroUSD
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded
from bot.rules.options.problems import InvalidOptions
from bot.rules.options.table import RawOptions, raw_of
from bot.rules.requests import ImageRequest, InputImage, Inputs
from bot.rules.servers.access import ServerSettings, may_use_model

GIVES_WAY = frozenset({FaultKind.RATE_LIMITED, FaultKind.OUT_OF_FUNDS, FaultKind.BAD_KEY, FaultKind.UNREACHABLE})
"""What says of the service, not of what was asked, that it draws nothing now."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """The request as another model takes it, and the most it can cost there."""

    request: ImageRequest
    upper_micro_usd: MicroUSD


def gives_way(faults: Sequence[Fault]) -> bool:
    """Whether these are all that came of a job, and another may draw it: certainly nothing was drawn or billed."""
    return bool(faults) and all(fault.kind in GIVES_WAY and fault.billed is Billed.NO for fault in faults)


def has_own_key(settings: ServerSettings, model: Model) -> bool:
    """Whether the server's own key pays, which is one of the default service."""
    return settings.api_key_hint is not None and model.service == DEFAULT_SERVICE


def stand_ins(
    request: ImageRequest, catalogue: Catalogue, settings: ServerSettings, *, own_key: bool, official: bool, today: date
) -> tuple[StandIn, ...]:
    """Those that may draw this request, in the operator's order; ``own_key`` pays for all of them or for none."""
    model = catalogue.get(request.model)
    if model is None or not model.instead or not settings.fallback:
        return ()
    offered = {one.id: one for one in catalogue.offered(official=official, today=today)}
    found = (_stand_in(request, model, offered[name], settings, own_key) for name in model.instead if name in offered)
    return tuple(one for one in found if one is not None)


def dearest(upper_micro_usd: MicroUSD, others: Iterable[StandIn]) -> MicroUSD:
    """What must be reserved so that whoever draws is paid for."""
    return max([upper_micro_usd, *(one.upper_micro_usd for one in others)])


def takes_files(inputs: Inputs, model: Model, request: ImageRequest) -> bool:
    """Whether the pictures, made ready for another model, are ready for this one."""
    rule = model.inputs.get(request.endpoint)
    if not inputs.images:
        return True
    if rule is None or len(inputs.images) > rule.max_images or not all(_fits(one, rule) for one in inputs.images):
        return False
    return inputs.mask is None or model.mask_max_bytes is None or len(inputs.mask.data) <= model.mask_max_bytes


def _fits(image: InputImage, rule: InputRule) -> bool:
    is_square = image.width == image.height or not rule.square
    return image.mime.rpartition("/")[2] in rule.formats and len(image.data) <= rule.max_bytes and is_square


def _stand_in(
    request: ImageRequest, model: Model, other: Model, settings: ServerSettings, own_key: bool
) -> StandIn | None:
    if not may_use_model(settings, other.id) or has_own_key(settings, other) != own_key:
        return None
    try:
        asked = build_request(
            _raw(request, model, other),
            other,
            request.kind,
            uploaded=Uploaded(request.input_sizes, request.has_mask, request.has_markup),
            previews_allowed=None if request.preview else False,
            moderation_floor=settings.moderation,
        )
        return StandIn(asked, upper_bound(asked, other))
    except (InvalidOptions, UnknownPrice):
        return None


def _raw(request: ImageRequest, model: Model, other: Model) -> RawOptions:
    """What was asked for, without what only the first model filled in: there the other has its own ways."""
    raw = raw_of(request)
    filled = {"size": model.default_size, "quality": usual_quality(model), "format": model.default_format}
    unasked = [name for name, value in filled.items() if value is not None and getattr(raw, name) == value]
    preview = request.preview if request.preview and other.max_partials else None
    own: dict[str, Any] = dict.fromkeys(unasked)
    return replace(raw, **own, preview=preview, private=request.private)
