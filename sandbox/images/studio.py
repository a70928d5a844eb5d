"""Makes the answers: draws (in threads), counts usage, remembers what was made, and keeps the files behind links."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sandbox.images import errors
from sandbox.images.calls import Call, PictureFact
from sandbox.images.checks import Order
from sandbox.images.drawing.draw import Drawn, draw, draw_partial
from sandbox.images.drawing.marks import MARKED, can_mark, marked
from sandbox.images.faults import Bytes, Fault, Link
from sandbox.images.models import WxH
from sandbox.images.streams import event_name
from sandbox.images.tokens import usage_of
from sandbox.images.uploads import Inputs

URL_LIFE_S = 3600.0
TRIGGERS: Mapping[str, str] = {"forbidden": "input", "unspeakable": "output"}
_MIMES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "svg": "image/svg+xml"}
_SVG_USAGE = {"input_tokens": 60, "output_tokens": 900, "reasoning_tokens": 200, "total_tokens": 960, "model": "author"}


@dataclass(frozen=True, slots=True)
class Work:
    """One accepted call: what to draw, from what, at which size; ``take`` counts repeats of a prompt."""

    call: Call
    order: Order
    inputs: Inputs | None
    size: WxH
    take: int


@dataclass(slots=True)
class LinkedFile:
    """A picture behind a link, until a moment of the service's clock. The next ``misses`` visits come too early."""

    data: bytes
    mime: str
    until: float
    guarded: bool
    misses: int = 0


def moderate(order: Order, stage: str) -> None:
    """Refuses a trigger word whose stage this is; ``output`` comes after the pictures were rendered."""
    words = order.prompt.lower()
    for trigger, its_stage in TRIGGERS.items():
        if trigger in words and its_stage == stage:
            raise errors.content_policy_violation() if order.rules.dalle else errors.moderation_blocked(stage)


@lru_cache(maxsize=64)
def _generated(order: Order, size: WxH, index: int, take: int) -> Drawn:
    """A picture without inputs: the same order is drawn once a process (a test asks for one 200 times)."""
    return draw(order, None, size, index, take)


@lru_cache(maxsize=64)
def _preview(order: Order, size: WxH, step: int, take: int) -> bytes:
    return draw_partial(order, None, size, step, take)


REMEMBERED = 20


class Studio:
    """Draws the answers; ``origin`` is where links point. ``signs``: pictures carry C2PA marks. ``drawn`` hears of each
    picture and its model. ``remembered`` are the last ones, with what was asked for."""

    def __init__(
        self, *, varied: bool, signs: bool, clock: Callable[[], float], drawn: Callable[[bytes, str], None]
    ) -> None:
        self.origin = ""
        self.files: dict[str, LinkedFile] = {}
        self._varied = varied
        self._signs = signs and can_mark()
        self._drawn = drawn
        self._clock = clock
        self._takes: Counter[str] = Counter()
        self.remembered: deque[tuple[bytes, str]] = deque(maxlen=REMEMBERED)

    def take(self, order: Order) -> int:
        """How many times this prompt came before, where repeats are to differ."""
        if not self._varied:
            return 0
        self._takes[order.prompt] += 1
        return self._takes[order.prompt] - 1

    async def body(self, work: Work, fault: Fault | None) -> dict[str, Any]:
        """The JSON answer to a call, noted in its record. Raises ``ApiError`` for what only the output shows."""
        order = work.order
        drawn = [await self._draw(work, index) for index in range(order.n)]
        _note(work, drawn)
        self.remembered += [(one.data, order.prompt) for one in drawn if one.format != "svg"]
        moderate(order, "output")
        data = await asyncio.to_thread(lambda: [self._entry(order, one, fault) for one in drawn])
        body: dict[str, Any] = {"created": int(self._clock()), "data": data}
        if not order.rules.dalle:
            body |= _echo(order, work.size) | {"usage": work.call.usage}
            body |= {"safety_identifier": order.identifier} if order.identifier else {}
            body |= {"svg_usage": _SVG_USAGE} if order.format == "svg" else {}
        return body

    async def partials(self, work: Work) -> list[dict[str, Any]]:
        """The events of the previews, first to last."""
        events = []
        for step in range(work.order.partials):
            data = await self._draw_partial(work, step)
            event = self._event(work, "partial_image", base64.b64encode(data).decode())
            events.append(event | {"partial_image_index": step})
        return events

    def completed(self, work: Work, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The events that end a stream, one a picture."""
        return [self._event(work, "completed", entry["b64_json"]) | {"usage": body["usage"]} for entry in body["data"]]

    def _event(self, work: Work, last: str, b64: str) -> dict[str, Any]:
        head = {"type": event_name(work.order.endpoint, last), "b64_json": b64, "created_at": int(self._clock())}
        return head | _echo(work.order, work.size)

    async def _draw(self, work: Work, index: int) -> Drawn:
        drawn = await self._plain(work, index)
        model = work.order.rules.id
        if self._signs and drawn.format in MARKED:
            drawn = replace(drawn, data=await asyncio.to_thread(marked, drawn.data, drawn.format, model))
        self._drawn(drawn.data, model)
        return drawn

    async def _plain(self, work: Work, index: int) -> Drawn:
        if work.inputs is not None:
            return await asyncio.to_thread(draw, work.order, work.inputs, work.size, index, work.take)
        return await asyncio.to_thread(_generated, _anonymous(work.order), work.size, index, work.take)

    async def _draw_partial(self, work: Work, step: int) -> bytes:
        if work.inputs is not None:
            return await asyncio.to_thread(draw_partial, work.order, work.inputs, work.size, step, work.take)
        return await asyncio.to_thread(_preview, _anonymous(work.order), work.size, step, work.take)

    def _entry(self, order: Order, one: Drawn, fault: Fault | None) -> dict[str, Any]:
        data = fault.change(one.data) if isinstance(fault, Bytes) else one.data
        entry: dict[str, Any] = {}
        if isinstance(fault, Link) or order.as_url:
            entry["url"] = self._link(data, one.format, fault.kind if isinstance(fault, Link) else "absolute")
        else:
            entry["b64_json"] = base64.b64encode(data).decode()
        if order.rules.id == "dall-e-3":
            entry["revised_prompt"] = f"A detailed, {order.style} rendering of: {order.prompt}"
        return entry

    def _link(self, data: bytes, form: str, kind: str) -> str:
        name = f"img-{secrets.token_hex(12)}.{form}"
        until = self._clock() + (-1.0 if kind == "expired" else URL_LIFE_S)
        self.files[name] = LinkedFile(data, _MIMES[form], until, kind == "guarded", misses=2 if kind == "late" else 0)
        path = f"/v1/images/{name}/content" if kind == "guarded" else f"/files/{name}"
        if kind == "moved":
            path = f"/moved{path}"
        if kind == "itself":
            return f"http://0.0.0.0:{self.origin.rpartition(':')[2]}{path}"
        return path if kind in ("relative", "guarded") else f"{self.origin}{path}"


def _anonymous(order: Order) -> Order:
    """Without what no picture shows."""
    return replace(order, identifier=None)


def _note(work: Work, drawn: list[Drawn]) -> None:
    call, order = work.call, work.order
    call.rendered = True
    call.partials = order.partials
    call.pictures = tuple(
        PictureFact(hashlib.sha256(one.data).hexdigest(), one.format, one.size, len(one.data), one.seed)
        for one in drawn
    )
    call.usage = usage_of(
        order.rules,
        prompt=order.prompt,
        quality=order.quality,
        size=_counted(order, work.size),
        n=order.n,
        partials=order.partials,
        inputs=[one.size for one in work.inputs.images] if work.inputs else (),
    )


def _counted(order: Order, size: WxH) -> WxH:
    """What is paid for: of a GIF the whole sheet."""
    sheet = order.rules.sheet_rule
    return size if order.format != "gif" or sheet is None else sheet.sheet(size, order.frames)


def _echo(order: Order, size: WxH) -> dict[str, Any]:
    return {
        "background": "opaque" if order.background == "auto" else order.background,
        "output_format": order.format,
        "quality": order.quality,
        "size": f"{size[0]}x{size[1]}",
    }
