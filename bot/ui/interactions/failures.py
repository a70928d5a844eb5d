"""What a failed call to Discord means for the next one."""

from __future__ import annotations

from enum import Enum, auto

import aiohttp
import discord

TROUBLE = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)
"""Everything a call to Discord fails with: a reset connection is no Discord exception."""


class Failure(Enum):
    """What a failed call to Discord means for the next one."""

    AGAIN = auto()  # Discord or the way to it is ill; the same call may be repeated
    TOO_LARGE = auto()
    TOKEN_DEAD = auto()  # the interaction can be answered no more
    MESSAGE_GONE = auto()  # somebody deleted the answer
    FORBIDDEN = auto()
    CONTENT = auto()  # a filter stopped it
    CLOSED = auto()  # the channel is gone, or the thread archived or locked
    BROKEN = auto()  # Discord will never take this


_BY_CODE = {
    10003: Failure.CLOSED,  # unknown channel
    10004: Failure.CLOSED,  # unknown guild
    10008: Failure.MESSAGE_GONE,
    10015: Failure.TOKEN_DEAD,  # unknown webhook
    10062: Failure.TOKEN_DEAD,  # unknown interaction
    20009: Failure.CONTENT,  # explicit content
    40005: Failure.TOO_LARGE,
    50001: Failure.FORBIDDEN,
    50007: Failure.FORBIDDEN,
    50013: Failure.FORBIDDEN,
    50027: Failure.TOKEN_DEAD,
    50083: Failure.CLOSED,  # archived thread
    160005: Failure.CLOSED,  # locked thread
    200000: Failure.CONTENT,  # AutoMod
    200001: Failure.CONTENT,  # AutoMod, a title
    240000: Failure.CONTENT,  # harmful links
}


_BY_STATUS = {
    401: Failure.TOKEN_DEAD,
    403: Failure.FORBIDDEN,
    404: Failure.TOKEN_DEAD,
    408: Failure.AGAIN,
    413: Failure.TOO_LARGE,
    429: Failure.AGAIN,
}


def failure_of(error: BaseException) -> Failure:
    """What to do after this failure of a call to Discord."""
    if not isinstance(error, discord.HTTPException):
        return Failure.AGAIN
    by_code = _BY_CODE.get(error.code)
    if by_code is not None:
        return by_code
    if error.status >= 500:
        return Failure.AGAIN
    return _BY_STATUS.get(error.status, Failure.BROKEN)
