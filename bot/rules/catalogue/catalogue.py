"""Which models there are now: found by id, chosen, or refused with the nearest that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from bot.rules.catalogue.model import Model, gone_since
from bot.rules.errors import UserError


class NoSuchModel(UserError):
    """No model of that name here; ``nearest`` are the closest ids on offer."""

    def __init__(self, asked: str, nearest: tuple[str, ...]) -> None:
        super().__init__(asked)
        self.asked = asked
        self.nearest = nearest


class ModelRetired(UserError):
    """OpenAI no longer serves the model; ``successor`` is on offer here."""

    def __init__(self, model: str, retired_on: date, successor: str | None) -> None:
        super().__init__(model)
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


class Catalogue:
    """Every model Easel knows, in the order of the file. Immutable."""

    def __init__(self, models: Mapping[str, Model], withheld: frozenset[str] = frozenset()) -> None:
        self._models = dict(models)
        self._withheld = withheld

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)

    def get(self, model_id: str) -> Model | None:
        return self._models.get(model_id)

    def short_name(self, model_id: str) -> str:
        """What the model is called where there is little room; its id where the catalogue names nothing shorter."""
        model = self._models.get(model_id)
        return (model.short_name if model is not None else "") or model_id

    def offered(self, *, official: bool, today: date) -> tuple[Model, ...]:
        """The models that can be asked for: all on a compatible server, on OpenAI's own what this key has."""
        return tuple(
            model
            for model in self
            if not official or (gone_since(model, today) is None and model.id not in self._withheld)
        )

    def choose(self, model_id: str, *, official: bool, today: date) -> Model:
        """The model of that id. Raises ``NoSuchModel``, ``ModelRetired`` or ``ModelWithheld``."""
        offered = {model.id: model for model in self.offered(official=official, today=today)}
        wanted = model_id.strip()
        model = self._models.get(wanted) or self._models.get(wanted.lower())
        if model is None:
            raise NoSuchModel(wanted[:100], tuple(get_close_matches(wanted.lower()[:100], offered, n=3, cutoff=0.4)))
        since = gone_since(model, today)
        if not official or model.id in offered:
            return model
        if since is None:
            raise ModelWithheld(model.id, tuple(get_close_matches(model.id, offered, n=3, cutoff=0.4)))
        raise ModelRetired(model.id, since, next((name for name in model.successors if name in offered), None))

    def with_service_facts(self, known: Mapping[str, date | None], *, complete: bool = False) -> Catalogue:
        """The same models with the days on which the service itself says they end; a day given there replaces ours.

        ``complete``: the list is OpenAI's own, so what is not in it is withheld from this key. A list that has none of
        our models says nothing about them.
        """
        told = {name: ends_on for name, ends_on in known.items() if ends_on is not None}
        ours = frozenset(self._models)
        return Catalogue(
            {
                model.id: replace(model, retired_on=None, ends_on=told[model.id]) if model.id in told else model
                for model in self
            },
            withheld=ours - frozenset(known) if complete and ours & frozenset(known) else frozenset(),
        )
