"""The base of buttons that belong to no single job: whatever a press raises goes the one error path.

Law (as for all buttons here): such messages carry only dynamic items, and their views never time out.
"""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from bot.ui.interactions.acknowledge import take
from bot.ui.interactions.double_click import begin_press
from bot.ui.interactions.errors import refuse
from bot.ui.shell import Interaction


class Press(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"(?!)"):
    """A button that knows only its id. Subclasses name a ``template`` and say ``press``."""

    def __init__(self, custom_id: str, label: str = "", **looks: Any) -> None:
        super().__init__(discord.ui.Button(custom_id=custom_id, label=label[:80] or None, **looks))
        self.match: re.Match[str] | None = self.template.fullmatch(custom_id)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match.string, getattr(item, "label", None) or "")

    def part(self, name: str) -> str:
        """A named group of the id; empty where it has none."""
        return (self.match[name] or "") if self.match is not None else ""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Once per click: a double click is one."""
        take(interaction)
        try:
            begin_press(interaction, self.custom_id)
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001  # told and logged by the one error path
            await refuse(interaction, error)

    async def press(self, interaction: Interaction) -> None:
        raise NotImplementedError
