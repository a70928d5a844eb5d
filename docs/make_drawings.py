"""Draws the pictures one looks at instead of reading: ``python docs/make_drawings.py`` writes them to ``docs/images``.

The arrows between states are those of ``bot/rules/ledger.py``; ``tests/test_docs.py`` fails when a drawing is not as
this draws it. Plain SVG with a ground of its own, so that it is the same on GitHub, on the site, by day and by night.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.rules.ledger import CHARGED, HOLDING, NEXT, JobState  # noqa: E402

INK, SOFT, GROUND, LINE = "#23272f", "#5b6472", "#ffffff", "#8b95a5"
GREEN, AMBER, RED, GREY, BLUE = "#d8f3dc", "#fff0c9", "#fbdada", "#eceff3", "#dfe5ff"


def page(name: str, width: int, height: int, parts: Iterator[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name)}"'
    )
    marker = 'id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"'
    lines = [
        f'{head} font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="14">',
        f'<defs><marker {marker}><path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="12" fill="{GROUND}" stroke="{GREY}"/>',
    ]
    return "\n".join([*lines, *parts, "</svg>\n"])


def text(
    x: float, y: float, words: str, *, bold: bool = False, fill: str = INK, size: int = 14, at: str = "middle"
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{at}" fill="{fill}" font-size="{size}"{weight}>{escape(words)}</text>'


def box(x: int, y: int, w: int, h: int, fill: str, title: str, *below: str) -> Iterator[str]:
    yield f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="9" fill="{fill}" stroke="{LINE}"/>'
    top = y + h / 2 - 8 * len(below) + 5
    yield text(x + w / 2, top, title, bold=True)
    for number, line in enumerate(below, 1):
        yield text(x + w / 2, top + 17 * number, line, fill=SOFT, size=12)


def arrow(path: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.6" marker-end="url(#tip)"{dash}/>'


# --- the states of the ledger ------------------------------------------------------------------------------------

SAYS = {
    JobState.RESERVED: ("the most it can", "cost is on hold"),
    JobState.DISPATCHED: ("the one request", "is on its way"),
    JobState.PRODUCED: ("pictures saved,", "their cost charged"),
    JobState.DELIVERED: ("shown in", "Discord"),
    JobState.SETTLED: ("the bill is", "closed"),
    JobState.RELEASED: ("not made: free,", "counts for nothing"),
    JobState.REFUSED: ("by the safety system:", "free, counts as sent"),
    JobState.UNKNOWN: ("perhaps billed:", "stays charged"),
}
PLACES = {
    JobState.RESERVED: (20, 30), JobState.DISPATCHED: (200, 30), JobState.PRODUCED: (380, 30),
    JobState.DELIVERED: (560, 30), JobState.SETTLED: (740, 30), JobState.RELEASED: (20, 180),
    JobState.REFUSED: (200, 180), JobState.UNKNOWN: (380, 180),
}  # fmt: skip
W, H = 150, 78


def states() -> str:
    return page("The states of a job in the ledger", 910, 325, _states())


def _states() -> Iterator[str]:
    for state, following in NEXT.items():
        for to in sorted(following):
            yield arrow(_way(PLACES[state], PLACES[to]), dashed=state is JobState.UNKNOWN)
    for state, (x, y) in PLACES.items():
        fill = AMBER if state in HOLDING else GREEN if state in CHARGED - {JobState.UNKNOWN} else GREY
        yield from box(x, y, W, H, RED if state is JobState.UNKNOWN else fill, state.value, *SAYS[state])
    for x, fill, words in (
        (20, AMBER, "on hold"),
        (120, GREEN, "charged"),
        (225, RED, "charged, unclear"),
        (385, GREY, "free"),
    ):
        yield f'<rect x="{x}" y="288" width="16" height="16" rx="4" fill="{fill}" stroke="{LINE}"/>'
        yield text(x + 23, 301, words, fill=SOFT, size=12, at="start")
    yield text(
        890, 301, "No step leads back: what may have been billed is never sent again.", fill=SOFT, size=12, at="end"
    )


def _way(one: tuple[int, int], other: tuple[int, int]) -> str:
    (x, y), (a, b) = one, other
    if y == b:
        return f"M{x + W} {y + H / 2}H{a - 3}"
    if b < y:
        return f"M{x + W * 0.7} {y}V{b + H + 3}"
    start, end = x + W * (0.3 if a < x else 0.5), a + W * (0.7 if a < x else 0.5)
    if a > x:
        start, end = x + W * 0.75, a + W * 0.3
    return f"M{start} {y + H}C{start} {y + H + 40} {end} {b - 40} {end} {b - 3}"


# --- the way of a job ----------------------------------------------------------------------------------------------

STEPS = (
    (BLUE, "You ask", "a command, a button", "or a form"),
    (BLUE, "Checked", "rights, options,", "words, price"),
    (AMBER, "Reserved", "every limit and budget", "in one transaction"),
    (AMBER, "Queued", "servers in turn,", "then members"),
    (AMBER, "Sent", "once, to the", "image service"),
    (GREEN, "Saved, charged", "on disk first,", "then shown"),
    (GREEN, "Shown", "with its buttons,", "the bill closed"),
)
ELSE = (
    None,
    ("Cannot work", "says what would;", "free"),
    ("No room", "names the limit and", "when it resets; free"),
    ("Cancelled", "free"),
    ("Not made", "refused or failed: free;", "perhaps billed: counts"),
    ("Restart, kill -9", "comes back from disk,", "paid once"),
    ("Cannot be shown", "kept for you in", "/gallery"),
)


def job() -> str:
    return page("The way of a job, and what happens when it ends early", 1148, 250, _job())


def _job() -> Iterator[str]:
    for number, (fill, *words) in enumerate(STEPS):
        x = 10 + 163 * number
        if number:
            yield arrow(f"M{x - 13} 69H{x - 2}")
        yield from box(x, 30, 150, H, fill, *words)
        early = ELSE[number]
        if early is not None:
            yield arrow(f"M{x + 75} 108V147", dashed=True)
            yield from box(x, 150, 150, 72, GREY, *early)


# --- who may what --------------------------------------------------------------------------------------------------

PEOPLE = ("Blocked", "Member", "Who asked", "Manage Messages", "Manage Server", "Operator, in .env")
MAY: Mapping[str, str] = {
    "make pictures, where roles, channels, models and limits allow it": "-++++-",
    "see public results, and the gallery of channels they can see": "+++++-",
    "press Again, Vary, Edit under a public result, and pay for it": "-++++-",
    "see a private result": "--+---",
    "delete a result, cancel a job": "--++--",
    "change limits, budgets, models, channels, roles, words": "----+-",
    "block somebody, pause Easel on the server": "----+-",
    "export and delete their own data": "+++++-",
    "set the budget over all servers, the models, the key": "-----+",
}


def rights() -> str:
    return page("Who may do what", 1000, 70 + 34 * len(MAY) + 20, _rights())


def _rights() -> Iterator[str]:
    for column, person in enumerate(PEOPLE):
        first, _, second = person.partition(" ")
        yield text(490 + 88 * column, 32, first, bold=True, size=12)
        yield text(490 + 88 * column, 48, second, bold=True, size=12)
    for row, (what, marks) in enumerate(MAY.items()):
        y = 60 + 34 * row
        if row % 2 == 0:
            yield f'<rect x="10" y="{y}" width="980" height="34" rx="6" fill="{GREY}" opacity="0.55"/>'
        yield text(22, y + 22, what, size=13, at="start")
        for column, mark in enumerate(marks):
            sign, fill = ("✓", "#2b7a3d") if mark == "+" else ("–", SOFT)
            yield text(490 + 88 * column, y + 23, sign, bold=True, fill=fill, size=16)


DRAWINGS = {"job.svg": job, "states.svg": states, "rights.svg": rights}

if __name__ == "__main__":
    for file, draw in DRAWINGS.items():
        (ROOT / "docs" / "images" / file).write_text(draw(), encoding="utf-8")
