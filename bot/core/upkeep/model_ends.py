"""Models that end: read daily from the service's own list, put into the catalogue, and told to who must know."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import Clock, ImageService, NoteStore, Notifier, OperatorPays
from bot.rules.faults import ServiceFault

log = logging.getLogger(__name__)

WARN_BEFORE = timedelta(days=30)


class ModelEnds:
    """Asks at start and daily; a service without the list, or one that is down, changes nothing."""

    def __init__(
        self,
        service: ImageService,
        notes: NoteStore,
        notifier: Notifier,
        clock: Clock,
        catalogue: CurrentCatalogue,
    ) -> None:
        self._service = service
        self._notes = notes
        self._notifier = notifier
        self._clock = clock
        self._catalogue = catalogue

    async def check(self) -> None:
        """Asks once, puts the service's dates into the catalogue, and warns about ends within 30 days."""
        try:
            known = await self._service.known_models(OperatorPays())
        except ServiceFault as problem:
            log.warning("the list of models could not be read: %s", problem)
            known = None
        if known:
            self._catalogue.now = self._catalogue.now.with_service_facts(
                {model.id: model.ends_on for model in known}, complete=self._service.is_official
            )
        dated = frozenset(model.id for model in known or () if model.ends_on is not None)
        await self._warn(dated)

    async def _warn(self, dated: frozenset[str]) -> None:
        """On a compatible server, OpenAI's own dates mean nothing: only what that server itself dated is told."""
        today = self._clock().date()
        for model in self._catalogue.now.offered(official=self._service.is_official, today=today):
            if not self._service.is_official and model.id not in dated:
                continue
            if model.ends_on is None or model.ends_on - today > WARN_BEFORE:
                continue
            successor = next(iter(model.successors), None)
            log.warning("model %s ends on %s; use %s instead", model.id, model.ends_on, successor or "another")
            if not await self._notes.told_end(model.id, model.ends_on):
                await self._notes.set_told_end(model.id, model.ends_on, today)
                await self._notifier.model_ends(model.id, model.ends_on, successor)
