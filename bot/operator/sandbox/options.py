"""The sandbox's own command line. What cannot be is told in a sentence before anything starts (exit code 2)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bot.operator.sandbox.cli import people_of
from bot.operator.sandbox.towns import WORLDS, easel_town
from sandbox.discord.rules.commands import LOCALES

PAGE_PORT = 8300


def options_of(words: Sequence[str]) -> argparse.Namespace:
    """The words after ``sandbox``, read."""
    parser = argparse.ArgumentParser(
        prog="easel sandbox", description="A Discord and an image service on this machine, with the real bot between."
    )
    parser.add_argument("command", nargs="?", help='one command to run, such as "/imagine prompt:a red fox"')
    parser.add_argument("--out", type=_folder, default=Path("sandbox-out"), help="where the pictures of one command go")
    names = tuple(people_of(easel_town()))
    parser.add_argument("--as", choices=names, default=names[0], help="who types the one command (ada is an admin)")
    parser.add_argument("--port", type=_port, default=PAGE_PORT, help=f"port of the page (default {PAGE_PORT})")
    parser.add_argument("--world", choices=WORLDS, default=WORLDS[0], help="how many servers, channels and people")
    parser.add_argument("--language", type=_language, help="what the English speakers speak instead, such as de")
    parser.add_argument("--model-server", type=_address, metavar="URL", help="takes the pictures from this server")
    parser.add_argument("--slow", action="store_true", help="pictures take as long as real ones")
    parser.add_argument("--official", action="store_true", help="the image service knows today's models only")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument("--verbose", action="store_true", help="show the bot's log")
    options = parser.parse_args(list(words))
    if options.model_server and (options.slow or options.official):
        parser.error("--slow and --official are of the sandbox's own image service, which --model-server replaces")
    return options


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; ports go from 0 (a free one) to 65535")
    return int(text)


def _folder(text: str) -> Path:
    path = Path(text)
    if any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
        raise argparse.ArgumentTypeError(f"{text} cannot be a folder: there is a file of that name")
    return path


def _language(text: str) -> str:
    if text not in LOCALES:
        raise argparse.ArgumentTypeError(f"Discord has no language {text}; there are {', '.join(sorted(LOCALES))}")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise argparse.ArgumentTypeError(f"{text} is no address such as http://127.0.0.1:8080/v1")
    return text
