"""Secrets are known by the place they came through, not by their looks; what is stored is its owner's alone."""

from __future__ import annotations

import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.running import Processes, processes_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

KEYS = (
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "0123456789abcdef0123456789abcdef",  # Azure
    "xai-AbCdEfGhIjKlMnOpQrStUvWx0123",
    "hf_AbCdEfGhIjKlMnOpQrStUvWx",
    "our-gateway-key-42",
)
PROMPT = "a heron nobody else should read about"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Processes]:
    async with processes_in(tmp_path) as made:
        yield made


async def test_neither_a_servers_key_nor_a_prompt_is_in_a_log_line_at_any_level(stage: Processes) -> None:
    stage.images.key = None
    bot = await stage.start(LOG_LEVEL="DEBUG")
    for key in KEYS:
        opened = await stage.world.slash(stage.admin, stage.general, "/settings apikey", {})
        sent = await stage.world.submit_form(await opened.wait_modal(), {"key": key}, user=stage.admin)
        await sent.wait_answer()
    made = await stage.imagine(prompt=PROMPT, preview=False)
    await made.wait_until(lambda it: any(message.attachments for message in it.messages), 30, "a picture")
    await bot.stop()
    assert bot.log
    assert [line for line in bot.log if PROMPT in line or any(key in line for key in KEYS)] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_what_is_stored_can_be_read_by_its_owner_alone(stage: Processes) -> None:
    (stage.folder / "pictures").mkdir(mode=0o755)  # as an older version left it
    (stage.folder / "pictures").chmod(0o755)
    bot = await stage.start()
    made = await stage.imagine(preview=False)
    await made.wait_until(lambda it: any(message.attachments for message in it.messages), 30, "a picture")
    await bot.stop()
    stored = list(stage.folder.rglob("*"))
    assert {"pictures", "easel.db", "secret.key"} <= {path.name for path in stored}
    assert [path for path in stored if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)] == []
