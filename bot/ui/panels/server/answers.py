"""Answers to changes of settings: old → new, what else to know, and *Undo*, which takes back that change and only that.

Ids are ``e1:undo:<who changed it>:<when, in microseconds>``: the trail knows the rest, so they outlive every restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import discord

from bot.core.servers.admin import Done
from bot.rules.people import Asker
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.changes import Change, Undone
from bot.rules.servers.undo import undoable
from bot.ui.components.press import Press, button
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of, check_admin
from bot.ui.messages import File, Message, opened
from bot.ui.pages.settings import fitted
from bot.ui.panels.server.parts import Page
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIFF_ROOM = 1500
TRACE = r"(?P<who>\d{1,19}):(?P<at>\d{1,16})"
"""Whose change it was, and when; sixteen digits of microseconds are the year 2286."""


def trace_of(asker: Asker, done: Done) -> str | None:
    """What names a change in an id; None where nothing of it can be taken back, or not by this person."""
    if not asker.can_manage or not undoable(done.changes):
        return None
    return f"{asker.user_id}:{(done.at - EPOCH) // timedelta(microseconds=1)}"


async def undone(interaction: Interaction, who: str, at: str) -> Done:
    """Takes back what was changed then. Raises ``AccessDenied``, ``NothingToUndo`` or ``ChangedSince``."""
    asker = check_admin(interaction)
    if who != str(asker.user_id):
        raise AccessDenied(DeniedBecause.NOT_ADMIN)
    return await interaction.client.shell.admin.undo(asker, EPOCH + timedelta(microseconds=int(at)))


@dataclass(frozen=True, slots=True)
class Shown(Message):
    """What holds, where nothing was asked to change: the page that changes it, and what can be removed, by its value
    (``previews``, ``log``, ``review``, or a limit's slot) and name."""

    page: Page = Page.WHO
    removable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a press: what was changed, and what else the admin should know."""

    done: tuple[Done, ...] = ()
    notes: tuple[str, ...] = ()


class Undo(Press, template=rf"{VERSION}:undo:{TRACE}"):
    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        acknowledged(interaction)
        done = await undone(interaction, self.part("who"), self.part("at"))
        message = all_changed(interaction, say(str(interaction.locale), "settings.undone"), done)
        with opened(message.files) as files:
            await interaction.edit_original_response(
                content=message.content, embed=None, view=message.view, attachments=files
            )


def undo_items(interaction: Interaction, done: Done) -> list[Undo]:
    """The button that takes this back, where that can be done."""
    trace = trace_of(asker_of(interaction), done)
    if trace is None:
        return []
    key = "settings.redo" if isinstance(done.change, Undone) else "settings.undo"
    return [Undo(button(f"{VERSION}:undo:{trace}", say(str(interaction.locale), key), emoji="↩️"))]


def changed(interaction: Interaction, done: Done, *notes: str) -> Message:
    """Old → new, what else the admin should know, and *Undo*."""
    shell, asker, locale = interaction.client.shell, asker_of(interaction), str(interaction.locale)
    shell.settings_cache.forget(asker.place)
    text = "\n".join([change_line(done.change, locale), *filter(None, notes)])
    return Message(text, view=under(undo_items(interaction, done)))


def told_of(interaction: Interaction, turn: Turn) -> Message:
    """The same for several changes at once."""
    interaction.client.shell.settings_cache.forget(asker_of(interaction).place)
    changes = [change for done in turn.done for change in done.changes]
    lines = [change_line(change, str(interaction.locale)) for change in changes]
    items = undo_items(interaction, turn.done[0]) if len(turn.done) == 1 else []
    return Message("\n".join([*lines, *filter(None, turn.notes)]), view=under(items))


def all_changed(interaction: Interaction, head: str, done: Done) -> Message:
    """What was changed in one go, each with old → new, and *Undo*."""
    interaction.client.shell.settings_cache.forget(asker_of(interaction).place)
    listed = listed_changes(head, done.changes[1:], str(interaction.locale))
    return replace(listed, view=under(undo_items(interaction, done)))


def listed_changes(head: str, changes: Sequence[Change], locale: str) -> Message:
    """As many changes as fit, and all of them as a file where they do not."""
    lines = [f"- {change_line(one, locale)}" for one in changes]
    text = fitted(lines, DIFF_ROOM, locale) if lines else ""
    whole = "\n".join(change_line(one, locale).replace("**", "") for one in changes).encode("utf-8", "replace")
    files = () if text == "\n".join(lines) else (File(say(locale, "settings.imported_list"), whole),)
    return Message("\n".join(filter(None, [head, text])), files=files)


def under(items: Sequence[Press]) -> discord.ui.View | None:
    """What stands under a message; only what works for ever."""
    if not items:
        return None
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view
