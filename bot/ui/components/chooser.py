"""What one may do with one of several pictures: chosen in a menu, answered in private.

Law: choosing changes nothing for others. The message with the pictures stays as it is.
"""

from __future__ import annotations

from typing import Any

import discord

from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.options.canvases import Way
from bot.rules.servers.access import ResultButton
from bot.ui.components.job_buttons import Edit, JobItem, Move, Vary, job_button, open_edit_form
from bot.ui.components.press import button, chosen
from bot.ui.interactions.acknowledge import tell
from bot.ui.interactions.ids import button_id, pattern
from bot.ui.interactions.visibility import pictures_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

MOST_PICTURES = 12
"""Two choices each in a menu, which takes 25. No message shows more than ten."""

EDIT, MOVE = "edit", "move"
ARROWS = {Way.LEFT: "⬅️", Way.UP: "⬆️", Way.DOWN: "⬇️", Way.RIGHT: "➡️"}
NOTHING_HIDDEN: frozenset[ResultButton] = frozenset()


class Pan(JobItem, template=pattern("pan")):
    """Asks which way."""

    is_harmless_twice = True

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await _offer(job, self.index, interaction, arrows_only=True)


class More(JobItem, template=pattern("more")):
    """Edit, zoom out or pan the picture that was chosen."""

    is_harmless_twice = True

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        what, _, number = next(iter(chosen(interaction)), "").partition(":")
        index = _checked(number, job)
        if what == EDIT:
            await open_edit_form(job, index, interaction)
        else:
            await _offer(job, index, interaction)


class Pick(JobItem, template=pattern("pick")):
    """The menu of older messages, which named only the picture."""

    is_harmless_twice = True

    async def press_of(self, job: Job, interaction: Interaction) -> None:
        await _offer(job, _checked(next(iter(chosen(interaction)), ""), job), interaction)


def _checked(number: str, job: Job) -> int:
    index = int(number) if number.isdecimal() and len(number) < 3 else 0
    if not 0 <= index < pictures_of(job):
        raise NotFound("picture")
    return index


async def _offer(job: Job, index: int, interaction: Interaction, *, arrows_only: bool = False) -> None:
    locale = str(interaction.locale)
    asked = say(locale, "chooser.way") if arrows_only else say(locale, "chooser.what", number=index + 1)
    hidden = (await interaction.client.shell.settings_cache.looks(job.asker.place)).hidden_buttons
    await tell(interaction, asked, view=chooser_view(job.id, index, locale, hidden, arrows_only=arrows_only))


def chooser_view(
    job_id: str,
    index: int,
    locale: str,
    hidden: frozenset[ResultButton] = NOTHING_HIDDEN,
    *,
    arrows_only: bool = False,
) -> discord.ui.View:
    """Everything one may do with this picture, or only where to pan it."""
    view = discord.ui.View(timeout=None)
    if not arrows_only:
        if ResultButton.VARY not in hidden:
            view.add_item(Vary(job_button("vary", job_id, say(locale, "button.vary"), "✨", index, row=0)))
        if ResultButton.EDIT not in hidden:
            view.add_item(Edit(job_button("edit", job_id, say(locale, "button.edit"), "🖌️", index, row=0)))
        if ResultButton.ZOOM not in hidden:
            view.add_item(_move(job_id, index, Way.OUT, say(locale, "button.zoom"), "🔭", row=0))
    if arrows_only or ResultButton.PAN not in hidden:
        for way, arrow in ARROWS.items():
            view.add_item(_move(job_id, index, way, say(locale, f"button.{way}"), arrow, row=1))
    return view


def _move(job_id: str, index: int, way: Way, label: str, emoji: str, row: int) -> Move:
    return Move(button(f"{button_id('move', job_id, index)}:{way}", label, emoji=emoji, row=row))


def menu(job_id: str, count: int, locale: str, hidden: frozenset[ResultButton], row: int) -> More | None:
    """Two choices for each picture; None where the server wants neither."""
    kinds = [EDIT] if ResultButton.EDIT not in hidden else []
    kinds += [MOVE] if not {ResultButton.ZOOM, ResultButton.PAN} <= hidden else []
    options = [
        discord.SelectOption(
            label=say(locale, f"chooser.{kind}", number=number + 1),
            value=f"{kind}:{number}",
            emoji={EDIT: "🖌️", MOVE: "🔭"}[kind],
        )
        for kind in kinds
        for number in range(min(count, MOST_PICTURES))
    ]
    if not options:
        return None
    select: discord.ui.Select[Any] = discord.ui.Select(
        custom_id=button_id("more", job_id), placeholder=say(locale, "chooser.pick")[:150], options=options, row=row
    )
    return More(select)
