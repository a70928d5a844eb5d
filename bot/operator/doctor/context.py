"""What a check may look at. Everything from outside comes in here, so that a test can plant what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bot.adapters.secrets import Secrets
from bot.operator.discord_api import DiscordApi
from bot.operator.doctor.findings import Finding
from bot.parts import now
from bot.ports import CannotStart, Clock, ImageService, Setup
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.services import Service
from bot.settings.model import Settings
from bot.settings.sources import Reading


class LedgerState(StrEnum):
    """What stands where the ledger should be."""

    MISSING = "missing"  # nothing there yet: the first start makes it
    CURRENT = "current"
    OLDER = "older"  # ``migrate`` brings it up
    NEWER = "newer"  # written by a newer Easel
    UNWRITABLE = "unwritable"  # whole, as far as is known: no rights, or a full disk
    UNREADABLE = "unreadable"  # no connection, damaged, or not a ledger


@dataclass(frozen=True, slots=True)
class LedgerLook:
    """``detail`` is a sentence about what was seen, without secrets."""

    state: LedgerState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``service`` makes the adapter of the image service; ``ledger`` and ``setups`` look without changing anything."""

    reading: Reading
    discord: DiscordApi | None
    service: Callable[[], ImageService]
    ledger: Callable[[Settings], Awaitable[LedgerLook]]
    setups: Callable[[Settings, Secrets], Awaitable[list[Setup]]]
    catalogue: Callable[[], Catalogue]
    folder: Path = field(default_factory=Path)
    clock: Clock = now
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    spend: bool = False

    @property
    def settings(self) -> Settings:
        return self.reading.settings

    def services(self) -> tuple[Service, ...]:
        """The services at which a model lives; the default one where the catalogue cannot be read."""
        try:
            return self.catalogue().used_services()
        except CannotStart:  # check_models says so
            return (Service(),)


Check = Callable[[Surroundings], Awaitable[list[Finding]]]
