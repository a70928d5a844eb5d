"""The models as they are known now: the one place where the catalogue is replaced while the bot runs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.rules.catalogue.catalogue import Catalogue


@dataclass(slots=True, eq=False)
class CurrentCatalogue:
    """``now`` is at first what the operator's files say, later with the dates the service itself tells."""

    now: Catalogue

    def short_name(self, model_id: str) -> str:
        """See ``Catalogue.short_name``."""
        return self.now.short_name(model_id)
