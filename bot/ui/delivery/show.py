"""The one loop that shows something: again while Discord is ill, smaller while it is too large, else another way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.ports import CannotDeliver, Delivered, WhyKept
from bot.ui.interactions.failures import TROUBLE, Failure, failure_of
from bot.ui.messages import Message

log = logging.getLogger(__name__)

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between tries; afterwards a result waits on disk and is offered later."""

SHARES = (1.0, 0.7, 0.4, 0.2)
"""Of the limits Discord named, should it find the message too large all the same."""

Send = Callable[[Message], Awaitable[Delivered]]
"""One way to show a message. Raises one of ``TROUBLE``, or ``CannotDeliver`` where the way is closed."""

_WHY = {
    Failure.TOO_LARGE: WhyKept.TOO_LARGE,
    Failure.TOKEN_DEAD: WhyKept.LATE,
    Failure.MESSAGE_GONE: WhyKept.GONE,
    Failure.FORBIDDEN: WhyKept.RIGHTS,
    Failure.CONTENT: WhyKept.CONTENT,
    Failure.CLOSED: WhyKept.GONE,
}

Sleep = Callable[[float], Awaitable[None]]


def cannot(failure: Failure) -> CannotDeliver:
    """What is raised where nothing helps against this failure."""
    return CannotDeliver(failure.name.lower(), _WHY.get(failure, WhyKept.NOT_TAKEN))


def no_other_way(_: Failure) -> Send | None:
    return None


async def show(
    message_of: Callable[[float], Awaitable[Message]],
    send: Send,
    *,
    otherwise: Callable[[Failure], Send | None] = no_other_way,
    waits_s: Iterable[float] = WAITS_S,
    sleep: Sleep = asyncio.sleep,
) -> Delivered:
    """Sends until it is taken.

    ``message_of`` makes the message for a share of the limits; ``otherwise`` names another way after a failure that
    neither waiting nor shrinking helps against. Raises ``CannotDeliver``, its cause is what Discord said.
    """
    waits, shares = iter(waits_s), iter(SHARES)
    message = await message_of(next(shares))
    while True:
        try:
            return await send(message)
        except TROUBLE as error:
            failure, cause = failure_of(error), error
        log.info("showing it failed (%s: %s)", failure.name, type(cause).__name__)
        match failure:
            case Failure.AGAIN:
                wait = next(waits, None)
                if wait is None:
                    raise CannotDeliver("Discord did not take it in time") from cause
                await sleep(wait)
            case Failure.TOO_LARGE:
                share = next(shares, None)
                if share is None:
                    raise cannot(failure) from cause
                message = await message_of(share)
            case (
                Failure.TOKEN_DEAD
                | Failure.MESSAGE_GONE
                | Failure.FORBIDDEN
                | Failure.CONTENT
                | Failure.CLOSED
                | Failure.BROKEN
            ):
                other = otherwise(failure)
                if other is None:
                    raise cannot(failure) from cause
                send = other
