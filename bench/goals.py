"""The rows of the table: what is measured, in what it is told, and how good it is meant to be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.figures import median


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table. ``unit`` is that of the columns, ``held`` says what the goal is about."""

    what: str
    unit: str
    held: str
    goal: float | None
    stretch: float | None
    at_least: bool = False

    def is_met(self, figure: float, by: float | None) -> bool | None:
        """Whether the figure is as good as that; None where there is nothing to meet."""
        if by is None:
            return None
        return figure >= by if self.at_least else figure <= by


@dataclass(frozen=True, slots=True)
class Line:
    """What was found for a goal: figures of its ``rounds``; in ``columns``, by bot, medians in its unit."""

    goal: Goal
    rounds: tuple[float, ...]
    columns: Mapping[str, float]
    note: str = ""

    @property
    def figure(self) -> float:
        return median(self.rounds)

    @property
    def has_figure(self) -> bool:
        return math.isfinite(self.figure)

    @property
    def verdict(self) -> str:
        if not self.has_figure:
            return "**no figure**"
        if self.goal.is_met(self.figure, self.goal.stretch):
            return "stretch met"
        met = self.goal.is_met(self.figure, self.goal.goal)
        return "" if met is None else "met" if met else "**not met**"


OF_P, OF_FLOOR = "of P", "of the floor"

SERIAL = Goal("whole job, one after the other, {kind}", "ms of CPU", OF_P, 2.0, 1.6)
TOGETHER = Goal("whole job, {n} at once, {kind}", "ms of CPU", OF_P, 2.0, 1.6)
CORE = Goal("core path: received, decoded, delivered", "ms of CPU", OF_FLOOR, 2.0, 1.6)
FIXED = Goal("fixed cost of a job: a picture of 32 pixels", "ms of CPU", OF_P, None, None)
FIXED_OF_NAIVE = Goal("the same", "ms of CPU", "of naive", None, None)
FIXED_AGAINST = Goal("the same, of {rev}", "ms of CPU", "of {rev}", 0.35, 0.25)
STREAM = Goal("stream with 3 previews, all shown", "ms of CPU", OF_FLOOR, 2.0, 1.5)
MEMORY = Goal("memory of {n} pictures in one moment, each", "pictures", "pictures", 0.5, 0.25)
RATE = Goal("reservations at 32 tasks, SQLite, synced", "a second", "a second", 2000, 5000, at_least=True)
RESERVATION_CPU = Goal("the same", "ms of CPU", "of the twin", 10, 5)
POSTGRES = Goal("reservations at 32 tasks, PostgreSQL", "a second", "a second", 1000, 1500, at_least=True)
POSTGRES_TWO = Goal("the same, two processes together", "a second", "a second", 700, None, at_least=True)
POSTGRES_FOUR = Goal("the same, four processes together", "a second", "a second", None, None, at_least=True)
LOADED = Goal("acknowledged, p99, with {n} in flight", "ms", "of idle", 3, 1.5)
FLOOD = Goal("acknowledged, p99, while all {n} come at once", "ms", "of idle", 10, 4)
STALL = Goal("longest stall while {n} and one of 4K arrive", "ms", "ms", 50, 15)
WAITING = Goal("{n} jobs waiting", "% of a core", "% of a core", 5, 1)
AGE = Goal("{what}, with {n:,} jobs", "ms of CPU", "of {few:,} jobs", 2, 1.1)
PROCESS = Goal("memory of the process, with {n} servers", "MB", "MB", None, None)
SERVERS = Goal("memory of a server, with {n}", "KB", "KB", 20, 8)
START = Goal("first acknowledgement after start with {n} servers", "s", "of the imports", 1.4, 0.9)
FIRST = Goal("from a clone to the page, installed by {installer}", "s", "s", 60, 30)


def named(goal: Goal, **names: object) -> Goal:
    """The goal with its blanks filled in."""
    return replace(goal, what=goal.what.format(**names), held=goal.held.format(**names))


def ungoaled(goal: Goal) -> Goal:
    """The same without anything to meet: it is known to grow."""
    return replace(goal, goal=None, stretch=None)


def medians(columns: Mapping[str, Sequence[float]], scale: float = 1.0) -> dict[str, float]:
    return {name: median(values) * scale for name, values in columns.items()}
