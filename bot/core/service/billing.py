"""What a finished job is charged: by reported usage where there is some, never above what was reserved."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.service.attempts import CallResults
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.pricing import charge, is_usable
from bot.rules.ledger import Bill, Job
from bot.rules.money import MicroUSD
from bot.rules.overnight import overnight_price
from bot.rules.requests import ImageRequest, Made, Usage

log = logging.getLogger(__name__)


def bill_for(job: Job, request: ImageRequest, results: CallResults, model: Model | None) -> Bill:
    """The charge for calls that made pictures. ``request`` was drawn by ``model``, the job's own or another.

    Calls that made nothing but may have been billed keep their share of the reservation. A report above the
    reservation is cut to it (budgets never overrun) and logged.
    """
    images = sum(len(made.images) for made in results.made)
    drawn_by = request.model if request.model != job.request.model else None
    if model is None:
        return Bill(job.reserved_micro_usd, images, estimated=True, drawn_by=drawn_by)
    unconfirmed = job.reserved_micro_usd * results.maybe_billed_calls // max(request.calls, 1)
    charged = sum(charge(request, model, made.usage, len(made.images)) for made in results.made) + unconfirmed
    if charged > job.reserved_micro_usd:
        log.warning("job %s: %d micro-USD reported, %d were reserved", job.id, charged, job.reserved_micro_usd)
        charged = job.reserved_micro_usd
    usages = [made.usage for made in results.made if made.usage and is_usable(made.usage, len(made.images))]
    return Bill(
        MicroUSD(charged),
        images,
        usage=summed(usages),
        estimated=len(usages) < len(results.made) or unconfirmed > 0,
        request_id=next((made.request_id for made in results.made if made.request_id), None),
        drawn_by=drawn_by,
    )


def bill_overnight(job: Job, made: Made, model: Model | None, percent: int) -> Bill:
    """The charge for a line of a batch: so much of its price, never above what was reserved."""
    images = len(made.images)
    if model is None:
        return Bill(job.reserved_micro_usd, images, estimated=True)
    whole = charge(job.request, model, made.usage, images)
    charged = overnight_price(whole, percent)
    if charged > job.reserved_micro_usd:
        log.warning("job %s: %d micro-USD reported, %d were reserved", job.id, charged, job.reserved_micro_usd)
        charged = job.reserved_micro_usd
    usable = is_usable(made.usage, images)
    return Bill(
        charged,
        images,
        usage=made.usage if usable else None,
        estimated=not usable,
        request_id=made.request_id,
    )


def summed(usages: Sequence[Usage]) -> Usage | None:
    """The sum of several calls' usage; None where none reported any."""
    if not usages:
        return None
    return Usage(
        input_text_tokens=sum(usage.input_text_tokens for usage in usages),
        input_image_tokens=sum(usage.input_image_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cached_text_tokens=sum(usage.cached_text_tokens for usage in usages),
        cached_image_tokens=sum(usage.cached_image_tokens for usage in usages),
    )
