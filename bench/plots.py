"""The plots of the report: the bots beside each other, and every row as a share of its goal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from bench.goals import Line

COLUMNS = (("floor", "#9aa5b1"), ("promise", "#5b8def"), ("naive", "#e0a458"), ("ours", "#7a4ce0"))
NAMES = {"promise": "P"}
GOOD, BAD = "#3fa66a", "#d0604d"

mpl.use("svg")
mpl.rcParams |= {"svg.hashsalt": "easel", "svg.fonttype": "none", "font.size": 9}


def drawn(lines: Sequence[Line], folder: Path) -> list[tuple[Path, str]]:
    """Draws what there is to draw; the files, and what they show in words."""
    plots = []
    if side_by_side := [line for line in lines if {"floor", "promise"} <= line.columns.keys()]:
        plots.append((_bots(side_by_side, folder / "report-bots.svg"), "Each row, as multiples of the floor"))
    if with_goal := [line for line in lines if line.goal.goal is not None and _share(line) > 0]:
        plots.append((_goals(with_goal, folder / "report-goals.svg"), "Each row, as a share of its goal"))
    return plots


def _bots(lines: Sequence[Line], path: Path) -> Path:
    figure = Figure(figsize=(9, 0.8 + 0.75 * len(lines)), layout="constrained")
    axes = figure.subplots()
    thick = 0.8 / len(COLUMNS)
    for at, (name, colour) in enumerate(COLUMNS):
        widths = [line.columns.get(name, math.nan) / line.columns["floor"] for line in lines]
        places = [row + (at - 1.5) * thick for row in range(len(lines))]
        bars = axes.barh(places, widths, thick, color=colour, label=NAMES.get(name, name))
        axes.bar_label(bars, fmt="%.1f", padding=2)
    _named_rows(axes, lines)
    axes.set_xlabel("multiples of the floor")
    axes.legend(loc="lower right")
    return _saved(figure, path)


def _goals(lines: Sequence[Line], path: Path) -> Path:
    figure = Figure(figsize=(9, 0.8 + 0.3 * len(lines)), layout="constrained")
    axes = figure.subplots()
    shares = [_share(line) for line in lines]
    colours = [GOOD if share <= 1 else BAD for share in shares]
    axes.barh(range(len(lines)), [share - 1 for share in shares], 0.7, left=1.0, color=colours)
    axes.axvline(1.0, color="black", linewidth=1)
    for row, line in enumerate(lines):
        if line.goal.stretch is not None and line.goal.goal is not None:
            axes.plot(_of_goal(line, line.goal.stretch), row, "k|", markersize=10)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    _named_rows(axes, lines)
    axes.set_xlabel("share of the goal: left of the line it is met, at the tick the stretch is")
    return _saved(figure, path)


def _share(line: Line) -> float:
    return _of_goal(line, line.figure)


def _of_goal(line: Line, figure: float) -> float:
    """1 is the goal, less is better."""
    goal = line.goal.goal
    if goal is None or not math.isfinite(figure) or figure <= 0:
        return 0.0
    return goal / figure if line.goal.at_least else figure / goal


def _named_rows(axes: mpl.axes.Axes, lines: Sequence[Line]) -> None:
    axes.set_yticks(range(len(lines)), [f"{line.goal.what} ({line.goal.held})" for line in lines])
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    return path
