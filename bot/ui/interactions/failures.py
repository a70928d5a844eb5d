"""What a failed call to Discord means for the next one."""

from __future__ import annotations

from enum import Enum, auto

import aiohttp
import discord

TROUBLE = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)
"""Everything a call to Discord fails with: a reset connection is no Discord exception."""


class Verdict(Enum):
    """What a failed call to Discord means for the next one."""

    AGAIN = auto()  # Discord or the way to it is ill; the same call may be repeated
    TOO_LARGE = auto()
    TOKEN_DEAD = auto()  # the interaction can be answered no more
    MESSAGE_GONE = auto()  # somebody deleted the answer
    FORBIDDEN = auto()
    BROKEN = auto()  # Discord will never take this


_BY_CODE = {
    10003: Verdict.FORBIDDEN,  # unknown channel
    10004: Verdict.FORBIDDEN,  # unknown guild
    10008: Verdict.MESSAGE_GONE,
    10015: Verdict.TOKEN_DEAD,  # unknown webhook
    10062: Verdict.TOKEN_DEAD,  # unknown interaction
    40005: Verdict.TOO_LARGE,
    50001: Verdict.FORBIDDEN,
    50007: Verdict.FORBIDDEN,
    50013: Verdict.FORBIDDEN,
    50027: Verdict.TOKEN_DEAD,
}


_BY_STATUS = {
    401: Verdict.TOKEN_DEAD,
    403: Verdict.FORBIDDEN,
    404: Verdict.TOKEN_DEAD,
    408: Verdict.AGAIN,
    413: Verdict.TOO_LARGE,
    429: Verdict.AGAIN,
}


def verdict_on(error: BaseException) -> Verdict:
    """What to do after this failure of a call to Discord."""
    if not isinstance(error, discord.HTTPException):
        return Verdict.AGAIN
    by_code = _BY_CODE.get(error.code)
    if by_code is not None:
        return by_code
    if error.status >= 500:
        return Verdict.AGAIN
    return _BY_STATUS.get(error.status, Verdict.BROKEN)
