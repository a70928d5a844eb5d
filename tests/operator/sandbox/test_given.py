"""What the operator set and what the sandbox makes of it; its folder, its command line, and its larger town."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.operator.sandbox.cli import people_of, save
from bot.operator.sandbox.environment import environment
from bot.operator.sandbox.folders import LOCK, PREFIX, own_folder, sweep
from bot.operator.sandbox.given import Given, given, said
from bot.operator.sandbox.options import options_of
from bot.operator.sandbox.towns import easel_town
from sandbox.discord.model import Attachment
from sandbox.discord.server import Server

KEYLESS = "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize(
    ("values", "model_server", "service"),
    [
        ({}, None, None),
        ({"OPENAI_API_KEY": "k"}, None, "OpenAI"),
        ({"OPENAI_BASE_URL": KEYLESS}, None, KEYLESS),
        ({"OPENAI_BASE_URL": KEYLESS, "OPENAI_API_KEY": "k"}, None, KEYLESS),
        ({"OPENAI_BASE_URL": "https://api.openai.com/v1"}, None, None),
        ({"OPENAI_API_KEY": "k"}, KEYLESS, KEYLESS),
    ],
)
def test_pictures_come_from_whom_the_operator_names(
    values: dict[str, str], model_server: str | None, service: str | None
) -> None:
    assert Given(values).service(model_server) == service


def test_what_the_operator_set_is_kept_or_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DEFAULT_COOLDOWN_S", "IMAGES_PER_MINUTE", "OPENAI_API_KEY", "DEFAULT_MODEL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".env").write_text("DEFAULT_COOLDOWN_S=30\nDATABASE_URL=postgresql://x\nOPENAI_API_KEY=k\n")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("DEFAULT_MODEL", "dall-e-3")
    machine = given(tmp_path)
    assert machine.kept() == {"DEFAULT_COOLDOWN_S": "30"}
    assert machine.service(None) is None  # an empty key in the environment says no to the one of the file
    used = environment(tmp_path, token="t", discord="d", images=("i", "k"), **machine.kept())
    assert used["DEFAULT_COOLDOWN_S"] == "30"
    aside = machine.set_aside(used)
    assert "DATABASE_URL" in aside
    assert not {"DEFAULT_COOLDOWN_S", "DEFAULT_MODEL", "OPENAI_API_KEY"} & set(aside)
    [line] = said(None, aside)
    assert "DATABASE_URL" in line
    assert said(None, ()) == []
    assert said("OpenAI", ()) == ["Pictures come from OpenAI and cost real money, not from the sandbox."]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "99999"], "99999 is no port"),
        (["--port", "-1"], "-1"),
        (["--port", "http"], "http is no port"),
        (["--model-server", "localhost:8080"], "is no address such as"),
        (["--model-server", "http://[::1"], "is no address such as"),
        (["--model-server", KEYLESS, "--slow"], "which --model-server replaces"),
        (["--language", "deutsch"], "Discord has no language deutsch"),
        (["--out", f"{__file__}/pictures"], "there is a file of that name"),
        (["--world", "huge"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_a_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options_of(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_killed_sandbox_leaves_its_folder_to_the_next(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("no such locks here")
    code = (
        "import os, sys, pathlib; from bot.operator.sandbox.folders import own_folder\n"
        "with own_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    print(folder, flush=True); sys.stdin.readline(); os._exit(9)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    (folder / "easel.db").write_bytes(b"x")
    (tmp_path / f"{PREFIX}strange").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(folder)
    with own_folder(tmp_path) as mine:
        assert folder.exists()  # its sandbox still runs
        assert (mine / LOCK).exists()
        process.communicate("\n")
        assert sweep(tmp_path) == [folder]
        assert mine.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}link", f"{PREFIX}strange"]


async def test_a_large_town_is_large_and_speaks_another_language() -> None:
    world = easel_town("large", "de")
    town = world.town
    assert len(town.studio.members) > 300
    assert len(world.channels_of(town.studio)) > 70
    assert len(town.studio.roles) > 30
    assert len(world.guilds) == 15
    assert {world.users[one.id].locale for one in (town.member, town.admin, town.admin_abroad)} == {"de"}
    assert world.users[town.painter.id].locale == "es-ES"
    assert town.general.topic == "Sag Hallo, dann /imagine"
    everything = [one.id for part in (world.users, world.channels, world.guilds) for one in part.values()]
    assert len(everything) == len(set(everything))
    async with Server(world):
        pass


def test_who_types_a_line_speaks_the_language_that_was_asked_for() -> None:
    assert people_of(easel_town())["ada"].locale == "en-GB"
    assert people_of(easel_town(language="de"))["ada"].locale == "de"


def test_pictures_that_can_be_kept_nowhere_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError, match=r"cannot be made \(Not a directory\)\. Name another folder with --out"):
        save(Attachment(1, 2, "a.png", b"x", "image/png"), tmp_path / "file" / "out")
