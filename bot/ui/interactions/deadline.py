"""The one way to answer within three seconds: at once while the work is quick, else "thinking" goes first.

Work comes before the acknowledgement while it is quick, so that refusals are private from the first moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.rules.ledger import EndReason
from bot.ui.interactions.acknowledge import Forgotten, acknowledge, received, take, tell_message
from bot.ui.messages import Message
from bot.ui.shell import Interaction

log = logging.getLogger(__name__)

QUICK_S = 1.2
"""The work may take this long before the acknowledgement goes first; Discord waits 3 s in all."""

T = TypeVar("T")

Abandon = Callable[[T, EndReason], Awaitable[object]]
"""Gives back what was reserved, with the reason."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What the work came to, and the id of the message that says "thinking", where there is one and Discord told it."""

    value: T
    message_id: int | None


async def within(
    interaction: Interaction, work: Coroutine[Any, Any, T], *, private: bool, abandon: Abandon[T] | None = None
) -> Answered[T]:
    """Does the work in time. Raises what it raises, and ``Forgotten`` where nobody waits for the answer any more.

    Work that reserves something says how to ``abandon`` it: it is always acknowledged, and what it reserved is given
    back where that fails. Other work is acknowledged only where it is slow. Either ends even when Discord forgot.
    """
    take(interaction)
    working = asyncio.ensure_future(work)  # awaited below, whatever happens
    try:
        spent = asyncio.get_running_loop().time() - received(interaction)
        await asyncio.wait({working}, timeout=max(0.0, QUICK_S - spent))
        message_id: int | None = None
        if not working.done() or (abandon is not None and working.exception() is None):
            message_id = await _acknowledge_or_abandon(interaction, working, private, abandon)
        return Answered(await working, message_id)
    finally:
        working.cancel()


async def _acknowledge_or_abandon(
    interaction: Interaction, working: asyncio.Future[T], private: bool, abandon: Abandon[T] | None
) -> int | None:
    try:
        return await acknowledge(interaction, private=private)
    except Forgotten as reason:
        value = await working
        if abandon is not None:
            log.info("interaction %s was forgotten %s; giving back what it reserved", interaction.id, reason)
            await abandon(value, EndReason.FORGOTTEN)
        raise
    except BaseException:
        if abandon is not None and working.done():
            await abandon(await working, EndReason.NOT_ACKNOWLEDGED)
        raise


async def answer(interaction: Interaction, work: Coroutine[Any, Any, Message]) -> None:
    """Answers in private with the message that ``work`` makes."""
    answered = await within(interaction, work, private=True)
    await tell_message(interaction, answered.value)
