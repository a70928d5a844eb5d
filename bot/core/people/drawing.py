"""Which model would draw, where somebody names one or leaves it to the place."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import Clock
from bot.rules.catalogue.model import Model
from bot.rules.servers.access import Defaults, model_by_default


@dataclass(frozen=True, slots=True)
class Drawing:
    """``default_model`` is the operator's; ``official``: the models are OpenAI's own."""

    catalogue: CurrentCatalogue
    clock: Clock
    default_model: str
    official: bool

    def model(self, named: str | None, here: Defaults) -> Model:
        """Raises ``UserError`` for one that is not there any more, or never was."""
        wanted = named or model_by_default(here, self.default_model)
        return self.catalogue.now.choose(wanted, official=self.official, today=self.clock().date())
