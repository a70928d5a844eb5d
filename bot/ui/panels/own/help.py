"""``/help``: a topic at a time, with examples to press under the first; what is for admins is shown to them alone."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.ui.components.forms import open_imagine
from bot.ui.components.press import Press, button
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Message
from bot.ui.pages.about import TOPICS, help_page
from bot.ui.panels.own.limits import own_limits
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

FOR_ADMINS = "admins"
START = TOPICS[0]
EXAMPLES = {"1": "🦊", "2": "🌙", "3": "📊"}
LIMITS = "3"
"""The example that runs at once; the others open the form of ``/imagine`` with a prompt in it."""


def topics_for(interaction: Interaction) -> tuple[str, ...]:
    may_manage = asker_of(interaction).can_manage
    return tuple(topic for topic in TOPICS if may_manage or topic != FOR_ADMINS)


async def complete_topic(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    locale = str(interaction.locale)
    named = {topic: say(locale, f"help.{topic}_title") for topic in topics_for(interaction)}
    wanted = typed.strip().casefold()
    return [
        app_commands.Choice(name=name[:100], value=topic)
        for topic, name in named.items()
        if wanted in name.casefold() or wanted in topic
    ]


def help_message(interaction: Interaction, topic: str) -> Message:
    """The first steps for a topic that is not there, or not for this person."""
    topics, locale = topics_for(interaction), str(interaction.locale)
    chosen = topic if topic in topics else START
    embed = help_page(chosen, topics, locale)
    return Message(embed=embed, view=_examples(locale)) if chosen == START else Message(embed=embed)


class Example(Press, template=r"e1:example:(?P<number>[123])"):
    is_harmless_twice = True  # a form that somebody may have closed again, or a page

    async def press(self, interaction: Interaction) -> None:
        number, locale = self.part("number"), str(interaction.locale)
        if number == LIMITS:
            await answer(interaction, own_limits(interaction))
            return
        prompt = say(locale, f"help.try_{number}_prompt")
        await open_imagine(interaction, prompt)


def _examples(locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for number, emoji in EXAMPLES.items():
        view.add_item(Example(button(f"e1:example:{number}", say(locale, f"help.try_{number}"), emoji=emoji)))
    return view
