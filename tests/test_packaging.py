"""The wheel: everything the bot needs is inside, and what is installed from it runs from any folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("bot", "cogs", "sandbox")
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", ".gitignore", *SHIPPED)
ENTRY = """
import sys
from importlib.metadata import entry_points
sys.exit(entry_points(group="console_scripts")["easel"].load()())
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds it, is not installed"
    ),
]


def run(*words: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "LANG") if name in os.environ}
    return subprocess.run(words, cwd=cwd, env=kept | environ, capture_output=True, text=True, timeout=110)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left beside the sources."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    path = os.pathsep.join(entry for entry in sys.path if entry and Path(entry) != ROOT)
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=copy, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    [made] = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Easel from its wheel; the libraries are those of these tests."""
    folder = tmp_path_factory.mktemp("environment")
    done = run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    assert done.returncode == 0, done.stderr
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    asked = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    packages = Path(asked.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python


def test_the_wheel_holds_every_file_of_its_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT).as_posix() for name in SHIPPED for path in (ROOT / name).rglob("*") if path.is_file()
    }
    assert inside == {name for name in ours if "__pycache__" not in name}
    wanted = ("bot/rules/catalogue/catalogue.toml", "bot/ui/words/locales/de.toml", "sandbox/page/static/index.html")
    assert set(wanted) <= inside
    assert any(name.startswith("bot/adapters/database/schema/migrations/versions/0001") for name in inside)


def test_the_installed_command_runs_from_any_folder(installed, tmp_path):
    where = run(installed, "-c", "import bot; print(bot.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where.stdout
    shown = run(installed, "-c", ENTRY, "--help", cwd=tmp_path)
    assert "doctor" in shown.stdout, shown.stderr
    models = run(installed, "-c", ENTRY, "models", cwd=tmp_path)
    assert "gpt-image-2.5-flare" in models.stdout, models.stderr
    assert "brought to" in run(installed, "-c", ENTRY, "migrate", cwd=tmp_path).stdout
    assert (tmp_path / "data" / "easel.db").exists()


def test_the_installed_sandbox_makes_a_picture(installed, tmp_path):
    line = "/imagine prompt:a red fox"
    done = run(installed, "-c", ENTRY, "sandbox", line, cwd=tmp_path, OPENAI_API_KEY="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "sandbox-out").iterdir())) == 1


def test_the_installed_page_has_its_files(installed, tmp_path):
    code = "from sandbox.page.files import STATIC; print((STATIC / 'index.html').is_file(), STATIC)"
    assert run(installed, "-c", code, cwd=tmp_path).stdout.startswith("True")
