"""Models that end: read daily from each service's own list, put into the catalogue, and told to who must know."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.core.service.catalogue import CurrentCatalogue
from bot.ports import Clock, ImageService, NoteStore, Notifier, OperatorPays
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.catalogue.services import Service
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
        """Asks each service once, puts what they say into the catalogue, and warns about ends within 30 days."""
        for service in self._catalogue.now.services.values():
            if self._catalogue.now.is_used(service.name):
                await self._ask(service)
        await self._warn()

    async def _ask(self, service: Service) -> None:
        try:
            known = await self._service.known_models(OperatorPays(), service=service.name)
        except ServiceFault as problem:
            log.warning("the list of models of service %s could not be read: %s", service.name, problem)
            return
        if known:
            is_default = service.name == DEFAULT_SERVICE
            self._catalogue.now = self._catalogue.now.with_service_facts(
                {model.id: model.ends_on for model in known},
                service=service.name,
                complete=self._service.is_official if is_default else service.is_official,
            )

    async def _warn(self) -> None:
        """Away from OpenAI, its own dates mean nothing: only what a service itself dated is told."""
        today, official = self._clock().date(), self._service.is_official
        for model in self._catalogue.now.offered(official=official, today=today):
            ends_on = self._catalogue.now.ends_on(model, official=official)
            if ends_on is None or ends_on - today > WARN_BEFORE:
                continue
            successor = next(iter(model.successors), None)
            log.warning("model %s ends on %s; use %s instead", model.id, ends_on, successor or "another")
            if not await self._notes.told_end(model.id, ends_on):
                await self._notes.set_told_end(model.id, ends_on, today)
                await self._notifier.model_ends(model.id, ends_on, successor)
