"""Confirm and Cancel under a question, where money is at stake or something would be lost.

Law: it acts for the one who asked, only while they may still manage the server, and once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import discord

from bot.ui.interactions.acknowledge import acknowledged, take
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.who import asker_of, check_still
from bot.ui.messages import Message, opened
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

CONFIRM_S = 180.0
"""How long a question stands; the message can be changed for 15 minutes, so the end of it can be shown."""


Act = Callable[[Interaction], Awaitable[Message]]
"""Does what was confirmed, for this press, and says what came of it, or asks anew where things have changed."""


class Confirm(discord.ui.View):
    """Confirm and Cancel under a question. Only ordinary buttons: they end with the time-out or the process."""

    def __init__(self, asked: Interaction, act: Act) -> None:
        super().__init__(timeout=CONFIRM_S)
        self._asked = asked
        self._act = act
        self._asker = asker_of(asked)
        self._pressed = False
        locale = str(asked.locale)
        for key, style, press in (
            ("settings.confirm", discord.ButtonStyle.danger, self._confirmed),
            ("settings.cancel", discord.ButtonStyle.secondary, self._cancelled),
        ):
            self.add_item(_Button(say(locale, key), style, press))

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Raises ``AccessDenied`` for anybody else, and for who may manage no more."""
        check_still(self._asker, interaction)
        check_bound(interaction, Bounded.PRESS)
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await refuse(interaction, error)

    async def on_timeout(self) -> None:
        with suppress(*TROUBLE):
            text = say(str(self._asked.locale), "settings.expired")
            await self._asked.edit_original_response(content=text, embed=None, view=None)

    async def _confirmed(self, interaction: Interaction) -> None:
        await self._end(interaction, self._act)

    async def _cancelled(self, interaction: Interaction) -> None:
        async def nothing(interaction: Interaction) -> Message:
            return Message(say(str(interaction.locale), "settings.cancelled"))

        await self._end(interaction, nothing)

    async def _end(self, interaction: Interaction, act: Act) -> None:
        take(interaction)
        already, self._pressed = self._pressed, True
        await interaction.response.defer()
        acknowledged(interaction)
        if already:
            return
        try:
            message = await act(interaction)
        except BaseException:
            self._pressed = False  # nothing was changed: the question stands
            raise
        self.stop()
        with opened(message.files) as files:
            await interaction.edit_original_response(
                content=message.content, embed=message.embed, view=message.view, attachments=files
            )


class _Button(discord.ui.Button[Confirm]):
    def __init__(self, label: str, style: discord.ButtonStyle, press: Callable[[Interaction], Awaitable[None]]) -> None:
        super().__init__(label=label, style=style)
        self._press = press

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self._press(interaction)
