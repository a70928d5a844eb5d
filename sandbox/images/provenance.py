"""``POST /v1/content_provenance_checks``: whether a file shows that this service made it, as OpenAI's answers.

What SynthID finds in the pixels of real pictures is here a list of the pixels that were drawn.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aiohttp import web
from PIL import Image

from sandbox.images import errors
from sandbox.images.calls import UploadFact
from sandbox.images.drawing.marks import SIGNER, said_by
from sandbox.images.errors import ApiError
from sandbox.images.faults import Answer, Delay
from sandbox.images.models import MIB
from sandbox.images.uploads import Upload, fact_of, read_form

MOST_BYTES = 50 * MIB
REMEMBERED = 24
"""Pictures of its own that it knows again."""

TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
_FORMATS: Mapping[str, str] = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}


@dataclass(slots=True)
class Check:
    """One request, and what it was answered."""

    file: UploadFact | None = None
    key_tail: str = ""
    status: int = 0


class ProvenanceChecks:
    """``checks`` are the requests in order; the next ones meet what ``troubles`` holds."""

    def __init__(self, check_key: Callable[[web.Request], None], clock: Callable[[], float]) -> None:
        self.checks: list[Check] = []
        self.troubles: deque[Answer | Delay] = deque()
        self._check_key = check_key
        self._clock = clock
        self._drawn: deque[tuple[bytes, str, float]] = deque(maxlen=REMEMBERED)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/content_provenance_checks", self._answer)

    def remember(self, data: bytes, model: str) -> None:
        """A picture of this service, which it will know again by its pixels."""
        self._drawn.append((data, model, self._clock()))

    async def _answer(self, request: web.Request) -> web.Response:
        check = Check(key_tail=request.headers.get("Authorization", "")[-4:])
        self.checks.append(check)
        try:
            self._check_key(request)
            trouble = self.troubles.popleft() if self.troubles else None
            if isinstance(trouble, Answer):
                await request.read()
                check.status = trouble.status
                return web.Response(
                    status=trouble.status, body=trouble.body, headers={"content-type": "application/json"}
                )
            file = _the_file(*await read_form(request))
            check.file = fact_of(file)
            if isinstance(trouble, Delay):
                await asyncio.sleep(trouble.seconds)
            results = await asyncio.to_thread(self._results, file)
        except ApiError as error:
            check.status = error.status
            return web.json_response(error.body(), status=error.status)
        check.status = 200
        body = {"object": "content_provenance_check", "created_at": int(self._clock()), "results": results}
        return web.json_response(body)

    def _results(self, file: Upload) -> list[dict[str, Any]]:
        try:
            with Image.open(io.BytesIO(file.data)) as picture:
                is_what_it_says = picture.format == _FORMATS[file.mime]
                picture.load()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            is_what_it_says = False
        if not is_what_it_says:
            raise errors.bad_image("file", "Invalid image file, please check your image file.")
        pixels = _pixels_of(file.data)
        known = ((model, at) for data, model, at in list(self._drawn) if _pixels_of(data) == pixels)
        model, at = next(known, (None, None))
        moment = datetime.fromtimestamp(at, UTC).isoformat() if at is not None else None
        signer, fits = said_by(file.data, file.mime.removeprefix("image/"))
        ours = fits and signer == SIGNER
        state = "not_present" if signer is None else "trusted" if ours else "valid" if fits else "invalid"
        told = {"generated_at": moment, "model": model}
        marks = {"type": "c2pa", "outcome": _outcome(ours), "validation_state": state, "issuer": signer}
        return [
            {**marks, **(told if ours else {"generated_at": None, "model": None})},
            {"type": "synthid", "outcome": _outcome(model is not None), **told},
        ]


def _outcome(found: bool) -> str:
    return "detected" if found else "not_detected"


def _the_file(fields: Any, files: tuple[Upload, ...]) -> Upload:
    """The one file of a request. Raises the ``ApiError`` of what is wrong with it."""
    for name in fields.raw:
        raise errors.unknown(name)
    for one in files:
        if one.field != "file":
            raise errors.unknown(one.field)
    if len(files) != 1:
        raise errors.missing("file")
    (file,) = files
    if file.mime not in TYPES:
        raise errors.bad_mime("file", file.mime, TYPES)
    if len(file.data) > MOST_BYTES:
        raise ApiError(413, "The uploaded file is too large.", param="file", code="request_too_large")
    return file


@lru_cache(maxsize=4 * REMEMBERED)
def _pixels_of(data: bytes) -> str:
    """The same for two files that show the same to the last bit; empty for what shows nothing."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
