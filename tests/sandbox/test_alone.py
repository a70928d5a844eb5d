"""The sandbox by itself: without Easel in reach, and with somebody else's bot."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support import node

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "sandbox" / "README.md").read_text(encoding="utf-8")

WITHOUT_EASEL = """
import importlib, pkgutil, sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("bot", "cogs"):
            raise ImportError(f"{name} is out of reach")

sys.meta_path.insert(0, Nothing())
import sandbox
names = [found.name for found in pkgutil.walk_packages(sandbox.__path__, "sandbox.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


async def run(*words: str, folder: Path) -> str:
    """What a Python of its own says; it must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_it_knows_no_bot(tmp_path: Path) -> None:
    modules = [
        path for path in (ROOT / "sandbox").rglob("*.py") if path.parent != ROOT / "sandbox" or path.stem != "__init__"
    ]
    assert int(await run("-c", WITHOUT_EASEL, folder=tmp_path)) == len(modules)


async def test_another_bot_is_tested_as_its_readme_says(tmp_path: Path) -> None:
    pytest.importorskip("discord")
    write_examples(tmp_path)
    assert await run("try_hello.py", folder=tmp_path) == ""


@pytest.mark.slow
async def test_a_bot_of_discord_js_is_tested_in_the_same_way(tmp_path: Path) -> None:
    program, library = node.program(), node.module("discord.js")
    write_examples(tmp_path)
    (tmp_path / "node_modules").symlink_to(library.parent)
    assert await run("try_hello.py", program, "hello.mjs", folder=tmp_path) == ""


@pytest.mark.slow
async def test_a_bot_of_hikari_is_tested_in_the_same_way(tmp_path: Path) -> None:
    python = os.environ.get("EASEL_HIKARI")
    if not python:
        pytest.skip("needs hikari: EASEL_HIKARI names a Python that has it")
    write_examples(tmp_path)
    assert await run("try_hello.py", python, "hello_hikari.py", folder=tmp_path) == ""


def write_examples(folder: Path) -> None:
    """The files of the readme, by their names."""
    examples = re.findall(r"^```\w+ (\S+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in examples] == ["hello.py", "try_hello.py", "hello.mjs", "hello_hikari.py"]
    for name, text in examples:
        (folder / name).write_text(text, encoding="utf-8")


def test_what_the_readme_names_is_there() -> None:
    named = re.findall(r"^\| `([a-z_.]+)\.([A-Z]\w+)` \|", README, re.MULTILINE)
    assert named
    for module, name in named:
        found = __import__(f"sandbox.{module}", fromlist=[name])
        assert hasattr(found, name), f"sandbox.{module} has no {name}"
