"""The decisions of run.py; nothing here uses the network or the environment it would make."""

import ast
import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

QUICK = ["-m", "not slow and not browser and not wire and not postgres", "-n", "4", "--dist", "worksteal"]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("easel_run", ROOT / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with blanks in its name and two small locks."""
    root = tmp_path / "my easel"
    root.mkdir()
    (root / "requirements.lock").write_text("a==1 --hash=sha256:00\n")
    (root / "requirements-dev.lock").write_text("a==1 --hash=sha256:00\nb==1 --hash=sha256:00\n")
    return root


def stamp(run: ModuleType, root: Path, lock: str) -> None:
    (root / ".venv").mkdir(exist_ok=True)
    (root / ".venv" / run.STAMP).write_text(run.fingerprint(root, lock) + "\n")


def a_python(run: ModuleType, root: Path) -> None:
    """Puts this very Python where the environment's would be."""
    place = run.venv_python(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(sys.executable)


def test_an_old_python_can_read_the_file_up_to_the_sentence_meant_for_it() -> None:
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 6))


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse((ROOT / "run.py").read_text())
    names = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("words", "lock", "module", "arguments"),
    [
        ([], "requirements.lock", "bot", []),
        (["run"], "requirements.lock", "bot", ["run"]),
        (["doctor", "--json"], "requirements.lock", "bot", ["doctor", "--json"]),
        (
            ["sandbox", "/imagine prompt:a red fox"],
            "requirements.lock",
            "bot",
            ["sandbox", "/imagine prompt:a red fox"],
        ),
        (["test"], "requirements-dev.lock", "pytest", [*QUICK]),
        (["bench", "--quick"], "requirements-dev.lock", "bench", ["--quick"]),
        (["test", "-k", "fox"], "requirements-dev.lock", "pytest", [*QUICK, "-k", "fox"]),
        (["test", "-m", "slow"], "requirements-dev.lock", "pytest", ["-m", "slow"]),
        (["test", "--all", "-x"], "requirements-dev.lock", "pytest", ["-x"]),
    ],
)
def test_the_first_word_decides_what_is_installed_and_started(
    run: ModuleType, words: list[str], lock: str, module: str, arguments: list[str]
) -> None:
    assert run.plan_for(words) == (lock, module, arguments)


def test_nothing_is_installed_twice(run: ModuleType, copy: Path) -> None:
    a_python(run, copy)
    assert not run.is_installed(copy, "requirements.lock")
    stamp(run, copy, "requirements.lock")
    assert run.is_installed(copy, "requirements.lock")
    assert not run.is_installed(copy, "requirements-dev.lock")


def test_what_the_tests_need_serves_for_running_too(run: ModuleType, copy: Path) -> None:
    a_python(run, copy)
    stamp(run, copy, "requirements-dev.lock")
    assert run.is_installed(copy, "requirements.lock")


def test_a_changed_lock_is_installed_again(run: ModuleType, copy: Path) -> None:
    a_python(run, copy)
    stamp(run, copy, "requirements.lock")
    (copy / "requirements.lock").write_text("a==2 --hash=sha256:11\n")
    assert not run.is_installed(copy, "requirements.lock")


def test_an_environment_whose_python_is_gone_is_made_again(run: ModuleType, copy: Path) -> None:
    stamp(run, copy, "requirements.lock")
    assert not run.is_installed(copy, "requirements.lock")


def test_a_missing_lock_is_said_in_a_sentence(run: ModuleType, copy: Path) -> None:
    (copy / "requirements-dev.lock").unlink()
    with pytest.raises(run.Problem, match=r"requirements-dev\.lock cannot be read.*clone it again"):
        run.fingerprint(copy, "requirements-dev.lock")


def test_only_the_tests_write_bytecode_where_somebody_wants_none(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    assert "PYTHONDONTWRITEBYTECODE" in run.environment("bot")
    assert "PYTHONDONTWRITEBYTECODE" not in run.environment("pytest")
    assert "PYTHONHOME" not in run.environment("bot")


@pytest.mark.parametrize("uv", [None, "/somewhere/uv"])
@pytest.mark.parametrize("wheels_only", [True, False])
def test_every_package_is_held_against_its_hash(run: ModuleType, copy: Path, uv: str | None, wheels_only: bool) -> None:
    command = run.install_command(copy, "requirements.lock", uv, wheels_only=wheels_only)
    assert "--require-hashes" in command
    assert (":all:" in command) is wheels_only
    assert command[-1] == str(copy / "requirements.lock")
    assert str(run.venv_python(copy)) in command
    assert not any(word.startswith(("http", "--index", "--find")) for word in command)


# Lines as pip and uv print them.
OUTPUTS = [
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "original files"),
    ("error: Hash mismatch for `aiohttp==3.14.5`", "original files"),
    (
        "WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection",
        "network",
    ),
    ("error: Failed to fetch\n  Caused by: dns error: failed to lookup address information", "network"),
    ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "network"),
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
    ("ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system", "cannot be written"),
    ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "CA certificate"),
    ("/x/.venv/bin/python: No module named pip", "python3-venv"),
    ("ERROR: No matching distribution found for pillow==13.0.0", "CPython"),
    ("something nobody has seen before", "delete the folder .venv"),
]


@pytest.mark.parametrize(("output", "advice"), OUTPUTS)
def test_a_failed_installation_says_what_to_do(run: ModuleType, output: str, advice: str) -> None:
    assert advice in run.remedy(output)


def test_a_folder_that_is_no_environment_is_left_alone(run: ModuleType, copy: Path) -> None:
    (copy / ".venv").mkdir()
    (copy / ".venv" / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(run.Problem, match="in the way"):
        run.make_venv(copy, with_pip=False)
    assert (copy / ".venv" / "holiday.jpg").exists()


def test_a_python_without_ensurepip_is_told_what_to_install(
    run: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "has_ensurepip", lambda: False)
    monkeypatch.setattr(run.shutil, "which", lambda _name: None)
    with pytest.raises(run.Problem, match="python3-venv"):
        run.install(copy, "requirements.lock")


def test_an_interrupted_installation_begins_afresh(
    run: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_python(run, copy)
    stamp(run, copy, "requirements.lock")
    (copy / "requirements.lock").write_text("a==3 --hash=sha256:22\n")

    def interrupted(_command: list[str], _hear: object) -> str | None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.shutil, "which", lambda _name: "/somewhere/uv")
    monkeypatch.setattr(run, "attempt", interrupted)
    assert run.main([], copy) == 130
    assert not (copy / ".venv" / run.STAMP).exists()


def test_a_package_without_a_wheel_is_built_on_the_second_try(
    run: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_python(run, copy)
    tried: list[list[str]] = []

    def attempt(command: list[str], _hear: object) -> str | None:
        tried.append(command)
        return "ERROR: No matching distribution found for a==1" if ":all:" in command else None

    monkeypatch.setattr(run.shutil, "which", lambda _name: "/somewhere/uv")
    monkeypatch.setattr(run, "attempt", attempt)
    run.install(copy, "requirements.lock")
    assert len(tried) == 2
    assert run.is_installed(copy, "requirements.lock")


def test_what_the_installer_said_comes_before_the_sentence(
    run: ModuleType, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_python(run, copy)
    monkeypatch.setattr(run.shutil, "which", lambda _name: "/somewhere/uv")
    monkeypatch.setattr(run, "attempt", lambda _command, _hear: "line one\ndns error: no such host")
    assert run.main([], copy) == 1
    said = capsys.readouterr().err
    assert said.index("line one") < said.index("could not be reached")


class Screen(io.StringIO):
    """Where progress is shown: a terminal, or a file."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_a_terminal_sees_how_far_the_installation_is_and_about_how_long_it_takes(run: ModuleType) -> None:
    screen = Screen(terminal=True)
    clock = iter(range(1, 20))
    progress = run.Progress(12, screen, lambda: next(clock))
    for number in range(6):
        progress.hear(f"Collecting package{number}==1.{number}\n")
        progress.hear(f"  Downloading package{number}-1.0-py3-none-any.whl (12 kB)\n")
    *_, last = screen.getvalue().split("\r\x1b[K")
    assert last == "████████████░░░░░░░░░░░░  6 of 12 packages, about 6 s more: package5"
    progress.hear("Installing collected packages: package0, package1\n")
    assert screen.getvalue().endswith("████████████████████████  12 of 12 packages: unpacking")
    progress.end()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_log_gets_a_line_now_and_then_and_no_codes(run: ModuleType) -> None:
    screen = Screen(terminal=False)
    seconds = [1, 4, 11, 12, 25]
    clock = iter(seconds)
    progress = run.Progress(5, screen, lambda: next(clock))
    for number in range(len(seconds)):
        progress.hear(f" Downloaded package{number}\n")
    progress.end()
    assert screen.getvalue().splitlines() == ["  3 of 5 packages: package2", "  5 of 5 packages: package4"]


def test_an_installers_lines_are_heard_as_they_come_and_kept_for_its_failure(run: ModuleType) -> None:
    heard: list[str] = []
    talk = "print('one'); print('two'); raise SystemExit({})"
    assert run.attempt([sys.executable, "-c", talk.format(0)], heard.append) is None
    assert heard == ["one\n", "two\n"]
    assert run.attempt([sys.executable, "-c", talk.format(3)]) == "one\ntwo\n"


def test_a_folder_that_cannot_be_written_is_named(run: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(run.Problem, match="cannot be written"):
        run.check_writable(tmp_path / "not there")


def test_help_needs_no_installation(run: ModuleType, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--help"], copy) == 0
    assert "python3 run.py test" in capsys.readouterr().out
    assert not (copy / ".venv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there the exit code is passed on by waiting")
def test_the_exit_code_and_the_words_are_passed_on_from_any_folder(run: ModuleType, copy: Path, tmp_path: Path) -> None:
    a_python(run, copy)
    (copy / "run.py").write_text((ROOT / "run.py").read_text())
    stamp(run, copy, "requirements.lock")
    (copy / "bot.py").write_text("import os, sys; print(sys.argv[1:], os.getcwd()); sys.exit(78)")
    done = subprocess.run(
        [sys.executable, str(copy / "run.py"), "doctor", "two words"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 78, done.stderr
    assert done.stdout.strip() == f"['doctor', 'two words'] {copy}"
