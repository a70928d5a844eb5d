"""The base of every button and menu: whatever a press raises goes the one error path, and a double click is one press.

Law: a message with these carries nothing else, and its view never times out: discord.py 2.7.1 forgets a whole class of
dynamic buttons when one view that mixes it with others ends.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

import discord

from bot.ui.interactions.acknowledge import take
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.double_click import begin_press
from bot.ui.interactions.errors import refuse
from bot.ui.shell import Interaction


class Press(discord.ui.DynamicItem[discord.ui.Item[Any]], template=r"(?!)"):
    """A control that knows only its id. Subclasses name a ``template`` and say ``press``.

    ``is_harmless_twice``: pressing it again does no more than the first press, so there is nothing to hold back.
    """

    is_harmless_twice: ClassVar[bool] = False

    def __init__(self, item: discord.ui.Item[Any]) -> None:
        super().__init__(item)
        self._match = self.template.fullmatch(self.custom_id)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(item)

    def part(self, name: str) -> str:
        """A named group of the id; empty where it has none."""
        return (self._match[name] or "") if self._match is not None else ""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Once per click: a double click is one."""
        take(interaction)
        try:
            check_bound(interaction, Bounded.PRESS)
            if not self.is_harmless_twice:
                begin_press(interaction, self.custom_id, *chosen(interaction))
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001  # told and logged by the one error path
            await refuse(interaction, error)

    async def press(self, interaction: Interaction) -> None:
        raise NotImplementedError


def chosen(interaction: Interaction) -> tuple[str, ...]:
    """What was chosen in a menu: choosing something else at once is no double click."""
    data: Any = interaction.data or {}
    return tuple(data.get("values", ()))


def button(custom_id: str, label: str, **looks: Any) -> discord.ui.Button[Any]:
    """A button whose label fits Discord; ``looks`` are its style, emoji and whether it is disabled."""
    return discord.ui.Button(custom_id=custom_id, label=label[:80] or None, **looks)
