"""How the commands under ``/settings`` answer: in private, in time, and after a second look where money is at stake.

Law: a panel acts for the one who asked and only while they may still manage the server; it acts once.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import discord

from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.ui.components.forms import Form
from bot.ui.interactions.acknowledge import QUICK_S, acknowledge, acknowledged, received, take, tell
from bot.ui.interactions.errors import refuse
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.ids import VERSION
from bot.ui.interactions.who import asker_of, in_server
from bot.ui.messages import Sheet
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.changes import change_line

CONFIRM_S = 180.0
"""How long a question stands; the message can be changed for 15 minutes, so the end of it can be shown."""

KEY_LENGTH = 256

Act = Callable[[Interaction], Awaitable[str]]
"""Does what was confirmed, for this press, and says what came of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an admin is told."""

    text: str | None = None
    embed: discord.Embed | None = None
    view: discord.ui.View | None = None
    sheets: tuple[Sheet, ...] = ()


async def answer(interaction: Interaction, work: Coroutine[Any, Any, Reply]) -> None:
    """Answers in private with what ``work`` returns; says "thinking" first where that takes a while."""
    take(interaction)
    working = interaction.client.shell.tasks.start(_outcome(work), "an answer to an admin")
    spent = asyncio.get_running_loop().time() - received(interaction)
    await asyncio.wait({working}, timeout=max(0.0, QUICK_S - spent))
    if not working.done():
        await acknowledge(interaction, private=True)
    reply = await working
    if isinstance(reply, Exception):
        raise reply
    await tell(interaction, reply.text, embed=reply.embed, view=reply.view, files=_files(reply.sheets))


async def _outcome(work: Coroutine[Any, Any, Reply]) -> Reply | Exception:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  # raised again where it is awaited
        return error


def _files(sheets: tuple[Sheet, ...]) -> list[discord.File] | None:
    return [discord.File(io.BytesIO(sheet.data), filename=sheet.name) for sheet in sheets] or None


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
        asker = asker_of(interaction)
        lost = self._asker.can_manage and not asker.can_manage
        same = asker.user_id == self._asker.user_id and asker.place.guild_id == self._asker.place.guild_id
        if not same or lost or not in_server(interaction):
            raise AccessDenied(DeniedBecause.NOT_ADMIN)
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
        async def nothing(interaction: Interaction) -> str:
            return say(str(interaction.locale), "settings.cancelled")

        await self._end(interaction, nothing)

    async def _end(self, interaction: Interaction, act: Act) -> None:
        take(interaction)
        already, self._pressed = self._pressed, True
        self.stop()
        await interaction.response.defer()
        acknowledged(interaction)
        if not already:
            text = await act(interaction)
            await interaction.edit_original_response(content=text, embed=None, view=None, attachments=[])


class _Button(discord.ui.Button[Confirm]):
    def __init__(self, label: str, style: discord.ButtonStyle, press: Callable[[Interaction], Awaitable[None]]) -> None:
        super().__init__(label=label, style=style)
        self._press = press

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self._press(interaction)


class ApiKeyForm(Form):
    """The one way a key comes in: no option, for those stand in everybody's history of commands."""

    def __init__(self, nonce: int, locale: str) -> None:
        super().__init__(say(locale, "settings.key_title"), f"{VERSION}:apikey:{nonce}")
        self._key: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="key", required=False, max_length=KEY_LENGTH, placeholder="sk-…"
        )
        self.add_item(
            discord.ui.Label(
                text=say(locale, "settings.key_label")[:45],
                description=say(locale, "settings.key_note")[:100],
                component=self._key,
            )
        )

    async def submitted(self, interaction: Interaction) -> None:
        """Tries and keeps the key; who lost the right since the form was opened is refused."""
        if not in_server(interaction):
            raise AccessDenied(DeniedBecause.NOT_ADMIN)
        await answer(interaction, self._keep(interaction))

    async def _keep(self, interaction: Interaction) -> Reply:
        locale = str(interaction.locale)
        key = str(self._key.value or "").strip() or None
        change = await interaction.client.shell.admin.set_api_key(asker_of(interaction), key)
        lines = [change_line(change, locale), *([say(locale, "settings.key_set")] if key else [])]
        return Reply("\n".join(lines))
