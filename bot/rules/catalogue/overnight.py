"""Which models are drawn overnight for less: where both the model and the service it lives at have it."""

from __future__ import annotations

from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import Model
from bot.rules.overnight import NotOvernight, Why


def is_overnight(model: Model, catalogue: Catalogue, *, official: bool) -> bool:
    """Whether it can be asked for in a batch. ``official``: the default service is OpenAI's own."""
    service = catalogue.services.get(model.service)
    takes = service is not None and (service.overnight or catalogue.is_official(model, official))
    return takes and model.overnight_percent > 0


def overnight_percent(model_id: str, catalogue: Catalogue, *, official: bool) -> int:
    """What it costs in a batch, in percent. Raises ``NotOvernight`` naming those that can be had."""
    model = catalogue.get(model_id)
    if model is not None and is_overnight(model, catalogue, official=official):
        return model.overnight_percent
    able = (one for one in catalogue if is_overnight(one, catalogue, official=official))
    others = tuple(one.id for one in able if one.alias_of is None)
    lacking = Why.MODEL if model is None or not model.overnight_percent else Why.SERVICE
    raise NotOvernight(lacking, model_id, others)
