"""Who decides an option nobody typed: the look, then the person's own defaults, then the server's, then the operator's.

Law: what was typed is never changed here. What a look says and the model cannot becomes the nearest it can; a default
of the person's that does not fit is passed over; both are told. The server's is passed over without a word (``build``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.rules.catalogue.model import Model
from bot.rules.options.problems import Problem
from bot.rules.options.prompts import says_nothing
from bot.rules.options.table import RawOptions
from bot.rules.servers.access import Defaults
from bot.rules.styles.style import Option, Style
from bot.rules.uploads import Note, NoteKind, Typed

Problems = Callable[[RawOptions, Model], Sequence[Problem]]
"""What is wrong with these options for this model; nothing: it can be made."""

OWN_OPTIONS = ("size", "quality", "format")


@dataclass(frozen=True, slots=True)
class Layers:
    """All who have a say, the strongest first. ``model`` was typed; ``operators`` is the operator's model."""

    typed: RawOptions
    model: str | None
    look: Style | None
    own: Defaults
    server: Defaults
    operators: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The options to build from, for which model, and what of the look and the own defaults is otherwise."""

    model: Model
    raw: RawOptions
    notes: tuple[Note, ...] = ()


def settle(
    layers: Layers,
    *,
    usable: Callable[[str], Model | None],
    demanded: Callable[[str], Model],
    problems: Problems,
) -> Settled:
    """Each option from the first layer that says something of it and can be followed.

    ``demanded`` gives the model that somebody insists on, and raises where it cannot be had here; ``usable`` gives one
    that is only wished for, or None.
    """
    model, notes = _model(layers, usable, demanded)
    raw = layers.typed
    if layers.look is not None:
        prompt = raw.prompt if says_nothing(raw.prompt) else layers.look.filled(raw.prompt)
        raw = replace(raw, prompt=prompt, look=layers.look.name)
    wrong = frozenset(one.option for one in problems(raw, model)) if layers.look or layers.own != Defaults() else None
    for kind, option, value in _wishes(layers):
        if wrong is None or getattr(raw, option) is not None:
            continue
        tried = _follow(raw, option, value, kind is NoteKind.LOOK, wrong, lambda one: problems(one, model))
        if tried is None or getattr(tried, option) != value:
            notes.append(_note(kind, option, value, None if tried is None else getattr(tried, option)))
        if tried is not None:
            raw = tried
            wrong = frozenset(one.option for one in problems(raw, model))
    return Settled(model, raw, tuple(notes))


def _model(
    layers: Layers, usable: Callable[[str], Model | None], demanded: Callable[[str], Model]
) -> tuple[Model, list[Note]]:
    notes: list[Note] = []
    if layers.model is not None:
        return demanded(layers.model), notes
    wished = ((NoteKind.LOOK, layers.look.model if layers.look else None), (NoteKind.OWN, layers.own.model))
    for kind, name in wished:
        if name is None:
            continue
        model = usable(name)
        if model is not None:
            return model, notes
        notes.append(_note(kind, "model", name, None))
    return demanded(layers.server.model or layers.operators), notes


def _wishes(layers: Layers) -> Iterable[tuple[NoteKind, str, Option]]:
    """What the look says, then what the person always wants."""
    for option, value in layers.look.options if layers.look else ():
        yield NoteKind.LOOK, option, value
    for option in OWN_OPTIONS:
        value = getattr(layers.own, option)
        if value is not None:
            yield NoteKind.OWN, option, value


def _follow(
    raw: RawOptions,
    option: str,
    value: Option,
    to_nearest: bool,
    wrong: frozenset[str],
    problems: Callable[[RawOptions], Sequence[Problem]],
) -> RawOptions | None:
    """The options with this one, or with the nearest that works, as long as nothing new is wrong; else None."""
    asked: dict[str, Any] = {option: value}
    tried = replace(raw, **asked)
    found = problems(tried)
    if wrong >= {one.option for one in found}:
        return tried
    nearest = next((one.works for one in found if one.option == option), None)
    if not to_nearest or not isinstance(nearest, str) or (isinstance(value, int) and not nearest.isdecimal()):
        return None
    asked[option] = int(nearest) if isinstance(value, int) else nearest
    tried = replace(raw, **asked)
    return tried if wrong >= {one.option for one in problems(tried)} else None


def _note(kind: NoteKind, option: str, asked: Option, instead: Option | None) -> Note:
    return Note(kind, option, Typed(str(asked)), None if instead is None else Typed(str(instead)))
