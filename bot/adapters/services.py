"""``ImageService`` over several: each request goes to the service where its model lives, and to no other."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import KnownModel, NightService, OnPartial, Payer, WholeService
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.origins import Checked
from bot.rules.requests import ImageRequest, Inputs, Made


class Services:
    """``by_name`` holds every service of the catalogue; ``aclose`` closes them all."""

    def __init__(self, by_name: Mapping[str, WholeService], catalogue: Catalogue) -> None:
        self._by_name = dict(by_name)
        self._catalogue = catalogue

    @property
    def is_official(self) -> bool:
        return self._by_name[DEFAULT_SERVICE].is_official

    async def make(
        self,
        request: ImageRequest,
        inputs: Inputs,
        *,
        payer: Payer,
        member_tag: str,
        deadline_s: float,
        on_partial: OnPartial | None = None,
    ) -> Made:
        service = self._by_name[self._catalogue.service_of(request.model)]
        return await service.make(
            request, inputs, payer=payer, member_tag=member_tag, deadline_s=deadline_s, on_partial=on_partial
        )

    async def known_models(self, payer: Payer, *, service: str = DEFAULT_SERVICE) -> tuple[KnownModel, ...] | None:
        return await self._by_name[service].known_models(payer, service=service)

    async def check_provenance(
        self, data: bytes, mime: str, *, payer: Payer, service: str = DEFAULT_SERVICE
    ) -> Checked:
        return await self._by_name[service].check_provenance(data, mime, payer=payer, service=service)

    async def nights(self, *, service: str = DEFAULT_SERVICE) -> NightService:
        return await self._by_name[service].nights(service=service)

    async def aclose(self) -> None:
        for service in self._by_name.values():
            await service.aclose()
