"""What must be known of ``IMAGE_MODELS`` before the catalogue is there: the secrets its services name, and whether
there is anything at the default service at all."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.rules.catalogue.places import uses_default
from bot.rules.catalogue.services import read_services, secrets_named


def secrets_wanted(path: Path | None) -> tuple[str, ...]:
    """Every ``env NAME`` and ``file PATH`` of the file."""
    services = read_services(_parsed(path).get("services", {}), [])
    return tuple(dict.fromkeys(name for service in services.values() for name in secrets_named(service)))


def is_default_used(path: Path | None) -> bool:
    """Whether any model lives at the default service."""
    return uses_default(_parsed(path))


def _parsed(path: Path | None) -> dict[str, Any]:
    """What the file says; nothing where it cannot be read, which is told elsewhere."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal) if path is not None else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
