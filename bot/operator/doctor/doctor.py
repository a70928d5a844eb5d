"""``python -m bot doctor``: everything that could be wrong, looked at once, each with what to do about it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import aiohttp

from bot.operator.discord_api import DiscordApi
from bot.operator.doctor import discord as discord_checks
from bot.operator.doctor import machine as machine_checks
from bot.operator.doctor import processes as process_checks
from bot.operator.doctor import service as service_checks
from bot.operator.doctor.context import Check, Surroundings
from bot.operator.doctor.findings import Finding, as_json, as_text, exit_code, failed
from bot.operator.migrate import look_at_ledger, setups_on
from bot.parts import catalogue_of, now, service_of
from bot.ports import ImageService
from bot.rules.redaction import LogRedactor
from bot.settings.sources import Reading, read_settings
from bot.started import as_started

CHECKS: dict[str, tuple[Check, ...]] = {
    "Settings": (machine_checks.check_settings, machine_checks.check_env_file, machine_checks.check_addresses),
    "Discord": (
        discord_checks.check_token,
        discord_checks.check_clock,
        discord_checks.check_application,
        discord_checks.check_gateway,
        discord_checks.check_commands,
        discord_checks.check_servers,
        machine_checks.check_privacy,
    ),
    "Image service": (
        service_checks.check_key,
        service_checks.check_models,
        service_checks.check_overnight,
        service_checks.check_words,
        service_checks.check_budgets,
        service_checks.check_origins,
        service_checks.check_picture,
    ),
    "Ledger and pictures": (
        machine_checks.check_ledger,
        process_checks.check_processes,
        machine_checks.check_data_dir,
        machine_checks.check_pictures,
        machine_checks.check_secret_key,
    ),
    "This machine": (machine_checks.check_http_port, machine_checks.check_marks),
}
"""By the group under which they are shown."""


async def examine(here: Surroundings, checks: Mapping[str, Sequence[Check]] = CHECKS) -> list[Finding]:
    """Every finding, in the order of ``checks``. A check that breaks is a finding too, and the others still run."""
    findings: list[Finding] = []
    for group, members in checks.items():
        for check in members:
            findings += [replace(finding, group=group) for finding in await _found_by(check, here)]
    return findings


async def _found_by(check: Check, here: Surroundings) -> list[Finding]:
    try:
        return await check(here)
    except Exception as error:  # noqa: BLE001 - a doctor that dies of the first odd answer is of no use
        name = check.__name__.removeprefix("check_")
        return [failed(name, f"the check itself broke ({type(error).__name__}: {error})", "Please report this.")]


@contextlib.asynccontextmanager
async def surroundings(reading: Reading, *, spend: bool = False) -> AsyncIterator[Surroundings]:
    """The real thing: this machine, Discord, the image service and the ledger of these settings."""
    settings = reading.settings
    made: list[ImageService] = []

    def service() -> ImageService:
        if not made:
            made.append(service_of(settings, catalogue_of(settings)))
        return made[0]

    async with aiohttp.ClientSession() as session:
        token = settings.discord_token
        discord = DiscordApi(session, settings.discord_api_base, token.get_secret_value(), now) if token else None
        try:
            yield Surroundings(
                reading=reading,
                discord=discord,
                service=service,
                ledger=look_at_ledger,
                setups=setups_on,
                catalogue=lambda: catalogue_of(settings),
                spend=spend,
            )
        finally:
            for one in made:
                await one.aclose()


async def _main(arguments: argparse.Namespace) -> int:
    reading = read_settings()
    redactor = LogRedactor(reading.settings.secrets())
    async with surroundings(reading, spend=arguments.spend) as here:
        findings = await examine(here)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = as_json(findings, redactor) if arguments.json else as_text(findings, redactor, colour=colour)
    print(as_started(text))  # noqa: T201 - this is its output
    return exit_code(findings)


def main(arguments: argparse.Namespace) -> int:
    """Prints the findings; 0 when none is a failure, else 1."""
    return asyncio.run(_main(arguments))
