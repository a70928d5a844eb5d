"""The image service is connected with the first call, once, and a call that cannot connect it cost nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.adapters.on_demand import OnDemand
from bot.ports import ImageService, KnownModel, OperatorPays, Payer
from bot.rules.faults import Billed, FaultKind, ServiceFault
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Kind, Made


class Service:
    """Makes nothing, and remembers."""

    is_official = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def make(self, request: ImageRequest, inputs: Inputs, **more: Any) -> Made:
        self.asked.append(request.prompt)
        return Made(())

    async def known_models(self, payer: Payer, *, service="default") -> tuple[KnownModel, ...] | None:
        return (KnownModel("m"),)

    async def aclose(self) -> None:
        self.asked.append("to close")


async def make(service: OnDemand, prompt: str) -> Made:
    asked = ImageRequest(kind=Kind.IMAGINE, endpoint=Endpoint.GENERATIONS, model="m", prompt=prompt)
    return await service.make(asked, Inputs(), payer=OperatorPays(), member_tag="t", deadline_s=20)


async def test_calls_at_the_same_time_connect_once() -> None:
    connected: list[Service] = []

    def connect() -> ImageService:
        connected.append(Service())
        return connected[-1]

    service = OnDemand(connect, is_official=False)
    assert connected == []
    await asyncio.gather(make(service, "a fox"), make(service, "a hare"))
    await service.aclose()
    assert [one.asked for one in connected] == [["a fox", "a hare", "to close"]]


async def test_what_cannot_be_loaded_now_cost_nothing_and_is_tried_again() -> None:
    failures = [OSError("too many open files")]

    def connect() -> ImageService:
        if failures:
            raise failures.pop()
        return Service()

    service = OnDemand(connect, is_official=False)
    with pytest.raises(ServiceFault) as caught:
        await make(service, "a fox")
    assert (caught.value.fault.kind, caught.value.fault.billed) == (FaultKind.UNREACHABLE, Billed.NO)
    assert await service.known_models(OperatorPays()) == (KnownModel("m"),)


async def test_a_service_that_was_never_asked_is_closed_without_being_loaded() -> None:
    def connect() -> ImageService:
        raise AssertionError("connected")

    await OnDemand(connect, is_official=True).aclose()
