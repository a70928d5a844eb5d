"""The command line as a person uses it, in a process of its own where its exit code matters."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import IO, Any

import aiohttp
import pytest

from bot.__main__ import COMMANDS, main, parser
from bot.operator.healthcheck import ask
from bot.operator.invite import fetch_link
from bot.operator.models import listing, prices, table
from bot.operator.setup import Refused, Terminal, guide, key_test, token_test, write_env
from bot.parts import catalogue_of, keep_private
from bot.ports import CannotStart
from bot.settings.sources import parse_settings

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.abcdefghijklmnopqrstuvwxyz0123456789AB"
KEY = "sk-canary-0123456789abcdef"


def easel(
    *words: str, cwd: Path, out: IO[str] | int = subprocess.PIPE, **environ: str
) -> subprocess.CompletedProcess[str]:
    return python("-m", "bot", *words, cwd=cwd, out=out, **environ)


def python(
    *words: str, cwd: Path, out: IO[str] | int = subprocess.PIPE, **environ: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "LANG")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **environ},
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )


def test_wrong_settings_end_with_78_and_all_faults_at_once(tmp_path: Path) -> None:
    done = easel("run", cwd=tmp_path, HTTP_PORT="x", SHARD_IDS="0", DISCORD_TOKEN="Bot canary")
    assert done.returncode == 78
    assert [
        name for name in ("HTTP_PORT:", "SHARD_IDS:", "DISCORD_TOKEN:", "OPENAI_API_KEY:") if name not in done.stderr
    ] == []
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr


def damaged_ledger(folder: Path) -> dict[str, str]:
    (folder / "data").mkdir()
    (folder / "data" / "easel.db").write_bytes(b"no database at all" * 100)
    return {}


def broken_model_file(folder: Path) -> dict[str, str]:
    (folder / "models.toml").write_text('[models."x"]\nlike = "no-such-model"\n')
    return {"IMAGE_MODELS": "models.toml"}


def preset_of_an_unknown_model(folder: Path) -> dict[str, str]:
    preset = "[[preset]]\nname = 'a'\ntitle = 'A'\nabout = 'a'\nsettings = { models = ['dall-e-9'] }\n"
    (folder / "presets.toml").write_text(preset)
    return {"PRESETS": "presets.toml"}


def unknown_default(_: Path) -> dict[str, str]:
    return {"DEFAULT_MODEL": "gpt-image-2.5-flair"}


ONE_AFTER_THE_OTHER = """
import contextlib, io, json, os, sys
from bot.__main__ import main
told = []
for folder, settings in json.loads(sys.argv[1]):
    os.chdir(folder)
    os.environ |= settings
    with contextlib.redirect_stderr(io.StringIO()) as heard:
        told.append((main(["run"]), heard.getvalue()))
    for name in settings:
        del os.environ[name]
print(json.dumps(told))
"""


def test_what_only_a_person_can_mend_ends_the_start_with_78(tmp_path: Path) -> None:
    """In one process: most of what a start costs is reading the libraries."""
    cases = [
        (damaged_ledger, "easel.db"),
        (broken_model_file, "IMAGE_MODELS"),
        (preset_of_an_unknown_model, "PRESETS: presets.toml: a.settings.models: there is no model 'dall-e-9'"),
        (unknown_default, "gpt-image-2.5-flare"),
    ]
    planted: list[tuple[str, dict[str, str]]] = []
    for plant, _ in cases:
        folder = tmp_path / plant.__name__
        folder.mkdir()
        planted.append((str(folder), plant(folder)))
    given = {"DISCORD_TOKEN": TOKEN, "OPENAI_API_KEY": KEY, "HTTP_PORT": "0"}
    done = python("-c", ONE_AFTER_THE_OTHER, json.dumps(planted), cwd=tmp_path, **given)
    for (plant, words), (code, told) in zip(cases, json.loads(done.stdout), strict=True):
        assert code == 78, (plant.__name__, told)
        assert words in told
        assert "Traceback" not in told
        assert KEY not in told


def test_a_word_nobody_knows_ends_with_2(tmp_path: Path) -> None:
    done = easel("fly", cwd=tmp_path)
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


@pytest.mark.parametrize(
    "words", [["purge"], ["purge", "--older-than", "soon"], ["purge", "--all", "--older-than", "1d"]]
)
def test_purge_without_a_clear_wish_ends_with_2(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "--older-than" in capsys.readouterr().err


def test_nothing_is_deleted_where_there_is_nobody_to_ask(tmp_path: Path) -> None:
    done = easel("purge", "--all", cwd=tmp_path)
    assert done.returncode == 78
    assert "--yes" in done.stderr


def test_the_help_comes_without_any_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys, bot.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'discord','openai','aiohttp','sqlalchemy','PIL','pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


@pytest.mark.slow
def test_a_first_life_of_migrate_backup_restore_and_models(tmp_path: Path) -> None:
    assert "brought to" in easel("migrate", cwd=tmp_path).stdout
    assert "is at" in easel("migrate", cwd=tmp_path).stdout
    made = easel("backup", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    file = made.stdout.splitlines()[0]
    assert (tmp_path / file).is_file()
    restored = easel("restore", file, "--yes", cwd=tmp_path)
    assert restored.returncode == 0, restored.stderr
    assert "Restored" in restored.stdout
    assert easel("purge", "--older-than", "1d", "--yes", cwd=tmp_path).stdout.startswith("Forgot")
    listed = easel("models", cwd=tmp_path)
    assert "gpt-image-2.5-flare" in listed.stdout, listed.stderr
    assert "dall-e-3" in listed.stdout


def test_who_reads_only_the_first_line_ends_a_command_without_a_word(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = easel("models", cwd=tmp_path, out=closed)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_leads_to_a_function_and_is_in_the_documentation() -> None:
    import importlib

    text = (ROOT / "docs/operating.md").read_text()
    for name, command in COMMANDS.items():
        assert callable(importlib.import_module(f"bot.operator.{command.module or name}").main)
        assert f"`{name}`" in text or f"python -m bot {name}" in text, name


def test_the_words_of_the_sandbox_are_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.operator.sandbox import launch

    seen: list[list[str]] = []
    monkeypatch.setattr(launch, "main", lambda arguments: seen.append(arguments.rest) or 3)
    assert main(["sandbox", "/imagine prompt:a fox", "--out", "x"]) == 3
    assert seen == [["/imagine prompt:a fox", "--out", "x"]]


def test_without_a_word_and_a_token_the_sandbox_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.operator.sandbox import launch

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.setattr(launch, "main", lambda _arguments: 0)
    assert main([]) == 0
    assert "sandbox" in capsys.readouterr().out
    assert main(["run"]) == 78


@pytest.mark.parametrize("host", ["127.0.0.1"])
async def test_the_healthcheck_tells_living_from_dead(host: str, clinic: Any) -> None:
    import asyncio

    from bot.adapters.status.http import StatusServer

    server = StatusServer(host, 0, {}, lambda: b"")
    await server.start()
    port = server.address[1]
    assert await asyncio.to_thread(ask, host, port) == ""
    await server.aclose()
    assert "no answer" in await asyncio.to_thread(ask, host, port)


@pytest.mark.parametrize("source", ["environment", "file", ".env"])
async def test_the_healthcheck_asks_where_the_settings_say(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import asyncio

    from bot.adapters.status.http import StatusServer

    server = StatusServer("127.0.0.1", 0, {}, lambda: b"")
    await server.start()
    port = str(server.address[1])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "port").write_text(port)
    match source:
        case "environment":
            monkeypatch.setenv("HTTP_PORT", port)
        case "file":
            monkeypatch.setenv("HTTP_PORT_FILE", "port")
        case ".env":
            (tmp_path / ".env").write_text(f"HTTP_PORT={port}\n")
    assert await asyncio.to_thread(main, ["healthcheck"]) == 0
    assert capsys.readouterr().out == "alive\n"
    await server.aclose()
    assert await asyncio.to_thread(main, ["healthcheck"]) == 1


async def test_the_invitation_is_that_of_the_tokens_bot(clinic: Any) -> None:
    settings = clinic.here().settings
    assert await fetch_link(settings) == (
        "https://discord.com/oauth2/authorize?client_id=7&scope=bot+applications.commands&permissions=274878024704"
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"DISCORD_TOKEN": "wrong.wrong.wrong"}, "refuses"),
        ({"DISCORD_API_BASE": "http://127.0.0.1:9/api"}, "did not answer"),
        ({"DISCORD_TOKEN": ""}, "not set"),
    ],
)
async def test_no_invitation_without_a_bot(clinic: Any, wrong: dict[str, str], words: str) -> None:
    clinic.environ.update(wrong)
    with pytest.raises(CannotStart, match=words):
        await fetch_link(clinic.here().settings)


def test_every_model_has_a_line_and_a_price() -> None:
    catalogue = catalogue_of(parse_settings({}))
    lines = table(catalogue, official=True, today=date(2026, 11, 21)).splitlines()
    assert len(lines) == len(list(catalogue)) + 4
    assert max(map(len, lines)) <= 100
    assert [model.id for model in catalogue if not prices(model)] == []
    flare = next(line for line in lines if line.startswith("gpt-image-2.5-flare "))
    assert flare.split() == ["gpt-image-2.5-flare", "$0.006", "$0.013", "$0.211", "edit", "any", "offered"]
    assert any("gpt-image-1.5" in line and "ends 2026-12-01" in line for line in lines)
    assert any("dall-e-2" in line and "retired 2026-05-12" in line for line in lines)


def test_machines_get_the_same_as_json() -> None:
    catalogue = catalogue_of(parse_settings({}))
    found = listing(catalogue, official=False, today=date(2026, 11, 21))
    rows = {row["id"]: row for row in json.loads(json.dumps(found))}
    assert rows["dall-e-2"]["can"] == ["make", "edit", "vary"]
    assert rows["dall-e-3"]["usd_a_picture"] == {"standard": 0.04, "hd": 0.08}
    assert rows["dall-e-3"]["sizes"] == ["1024x1024", "1792x1024", "1024x1792"]
    assert {row["status"] for row in rows.values()} == {"as the server says"}


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"Easel \d+\.\d+\.\d+( .*)?\n", capsys.readouterr().out)


def test_a_broken_list_of_models_is_said_with_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text("[models.x\n")
    with pytest.raises(CannotStart, match=r"^IMAGE_MODELS: not TOML"):
        catalogue_of(parse_settings({"IMAGE_MODELS": str(file)}))


def test_a_folder_that_is_a_file_is_said_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotStart, match=r"^DATA_DIR: .* is a file; name a folder"):
        keep_private(parse_settings({"DATA_DIR": str(tmp_path / "file")}))


class Person:
    """Types what it was given, and remembers what it was told."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.heard: list[str] = []

    def type(self, _question: str) -> str:
        return self.answers.pop(0)

    @property
    def terminal(self) -> Terminal:
        return Terminal(say=self.heard.append, ask=self.type, ask_secret=self.type)


async def good(_value: str) -> str:
    return "It works."


async def test_the_guide_writes_a_file_only_its_owner_can_read(tmp_path: Path) -> None:
    person = Person(TOKEN, KEY, "25")
    assert await guide(person.terminal, tmp_path, good, good) == 0
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == f"DISCORD_TOKEN={TOKEN}\nOPENAI_API_KEY={KEY}\nOPERATOR_BUDGET_USD=25\n"
    assert not any(TOKEN in line or KEY in line for line in person.heard)


async def test_a_refused_token_is_asked_for_again_and_then_given_up(tmp_path: Path) -> None:
    async def bad(_value: str) -> str:
        raise Refused("Discord refuses this token.")

    person = Person("a.b.c", "two words", "")
    assert await guide(person.terminal, tmp_path, bad, good) == 1
    assert not (tmp_path / ".env").exists()
    assert sum("refuses" in line for line in person.heard) == 1
    assert any("Nothing was written" in line for line in person.heard)


async def test_the_key_may_be_left_out_and_a_wrong_budget_is_asked_for_again(tmp_path: Path) -> None:
    person = Person(TOKEN, "", "lots", "")
    assert await guide(person.terminal, tmp_path, good, good) == 0
    assert (tmp_path / ".env").read_text() == f"DISCORD_TOKEN={TOKEN}\n"
    assert any("US dollars" in line for line in person.heard)


def test_what_else_stands_in_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nTZ=UTC\nDISCORD_TOKEN=old\nexport DISCORD_TOKEN=older\nLOG_LEVEL=DEBUG\n")
    write_env(file, {"DISCORD_TOKEN": "new", "OPENAI_API_KEY": "k"})
    assert file.read_text() == "# mine\nTZ=UTC\nDISCORD_TOKEN=new\nLOG_LEVEL=DEBUG\nOPENAI_API_KEY=k\n"


async def test_the_guide_tests_token_and_key_where_they_belong(clinic: Any) -> None:
    settings = clinic.here().settings
    async with aiohttp.ClientSession() as session:
        test = token_test(settings, session)
        told = await test(TOKEN)
        assert "bot Easel" in told
        assert "no more than it needs: View Channels, Send Messages, " in told
        with pytest.raises(Refused, match="401"):
            await test("wrong.wrong.wrong")
    assert "works" in await key_test(settings)(KEY)
    clinic.images.status, clinic.images.code = 401, "invalid_api_key"
    with pytest.raises(Refused, match="bad_key"):
        await key_test(settings)(KEY)


def test_flags_are_what_the_commands_read() -> None:
    arguments = parser().parse_args(["restore", "x.db", "--yes"])
    assert arguments == argparse.Namespace(command="restore", file="x.db", yes=True)
