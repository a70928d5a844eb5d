"""The pictures of a good answer: decoded or fetched, looked at, and kept.

Law: one picture that is lost takes no other with it; there is a fault only where nothing was left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

from bot.adapters.openai.answers import Answer, Item, decode_picture
from bot.adapters.openai.download import Downloader, DownloadFailed
from bot.adapters.openai.stream import sniff_whole
from bot.rules.faults import Billed, Fault, FaultKind
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import Made, MadeImage

logger = logging.getLogger(__name__)

_OFF_LOOP = 4 * 2**20  # encoded bytes from which decoding goes to a thread: below, handing over costs more


class Inspected(Protocol):
    """What a picture turned out to be."""

    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


Inspect = Callable[[bytes], Awaitable[Inspected]]
"""Checks that bytes are one whole picture and says which. Raises ``ValueError`` if they are not."""


class Pictures:
    """Collects them for one service."""

    def __init__(self, downloads: Downloader, inspect: Inspect) -> None:
        self._downloads = downloads
        self._inspect = inspect

    async def collect(
        self,
        answer: Answer,
        count: int,
        *,
        headers: Mapping[str, str],
        request_id: str | None,
        redactor: DetailRedactor,
        empty_is_refusal: bool,
    ) -> Made | Fault:
        """Every usable picture of the answer, at most ``count``; a fault only if there is none.

        ``empty_is_refusal``: who draws says by an empty list that its moderation refused.
        """
        billed = Billed.YES if answer.usage else Billed.MAYBE
        wanted, spare = answer.items[:count], iter(answer.items[count:])
        one = partial(self._one, headers=headers, request_id=request_id, redactor=redactor, billed=billed)
        outcomes = list(await asyncio.gather(*map(one, wanted)))
        while sum(isinstance(outcome, MadeImage) for outcome in outcomes) < count and (item := next(spare, None)):
            outcomes.append(await one(item))
        made = [outcome for outcome in outcomes if isinstance(outcome, MadeImage)]
        faults = [outcome for outcome in outcomes if isinstance(outcome, Fault)]
        for fault in faults if made else ():
            logger.warning("one of several pictures was lost: %s: %s", fault.kind, fault.detail)
        if made:
            return Made(tuple(made), answer.usage, request_id, answer.size, answer.quality, answer.background)
        if faults:
            return faults[0]
        if answer.is_empty_list and empty_is_refusal:
            return Fault(FaultKind.MODERATION, Billed.MAYBE, request_id=request_id, detail="an empty list")
        return Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, request_id=request_id, detail="an answer without pictures")

    async def _one(
        self,
        item: Item,
        *,
        headers: Mapping[str, str],
        request_id: str | None,
        redactor: DetailRedactor,
        billed: Billed,
    ) -> MadeImage | Fault:
        if item.refused and (item.data, item.encoded, item.url) == (None, None, None):
            return Fault(FaultKind.MODERATION, Billed.MAYBE, stage="output", request_id=request_id)
        try:
            return await self._picture(item, headers)
        except DownloadFailed as error:
            return Fault(FaultKind.BROKEN_ANSWER, billed, request_id=request_id, detail=str(error))
        except ValueError as error:
            detail = redactor.clean(str(error))
            return Fault(FaultKind.NOT_A_PICTURE, billed, request_id=request_id, detail=detail)
        except Exception as error:  # it takes no other picture with it
            logger.exception("a picture could not be taken from its answer")
            return Fault(
                FaultKind.BROKEN_OFF, billed, request_id=request_id, detail=f"unexpected {type(error).__name__}"
            )

    async def _picture(self, item: Item, headers: Mapping[str, str]) -> MadeImage:
        data = await self._bytes(item, headers)
        try:
            seen = await self._inspect(data)
        except ValueError:
            raise
        except Exception:  # what looks at pictures failed, which says nothing about this one: it is paid for
            logger.warning("a picture could not be looked at and is kept as it came", exc_info=True)
            return MadeImage(data, sniff_whole(data) or "bin", 0, 0, item.revised_prompt)
        return MadeImage(data, seen.format, seen.width, seen.height, item.revised_prompt)

    async def _bytes(self, item: Item, headers: Mapping[str, str]) -> bytes:
        if item.data is not None:
            return item.data
        if item.encoded is None:
            return await self._downloads.fetch(item.url or "", headers=headers)
        if len(item.encoded) > _OFF_LOOP:
            return await asyncio.to_thread(decode_picture, item.encoded)
        return decode_picture(item.encoded)
