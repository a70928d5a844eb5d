"""The form in which limits are typed, and taking one away; both as the commands do it, with their questions."""

from __future__ import annotations

from typing import Any, Self

import discord

from bot.rules.limits.limit import Cooldown, Limit, Measure, Period, Quota, Scope
from bot.rules.servers.changes import Listed
from bot.ui.components.forms import Form
from bot.ui.interactions.acknowledge import acknowledged
from bot.ui.interactions.ids import VERSION, is_snowflake
from bot.ui.interactions.who import check_admin
from bot.ui.messages import Message
from bot.ui.panels.server.acts import check_ids
from bot.ui.panels.server.answers import Turn
from bot.ui.panels.server.forms import GONE, fields_of, wanted
from bot.ui.panels.server.pages import removals
from bot.ui.panels.server.parts import slot_arg
from bot.ui.panels.settings_limits import set_together
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import StaleButton, StaleForm

LISTS = {Scope.ROLE: Listed.ROLES, Scope.CHANNEL: Listed.CHANNELS}


class LimitsForm(Form):
    """The limits of everyone, of the server, or of a role, member or channel."""

    def __init__(self, scope: Scope, subject: int | None, nonce: int, locale: str, held: tuple[Limit, ...]) -> None:
        custom_id = f"{VERSION}:setform:{scope}:{subject or 0}:{nonce}"
        super().__init__(say(locale, f"panel.form_{scope}"), custom_id)
        self._scope, self._subject = scope, subject
        own = [one for one in held if (one.scope, one.subject_id) == (scope, subject)] if subject else []
        self._fields = fields_of(locale, held, scope, subject, removals(locale, own))
        for label in self._fields:
            self.add_item(label)

    @classmethod
    async def open(cls, interaction: Interaction, scope: Scope, subject: int | None) -> None:
        """Shows the form with what holds. Raises ``NotHere`` for what is of another server."""
        if subject is not None and scope in LISTS:
            check_ids(interaction, LISTS[scope], frozenset({subject}))
        held = await interaction.client.shell.store.servers.limits(check_admin(interaction).place)
        await interaction.response.send_modal(cls(scope, subject, interaction.id, str(interaction.locale), held))
        acknowledged(interaction)

    @classmethod
    def of(cls, scope: str, subject: int, nonce: int, locale: str) -> Self:
        """The same form after a restart: only what was typed matters. Raises ``StaleForm`` for a forged id."""
        of_one = scope in (Scope.ROLE, Scope.MEMBER, Scope.CHANNEL)
        if scope not in (Scope.EVERYONE, Scope.SERVER) and not (of_one and is_snowflake(subject)):
            raise StaleForm
        return cls(Scope(scope), subject if of_one else None, nonce, locale, ())

    @property
    def is_money(self) -> bool:
        return self._scope is Scope.SERVER

    async def applied(self, interaction: Interaction) -> Turn | Message:
        """What came of it, or a question first. Raises what is wrong with what was typed."""
        if self._subject is not None and self._scope in LISTS:
            check_ids(interaction, LISTS[self._scope], frozenset({self._subject}))
        held = await interaction.client.shell.store.servers.limits(check_admin(interaction).place)
        texts, gone = _filled_in(self._fields)
        own = [one for one in held if (one.scope, one.subject_id) == (self._scope, self._subject)]
        asked = wanted(texts, held, self._scope, self._subject)
        return await set_together(interaction, asked, [one for one in own if slot_arg(one) in gone], held)


def _filled_in(labels: list[discord.ui.Label[Any]]) -> tuple[dict[str, str], frozenset[str]]:
    """What was typed, by field, and which limits were chosen to go."""
    texts: dict[str, str] = {}
    gone: frozenset[str] = frozenset()
    for label in labels:
        match label.component:
            case discord.ui.TextInput() as field:
                texts[field.custom_id] = field.value
            case discord.ui.Select() as menu if menu.custom_id == GONE:
                gone = frozenset(menu.values)
            case _:
                continue
    return texts, gone


async def taken_away(interaction: Interaction, value: str) -> Turn | Message:
    """Removes the limit of a slot, after a question where money is at stake. Raises ``StaleButton`` for a forgery."""
    held = await interaction.client.shell.store.servers.limits(check_admin(interaction).place)
    removal = _removal_of(value)
    if removal.subject_id is None:
        return await set_together(interaction, [removal], [], held)
    return await set_together(interaction, [], [one for one in held if slot_arg(one) == value], held)


def _removal_of(value: str) -> Limit:
    try:
        scope, measure, period, subject = value.split(".")
        if scope == Scope.OPERATOR:
            raise StaleButton
        about = int(subject) or None
        if measure == "cooldown":
            return Cooldown(Scope(scope), None, about)
        return Quota(Scope(scope), Measure(measure), Period(period), None, about)
    except ValueError:
        raise StaleButton from None
