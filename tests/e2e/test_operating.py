"""What the operator sees of a running bot: every metric has samples, and the doctor knows its commands."""

from __future__ import annotations

import re
import socket
from contextlib import aclosing
from pathlib import Path

import aiohttp

from bot.adapters.status.http import StatusServer
from bot.operator.doctor.discord import check_commands
from bot.operator.doctor.doctor import surroundings
from bot.process import status_of
from bot.settings.sources import read_settings
from tests.support.running import town_in

OPERATING = Path(__file__).resolve().parents[2] / "docs/operating.md"
NEEDS_A_FAULT = {
    "easel_limits_refused_total": "counts by rule, from the first refusal",
    "easel_service_faults_total": "counts by kind, from the first fault of the image service",
    "easel_discord_faults_total": "counts by kind, from the first fault of Discord",
}


async def sampled(pages: StatusServer) -> set[str]:
    host, port = pages.address
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/metrics") as answer:
        text = await answer.text()
    return set(re.findall(r"^(easel_\w+?)(?:_bucket|_sum|_count)?(?:\{.*\})? [0-9]", text, re.MULTILINE))


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


async def test_every_metric_in_the_documents_has_samples_after_one_picture(tmp_path):
    documented = set(re.findall(r"^\| `(easel_\w+)` \|", OPERATING.read_text(), re.MULTILINE))
    async with town_in(tmp_path, HTTP_PORT=free_port()) as town, aclosing(status_of(town.app)) as pages:
        await pages.start()
        assert (await town.answer(await town.imagine())).attachments
        await town.quiet()
        assert sorted(documented - await sampled(pages)) == sorted(NEEDS_A_FAULT)


async def commands_as_the_doctor_sees_them(town) -> list[str]:
    async with surroundings(read_settings(town.env(), town.folder, town.folder / "no-secrets")) as here:
        return [f"{finding.verdict}: {finding.says}" for finding in await check_commands(here)]


async def test_the_doctor_expects_the_commands_that_a_running_bot_registers(town):
    registered = town.world.commands.scope(None)
    assert await commands_as_the_doctor_sees_them(town) == [f"pass: {len(registered)} registered"]
    [vary] = [number for number, command in registered.items() if command["name"] == "vary"]
    registered[vary]["name"] = "dalle"
    assert await commands_as_the_doctor_sees_them(town) == ["warn: missing: vary; not of this version: dalle"]
