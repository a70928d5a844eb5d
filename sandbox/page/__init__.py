"""The sandbox's Discord in a browser: channels, members, slash commands, forms, and what went over the wire.

``PageServer`` serves it on loopback. Law: no external resource, no build step, and foreign text is text, never markup.
"""

from __future__ import annotations

from sandbox.page.inspector import Ledger
from sandbox.page.server import BotControl, PageServer

__all__ = ["BotControl", "Ledger", "PageServer"]
