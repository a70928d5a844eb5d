"""Every button and menu about a server's settings, for the client to know again."""

from __future__ import annotations

from bot.ui.components.press import Press
from bot.ui.panels.server.answers import Undo

SERVER_ITEMS: tuple[type[Press], ...] = (Undo,)
