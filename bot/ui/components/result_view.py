"""What stands under a result, and every control of a job.

Ids once given out are answered for ever: what a newer version no longer shows stays in ``DYNAMIC_ITEMS``.
"""

from __future__ import annotations

import discord

from bot.rules.ledger import Job
from bot.rules.servers.access import ResultButton
from bot.ui.components.chooser import NOTHING_HIDDEN, More, Pan, Pick, menu
from bot.ui.components.deletion import Delete, DeleteForGood, Keep
from bot.ui.components.job_buttons import (
    Again,
    Cancel,
    Claim,
    Details,
    Edit,
    JobItem,
    Move,
    Remix,
    Vary,
    Zoom,
    job_button,
)
from bot.ui.words.catalogue import say

DYNAMIC_ITEMS: tuple[type[JobItem], ...] = (
    Again,
    Remix,
    Vary,
    Edit,
    Zoom,
    Pan,
    Move,
    More,
    Details,
    Delete,
    DeleteForGood,
    Keep,
    Cancel,
    Claim,
    Pick,
)

MAKING: tuple[tuple[ResultButton, type[JobItem], str], ...] = (
    (ResultButton.AGAIN, Again, "🔁"),
    (ResultButton.REMIX, Remix, "🎛️"),
    (ResultButton.VARY, Vary, "✨"),
    (ResultButton.EDIT, Edit, "🖌️"),
)
MOVING: tuple[tuple[ResultButton, type[JobItem], str], ...] = (
    (ResultButton.ZOOM, Zoom, "🔭"),
    (ResultButton.PAN, Pan, "↔️"),
)
OF_ONE = frozenset({ResultButton.VARY, ResultButton.EDIT})
"""Buttons about one picture: where there are several, each has its own or the menu has it."""

IN_A_ROW = 5
MOST_VARIED = 10


def result_view(
    job: Job, count: int, locale: str, *, hidden: frozenset[ResultButton] = NOTHING_HIDDEN
) -> discord.ui.View:
    """Two rows under one picture; under several a button each to vary it, a menu, and a row about all."""
    view = discord.ui.View(timeout=None)
    several = count > 1
    row = 0
    if several:
        if ResultButton.VARY not in hidden:
            for number in range(min(count, MOST_VARIED)):
                label = say(locale, "button.vary_n", number=number + 1)
                view.add_item(Vary(job_button("vary", job.id, label, "✨", number, row=number // IN_A_ROW)))
            row = (min(count, MOST_VARIED) - 1) // IN_A_ROW + 1
        choice = menu(job.id, count, locale, hidden, row)
        if choice is not None:
            view.add_item(choice)
            row += 1
    for button, kind, emoji in MAKING:
        if button not in hidden and not (several and button in OF_ONE):
            index = 0 if button in OF_ONE else None
            view.add_item(kind(job_button(button, job.id, say(locale, f"button.{button}"), emoji, index, row=row)))
    if not several:
        row += 1
        for button, kind, emoji in MOVING:
            if button not in hidden:
                view.add_item(kind(job_button(button, job.id, say(locale, f"button.{button}"), emoji, 0, row=row)))
    if ResultButton.DETAILS not in hidden:
        view.add_item(Details(job_button("details", job.id, say(locale, "button.details"), "🔎", row=row)))
    if ResultButton.DELETE not in hidden:
        red = discord.ButtonStyle.danger
        view.add_item(Delete(job_button("delete", job.id, say(locale, "button.delete"), "🗑️", row=row, style=red)))
    return view
