"""What was found, as a table in Markdown and as a page with plots."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import table
from bench.goals import Line
from bench.plots import drawn
from bot.parts import version

HEAD = ("row", "goal", "stretch", "floor", "P", "naive", "ours", "unit", "held against the goal", "rounds", "verdict")

WORDS = """\
Every bot is a process of its own, and so are the Discord and the image service it speaks to, and the bench, which only
orders: no byte of a picture passes through it. All speak the real protocols, hold the same conversation (deferred, told
that it is being drawn, shown) and take turns round by round; the figure held against a goal is the median of the ratios
of each round. Milliseconds do not carry over to another machine; ratios do.

- **floor**: bare aiohttp, base64 decoded as it arrives, uploaded from those very bytes; promises nothing
- **P**, the promise floor: the floor with a durable reservation, dispatch and production (one writer, group commit),
  the picture's checksums compared, and the picture synced on disk before it is shown
- **naive**: what a newcomer writes with discord.py and the SDK
- **ours**: Easel itself, as it is run; of the core path only the adapter and the delivery, without the ledger
"""


@dataclass(frozen=True, slots=True)
class Report:
    """``found`` by row; ``on`` is the machine in words."""

    found: dict[str, list[Line]]
    on: str
    took_s: float
    quick: bool = False

    @property
    def lines(self) -> list[Line]:
        return [line for lines in self.found.values() for line in lines]

    def table(self) -> str:
        return table(HEAD, [_row(line) for line in self.lines])

    def notes(self) -> str:
        return "\n".join(f"- {line.goal.what}: {line.note}" for line in self.lines if line.note)


def _row(line: Line) -> list[str]:
    goal, sign = line.goal, "≥" if line.goal.at_least else "≤"
    wanted = [f"{sign} {shown(by)} {goal.held}" if by is not None else "" for by in (goal.goal, goal.stretch)]
    columns = [shown(line.columns.get(name)) for name in ("floor", "promise", "naive", "ours")]
    rounds = " ".join(shown(one) for one in line.rounds)
    return [goal.what, *wanted, *columns, goal.unit, f"{shown(line.figure)} {goal.held}", rounds, line.verdict]


def shown(value: float | None) -> str:
    """Three figures, however large."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "∞" if math.isinf(value) else "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, Easel {version()}, {datetime.now(UTC):%Y-%m-%d}; "
        f"{os.getloadavg()[0]:.1f} processes wanted a processor in the minute before"
    )


def written(report: Report, folder: Path) -> Path:
    """Writes ``report.md`` and its plots; where."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = drawn(report.lines, folder)
    parts = [
        "# How fast Easel is",
        f"Made by `python3 run.py bench` in {report.took_s / 60:.0f} minutes. {report.on}.",
        "**Small sizes: these figures only show that every row works.**" if report.quick else "",
        report.table(),
        "## How it was measured",
        WORDS.rstrip(),
        "## Notes",
        report.notes(),
        *(f"![{words}]({path.name})" for path, words in plots),
    ]
    path = folder / "report.md"
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path
