"""A press that somebody answers is looked after no longer: a shutdown waits for whoever still looks."""

from __future__ import annotations

import asyncio

from bot.ui.client.unhandled import LOOKS_S, answer_if_nobody_does
from bot.ui.components.result_view import DYNAMIC_ITEMS
from bot.ui.interactions.acknowledge import take


async def test_a_press_that_is_taken_is_not_waited_for(client, interact):
    client.add_dynamic_items(*DYNAMIC_ITEMS)
    press = interact(type=3, data={"custom_id": "e1:again:01K8C3VX5NWMZGSM1A00", "component_type": 2})
    looking = asyncio.create_task(answer_if_nobody_does(press))
    await asyncio.sleep(0)
    assert not looking.done()
    take(press)
    async with asyncio.timeout(sum(LOOKS_S) / 2):
        await looking
