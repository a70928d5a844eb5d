"""``run`` and ``sandbox``: the two ways to start. Only this file knows that there is a sandbox."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import sys

from bot.logs import configure_logging
from bot.settings.model import ConfigError
from bot.settings.sources import missing_to_run, read_settings

BOT_COMMAND = (sys.executable, "-m", "bot", "run")


def main(arguments: argparse.Namespace) -> int:
    """Runs until asked to stop. Without the word ``run`` and without a token, the sandbox starts instead."""
    reading = read_settings()
    settings = reading.settings
    no_token = settings.discord_token is None and not any(f.startswith("DISCORD_TOKEN") for f in reading.faults)
    if arguments.command is None and no_token and not reading.faults:
        print("No DISCORD_TOKEN is set, so this is the sandbox. `python3 run.py setup` goes to real Discord.")
        return start_sandbox([])
    faults = reading.faults + missing_to_run(settings, reading.faults)
    if faults:
        raise ConfigError(faults)
    configure_logging(settings.log_level, settings.log_format, settings.secrets())
    for warning in reading.warnings:
        logging.getLogger("easel").warning(warning)
    from bot.process import run

    return asyncio.run(run(settings))


def main_sandbox(arguments: argparse.Namespace) -> int:
    """Hands the rest of the command line to the sandbox, which starts the bot in a process of its own."""
    return start_sandbox(arguments.rest)


def start_sandbox(words: list[str]) -> int:
    launch = importlib.import_module("bot.operator.sandbox.launch")
    return int(launch.main(words, bot_command=list(BOT_COMMAND)))
