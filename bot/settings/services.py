"""The secrets that the services of ``IMAGE_MODELS`` name: which there are, before anything else is read of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bot.rules.catalogue.services import read_services, secrets_named


def secrets_wanted(path: Path | None) -> tuple[str, ...]:
    """Every ``env NAME`` and ``file PATH`` of the file; none where it cannot be read, which is told elsewhere."""
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8-sig")) if path is not None else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ()
    services = read_services(parsed.get("services", {}), [])
    return tuple(dict.fromkeys(name for service in services.values() for name in secrets_named(service)))
