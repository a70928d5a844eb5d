"""Before anything is spent: choosing the model, checking options and access, pricing, and reserving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.core.jobs.estimates import Estimates
from bot.core.jobs.queue import FairQueue
from bot.core.jobs.settlement import Settlement
from bot.core.refused_words import RefusedWords
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.service.circuit import Circuit
from bot.ports import Clock, CrashPoint, Files, ImageService, Meter, Store
from bot.rules.catalogue.instead import dearest, has_own_key, stand_ins
from bot.rules.catalogue.model import Model
from bot.rules.catalogue.overnight import overnight_percent
from bot.rules.catalogue.pricing import upper_bound, usual_price
from bot.rules.errors import QueueTooLong, ServicePaused, ShuttingDown, StorageFull, UserError
from bot.rules.ledger import Answer, EndReason, Job, JobDraft, JobState
from bot.rules.limits.decide import Cost, Refused, without_room
from bot.rules.limits.limit import Scope
from bot.rules.money import MicroUSD
from bot.rules.options.build import build_request
from bot.rules.options.checks import Uploaded, endpoint_of
from bot.rules.options.flags import read_flags
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.options.usual import Prices, usual_picture
from bot.rules.options.words import NoWords, words_request
from bot.rules.overnight import NotOvernight, Why, overnight_price
from bot.rules.people import Asker, Place
from bot.rules.requests import PICTURES, Endpoint, ImageRequest, Kind
from bot.rules.servers.access import Defaults, ServerSettings, check_access, may_use_model, model_by_default
from bot.rules.servers.words.words import FoundIn, RefusedWord
from bot.rules.styles.layers import Layers, settle
from bot.rules.styles.style import NoSuchStyle, Style, name_key, nearest_names
from bot.rules.uploads import Note

NO_FALLBACK_WAIT_S = 13 * 60
"""Where the bot cannot post by itself (user installs), the result must be there while the interaction lives."""

LONGEST_WAIT_S = 2 * 60 * 60


@dataclass(frozen=True, slots=True)
class Quote:
    """A checked request and the most it can cost, not yet reserved. ``own_key``: the server's own API key pays.

    ``usual_micro_usd`` is what it mostly costs, for showing; ``notes`` tell what was understood otherwise than typed,
    and what of a look or of the person's own defaults is otherwise. ``instead`` are others who may draw it; what is
    reserved is enough for each of them.
    """

    request: ImageRequest
    upper_micro_usd: MicroUSD
    usual_micro_usd: MicroUSD
    own_key: bool = False
    notes: tuple[Note, ...] = ()
    instead: tuple[ImageRequest, ...] = ()


class Intake:
    """Prepare, open, abandon. ``default_model`` is the operator's."""

    def __init__(
        self,
        *,
        store: Store,
        settlement: Settlement,
        service: ImageService,
        files: Files,
        queue: FairQueue,
        circuit: Circuit,
        estimates: Estimates,
        catalogue: CurrentCatalogue,
        clock: Clock,
        default_model: str,
        meter: Meter,
        crash_point: CrashPoint,
    ) -> None:
        self._words = RefusedWords(store.servers, meter, clock)
        self._store = store
        self._settlement = settlement
        self._service = service
        self._files = files
        self._queue = queue
        self._circuit = circuit
        self._estimates = estimates
        self._catalogue = catalogue
        self._clock = clock
        self._default_model = default_model
        self._meter = meter
        self._crash_point = crash_point

    async def prepare(
        self,
        asker: Asker,
        kind: Kind,
        raw: RawOptions,
        *,
        model: str | None = None,
        uploaded: Uploaded | None = None,
        about: str = "",
        look: str | None = None,
        with_own: bool = True,
    ) -> Quote:
        """Chooses model and options (typed, else the look's, the member's own, the server's, the operator's: see
        ``settle``), checks access, words, options and price.

        ``about`` is the prompt of the picture that this goes on from: its words must be fit for this server too.
        ``look`` names a saved one. Without ``with_own`` the member's own defaults have no say.
        Raises ``UserError``; nothing was sent or reserved.
        """
        try:
            return await self.quote(
                asker, kind, raw, model=model, uploaded=uploaded, about=about, look=look, with_own=with_own
            )
        except RefusedWord:
            await self._words.count(asker.place)
            raise

    async def quote(
        self,
        asker: Asker,
        kind: Kind,
        raw: RawOptions,
        *,
        model: str | None = None,
        uploaded: Uploaded | None = None,
        about: str = "",
        look: str | None = None,
        with_own: bool = True,
    ) -> Quote:
        """The same, of which a refused word is not counted yet."""
        if kind not in PICTURES:
            return await self._quote_of_words(asker, kind, raw, uploaded or Uploaded(), look)
        raw, notes = read_flags(raw)
        settings, own = await self._settings(asker, with_own=with_own)
        style = None if look is None else await self.style(asker, look)

        def build(options: RawOptions, chosen: Model) -> ImageRequest:
            return build_request(
                options,
                chosen,
                kind,
                uploaded=uploaded or Uploaded(),
                defaults=settings.defaults,
                previews_allowed=False if settings.review_channel_id is not None else settings.previews,
                moderation_floor=settings.moderation,
            )

        settled = settle(
            Layers(raw, model, style, own, settings.defaults, self._default_model),
            usable=lambda name: self._usable(settings, kind, name),
            demanded=lambda name: self._chosen(settings, asker, name),
            problems=lambda options, chosen: _problems(build, options, chosen),
        )
        check_access(settings, asker, settled.model.id)
        await self._words.check(settings, asker.place, about, FoundIn.PICTURE)
        await self._words.check(settings, asker.place, raw.prompt)
        if style is not None:
            await self._words.check(settings, asker.place, settled.raw.prompt, FoundIn.LOOK, style.name)
        request = replace(build(settled.raw, settled.model), reviewed=settings.review_channel_id is not None)
        return replace(self._priced(request, settled.model, settings), notes=(*notes, *settled.notes))

    async def _quote_of_words(
        self, asker: Asker, kind: Kind, raw: RawOptions, uploaded: Uploaded, look: str | None
    ) -> Quote:
        model = self._catalogue.now.chat_model
        if model is None:
            raise NoWords
        raw, notes = read_flags(raw)  # they are for the picture
        settings = await self._store.servers.settings(asker.place)
        check_access(settings, asker, None)
        await self._words.check(settings, asker.place, raw.prompt)
        request = words_request(kind, raw, model, locale=asker.locale, look=look, sizes=uploaded.sizes)
        upper = upper_bound(request, model)
        return Quote(request, upper, usual_price(request, model), has_own_key(settings, model), notes)

    async def style(self, asker: Asker, name: str) -> Style:
        """The look of this name: one's own, else the server's. Raises ``NoSuchStyle``."""
        mine = Place(None, asker.user_id)
        places = [mine, asker.place] if asker.place.is_server else [mine]
        for place in places:
            found = await self._store.styles.get(place, name_key(name))
            if found is not None:
                return found
        every = [style for place in places for style in await self._store.styles.all(place)]
        raise NoSuchStyle(name, nearest_names(name, every))

    async def _settings(self, asker: Asker, *, with_own: bool) -> tuple[ServerSettings, Defaults]:
        """What holds here, and one's own defaults: those are kept as the settings of the person's own place, which
        direct messages are.
        """
        mine = Place(None, asker.user_id)
        here, *own = await self._store.servers.settings_of([asker.place, mine] if with_own else [asker.place])
        return here, own[0].defaults if own else Defaults()

    async def count_refused(self, asker: Asker, prompts: int) -> None:
        """So many of what was only quoted held a refused word."""
        await self._words.count(asker.place, prompts)

    async def reprice(self, asker: Asker, request: ImageRequest) -> Quote:
        """A request made earlier (a button's), checked and priced by today's rules. Raises ``UserError``."""
        settings = await self._store.servers.settings(asker.place)
        chosen = self._chosen(settings, asker, request.model)
        return self._priced(request, chosen, settings)

    async def usual_picture(self, place: Place) -> Prices | None:
        """What one picture costs there now where nobody chooses anything; None where none can be had."""
        settings = await self._store.servers.settings(place)
        model = self._catalogue.now.get(model_by_default(settings.defaults, self._default_model))
        return None if model is None else usual_picture(model, settings)

    async def check_room(self, asker: Asker, quote: Quote) -> None:
        """Raises ``Refused`` where a limit has no room for this: before anything dear is done for it.

        Only looks; ``open`` decides.
        """
        cost = Cost(images=quote.request.count, micro_usd=quote.upper_micro_usd)
        standings = await self._store.figures.standings(asker, self._clock())
        refusals = without_room(
            [one for one in standings if not (quote.own_key and one.limit.scope is Scope.OPERATOR)], cost
        )
        if refusals:
            refused = Refused(refusals, in_server=asker.place.is_server)
            self._count(refused, quote)
            raise refused

    async def open(
        self,
        asker: Asker,
        quote: Quote,
        answer: Answer,
        *,
        event_key: str,
        parent_id: str | None = None,
        parent_index: int | None = None,
    ) -> Job:
        """Reserves. Raises ``Refused``, ``AccessDenied``, ``DuplicateEvent`` or another ``UserError``."""
        self.check_open(quote, asker, answer)
        draft = JobDraft(
            event_key=event_key,
            asker=asker,
            request=quote.request,
            upper_micro_usd=quote.upper_micro_usd,
            answer=answer,
            parent_id=parent_id,
            parent_index=parent_index,
            own_key=quote.own_key,
        )
        try:
            jobs = await self._store.jobs.open([draft], self._clock())
        except Refused as refusal:
            self._count(refusal, quote)
            raise
        self._crash_point("reserved")
        self._meter.job_opened(quote.request.model)
        return jobs[0]

    async def abandon(self, job: Job, reason: EndReason) -> None:
        """Releases a reserved job that was never started (Discord forgot the interaction), however long that takes."""
        await self._settlement.close_unmade(job, reason, maybe_billed=False)
        self._meter.job_finished(JobState.RELEASED, job.request.model)

    def check_open(self, quote: Quote, asker: Asker, answer: Answer, *, more_images: int = 0) -> None:
        """Raises unless new work can be taken: not stopping, disk free, service working, and ready in time.

        ``more_images`` are made after this one, and must be ready in time too (a batch).
        """
        if self._queue.is_closed:
            raise ShuttingDown
        if self._files.is_full():
            raise StorageFull
        allowed = LONGEST_WAIT_S if answer.can_post else NO_FALLBACK_WAIT_S
        ticket = self._estimates.ticket_for(asker, quote.request, own_key=quote.own_key)
        wait = self._queue.eta_s(ticket, more_images=more_images)
        if wait > allowed:
            raise QueueTooLong(wait, allowed)
        if not any(self._may_try(asker, request, quote.own_key) for request in (quote.request, *quote.instead)):
            named = self._circuit.named(ticket.lane, quote.request.model)
            raise ServicePaused(named, own_key=quote.own_key, of_words=quote.request.is_words)

    def quote_overnight(self, quote: Quote) -> Quote:
        """The same in a batch, at its price there; nothing stands in for it. Raises ``NotOvernight``."""
        catalogue, request = self._catalogue.now, quote.request
        model = catalogue.get(request.model)
        percent = overnight_percent(request.model, catalogue, official=self._service.is_official)
        if model is None or request.endpoint is not Endpoint.GENERATIONS:
            raise NotOvernight(Why.MODEL, request.model)
        upper = overnight_price(upper_bound(request, model), percent)
        usual = overnight_price(quote.usual_micro_usd, percent)
        return replace(quote, upper_micro_usd=upper, usual_micro_usd=usual, instead=())

    def check_open_overnight(self, quote: Quote, asker: Asker, answer: Answer) -> None:
        """Raises unless it can be taken on for the night: the result comes when nobody waits for it any more."""
        if self._queue.is_closed:
            raise ShuttingDown
        if self._files.is_full():
            raise StorageFull
        if not answer.can_post:
            raise NotOvernight(Why.PRIVATE if answer.private else Why.CHANNEL, quote.request.model)
        if not self._may_try(asker, quote.request, quote.own_key):
            lane = self._estimates.ticket_for(asker, quote.request, own_key=quote.own_key).lane
            raise ServicePaused(self._circuit.named(lane, quote.request.model), own_key=quote.own_key)

    def _may_try(self, asker: Asker, request: ImageRequest, own_key: bool) -> bool:
        lane = self._estimates.ticket_for(asker, request, own_key=own_key).lane
        return self._circuit.may_try(self._circuit.key_of(lane, request.model), self._clock())

    def _count(self, refused: Refused, quote: Quote) -> None:
        """Counts each rule; and the refusal knows from here on what was asked for."""
        refused.of_words = quote.request.is_words
        for one in refused.refusals:
            self._meter.refused(f"{one.limit.scope}_{one.limit.measure}")

    def _usable(self, settings: ServerSettings, kind: Kind, name: str) -> Model | None:
        """A model that is wished for and can be had here for this."""
        try:
            found = self._catalogue.now.choose(name, official=self._service.is_official, today=self._clock().date())
        except UserError:
            return None
        return found if may_use_model(settings, found.id) and endpoint_of(found, kind) in found.endpoints else None

    def _chosen(self, settings: ServerSettings, asker: Asker, model_id: str) -> Model:
        chosen = self._catalogue.now.choose(model_id, official=self._service.is_official, today=self._clock().date())
        check_access(settings, asker, chosen.id)
        return chosen

    def _priced(self, request: ImageRequest, model: Model, settings: ServerSettings) -> Quote:
        own_key = has_own_key(settings, model)
        others = stand_ins(
            request,
            self._catalogue.now,
            settings,
            own_key=own_key,
            official=self._service.is_official,
            today=self._clock().date(),
        )
        upper = dearest(upper_bound(request, model), others)
        return Quote(
            request,
            upper,
            usual_price(request, model),
            own_key,
            instead=tuple(one.request for one in others),
        )


def _problems(
    build: Callable[[RawOptions, Model], ImageRequest], options: RawOptions, model: Model
) -> Sequence[Problem]:
    try:
        build(options, model)
    except InvalidOptions as invalid:
        return invalid.problems
    return ()
