"""A shell whose use cases are not there, for what needs a client but no bot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.core.servers.settings_cache import SettingsCache
from bot.core.service.catalogue import CurrentCatalogue
from bot.core.tasks import Tasks
from bot.ports import NullMeter
from bot.rules.catalogue.catalogue import Catalogue
from bot.ui.interactions.bounds import new_counts
from bot.ui.interactions.double_click import new_presses
from bot.ui.shell import Shell, UiConfig


class _NoStore:
    """A ledger without parts."""

    jobs = servers = figures = leases = people = notes = offers = None


def bare_shell(
    catalogue: Catalogue, *, store: Any = _NoStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Shell:
    """Knows the models, one of words too, and what ``store`` tells; all that makes or keeps pictures is missing."""
    missing: Any = None
    return Shell(
        config=UiConfig("gpt-image-2.5-flare", is_official=True),
        intake=missing,
        jobs=missing,
        pictures=missing,
        batches=missing,
        nights=missing,
        recovery=missing,
        admin=missing,
        forgettings=missing,
        styles=missing,
        own_defaults=missing,
        settings_cache=SettingsCache(store),
        current_catalogue=CurrentCatalogue(catalogue.with_chat("words", None)),
        store=store,
        files=missing,
        deliveries=missing,
        help=missing,
        marks=missing,
        origins=missing,
        presses=new_presses(),
        counts=new_counts(),
        web=missing,
        tasks=Tasks(),
        clock=clock,
        meter=NullMeter(),
    )
