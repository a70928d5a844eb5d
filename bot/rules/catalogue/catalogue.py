"""Which models there are now: found by id, chosen, or refused with the nearest that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches

from bot.rules.catalogue.chat import chat_models
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model, gone_since
from bot.rules.catalogue.services import Service
from bot.rules.errors import UserError
from bot.rules.money import TokenPrices


class NoSuchModel(UserError):
    """No model of that name here; ``nearest`` are the closest ids on offer."""

    def __init__(self, asked: str, nearest: tuple[str, ...]) -> None:
        super().__init__(asked)
        self.asked = asked
        self.nearest = nearest


class ModelRetired(UserError):
    """Its service no longer has the model; ``successor`` is on offer here."""

    def __init__(self, model: str, retired_on: date, successor: str | None, *, by_openai: bool = True) -> None:
        super().__init__(model)
        self.by_openai = by_openai
        self.model = model
        self.retired_on = retired_on
        self.successor = successor


class ModelWithheld(UserError):
    """OpenAI has the model, but not for this bot's key; ``nearest`` are on offer here."""

    def __init__(self, model: str, nearest: tuple[str, ...]) -> None:
        super().__init__(model)
        self.model = model
        self.nearest = nearest


class CatalogueError(ValueError):
    """The catalogue or the operator's file cannot be used; ``faults`` are all of them, each with model and field."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Told:
    """What one service said of its models, by their ids here.

    ``unlisted`` are those it does not list; ``withheld`` those it certainly does not have for this key; ``dated`` those
    whose end it told.
    """

    unlisted: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    dated: frozenset[str] = frozenset()


class Catalogue:
    """Every model Easel knows, in the order of the file, and the services they live at. Immutable.

    ``official`` says of the service ``default`` whether it is OpenAI's own; of the others they say it themselves.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        services: Mapping[str, Service] | None = None,
        told: Mapping[str, Told] | None = None,
    ) -> None:
        self._models = dict(models)
        self.services: Mapping[str, Service] = dict(services or {DEFAULT_SERVICE: Service()})
        self._told = dict(told or {})
        self._chats = chat_models(self.services)

    @property
    def chat_model(self) -> Model | None:
        """What makes words for this bot: the default service's, else that of the first service that has one."""
        return next(iter(self._chats.values()), None)

    @property
    def knows_origins(self) -> Service | None:
        """Who is asked whether it made a picture: the default service, else the first that can tell. One where nothing
        lives, to which there may be no key, only if the operator names it."""
        able = [one for one in self.services.values() if one.checks_provenance]
        able = [one for one in able if one.provenance or self.is_used(one.name)]
        return next((one for one in able if one.name == DEFAULT_SERVICE), able[0] if able else None)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)

    def get(self, model_id: str) -> Model | None:
        return self._models.get(model_id) or self._chats.get(model_id)

    def short_name(self, model_id: str) -> str:
        """What the model is called where there is little room; its id where the catalogue names nothing shorter."""
        model = self._models.get(model_id)
        return (model.short_name if model is not None else "") or model_id

    def service_of(self, model_id: str) -> str:
        """The name of the service at which a model lives; of one that is gone, the default's."""
        model = self.get(model_id)
        return model.service if model is not None else DEFAULT_SERVICE

    def at(self, base_url: str | None) -> Catalogue:
        """The same with the default service at that address."""
        default = self.services[DEFAULT_SERVICE].at(base_url or "")
        return Catalogue(self._models, {**self.services, DEFAULT_SERVICE: default}, self._told)

    def with_chat(self, model: str, prices: TokenPrices | None) -> Catalogue:
        """The same with that model of words at the default service; without ``prices`` it costs nothing."""
        default = replace(self.services[DEFAULT_SERVICE], chat_model=model, chat_prices=prices)
        return Catalogue(self._models, {**self.services, DEFAULT_SERVICE: default}, self._told)

    def is_used(self, service: str) -> bool:
        """Whether any model lives there."""
        return any(model.service == service for model in (*self, *self._chats.values()))

    def used_services(self) -> tuple[Service, ...]:
        """The services at which a model lives."""
        return tuple(one for one in self.services.values() if self.is_used(one.name))

    def gone_since(self, model: Model, *, official: bool, today: date) -> date | None:
        """The day from which its service no longer has the model, if that has come."""
        return gone_since(model, today) if self.ends_on(model, official=official) is not None else None

    def ends_on(self, model: Model, *, official: bool) -> date | None:
        """The day the model ends where it lives: elsewhere than at OpenAI only where that service told it."""
        is_told = model.id in self._told_by(model).dated
        return (model.retired_on or model.ends_on) if is_told or self.is_official(model, official) else None

    def is_unlisted(self, model: Model) -> bool:
        """Whether its service lists models, and not this one."""
        return model.id in self._told_by(model).unlisted

    def offered(self, *, official: bool, today: date) -> tuple[Model, ...]:
        """The models that can be asked for: at OpenAI what this key has, elsewhere all but those that ended there."""
        return tuple(model for model in self if self._is_offered(model, official, today))

    def choose(self, model_id: str, *, official: bool, today: date) -> Model:
        """The model of that id. Raises ``NoSuchModel``, ``ModelRetired`` or ``ModelWithheld``."""
        offered = {model.id: model for model in self.offered(official=official, today=today)}
        wanted = model_id.strip()
        model = self._models.get(wanted) or self._models.get(wanted.lower()) or self._named(wanted)
        if model is None:
            raise NoSuchModel(wanted[:100], tuple(get_close_matches(wanted.lower()[:100], offered, n=3, cutoff=0.4)))
        if model.id in offered:
            return model
        since = self.gone_since(model, official=official, today=today)
        if since is None:
            raise ModelWithheld(model.id, tuple(get_close_matches(model.id, offered, n=3, cutoff=0.4)))
        successor = next((name for name in model.successors if name in offered), None)
        raise ModelRetired(model.id, since, successor, by_openai=self.is_official(model, official))

    def _named(self, short: str) -> Model | None:
        """The one of that short name."""
        return next((one for one in self if one.short_name and one.short_name.lower() == short.lower()), None)

    def with_service_facts(
        self,
        known: Mapping[str, date | None],
        *,
        service: str = DEFAULT_SERVICE,
        complete: bool = False,
        is_whole: bool = False,
    ) -> Catalogue:
        """The same models with what the service at which they live lists, and when they end; its days replace ours.

        ``known`` is by the names it gives them. ``complete``: the list is OpenAI's own, so what is not in it is
        withheld from this key. A list that has none of our models says nothing about them, unless it
        ``is_whole``.
        """
        here = {model.wire_name: model for model in self if model.service == service}
        told = {here[name].id: day for name, day in known.items() if day is not None and name in here}
        lacking = frozenset(model.id for name, model in here.items() if name not in known)
        unlisted = lacking if is_whole or here.keys() & known.keys() else frozenset()
        facts = Told(unlisted, unlisted if complete else frozenset(), frozenset(told))
        return Catalogue(
            {
                model.id: replace(model, retired_on=None, ends_on=told[model.id]) if model.id in told else model
                for model in self
            },
            self.services,
            {**self._told, service: facts},
        )

    def is_official(self, model: Model, official: bool) -> bool:
        """Whether the model lives at OpenAI's own service."""
        return official if model.service == DEFAULT_SERVICE else self.services[model.service].is_official

    def _is_offered(self, model: Model, official: bool, today: date) -> bool:
        is_gone = self.gone_since(model, official=official, today=today) is not None
        return not is_gone and not (self.is_official(model, official) and model.id in self._told_by(model).withheld)

    def _told_by(self, model: Model) -> Told:
        return self._told.get(model.service, NOTHING_TOLD)


NOTHING_TOLD = Told()
