"""The form by which a server's own key comes in."""

from __future__ import annotations

from typing import Any

import discord

from bot.ui.components.forms import Form
from bot.ui.interactions.deadline import answer
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of, check_still
from bot.ui.messages import Message
from bot.ui.panels.server.answers import changed
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say

KEY_LENGTH = 256


class ApiKeyForm(Form):
    """The one way a key comes in: no option, for those stand in everybody's history of commands."""

    def __init__(self, opened: Interaction) -> None:
        locale = str(opened.locale)
        super().__init__(say(locale, "settings.key_title"), f"{VERSION}:apikey:{opened.id}")
        self._asker = asker_of(opened)
        self._key: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="key", max_length=KEY_LENGTH, placeholder="sk-…"
        )
        self.ask(self._key, say(locale, "settings.key_label"), say(locale, "settings.key_note"))

    async def submitted(self, interaction: Interaction) -> None:
        """Tries and keeps the key; who lost the right since the form was opened is refused."""
        check_still(self._asker, interaction)
        await answer(interaction, self._keep(interaction))

    async def _keep(self, interaction: Interaction) -> Message:
        locale = str(interaction.locale)
        key = str(self._key.value or "").strip()
        done = await interaction.client.shell.admin.set_api_key(asker_of(interaction), key)
        return changed(interaction, done, say(locale, "settings.key_set"))
