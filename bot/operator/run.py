"""``python -m bot run``: connects to Discord and works; without the word and without a token, the sandbox starts."""

from __future__ import annotations

import argparse
import asyncio
import logging

from bot.loading import load
from bot.logs import configure_logging
from bot.settings.model import ConfigError
from bot.settings.sources import missing_to_run, read_settings
from bot.started import as_started


def main(arguments: argparse.Namespace) -> int:
    """Runs until asked to stop."""
    reading = read_settings()
    settings = reading.settings
    no_token = settings.discord_token is None and not any(f.startswith("DISCORD_TOKEN") for f in reading.faults)
    if arguments.command is None and no_token and not reading.faults:
        from bot.operator.sandbox.launch import main as start_sandbox

        print(as_started("Without DISCORD_TOKEN this is the sandbox. `python -m bot setup` goes to real Discord."))
        return start_sandbox(argparse.Namespace(rest=[]))
    faults = reading.faults + missing_to_run(settings, reading.faults)
    if faults:
        raise ConfigError(faults)
    configure_logging(settings.log_level, settings.log_format, settings.secrets())
    for warning in reading.warnings:
        logging.getLogger("easel").warning(warning)
    return int(asyncio.run(load("bot.process").run(settings)))
