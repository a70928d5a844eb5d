"""The image service, connected with its first call: the SDK takes as long to load as everything else of a start.

Law: nothing here imports the SDK, and loading it never holds the event loop: a thread does, once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.ports import KnownModel, NightService, OnPartial, Payer, WholeService
from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.origins import Checked
from bot.rules.requests import ImageRequest, Inputs, Made

logger = logging.getLogger(__name__)


class OnDemand:
    """``ImageService`` by what ``connect`` makes, which is called in a thread when it is first needed."""

    def __init__(self, connect: Callable[[], WholeService], *, is_official: bool) -> None:
        self.is_official = is_official
        self._connect = connect
        self._service: WholeService | None = None
        self._loading = asyncio.Lock()

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
        service = await self._loaded()
        return await service.make(
            request, inputs, payer=payer, member_tag=member_tag, deadline_s=deadline_s, on_partial=on_partial
        )

    async def known_models(self, payer: Payer, *, service: str = DEFAULT_SERVICE) -> tuple[KnownModel, ...] | None:
        return await (await self._loaded()).known_models(payer, service=service)

    async def check_provenance(
        self, data: bytes, mime: str, *, payer: Payer, service: str = DEFAULT_SERVICE
    ) -> Checked:
        return await (await self._loaded()).check_provenance(data, mime, payer=payer, service=service)

    async def nights(self, *, service: str = DEFAULT_SERVICE) -> NightService:
        return await (await self._loaded()).nights(service=service)

    async def aclose(self) -> None:
        if self._service is not None:
            await self._service.aclose()

    async def _loaded(self) -> WholeService:
        """Raises ``ServiceFault`` where it cannot be loaded: nothing was sent."""
        async with self._loading:
            if self._service is not None:
                return self._service
            try:
                self._service = await asyncio.to_thread(self._connect)
            except Exception as error:
                logger.exception("what speaks with the image service could not be loaded")
                fault = Fault(FaultKind.UNREACHABLE, Billed.NO, detail=f"not loaded: {type(error).__name__}")
            else:
                return self._service
        raise ServiceFault(fault)
