"""Two commands for everybody: ``python3 run.py`` sets Easel up and starts it, ``python3 run.py test`` runs its tests.

    python3 run.py                              against Discord if a token is configured, else in the sandbox
    python3 run.py test [pytest arguments]      every quick test; --all adds those over the wire, slow and browser tests
    python3 run.py bench [--quick]              measures Easel against its floors and writes bench/report.md
    python3 run.py sandbox "/imagine prompt:a red fox"
    python3 run.py doctor | setup | invite | models | migrate | backup | restore | purge

Law: the standard library only, and nothing that a Python as old as 3.6 cannot parse, so that an old one gets a sentence
instead of a SyntaxError. (Hence no ``from __future__ import annotations``: the version check must be reached first.)
Everything is installed into ``.venv`` beside this file, from a lock with hashes, again only when the lock changes.
Relative paths are read from the folder of this file.
"""
# ruff: noqa: E402 - the imports below may not exist in the Pythons that are turned away first

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.stderr.write(
        "Easel needs Python 3.11 or newer; this is Python %d.%d (%s).\n"  # noqa: UP031 - see above
        "Install a newer one (https://www.python.org/downloads/) and start it by its name, e.g.: python3.13 run.py\n"
        "Or install uv (https://docs.astral.sh/uv/), which fetches a Python by itself: uv run --python 3.13 run.py\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    raise SystemExit(78)

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TextIO

RUNTIME_LOCK = "requirements.lock"
TEST_LOCK = "requirements-dev.lock"
QUICK_TESTS = ("-m", "not slow and not browser and not wire and not postgres", "-n", "4", "--dist", "worksteal")
STAMP = "easel-installed"
WINDOWS = os.name == "nt"
CONFIGURATION = 78


class Problem(Exception):
    """Something a person has to mend before Easel can be set up; the text says what."""


class Plan(NamedTuple):
    """What was asked: the lock that has to be installed, and the module with its arguments to start then."""

    lock: str
    module: str
    arguments: "list[str]"


NO_FITTING_FILE = """\
The package index had no fitting file. Either it could not be reached (is this machine online?), or it lacks a package
of the lock for this machine and Python: use CPython 3.11 to 3.14 on Linux, macOS or Windows."""

# Words in an installer's output -> what to do about it. The first row that matches wins.
REMEDIES = (
    (
        ("DO NOT MATCH THE HASHES", "Hash mismatch", "hash mismatch"),
        """\
A package is not the one the lock was made for. Either the download was damaged (start again), or your package mirror
rebuilds packages: use one that serves the original files.""",
    ),
    (
        ("No space left on device", "os error 28", "not enough space"),
        "The disk is full. Easel needs about 500 MB beside run.py; make room and start again.",
    ),
    (
        ("Read-only file system", "Permission denied", "os error 13", "os error 30", "Access is denied"),
        "The folder of run.py cannot be written. Copy Easel to a folder of your own and start it there.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "invalid peer certificate", "UnknownIssuer"),
        """\
The package index could not be trusted. Behind a company proxy, point SSL_CERT_FILE at its CA certificate; otherwise
check the clock of this machine and its CA certificates.""",
    ),
    (
        (
            "name resolution",
            "Name or service not known",
            "nodename nor servname",
            "getaddrinfo failed",
            "dns error",
            "establish a new connection",
            "Network is unreachable",
            "error sending request",
            "Connection refused",
            "ConnectTimeoutError",
            "Could not connect",
            "operation timed out",
            "ReadTimeoutError",
        ),
        """\
The package index could not be reached. Easel needs the network once, to install itself: check the connection (behind
a proxy, set HTTPS_PROXY; with a mirror of your own, PIP_INDEX_URL or UV_INDEX_URL) and start again.""",
    ),
    (
        ("No module named pip", "No module named ensurepip"),
        "This Python cannot install packages. Debian and Ubuntu: sudo apt install python3-venv. Or install uv.",
    ),
    (
        (
            "No matching distribution",
            "Could not find a version",
            "no version of",
            "no usable wheels",
            "no wheels with",
            "No solution found",
        ),
        NO_FITTING_FILE,
    ),
)
OTHERWISE = "Start again; if that does not help, delete the folder .venv, or report it with the lines above."
NO_ENSUREPIP = f"""\
This Python comes without ensurepip, so it cannot make an environment.
Debian and Ubuntu: sudo apt install python3-venv (or python3.{sys.version_info[1]}-venv), then start again.
Or install uv (https://docs.astral.sh/uv/), which Easel uses when it is on the PATH."""


def remedy(output: str) -> str:
    """The sentence that says what to do about a failed installation, read from the installer's output."""
    for signs, advice in REMEDIES:
        if any(sign in output for sign in signs):
            return advice
    return OTHERWISE


def plan_for(arguments: "list[str]") -> Plan:
    """What to install and what to start for the words after ``run.py``."""
    if arguments[:1] == ["bench"]:
        return Plan(TEST_LOCK, "bench", arguments[1:])
    if arguments[:1] != ["test"]:
        return Plan(RUNTIME_LOCK, "bot", list(arguments))
    rest = arguments[1:]
    if "--all" in rest:
        return Plan(TEST_LOCK, "pytest", [word for word in rest if word != "--all"])
    chosen = any(word == "-m" or word.startswith("-m=") for word in rest)
    return Plan(TEST_LOCK, "pytest", ([] if chosen else list(QUICK_TESTS)) + rest)


def venv_python(root: Path) -> Path:
    """The interpreter inside ``.venv``."""
    return root / ".venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")


def fingerprint(root: Path, lock: str) -> str:
    """Changes when the lock does. Raises ``Problem`` when the lock is missing."""
    try:
        digest = hashlib.sha256((root / lock).read_bytes()).hexdigest()
    except OSError as error:
        raise Problem(
            f"{lock} cannot be read ({error.strerror}). This copy of Easel is not whole: clone it again."
        ) from None
    return f"{lock} {digest}"


def is_installed(root: Path, lock: str) -> bool:
    """Whether ``.venv`` holds what the lock says. The tests' lock holds the runtime's, so it serves for both."""
    try:
        stamped = (root / ".venv" / STAMP).read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    wanted = {fingerprint(root, name) for name in ({lock, TEST_LOCK} if (root / TEST_LOCK).exists() else {lock})}
    return bool(wanted & set(stamped)) and interpreter_works(root)


def interpreter_works(root: Path) -> bool:
    """Whether ``.venv`` has a Python that still runs (the one it was made from may be gone) and is new enough."""
    code = f"import sys; raise SystemExit(sys.version_info < {OLDEST!r})"
    try:
        return subprocess.run([str(venv_python(root)), "-I", "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv(root: Path, *, with_pip: bool) -> None:
    """Makes ``.venv`` anew. Raises ``Problem``."""
    folder = root / ".venv"
    if folder.exists() and not (folder / "pyvenv.cfg").exists() and any(folder.iterdir()):
        raise Problem(f"{folder} is in the way: it is no Python environment. Move it elsewhere and start again.")
    command = [sys.executable, "-m", "venv", "--clear", *([] if with_pip else ["--without-pip"]), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        output = done.stdout + done.stderr
        if "ensurepip" in output:
            raise Problem(NO_ENSUREPIP)
        raise Problem(f"{output.strip()}\n\n.venv could not be made. {remedy(output)}")


def has_ensurepip() -> bool:
    """Whether this Python can put pip into a new environment (Debian ships it apart)."""
    from importlib.util import find_spec

    return find_spec("ensurepip") is not None


def install_command(root: Path, lock: str, uv: "str | None", *, wheels_only: bool) -> "list[str]":
    """The installer's command line: every package by its hash, nothing that the lock does not name."""
    python = str(venv_python(root))
    installer = (
        [uv, "pip", "install", "--compile-bytecode", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
    )
    wheels = ["--only-binary", ":all:"] if wheels_only else []
    return [*installer, "--require-hashes", *wheels, "-r", str(root / lock)]


def install(root: Path, lock: str) -> None:
    """Makes ``.venv`` hold what the lock says. Raises ``Problem``; then the next start begins afresh."""
    uv = shutil.which("uv")
    if uv is None and not has_ensurepip():
        raise Problem(NO_ENSUREPIP)
    check_writable(root)
    stamp = root / ".venv" / STAMP
    if interpreter_works(root):
        stamp.unlink(missing_ok=True)
    else:
        say("Making .venv …")
        make_venv(root, with_pip=uv is None)
    if uv is None:
        give_pip(root)
    total = len(re.findall(r"^[\w.-]+==", (root / lock).read_text(encoding="utf-8"), re.MULTILINE))
    say(f"Installing {total} packages with {'uv' if uv else 'pip'}; this happens once and takes up to a minute …")
    begun = time.monotonic()
    progress = Progress(total, sys.stderr, lambda: time.monotonic() - begun)
    output = attempt(install_command(root, lock, uv, wheels_only=True), progress.hear)
    if output is not None and remedy(output) is NO_FITTING_FILE:
        progress.end()
        say("Some package has no ready-made file for this machine; building it from source …")
        output = attempt(install_command(root, lock, uv, wheels_only=False), progress.hear)
    progress.end()
    if output is None:
        say(f"Installed in {time.monotonic() - begun:.0f} s.")
    else:
        tail = "\n".join(output.strip().splitlines()[-12:])
        raise Problem(f"{tail}\n\nThe installation did not finish. {remedy(output)}")
    stamp.write_text(fingerprint(root, lock) + "\n", encoding="ascii")


def give_pip(root: Path) -> None:
    """An environment made earlier by uv has no pip; this adds it."""
    python = str(venv_python(root))
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    output = attempt([python, "-m", "ensurepip", "--default-pip"])
    if output is not None:
        raise Problem(NO_ENSUREPIP)


def attempt(command: "list[str]", hear: "Callable[[str], None]" = lambda _line: None) -> "str | None":
    """Runs an installer, whose lines ``hear`` gets as they come: None when it succeeded, else everything it said."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace") as child:
        said = []
        for line in child.stdout or ():
            said.append(line)
            hear(line)
    return None if child.returncode == 0 else "".join(said)


class Progress:
    """What an installer is at, read from its lines: on a terminal one line that changes, elsewhere one now and then.

    ``total`` is how many packages the lock names; ``elapsed_s`` the seconds since the start.
    """

    PARTS = 24
    SAID_EVERY_S = 10

    def __init__(self, total: int, out: "TextIO", elapsed_s: "Callable[[], float]") -> None:
        self._total = max(total, 1)
        self._out = out
        self._elapsed_s = elapsed_s
        self._seen: set[str] = set()
        self._said_at_s = 0.0

    def hear(self, line: str) -> None:
        words = line.split()
        if words[:1] in (["Collecting"], ["Downloaded"]) and len(words) > 1:  # pip names each before, uv after
            self._seen.add(words[1])
            self._show(words[1].split("==")[0])
        elif words[:2] == ["Installing", "collected"]:
            self._seen.update(str(number) for number in range(self._total))
            self._show("unpacking")

    def end(self) -> None:
        """Clears the line of a terminal."""
        if self._out.isatty():
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _show(self, what: str) -> None:
        done, seconds = min(len(self._seen), self._total), self._elapsed_s()
        left = ""
        if done > 4 and done < self._total and seconds > 2:
            left = f", about {max(seconds / done * (self._total - done), 1):.0f} s more"
        count = f"{done} of {self._total} packages" if done else "fetching"
        text = f"{count}{left}: {what[:40]}"
        if self._out.isatty():
            bar = "█" * (self.PARTS * done // self._total)
            self._out.write(f"\r\x1b[K{bar.ljust(self.PARTS, '░')}  {text}")
        elif seconds - self._said_at_s >= self.SAID_EVERY_S:
            self._said_at_s = seconds
            self._out.write(f"  {text}\n")
        self._out.flush()


def check_writable(root: Path) -> None:
    """Raises ``Problem`` unless files can be made beside ``run.py``."""
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise Problem(
            f"{root} cannot be written ({error.strerror}). Copy Easel to a folder of your own and start it there."
        ) from None


def environment(module: str) -> "dict[str, str]":
    """This process's environment without what would lead the environment's Python astray.

    The tests start dozens of processes: without bytecode each would compile everything anew.
    """
    astray = {"PYTHONHOME", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__"}
    if module == "pytest":
        astray.add("PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return {**kept, "EASEL_STARTED_AS": f"{'python' if WINDOWS else 'python3'} run.py"} if module == "bot" else kept


def hand_over(root: Path, plan: Plan) -> int:
    """Starts the module in ``.venv`` in place of this process (on Windows: beside it) and returns its exit code."""
    python = str(venv_python(root))
    command = [python, "-m", plan.module, *plan.arguments]
    os.chdir(root)
    sys.stdout.flush()
    if not WINDOWS:
        os.execve(python, command, environment(plan.module))  # noqa: S606 - no shell is wanted
    child = subprocess.Popen(command, env=environment(plan.module))
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child got the same Ctrl-C and is putting its house in order
            continue


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: "list[str]", root: Path) -> int:
    """Sets up and hands over; returns an exit code where it comes back."""
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        print((__doc__ or "").split("\nLaw:")[0])
        return 0
    plan = plan_for(arguments)
    try:
        if not is_installed(root, plan.lock):
            install(root, plan.lock)
        return hand_over(root, plan)
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The next start begins where this one left off.")
        return 130
    except OSError as error:
        say(f"{error}\n\nEasel could not be set up. {remedy(str(error))}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
