"""What this machine says about the real bot, and what of it holds in the sandbox. Law: nothing goes in silence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.rules.catalogue.official import OFFICIAL_SERVICE, is_official
from bot.settings.model import NAMES
from bot.settings.sources import read_env_file

KEPT = ("DEFAULT_COOLDOWN_S", "IMAGES_PER_MINUTE")
"""Settings for which the sandbox has a value of its own only where the operator gave none."""
KEY, SERVICE, MODELS = "OPENAI_API_KEY", "OPENAI_BASE_URL", "IMAGE_MODELS"


@dataclass(frozen=True, slots=True)
class Given:
    """The operator's settings by name, blank ones left out (an empty one in the environment hides one in ``.env``)."""

    values: Mapping[str, str]

    def service(self, model_server: str | None) -> str | None:
        """The address of the real image service that is to be used; None for the sandbox's own."""
        if model_server is not None:
            return model_server
        named = self.values.get(SERVICE)
        needs_key = KEY not in self.values and is_official(named or OFFICIAL_SERVICE)
        return None if needs_key else named or "OpenAI"

    def kept(self) -> dict[str, str]:
        """What holds in the sandbox as well, whatever it would choose itself."""
        return {name: self.values[name] for name in KEPT if name in self.values}

    def set_aside(self, used: Mapping[str, str]) -> tuple[str, ...]:
        """Names of settings in whose place the sandbox uses something else."""
        return tuple(sorted(n for n, value in self.values.items() if n in used and used[n].strip() != value))


def given(folder: Path | None = None) -> Given:
    """The environment, and below it the ``.env`` of the folder (the current one)."""
    written = read_env_file((folder or Path()) / ".env", [])
    found = {name: os.environ.get(name, written.get(name) or "").strip() for name in NAMES}
    return Given({name: value for name, value in found.items() if value})


def said(service: str | None, aside: tuple[str, ...]) -> list[str]:
    """The lines to be told before the sandbox starts."""
    lines = []
    if service is not None:
        costs = " and cost real money" if service == "OpenAI" else ""
        lines.append(f"Pictures come from {service}{costs}, not from the sandbox.")
    if aside:
        lines.append(f"The sandbox has its own {', '.join(aside)}: what you set is not used here.")
    return lines
