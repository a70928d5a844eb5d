"""Every row by its name, in the order of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.goals import Goal, Line
from bench.measures import acks, age, burst, crowds, first, pictures, reservations
from bench.size import Size

Against = tuple[str, Path] | None
"""Another revision's name and folder."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, which gives one or more lines of the table."""

    name: str
    measure: Callable[[Size, Against], Awaitable[list[Line]]]

    def failed(self, why: str) -> list[Line]:
        return [Line(Goal(self.name, "", "", None, None), (), {}, why)]


def _alone(measure: Callable[[Size], Awaitable[list[Line]]]) -> Callable[[Size, Against], Awaitable[list[Line]]]:
    """A measurement that compares with nothing earlier."""
    return lambda size, _: measure(size)


ROWS = (
    Row("whole", _alone(pictures.whole)),
    Row("fixed", pictures.fixed),
    Row("stream", _alone(pictures.stream)),
    Row("memory", _alone(burst.memory)),
    Row("sqlite", _alone(reservations.sqlite)),
    Row("postgresql", _alone(reservations.postgresql)),
    Row("acks", _alone(acks.acks)),
    Row("stall", _alone(burst.stall)),
    Row("age", _alone(age.age)),
    Row("waiting", _alone(crowds.waiting)),
    Row("servers", _alone(crowds.servers)),
    Row("start", _alone(crowds.start)),
    Row("first", _alone(first.first)),
)
