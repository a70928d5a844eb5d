"""``/settings open``: one message with a page for each theme, and what happens when something on it is pressed.

Law: the panel remembers nothing. Ids say the page and the act, Discord sends along what the menu showed, all else is
read anew; so it works after a restart, and for two admins at once. Rights are looked at with each press.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import discord

from bot.rules.errors import UserError
from bot.rules.limits.limit import Limit, Scope
from bot.rules.servers.changes import is_news
from bot.rules.servers.edits import logged_to, previewed
from bot.rules.servers.undo import undoable
from bot.ui.components.press import Press, button, chosen
from bot.ui.interactions.acknowledge import acknowledged, tell_message
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of, check_admin
from bot.ui.messages import Message
from bot.ui.orders.choices import offered
from bot.ui.pages.settings import EXCEPTIONS
from bot.ui.pages.settings import page as page_of
from bot.ui.panels.api_key import ApiKeyForm
from bot.ui.panels.review import review_in
from bot.ui.panels.server import pages, result_pages
from bot.ui.panels.server.acts import ACTS, Pressed, ids_of
from bot.ui.panels.server.answers import Shown, Turn, changed, told_of, trace_of, under
from bot.ui.panels.server.draw import drawn
from bot.ui.panels.server.limit_form import LimitsForm, taken_away
from bot.ui.panels.server.pages import Desk, head
from bot.ui.panels.server.parts import ASKING, CONTROL, SLOT, Knob, Page, Part, Row, Text
from bot.ui.panels.server.presets_page import Choice, choice_of, planned, presets_page, take
from bot.ui.panels.settings import office_of
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line
from bot.ui.words.errors import StaleButton, words
from bot.ui.words.prices import budget_meaning
from bot.ui.words.text import cut

TRAIL = 25
"""Entries of the trail that are read; those of one change are shown as one."""
NOTICE_ROOM = 700

SHOWN = {
    Page.WHO: pages.who,
    Page.LIMITS: pages.limits,
    Page.MONEY: pages.money,
    Page.MODELS: result_pages.models,
    Page.LOOK: result_pages.look,
    Page.SAFETY: result_pages.safety,
    Page.LOG: result_pages.trail,
}
FORMS = {
    "limits_form": Scope.EVERYONE,
    "budget_form": Scope.SERVER,
    "limits_role": Scope.ROLE,
    "limits_member": Scope.MEMBER,
    "limits_channel": Scope.CHANNEL,
}


# --- showing -----------------------------------------------------------------------------------------------------


async def open_panel(interaction: Interaction, page: Page = Page.WHO) -> Message:
    """The panel, for who may manage this server. Raises ``AccessDenied``."""
    check_admin(interaction)
    return Message(layout=await panel(interaction, page))


async def panel(
    interaction: Interaction, page: Page, notice: Sequence[Part] = (), choice: Choice | None = None
) -> discord.ui.LayoutView:
    desk = await _desk(interaction)
    if page is Page.PRESETS:
        return drawn(page, [*head(desk, page, notice), *await _presets(interaction, choice)], _wrapped)
    return drawn(page, [*head(desk, page, notice), *SHOWN[page](desk)], _wrapped)


async def _presets(interaction: Interaction, choice: Choice | None) -> list[Part]:
    shell, locale, plan = interaction.client.shell, str(interaction.locale), None
    try:
        if choice is not None and choice.is_ready:
            plan = planned(interaction, choice, await shell.admin.held(check_admin(interaction).place))
    except UserError as error:
        return [*presets_page(shell.presets, choice, None, locale), Text(f"⚠️ {words(error, locale)}")]
    return presets_page(shell.presets, choice, plan, locale)


def _wrapped(item: discord.ui.Item[Any]) -> Press:
    """What answers for a button or menu: its id says which."""
    return Asking(item) if str(getattr(item, "custom_id", "")).startswith(f"{VERSION}:setask:") else Control(item)


async def _desk(interaction: Interaction) -> Desk:
    shell, asker = interaction.client.shell, check_admin(interaction)
    locale = str(interaction.locale)
    prices = await shell.intake.usual_picture(asker.place)

    def meaning(limit: Limit) -> str:
        return budget_meaning(pages.dollars_of(limit), prices, locale)

    return Desk(
        office=await office_of(interaction),
        models=offered(shell.catalogue, shell.config.is_official, shell.clock().date()),
        trail=await shell.store.servers.audit(asker.place, TRAIL),
        reader_id=asker.user_id,
        meaning=meaning,
    )


def told(interaction: Interaction, turn: Turn) -> list[Part]:
    """What came of a press, with *Undo* beside it."""
    locale = str(interaction.locale)
    lines = [
        f"{'✅' if is_news(change) else 'ℹ️'} {change_line(change, locale)}"
        for done in turn.done
        for change in undoable(done.changes) or done.changes[:1]
    ]
    text = cut("\n".join([*lines, *filter(None, turn.notes)]), NOTICE_ROOM)
    trace = trace_of(check_admin(interaction), turn.done[0]) if len(turn.done) == 1 else None
    if not text:
        return []
    return [Row(text, Knob(f"undo:{trace}", say(locale, "settings.undo")))] if trace else [Text(text)]


# --- pressing ----------------------------------------------------------------------------------------------------


class Asking(Press, template=ASKING):
    """What opens a form."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        check_admin(interaction)
        act = self.part("act")
        if act == "key_form":
            await interaction.response.send_modal(ApiKeyForm(interaction))
            acknowledged(interaction)
            return
        if act not in FORMS:
            raise StaleButton
        scope = FORMS[act]
        of_one = scope in EXCEPTIONS
        subject = min(ids_of(frozenset({Pressed(chosen=chosen(interaction)).one}))) if of_one else None
        await PanelForm.open(interaction, scope, subject)


class Control(Press, template=CONTROL):
    """Every button and menu of the panel."""

    async def press(self, interaction: Interaction) -> None:
        check_admin(interaction)
        act, pressed = self.part("act"), Pressed(self.part("arg"), chosen(interaction), self._shown())
        await interaction.response.defer()
        acknowledged(interaction)
        page = Page(pressed.one) if act == "go" and pressed.one in set(Page) else self._page()
        choice = choice_of(interaction, act, pressed)
        notice = await _attempted(interaction, act, pressed, choice) if act != "go" else []
        await interaction.edit_original_response(view=await panel(interaction, page, notice, choice))

    def _page(self) -> Page:
        """Raises ``StaleButton`` for a page that this version does not have."""
        if self.part("page") not in set(Page):
            raise StaleButton
        return Page(self.part("page"))

    def _shown(self) -> frozenset[str]:
        """What the menu showed as chosen, by the message that it stands in."""
        match self.item:
            case discord.ui.Select():
                return frozenset(one.value for one in self.item.options if one.default)
            case discord.ui.RoleSelect() | discord.ui.UserSelect() | discord.ui.ChannelSelect():
                return frozenset(str(one.id) for one in self.item.default_values)
            case _:
                return frozenset()


async def _attempted(interaction: Interaction, act: str, pressed: Pressed, choice: Choice | None) -> list[Part]:
    if choice is not None:
        return await noticed(interaction, take(interaction, choice, pressed)) if act == "preset_take" else []
    if act == "remove":
        return await noticed(interaction, taken_away(interaction, pressed.one))
    if act not in ACTS:
        raise StaleButton
    return await noticed(interaction, ACTS[act](interaction, pressed))


async def noticed(interaction: Interaction, doing: Awaitable[Turn | Message]) -> list[Part]:
    """Does it, and says what came of it on the panel itself, so that its menus show what holds. A question is asked
    beside it."""
    try:
        outcome = await doing
    except UserError as error:
        return [Text(f"⚠️ {words(error, str(interaction.locale))}")]
    interaction.client.shell.settings_cache.forget(check_admin(interaction).place)
    if isinstance(outcome, Turn):
        return told(interaction, outcome)
    await tell_message(interaction, outcome)
    return []


class PanelForm(LimitsForm):
    """A form of limits that was opened from the panel, and changes it."""

    async def submitted(self, interaction: Interaction) -> None:
        check_admin(interaction)
        await interaction.response.defer()
        acknowledged(interaction)
        notice = await noticed(interaction, self.applied(interaction))
        page = Page.MONEY if self.is_money else Page.LIMITS
        await interaction.edit_original_response(view=await panel(interaction, page, notice))


# --- from other answers ------------------------------------------------------------------------------------------


class OpenPanel(Press, template=rf"{VERSION}:setopen:(?P<page>[a-z]+)"):
    """Under ``/settings show`` and under what a subcommand shows."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        page = self.part("page")
        await answer(interaction, open_panel(interaction, Page(page) if page in set(Page) else Page.WHO))


class Remove(Press, template=rf"{VERSION}:setrm:(?:(?P<what>previews|log|review)|{SLOT})"):
    """Under what a subcommand shows: takes that away, with the question that the command asks."""

    async def press(self, interaction: Interaction) -> None:
        await answer(interaction, self._removed(interaction))

    async def _removed(self, interaction: Interaction) -> Message:
        asker = check_admin(interaction)
        if slot := self.part("slot"):
            outcome = await taken_away(interaction, slot)
            return told_of(interaction, outcome) if isinstance(outcome, Turn) else outcome
        what = self.part("what")
        if what == "review":
            return await review_in(interaction, None, remove=True)
        edit = previewed(None) if what == "previews" else logged_to(None)
        return changed(interaction, await interaction.client.shell.admin.change(asker, edit))


async def show(interaction: Interaction) -> Message:
    """All that holds, on one page."""
    message = Message(embed=page_of(await office_of(interaction)))
    return _with(interaction, message, [_opening(interaction, Page.WHO, "open")])


async def answer_settings(interaction: Interaction, work: Coroutine[Any, Any, Message]) -> None:
    """Answers a subcommand; under what only shows stand *Change* and *Remove*."""

    async def offering() -> Message:
        message = await work
        if not isinstance(message, Shown):
            return message
        locale = str(interaction.locale)
        removes = [_removing(value, name, locale) for value, name in message.removable[:4]]
        return _with(interaction, message, [_opening(interaction, message.page, "change"), *removes])

    await answer(interaction, offering())


def _opening(interaction: Interaction, page: Page, key: str) -> OpenPanel:
    label = say(str(interaction.locale), f"panel.{key}")
    return OpenPanel(button(f"{VERSION}:setopen:{page}", label, emoji="⚙️"))


def _removing(value: str, name: str, locale: str) -> Remove:
    label = f"{say(locale, 'panel.form_remove')}: {name}" if name else say(locale, "panel.form_remove")
    return Remove(button(f"{VERSION}:setrm:{value}", label, style=discord.ButtonStyle.danger))


def _with(interaction: Interaction, message: Message, items: Sequence[Press]) -> Message:
    """The message with these under it, for those whom they would answer."""
    return replace(message, view=under(items)) if asker_of(interaction).can_manage else message
