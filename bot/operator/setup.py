"""``python -m bot setup``: asks for token and key, tests each, and writes ``.env`` with mode 600."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.operator.discord_api import DiscordApi, Unreachable
from bot.parts import catalogue_of, now, service_of
from bot.ports import CannotStart, KeyPays
from bot.rules.faults import ServiceFault
from bot.rules.servers.invitation import PERMISSIONS, install_link
from bot.settings.model import ConfigError, Settings
from bot.settings.sources import parse_settings, read_settings
from bot.started import as_started

PORTAL = "https://discord.com/developers/applications"
KEYS = "https://platform.openai.com/api-keys"
TRIES = 3


class Refused(Exception):
    """What was typed does not work; the text says why."""


Test = Callable[[str], Awaitable[str]]
"""Tries a value where it belongs and returns a sentence about it. Raises ``Refused``."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the guide speaks and listens. ``ask_secret`` does not show what is typed."""

    say: Callable[[str], None]
    ask: Callable[[str], str]
    ask_secret: Callable[[str], str]


async def guide(terminal: Terminal, folder: Path, test_token: Test, test_key: Test) -> int:
    """Goes through the questions and writes ``.env``; 1 when something was given up."""
    terminal.say(f"1. The bot's token: {PORTAL}, your application (or New Application), Bot, Reset Token.")
    token = await _ask(terminal, "   DISCORD_TOKEN (it is not shown): ", "DISCORD_TOKEN", test_token)
    if token is None:
        return 1
    terminal.say(f"2. The image service's key: {KEYS}. (Another server: leave it empty, set OPENAI_BASE_URL.)")
    key = await _ask(terminal, "   OPENAI_API_KEY (it is not shown): ", "OPENAI_API_KEY", test_key, may_skip=True)
    if key is None:
        return 1
    budget = _budget(terminal)
    values = {"DISCORD_TOKEN": token, "OPENAI_API_KEY": key, "OPERATOR_BUDGET_USD": budget}
    write_env(folder / ".env", {name: value for name, value in values.items() if value})
    terminal.say(f"Written to {folder / '.env'}, which only you can read.")
    terminal.say(as_started("`python -m bot doctor` checks the rest, `python -m bot` starts Easel."))
    return 0


async def _ask(terminal: Terminal, question: str, name: str, test: Test, *, may_skip: bool = False) -> str | None:
    for _ in range(TRIES):
        value = terminal.ask_secret(question).strip()
        if not value and may_skip:
            return ""
        try:
            parse_settings({name: value})
            terminal.say(f"   {await test(value)}" if value else f"   {name} is needed here.")
        except ConfigError as error:
            terminal.say(f"   {error}")
        except Refused as error:
            terminal.say(f"   {error}")
        else:
            if value:
                return value
    terminal.say("   Nothing was written.")
    return None


def _budget(terminal: Terminal) -> str:
    terminal.say("3. What Easel may spend in a calendar month over all servers, in US dollars (empty: no such cap).")
    while True:
        value = terminal.ask("   OPERATOR_BUDGET_USD: ").strip()
        try:
            parse_settings({"OPERATOR_BUDGET_USD": value})
        except ConfigError as error:
            terminal.say(f"   {error}")
        else:
            return value


def write_env(file: Path, values: dict[str, str]) -> None:
    """Puts the values into ``.env``, in place of earlier ones, with mode 600; every other line stays."""
    lines = file.read_text(encoding="utf-8-sig").splitlines() if file.exists() else []
    rest = dict(values)
    written = []
    for line in lines:
        name = re.match(r"\s*(?:export\s+)?([A-Z_]+)\s*=", line)
        if name and name[1] in values:
            if name[1] in rest:
                written.append(f"{name[1]}={rest.pop(name[1])}")
            continue
        written.append(line)
    written += [f"{name}={value}" for name, value in rest.items()]
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".env-")  # mkstemp makes it readable by its owner only
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write("\n".join(written) + "\n")
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def token_test(settings: Settings, session: aiohttp.ClientSession) -> Test:
    """Asks Discord whose token it is."""

    async def test(token: str) -> str:
        api = DiscordApi(session, settings.discord_api_base, token, now)
        try:
            me = await api.get("/users/@me")
            application = await api.get("/oauth2/applications/@me") if me.ok else me
        except Unreachable as failure:
            raise Refused(f"Discord did not answer: {failure}. Is this machine online?") from failure
        if not me.ok:
            raise Refused(f"Discord refuses this token (status {me.status}). Copy it again, or reset it.")
        link = ""
        if application.ok:
            link = f"\n   Add it to your server: {install_link(application.body['id'])}"
            link += f"\n   That asks for no more than it needs: {', '.join(PERMISSIONS)}; no privileged intent."
        return f"It is the bot {me.body.get('username')}.{link}"

    return test


def key_test(settings: Settings) -> Test:
    """Asks the image service for its models with the key."""

    async def test(key: str) -> str:
        service = service_of(settings, catalogue_of(settings))
        try:
            known = await service.known_models(KeyPays(key))
        except ServiceFault as error:
            raise Refused(
                f"The image service says: {error.fault.kind}. Copy the key again, or make a new one."
            ) from error
        finally:
            await service.aclose()
        return f"The key works{f'; the service lists {len(known)} models' if known else ''}."

    return test


async def _main() -> int:
    settings = read_settings().settings
    terminal = Terminal(say=lambda text: print(text, flush=True), ask=input, ask_secret=getpass.getpass)  # noqa: T201
    async with aiohttp.ClientSession() as session:
        return await guide(terminal, Path(), token_test(settings, session), key_test(settings))


def main(_arguments: argparse.Namespace) -> int:
    """Runs the guide at a terminal."""
    if not sys.stdin.isatty():
        raise CannotStart("setup asks questions, so it needs a terminal. Without one, fill in .env by hand.")
    try:
        return asyncio.run(_main())
    except OSError as error:
        raise CannotStart(f".env cannot be written ({error.strerror}).") from error
    except (EOFError, KeyboardInterrupt):
        print("\nNothing was written.")  # noqa: T201 - this is its output
        return 1
