"""``ImageService`` on ``AsyncOpenAI``: OpenAI's image service and every server that speaks like it.

Law: with its siblings the only place that imports ``openai`` (and ``httpx2``, the HTTP of the SDK).
One ``make`` is one POST, for pictures or words (``chat``). The SDK never repeats it. A compatible server that refused
optional parameters it does not know, with a 400 that cannot have cost anything, is asked again without them.

    answer 2xx ── event stream ──> openai_stream ──┐
               └─ JSON ──────────> openai_answers ─┴─> pictures, checked ──> Made
    answer 4xx, 5xx, none ───────> openai_errors ────> Fault, with what it may have cost
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import httpx2
import openai
from openai import DefaultAsyncHttpxClient

from bot.adapters.openai.answers import Answer, BrokenAnswer, NotAPicture, read_answer
from bot.adapters.openai.bodies import BodyReader, strings_in
from bot.adapters.openai.chat import MOST_BYTES, read_words
from bot.adapters.openai.clients import Account, Clients
from bot.adapters.openai.connection import KEY, NO_KEY, begun, bound_error_body, broken_off, let_in, read_up_to
from bot.adapters.openai.download import Downloader, Pause, Resolve, resolve
from bot.adapters.openai.models import listed_models
from bot.adapters.openai.overnight.nights import Around, OpenAINights
from bot.adapters.openai.pictures import Inspect, Pictures
from bot.adapters.openai.provenance import checked
from bot.adapters.openai.refusals.errors import fault_of, read_reason, reason_of, request_id
from bot.adapters.openai.stream import LAST_PREVIEW_S, Previews, StreamEnd, read_stream
from bot.adapters.openai.transport import transport_for
from bot.adapters.openai.wire import call_arguments, dispensable, left_out, refused_parameters
from bot.ports import (
    Clock,
    Gate,
    KeyPays,
    KnownModel,
    NightService,
    OnPartial,
    OpenGate,
    OperatorPays,
    Payer,
    Place,
)
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model
from bot.rules.catalogue.services import Dialect, Service
from bot.rules.faults import Billed, Fault, FaultKind, ServiceFault
from bot.rules.origins import Checked
from bot.rules.redaction import DetailRedactor
from bot.rules.requests import Endpoint, ImageRequest, Inputs, Made

logger = logging.getLogger(__name__)

_CONNECT_S = 10.0
_STALL_S = 240.0


class Models(Protocol):
    """The catalogue, as far as the wire needs it."""

    def get(self, model_id: str) -> Model | None: ...


@dataclass(slots=True)
class _Call:
    """One ``make`` on its way. ``refused``: optional parameters the last answer said it does not know."""

    request: ImageRequest
    inputs: Inputs
    member_tag: str
    deadline_s: float
    api_key: str
    own_key: bool
    previews: Previews
    streams: bool
    redactor: DetailRedactor
    place: Place = field(default_factory=OpenGate)
    deadline: asyncio.Timeout = field(default_factory=partial(asyncio.timeout, None))
    request_id: str | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = field(default_factory=frozenset)
    refused: frozenset[str] = field(default_factory=frozenset)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust; reading the certificates is the dear part of a client (23 ms), so it is done once a process."""
    return httpx2.create_ssl_context()


class OpenAIImages:
    """One image service. One pool of connections for its life; ``aclose`` ends it."""

    def __init__(
        self,
        *,
        service: Service,
        account: Account,
        inspect: Inspect,
        models: Models,
        gate: Gate | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        pause: Pause = asyncio.sleep,
        stall_s: float = _STALL_S,
        last_preview_s: float = LAST_PREVIEW_S,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        tls = tls or _certificates()
        http = DefaultAsyncHttpxClient(
            transport=transport_for(tls),
            follow_redirects=False,
            verify=tls,
            event_hooks={"response": [bound_error_body]},
        )
        self._service = service
        self._clients = Clients(service, account, http)
        self._api_key = account.api_key or NO_KEY
        self._secrets = account.secrets
        self._models = models
        self._gate = gate or OpenGate()
        self._clock = clock
        self._monotonic = monotonic
        self._stall_s = stall_s
        self._last_preview_s = last_preview_s
        self._downloads = Downloader(self._clients.base_url, hosts=service.hosts, tls=tls, resolve=resolve, pause=pause)
        self._pictures = Pictures(self._downloads, inspect)
        self._unknown: dict[tuple[Endpoint, str], frozenset[str]] = {}
        self._streamed: set[tuple[Endpoint, str]] = set()

    @property
    def is_official(self) -> bool:
        return self._service.is_official

    async def aclose(self) -> None:
        await self._downloads.aclose()
        await self._clients.close()

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
        """See ``ImageService.make``. The deadline covers asking; what was answered is then fetched and checked."""
        key = self._key_of(payer)
        call = _Call(
            request=request,
            inputs=inputs,
            member_tag=member_tag,
            deadline_s=deadline_s,
            api_key=key,
            own_key=isinstance(payer, KeyPays),
            previews=Previews(on_partial, last_s=self._last_preview_s),
            streams=on_partial is not None,
            redactor=DetailRedactor(
                prompts=(request.prompt, request.shown_prompt), secrets=(key, self._api_key, member_tag, *self._secrets)
            ),
        )
        try:
            async with self._gate.place() as call.place:
                outcome = await self._outcome(call)
            await call.previews.settle()
        except Exception as error:
            # Whatever this is, the POST may be out: it must end as "unknown", not as a crash that refunds.
            logger.exception("the image service adapter failed")
            outcome = Fault(FaultKind.BROKEN_OFF, Billed.MAYBE, detail=f"unexpected {type(error).__name__}")
        finally:
            call.previews.drop()
        if isinstance(outcome, Fault):
            raise ServiceFault(outcome)  # outside of any handler: foreign errors quote keys, and must not be chained
        return outcome

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _outcome(self, call: _Call) -> Made | Fault:
        if not KEY.fullmatch(call.api_key):
            return Fault(FaultKind.BAD_KEY, Billed.NO, detail="the key holds characters no key has")
        if call.deadline_s <= 0:
            return Fault(FaultKind.TIMED_OUT, Billed.NO, detail="no time left to ask")
        try:
            async with asyncio.timeout(call.deadline_s) as call.deadline:
                answer = await self._ask(call)
                while call.refused and isinstance(answer, Fault):  # each time there is one less to refuse
                    answer = await self._ask(call)
        except TimeoutError:
            if not call.deadline.expired():
                raise
            return Fault(FaultKind.TIMED_OUT, Billed.MAYBE, detail=f"no answer within {call.deadline_s:.0f} s")
        if not isinstance(answer, Answer):
            return answer
        await call.place.take(holds=True)  # which a stream has not, nor an answer that names addresses
        outcome = await self._pictures.collect(
            answer,
            call.request.pictures_per_call,
            headers=self._clients.to_fetch(call.api_key),
            request_id=call.request_id,
            redactor=call.redactor,
            empty_is_refusal=self._is_grok(self._wire_name(call.request)),
        )
        return (
            outcome if isinstance(outcome, Fault) else replace(outcome, left_out=left_out(call.request, call.without))
        )

    def _is_grok(self, model: str) -> bool:
        """Whether xAI draws, also behind a gateway: it answers an empty list where its moderation refused."""
        return self._service.dialect is Dialect.XAI or "grok" in model.lower()

    def _wire_name(self, request: ImageRequest) -> str:
        model = self._models.get(request.model)
        return model.wire_name if model is not None else request.model

    async def _ask(self, call: _Call) -> Answer | Made | Fault:
        """Sends the one POST. Afterwards ``call.refused`` says which parameters may be left out and asked again."""
        started, call.refused = self._monotonic(), frozenset[str]()
        try:
            post = self._post(call)
        except ValueError as error:  # no picture to edit, or a prompt that no encoding can carry: nothing was sent
            return Fault(FaultKind.BAD_REQUEST, Billed.NO, detail=type(error).__name__)
        try:
            async with post as response:
                raw = response.http_response
                call.request_id = request_id(raw.headers)
                return await self._read(call, raw)
        except openai.APIStatusError as error:
            return self._refusal(call, error.response, self._monotonic() - started)
        except (BrokenAnswer, NotAPicture) as error:
            return self._broken(call, str(error))
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
            return broken_off(error, call.request_id)

    def _post(self, call: _Call) -> AbstractAsyncContextManager[Any]:
        request, streams, tag = call.request, call.streams, call.member_tag
        endpoint, model = request.endpoint, self._models.get(request.model)
        call.without = self._unknown.get((endpoint, request.model), frozenset()) & dispensable(request, model)
        request.prompt.encode("utf-8")  # half a surrogate pair fails here, before anything is sent
        arguments = call_arguments(
            request, call.inputs, model, official=self.is_official, member_tag=tag, stream=streams, without=call.without
        )
        call.sent = {**arguments, **arguments.get("extra_body", {})}
        arguments["extra_headers"] = {
            "Accept-Encoding": "identity",
            **self._clients.headers(call.api_key, own_key=call.own_key),
        }
        arguments["timeout"] = httpx2.Timeout(call.deadline_s + 5, connect=min(_CONNECT_S, call.deadline_s + 5))
        with warnings.catch_warnings():  # OpenAI retired variations, others have them; nothing is awaited in here
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._clients.post(endpoint, call.api_key, arguments["model"], arguments)

    def _key_of(self, payer: Payer) -> str:
        match payer:
            case OperatorPays():
                return self._api_key.strip()
            case KeyPays(api_key):
                return api_key.strip()

    def _refusal(self, call: _Call, response: httpx2.Response, elapsed_s: float) -> Fault:
        reason = read_reason(response.content)
        fault = fault_of(
            reason,
            status=response.status_code,
            headers=response.headers,
            elapsed_s=elapsed_s,
            now=self._clock(),
            redactor=call.redactor,
            official=self.is_official and not call.request.is_words,  # words are there sooner than any picture
            uploads=bool(call.inputs.images),
        )
        if not self.is_official and fault.kind is FaultKind.BAD_REQUEST and fault.status in {400, 422}:
            unknown = refused_parameters(reason, call.sent)
            self._learn(call, unknown)
            may = dispensable(call.request, self._models.get(call.request.model))
            call.refused = unknown if unknown <= may and fault.billed is Billed.NO else frozenset()
        if not self.is_official and response.status_code >= 500 and "stream" in call.sent:
            self._doubt_streams(call)
        return fault

    def _learn(self, call: _Call, unknown: frozenset[str]) -> None:
        place = (call.request.endpoint, call.request.model)
        self._unknown[place] = self._unknown.get(place, frozenset()) | unknown

    def _doubt_streams(self, call: _Call) -> None:
        """A gateway that cannot stream fails after the picture was drawn (LiteLLM): once, but not each time."""
        if (call.request.endpoint, call.request.model) not in self._streamed:
            logger.warning("%s failed when asked for previews; from now on it is asked without", call.request.model)
            self._learn(call, frozenset({"stream", "partial_images"}))

    # --- reading --------------------------------------------------------------------------------------------------

    async def _read(self, call: _Call, raw: httpx2.Response) -> Answer | Made | Fault:
        if not call.request.is_words:
            return await self._read_pictures(call, raw)
        words = read_words(await read_up_to(raw.aiter_bytes(), MOST_BYTES), call.request_id)
        return self._error_inside(call, raw, words, drawing=True) if isinstance(words, dict) else words

    async def _read_pictures(self, call: _Call, raw: httpx2.Response) -> Answer | Fault:
        """A stream is known by its first bytes too: not every server names its kind."""
        chunks = raw.aiter_bytes()
        head = b""
        streams = raw.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"
        while not streams and len(head.lstrip()) < len(b"event:"):
            if (chunk := await anext(chunks, None)) is None:
                break
            head += chunk
        if streams or head.lstrip().startswith((b"data:", b"event:", b"error:")):
            self._streamed.add((call.request.endpoint, call.request.model))
            return self._ended(call, raw, await read_stream(begun(head, chunks), call.previews, stall_s=self._stall_s))
        await let_in(call.place, call.deadline)
        reader = BodyReader(call.request.pictures_per_call)
        async for chunk in begun(head, chunks):
            async for string in strings_in(reader, chunk):
                if string.is_still_encoded:
                    await asyncio.to_thread(string.decode)
        answer = read_answer(reader.finish(), call.request.endpoint)
        return self._error_inside(call, raw, answer.error, drawing=False) if answer.error else answer

    def _ended(self, call: _Call, raw: httpx2.Response, end: StreamEnd) -> Answer | Fault:
        if end.completed is not None:
            return read_answer(end.completed, call.request.endpoint)
        if end.error is not None:
            return self._error_inside(call, raw, end.error, drawing=end.previews > 0)
        if end.stalled:
            return Fault(
                FaultKind.TIMED_OUT, Billed.MAYBE, request_id=call.request_id, detail="the stream made no progress"
            )
        return self._broken(call, f"the stream ended without a picture, after {end.previews} previews")

    def _error_inside(self, call: _Call, raw: httpx2.Response, error: object, *, drawing: bool) -> Fault:
        return fault_of(
            reason_of(error),
            status=raw.status_code,
            headers=raw.headers,
            elapsed_s=0.0,
            now=self._clock(),
            redactor=call.redactor,
            official=self.is_official,
            drawing=drawing,
        )

    def _broken(self, call: _Call, detail: str) -> Fault:
        return Fault(FaultKind.BROKEN_ANSWER, Billed.MAYBE, request_id=call.request_id, detail=detail)

    async def nights(self, *, service: str = DEFAULT_SERVICE) -> NightService:
        parts = (self._clients, self._pictures, self._models, self._gate, self._clock)
        return OpenAINights(Around(*parts, self._api_key, self._secrets, self.is_official))

    # --- models ---------------------------------------------------------------------------------------------------

    async def known_models(self, payer: Payer, *, service: str = DEFAULT_SERVICE) -> tuple[KnownModel, ...] | None:
        """See ``ImageService.known_models``; here there is one service. None also for a list in an unknown shape."""
        key = self._key_of(payer)
        redactor = DetailRedactor(prompts=(), secrets=(key, *self._secrets))
        outcome = await listed_models(
            self._clients,
            key,
            own_key=isinstance(payer, KeyPays),
            redactor=redactor,
            now=self._clock,
            official=self.is_official,
        )
        if isinstance(outcome, Fault):
            if outcome.kind in {FaultKind.ENDPOINT_GONE, FaultKind.MODEL_GONE}:
                return None
            raise ServiceFault(outcome)
        return () if outcome and self._service.dialect is Dialect.AZURE else outcome  # it lists no deployments

    async def check_provenance(
        self, data: bytes, mime: str, *, payer: Payer, service: str = DEFAULT_SERVICE
    ) -> Checked:
        """See ``ProvenanceService``; here there is one service."""
        key = self._key_of(payer)
        outcome = await checked(
            self._clients,
            key,
            (f"picture.{mime.partition('/')[2]}", data, mime),
            own_key=isinstance(payer, KeyPays),
            redactor=DetailRedactor(prompts=(), secrets=(key, *self._secrets)),
            now=self._clock,
            official=self.is_official,
        )
        if isinstance(outcome, Fault):
            raise ServiceFault(outcome)
        return outcome
