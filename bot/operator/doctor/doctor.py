"""``python -m bot doctor``: everything that could be wrong, looked at once, each with what to do about it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import aiohttp

from bot.logs import Redactor
from bot.operator.discord_api import DiscordApi, utc_now
from bot.operator.doctor import discord as discord_checks
from bot.operator.doctor import machine as machine_checks
from bot.operator.doctor import service as service_checks
from bot.operator.doctor.context import Check, Surroundings
from bot.operator.doctor.findings import Finding, as_json, as_text, exit_code, failed
from bot.operator.migrate import look_at_ledger
from bot.operator.models import read_catalogue
from bot.ports import ImageService
from bot.settings.model import Settings
from bot.settings.sources import Reading, read_settings

CHECKS: tuple[Check, ...] = (
    machine_checks.check_settings,
    machine_checks.check_env_file,
    machine_checks.check_addresses,
    discord_checks.check_token,
    discord_checks.check_clock,
    discord_checks.check_application,
    discord_checks.check_gateway,
    discord_checks.check_commands,
    discord_checks.check_servers,
    service_checks.check_key,
    service_checks.check_models,
    service_checks.check_budgets,
    machine_checks.check_ledger,
    machine_checks.check_data_dir,
    machine_checks.check_secret_key,
    machine_checks.check_http_port,
    machine_checks.check_privacy,
    service_checks.check_picture,
)


async def examine(here: Surroundings, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Every finding, in the order of ``checks``. A check that breaks is a finding too, and the others still run."""
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += await check(here)
        except Exception as error:  # noqa: BLE001 - a doctor that dies of the first odd answer is of no use
            name = check.__name__.removeprefix("check_")
            findings.append(
                failed(name, f"the check itself broke ({type(error).__name__}: {error})", "Please report this.")
            )
    return findings


@contextlib.asynccontextmanager
async def surroundings(reading: Reading, *, spend: bool = False) -> AsyncIterator[Surroundings]:
    """The real thing: this machine, Discord, the image service and the ledger of these settings."""
    settings = reading.settings
    made: list[ImageService] = []

    def service() -> ImageService:
        if not made:
            made.append(make_service(settings))
        return made[0]

    async with aiohttp.ClientSession() as session:
        token = settings.discord_token
        discord = DiscordApi(session, settings.discord_api_base, token.get_secret_value(), utc_now) if token else None
        try:
            yield Surroundings(
                reading=reading,
                discord=discord,
                service=service,
                ledger=look_at_ledger,
                catalogue=lambda: read_catalogue(settings),
                spend=spend,
            )
        finally:
            for one in made:
                await one.aclose()


def make_service(settings: Settings) -> ImageService:
    """The adapter of the image service. Raises ``CannotStart`` when the catalogue cannot be read."""
    from bot.adapters.openai.images import OpenAIImages
    from bot.imaging.inspect import Inspected, inspect_result

    async def inspect(data: bytes) -> Inspected:
        return await asyncio.to_thread(inspect_result, data)

    key = settings.openai_api_key
    return OpenAIImages(
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key else None,
        inspect=inspect,
        models=read_catalogue(settings),
        organization=settings.openai_org_id,
        project=settings.openai_project_id,
    )


async def _main(arguments: argparse.Namespace) -> int:
    reading = read_settings()
    redactor = Redactor(reading.settings.secrets())
    async with surroundings(reading, spend=arguments.spend) as here:
        findings = await examine(here)
    print((as_json if arguments.json else as_text)(findings, redactor))  # noqa: T201 - this is its output
    return exit_code(findings)


def main(arguments: argparse.Namespace) -> int:
    """Prints the findings; 0 when none is a failure, else 1."""
    return asyncio.run(_main(arguments))
