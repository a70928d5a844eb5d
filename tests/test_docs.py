"""What the documents say is so: settings, commands, metrics, command lines, links, and the files beside them.

Run with EASEL_UPDATE=1 to write the tables of options in docs/commands.md anew.
"""

from __future__ import annotations

import configparser
import importlib
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import pytest

from bench.__main__ import parsed as bench_words
from bot.__main__ import COMMANDS, parser
from bot.adapters.database.schema.tables import metadata
from bot.adapters.status.metrics import PrometheusMeter
from bot.core.servers.departures import KEEP_SERVERS
from bot.core.upkeep import retention
from bot.operator.sandbox.options import options_of
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.rules.options.table import OPTIONS, Shown
from bot.settings.model import NAMES, ConfigError, Settings
from bot.settings.sources import parse_settings
from bot.ui.client.client import EXTENSIONS, Client
from bot.ui.client.registration import sorted_commands
from tests.support.shell import bare_shell

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMED = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]
FRONT = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
DEFAULTS = {str(field.alias): getattr(Settings(), name) for name, field in Settings.model_fields.items()}

Leaves = dict[str, dict[str, Any]]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def outside_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


# --- settings ----------------------------------------------------------------------------------------------------


def setting_rows(page: str) -> dict[str, str]:
    """Each setting with what the page's tables call its default."""
    found = {}
    for names, default in re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| (.*?) \|", text_of(page), re.MULTILINE):
        settings = re.findall(r"`([A-Z_]+)`", names)
        values = re.findall(r"`([^`]+)`", default)
        several = len(settings) > 1 and len(values) == len(settings)
        found |= {name: f"`{values[i]}`" if several else default for i, name in enumerate(settings)}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_has_the_default_that_its_page_tells(name):
    told = setting_rows("docs/settings.md")[name]
    if DEFAULTS[name] in (None, ()):
        assert not told.startswith("`")
    else:
        value = re.match(r"`([^`]+)`", told)
        assert value is not None, told
        assert getattr(parse_settings({name: value[1]}), field_of(name)) == DEFAULTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_file_has_every_setting_with_its_default(name):
    [value] = re.findall(rf"^#{name}=(.*)$", text_of(".env.example"), re.MULTILINE)
    assert getattr(parse_settings({name: value}), field_of(name)) == DEFAULTS[name]


def test_the_page_of_settings_has_no_other():
    assert set(setting_rows("docs/settings.md")) == set(NAMES)


def field_of(name: str) -> str:
    return next(field for field, info in Settings.model_fields.items() if info.alias == name)


# --- commands in Discord -----------------------------------------------------------------------------------------


TYPES = {
    3: "text",
    4: "whole number",
    5: "`True` or `False`",
    6: "member",
    7: "channel",
    8: "role",
    10: "number",
    11: "file",
}


async def registered() -> list[dict[str, Any]]:
    """Every command as Discord gets it, from a client that is connected to nothing."""
    client = Client(lambda _: bare_shell(load_catalogue(builtin_catalogue())))
    for name in EXTENSIONS:
        await importlib.import_module(name).setup(client)
    return [command.to_dict(client.tree) for command in sorted_commands(client.tree)]


@pytest.fixture
async def leaves() -> Leaves:
    """Slash commands by their whole name, subcommands apart."""
    found = {}
    for command in await registered():
        if command["type"] != 1:
            continue
        below = [one for one in command.get("options", ()) if one["type"] == 1]
        found |= {f"{command['name']} {one['name']}": one for one in below} or {command["name"]: command}
    return found


def takes(option: dict[str, Any]) -> str:
    kind = TYPES[option["type"]]
    if option.get("choices"):
        kind = ", ".join(f"`{choice['value']}`" for choice in option["choices"])
    if "min_value" in option:
        kind += f", {option['min_value']} to {option['max_value']}"
    if "max_length" in option:
        kind += f", up to {option['max_length']} characters"
    return kind + (", with suggestions" if option.get("autocomplete") else "")


def table_of(leaf: dict[str, Any]) -> str:
    lines = [f"*{leaf['description']}.*"]
    if leaf.get("options"):
        lines += ["", "| option | takes | description |", "|---|---|---|"]
    for option in leaf.get("options", ()):
        name = f"`{option['name']}`" + (" (required)" if option.get("required") else "")
        lines.append(f"| {name} | {takes(option)} | {option['description']} |")
    return "\n".join(lines) + "\n"


SDKS = Literal["low", "auto"] | None
"""As the SDK writes it. Python remembers a union by its members, and who writes one later gets the order of the first:
so the choices of a command stand in none."""


async def test_the_page_of_commands_has_every_command_with_its_options(leaves):
    page = DOCS / "commands.md"
    text = page.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- options of /([a-z ]+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
    if os.environ.get("EASEL_UPDATE"):
        page.write_text(block.sub(lambda m: m[1] + table_of(leaves[m[2]]) + m[4], text), encoding="utf-8")
        return

    found = {name: table for _, name, table, _ in block.findall(text)}

    assert found == {name: table_of(leaf) for name, leaf in leaves.items()}
    headings = set(re.findall(r"^##+ `/([a-z ]+)`$", text, re.MULTILINE))
    assert headings == {*leaves, *(name.split()[0] for name in leaves)}


def table_of_options(leaves: Leaves) -> str:
    """Where each row of the table of options is typed, what is sent, and where it is told and carried."""
    told = {Shown.NOWHERE: "", Shown.DETAILS: "in *Details*", Shown.RESULT: "under the result, in *Details*"}
    lines = ["| option | typed in | sent as | shown | asked for by *Again* |", "|---|---|---|---|---|"]
    for option in OPTIONS:
        having = [f"`/{name}`" for name, leaf in leaves.items() if " " not in name and has_option(leaf, option.name)]
        sent = f"`{option.wire_name}`" if option.wire_name else ""
        again = "yes" if option.is_carried else "no"
        lines.append(f"| `{option.name}` | {', '.join(sorted(having))} | {sent} | {told[option.shown]} | {again} |")
    return "\n".join(lines) + "\n"


def has_option(leaf: dict[str, Any], name: str) -> bool:
    return any(option["name"] == name for option in leaf.get("options", ()))


async def test_the_page_of_commands_has_every_option_of_a_picture(leaves):
    page = DOCS / "commands.md"
    text = page.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- options of a picture -->\n)(.*?)(<!-- end of options -->\n)", re.DOTALL)
    if os.environ.get("EASEL_UPDATE"):
        page.write_text(block.sub(lambda m: m[1] + table_of_options(leaves) + m[3], text), encoding="utf-8")
        return

    (found,) = block.finditer(text)

    assert found[2] == table_of_options(leaves)
    assert [option.name for option in OPTIONS if f"| `{option.name}` |  |" in found[2]] == []


OPTION_WRITTEN = re.compile(r"\bcomplexit(y|ies)\b")


def test_the_page_for_contributors_names_every_file_that_an_option_is_written_in():
    row = next(line for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| an option |"))
    named = {path for path in re.findall(r"`([^`]+)`", row.split("|")[2]) if not path.endswith("locales")}
    shipped = [path for room in ("bot", "cogs") for path in (ROOT / room).rglob("*") if path.suffix in (".py", ".toml")]
    written = {
        str(path.relative_to(ROOT))
        for path in shipped
        if "locales" not in path.parts and OPTION_WRITTEN.search(path.read_text(encoding="utf-8"))
    }

    assert written == named
    assert len(named) <= 6


PLACES = ("bot/", "cogs/", "tests/", "docs/", "contrib/", "sandbox/", "bench/")


def test_the_page_for_contributors_names_files_that_are_there():
    named = re.findall(r"`([^`\s]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    paths = {path for path in named if path.startswith(PLACES)}

    assert len(paths) > 20
    assert sorted(path for path in paths if not any(ROOT.glob(path))) == []


async def test_the_page_of_commands_has_every_message_menu():
    menus = [command["name"] for command in await registered() if command["type"] != 1]
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert menus
    assert [name for name in menus if f"**{name}**" not in text] == []


def slash_commands_in(text: str) -> Iterator[str]:
    """What is written as a command: in backticks, in a block, or in the quotes of a sandbox line."""
    yield from re.findall(r"`(/[a-z][^`\n]*)`", text)
    yield from re.findall(r"^ {4,}(/[a-z].*)$", text, re.MULTILINE)
    yield from re.findall(r"sandbox \"(/[a-z][^\"\n]*)\"", text)


def fault_in(written: str, leaves: Leaves) -> str | None:
    """Why this cannot be typed in Discord; None if it can."""
    words = written[1:].split()
    groups = {name.split()[0] for name in leaves}
    name = next((n for n in (" ".join(words[:2]), words[0]) if n in leaves), None)
    if name is None:
        return None if len(words) == 1 and words[0] in groups else f"no command: {written}"
    known = {option["name"] for option in leaves[name].get("options", ())}
    given = re.findall(r"(?<!\S)([a-z_0-9]+):(?!//)", " ".join(words[len(name.split()) :]))
    return next((f"no option {one}: {written}" for one in given if one not in known), None)


@pytest.mark.parametrize("page", NAMED)
async def test_every_slash_command_that_is_shown_exists_with_its_options(page, leaves):
    paths = ("/healthz", "/readyz", "/metrics", "/run", "/etc", "/v1", "/opt", "/var")
    shown = [one for one in slash_commands_in(page.read_text(encoding="utf-8")) if not one.startswith(paths)]
    assert [fault for one in shown if (fault := fault_in(one, leaves))] == []


@pytest.mark.parametrize(
    "written", ["/paint a fox", "/imagine promt:a fox", "/settings quotas images:3", "/usage us", "/settings log to:x"]
)
async def test_a_slash_command_that_does_not_exist_is_found(written, leaves):
    assert fault_in(written, leaves)


# --- commands of the operator ------------------------------------------------------------------------------------


STARTS = re.compile(r"^(?:[A-Z_]+=\S+ )*(python3? run\.py|py run\.py|python3? -m bot|uv run easel|easel)(?: |$)")
COMPOSE = re.compile(r"^docker compose run --rm easel (.+)$")


def shown_lines(text: str) -> Iterator[str]:
    """Shell lines of fenced and indented blocks, and of inline code."""
    yield from re.findall(r"^ {3,}(\S.*)$", text, re.MULTILINE)
    for block in re.findall(r"^ *```(?:sh|bash|console)?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        yield from (line.strip() for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", outside_blocks(text))


def easel_lines(text: str) -> list[tuple[str, list[str]]]:
    """(how it is started, the words after that) of every line that starts Easel."""
    found = []
    for line in shown_lines(text):
        if (start := STARTS.match(line)) and "…" not in line and "|" not in line:
            found.append((start[1], shlex.split(line[start.end() :], comments=True)))
        elif compose := COMPOSE.match(line):
            found.append(("easel", shlex.split(compose[1])))
    return found


LINES = sorted(
    {
        (str(page.relative_to(ROOT)), start, tuple(words))
        for page in PAGES
        for start, words in easel_lines(page.read_text())
    }
)


@pytest.mark.parametrize(("page", "start", "words"), LINES)
def test_every_command_line_that_is_shown_is_understood(page, start, words, leaves):
    if "run.py" in start and words[:1] == ("test",):
        check_pytest_words(words[1:])
    elif "run.py" in start and words[:1] == ("bench",):
        assert bench_words(list(words[1:]))
    elif words[:1] == ("sandbox",):
        options = options_of(words[1:])
        assert options.command is None or fault_in(options.command, leaves) is None
    elif words not in (("--help",), ("-h",), ("--version",)):
        assert parser().parse_args(words).command == (words[0] if words else None)


def check_pytest_words(words: tuple[str, ...]) -> None:
    """Paths exist and markers are known; what begins with - is pytest's."""
    marks = {
        mark.split(":")[0]
        for mark in tomllib.loads(text_of("pyproject.toml"))["tool"]["pytest"]["ini_options"]["markers"]
    }
    for word, before in zip(words, ("", *words), strict=False):
        if before == "-m":
            assert set(re.findall(r"\w+", word)) - {"not", "and", "or"} <= marks
        elif before != "-k" and not word.startswith("-"):
            assert (ROOT / word.split("::")[0]).exists(), word


def test_the_documents_show_command_lines_at_all():
    pages = {page for page, _, _ in LINES}
    assert {"README.md", "docs/operating.md", "docs/sandbox.md", "CONTRIBUTING.md"} <= pages
    assert {words[0] for _, _, words in LINES if words} >= {"doctor", "setup", "invite", "backup", "restore", "migrate"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_operating_has_a_row_for_every_command_with_its_switches(name):
    [row] = re.findall(rf"^\| `{name}` \| (.+) \|$", text_of("docs/operating.md"), re.MULTILINE)
    flags = [flag for flag, _ in COMMANDS[name].flags if flag.startswith("--")]
    assert [flag for flag in flags if flag not in row] == []


def start_easel(*words: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "LANG")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=110,
    )


def test_the_help_names_every_command(tmp_path):
    done = start_easel("--help", folder=tmp_path)
    assert done.returncode == 0
    assert [name for name in COMMANDS if name not in done.stdout] == []


def test_the_models_are_printed_without_any_setting(tmp_path):
    done = start_easel("models", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gpt-image-2.5-flare" in done.stdout


def test_an_invitation_without_a_token_ends_with_78(tmp_path):
    done = start_easel("invite", folder=tmp_path)
    assert done.returncode == 78
    assert "DISCORD_TOKEN" in done.stderr


def test_the_doctor_finds_an_empty_environment_ready_for_the_sandbox(tmp_path):
    done = start_easel("doctor", "--json", folder=tmp_path, DISCORD_API_BASE="http://127.0.0.1:9/api")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["findings"]
    assert {one["check"] for one in told if one["verdict"] == "need"} == {"DISCORD_TOKEN", "OPENAI_API_KEY"}


def test_the_doctor_finds_a_token_without_a_key_wanting(tmp_path):
    settings = {"DISCORD_TOKEN": "a.b.c", "DISCORD_API_BASE": "http://127.0.0.1:9/api"}
    done = start_easel("doctor", "--json", folder=tmp_path, **settings)
    assert done.returncode == 1, done.stderr
    assert "OPENAI_API_KEY" in done.stdout


def test_a_run_without_settings_ends_with_78(tmp_path):
    assert start_easel("run", folder=tmp_path).returncode == 78


@pytest.mark.slow
def test_the_one_command_of_the_readme_makes_its_picture(tmp_path):
    line = next(w for page, _, w in LINES if page == "README.md" and w[:1] == ("sandbox",) and "/imagine" in w[1])
    done = start_easel(*line, folder=tmp_path, OPENAI_API_KEY="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "sandbox-out").iterdir())) == 1


def test_the_exit_codes_are_told_where_operators_look():
    text = text_of("docs/operating.md")
    assert [code for code in ("`0`", "`1`", "`2`", "`78`") if code not in text] == []


# --- metrics -----------------------------------------------------------------------------------------------------


def metrics() -> set[str]:
    text = PrometheusMeter().render().decode()
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


def test_every_metric_has_a_row_in_the_page_of_operating():
    rows = set(re.findall(r"^\| `(easel_\w+)` \|", text_of("docs/operating.md"), re.MULTILINE))
    assert rows == {name for name in metrics() if not name.endswith("_created")}


@pytest.mark.parametrize("name", ["contrib/grafana.json", *(str(page.relative_to(ROOT)) for page in PAGES)])
def test_every_metric_that_is_named_exists(name):
    named = set(re.findall(r"\beasel_[a-z_]+\b", text_of(name)))
    assert {re.sub(r"_(bucket|sum|count)$", "", one) for one in named} <= metrics()


def test_the_dashboard_asks_for_something_in_every_panel():
    board = json.loads(text_of("contrib/grafana.json"))
    assert board["panels"]
    for panel in board["panels"]:
        assert all("easel_" in target["expr"] for target in panel["targets"]), panel["title"]


# --- links and pages ---------------------------------------------------------------------------------------------


def slugs_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", outside_blocks(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", NAMED)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        other = (page.parent / file).resolve() if file else page
        assert other.exists(), target
        assert other.is_relative_to(ROOT), target
        if anchor:
            assert anchor in slugs_of(other), target


@pytest.mark.parametrize("page", NAMED)
def test_every_file_that_is_named_exists(page):
    if "decisions" in page.parts:
        return  # they speak of their day
    named = re.findall(
        r"`((?:bot|cogs|sandbox|tests|docs|contrib|bench|\.ci)/[\w./-]*[\w/])`", page.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_first_page_leads_to_every_other():
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in text] == []


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), *map(ROOT.joinpath, FRONT)], ids=lambda page: page.name)
def test_every_page_begins_with_whom_it_is_for(page):
    _heading, _, first = page.read_text(encoding="utf-8").split("\n")[:3]
    assert first.startswith("For "), first


TRANSLATED = (" starts afresh", "what holds", " goes on holding", "as one types", "room again", "the whole truth")
"""What readers took for translated, in every page and every sentence once; what is said instead is shorter."""


@pytest.mark.parametrize("page", NAMED)
def test_no_page_reads_as_if_translated(page):
    text = " ".join(page.read_text(encoding="utf-8").split()) if page.name != "CHANGELOG.md" else ""
    assert [one for one in TRANSLATED if one in text.lower()] == []


def test_the_site_has_every_page():
    nav = text_of("mkdocs.yml").partition("\nnav:\n")[2]
    assert sorted(re.findall(r"[\w-]+\.md", nav)) == sorted(page.name for page in DOCS.glob("*.md"))


def test_the_drawings_are_as_they_are_drawn():
    drawings = runpy.run_path(str(DOCS / "make_drawings.py"))["DRAWINGS"]
    assert len(drawings) == 3
    assert [name for name, draw in drawings.items() if text_of(f"docs/images/{name}") != draw()] == []


@pytest.mark.slow
def test_the_documents_build_as_a_site_that_loads_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("mkdocs", reason="the site's builder is a development dependency")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    loaded = re.compile(
        r"""(?:<(?:script|img|iframe|source)\b[^>]*\bsrc=|<link\b[^>]*\bhref=|url\(|@import )["']?(?:https?:)?//"""
    )
    texts = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.suffix in {".html", ".css"}}
    assert len(texts) > 30
    assert [path.name for path, text in texts.items() if loaded.search(text)] == []
    assert 'src="images/rights.svg"' in texts[tmp_path / "limits.html"]
    assert "blob/main/SECURITY.md" in texts[tmp_path / "index.html"]


def test_every_picture_in_the_documents_is_shown_somewhere():
    texts = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [picture.name for picture in (DOCS / "images").iterdir() if picture.name not in texts] == []


def test_the_changelog_has_this_version():
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## \[{re.escape(version)}\] – \d{{4}}-\d\d-\d\d$", text_of("CHANGELOG.md"), re.MULTILINE)


# --- what is stored ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_the_page_of_privacy_has_every_table(table):
    assert re.search(rf"^\| [^|]*`{table}`", text_of("docs/privacy.md"), re.MULTILINE)


@pytest.mark.parametrize(
    ("kept", "page", "words"),
    [
        (retention.KEEP_ORIGINALS, "docs/privacy.md", "| `DATA_DIR/pictures` |"),
        (retention.KEEP_ORIGINALS, "PRIVACY.md", "| the pictures made for you"),
        (retention.KEEP_COUNTERS, "docs/privacy.md", "| `uses`"),
        (retention.KEEP_COUNTERS, "PRIVACY.md", "| counters per member"),
        (KEEP_SERVERS, "docs/privacy.md", "| `limits`"),
        (KEEP_SERVERS, "PRIVACY.md", "| settings that admins make"),
    ],
)
def test_what_is_told_about_keeping_is_what_is_done(kept, page, words):
    [row] = [line for line in text_of(page).splitlines() if line.startswith(words)]
    assert f"{kept.days} days" in row


# --- files beside ------------------------------------------------------------------------------------------------


def test_what_the_image_copies_is_there_and_not_ignored():
    ignored = [line for line in text_of(".dockerignore").splitlines() if line]
    for line in re.findall(r"^COPY (?!--from)(.+)$", text_of("Dockerfile"), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            ruling = [rule for rule in ignored if fnmatch(source, rule.lstrip("!"))]
            assert ruling, source
            assert ruling[-1].startswith("!"), f"{source} is ignored by {ruling[-1]}"


def test_the_image_starts_commands_that_exist():
    text = text_of("Dockerfile")
    [cmd] = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    [entry] = re.findall(r"^ENTRYPOINT (\[.+\])$", text, re.MULTILINE)
    [health] = re.findall(r"^HEALTHCHECK .*CMD (\[.+\])$", text, re.MULTILINE)
    assert json.loads(entry)[-3:] == ["python", "-m", "bot"]
    for words in (json.loads(cmd), json.loads(health)[3:]):
        assert parser().parse_args(words).command == words[0]


def test_the_image_holds_every_package_that_is_shipped():
    packages = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [name for name in packages if f"COPY {name} {name}" not in text_of("Dockerfile")] == []


def test_the_image_compiles_every_package_that_is_shipped():
    packages = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    [compiled] = re.findall(r"^RUN python -m compileall (.+)$", text_of("Dockerfile"), re.MULTILINE)
    assert set(packages) <= set(compiled.split())


@pytest.fixture
def yaml() -> Any:
    return pytest.importorskip("yaml", reason="PyYAML is not installed")


def test_the_compose_file_is_read_and_names_what_exists(yaml):
    composed = yaml.safe_load(text_of("compose.yaml"))
    services = composed["services"]
    assert set(services) == {"easel", "migrate", "db"}
    for name in ("easel", "migrate"):
        service = services[name]
        assert set(service.get("environment", {})) <= set(NAMES)
        assert parser().parse_args(service.get("command", ["run"])).command in COMMANDS
        assert set(service["depends_on"]) <= set(services)
        assert {mount.split(":")[0] for mount in service["volumes"]} <= set(composed["volumes"])
    env = services["easel"]["environment"]
    assert parse_settings(env).http_port == 8080


def test_the_kubernetes_example_is_read_and_names_what_exists(yaml):
    things = {thing["kind"]: thing for thing in yaml.safe_load_all(text_of("contrib/kubernetes.yaml"))}
    assert set(things) == {"Job", "Service", "PodDisruptionBudget", "StatefulSet"}
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert version.replace(".", "-") in things["Job"]["metadata"]["name"]
    for kind in ("Job", "StatefulSet"):
        [pod] = things[kind]["spec"]["template"]["spec"]["containers"]
        assert pod["image"] == f"easel:{version}"
        assert {one["name"] for one in pod["env"]} <= {*NAMES, "POD_INDEX", "SHARDS_PER_POD"}
        known = {volume["name"] for volume in things[kind]["spec"]["template"]["spec"]["volumes"]}
        known |= {claim["metadata"]["name"] for claim in things[kind]["spec"].get("volumeClaimTemplates", ())}
        assert {mount["name"] for mount in pod["volumeMounts"]} <= known
    [migrate] = things["Job"]["spec"]["template"]["spec"]["containers"]
    assert parser().parse_args(migrate["args"]).command == "migrate"
    probes = ("livenessProbe", "readinessProbe", "startupProbe")
    assert {pod[probe]["httpGet"]["path"] for probe in probes} == {"/healthz", "/readyz"}
    env = {one["name"]: one["value"] for one in pod["env"] if "value" in one}
    assert int(env["SHARD_COUNT"]) == things["StatefulSet"]["spec"]["replicas"] * int(env["SHARDS_PER_POD"])


def test_the_shell_line_of_the_kubernetes_example_gives_each_pod_its_shards(yaml):
    [pod] = [
        thing["spec"]["template"]["spec"]["containers"][0]
        for thing in yaml.safe_load_all(text_of("contrib/kubernetes.yaml"))
        if thing["kind"] == "StatefulSet"
    ]
    line = pod["args"][0].replace("exec python -m bot run", 'printf "%s" "$SHARD_IDS"')
    environ = {"PATH": os.environ["PATH"], "SHARDS_PER_POD": "4", "POD_INDEX": "2"}
    done = subprocess.run(["sh", "-c", line], env=environ, capture_output=True, text=True)
    assert done.stdout == "8-11"
    assert parse_settings({"SHARD_COUNT": "16", "SHARD_IDS": done.stdout}).shard_ids == (8, 9, 10, 11)


def test_the_systemd_unit_is_read_and_starts_a_command_that_exists():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    unit.read_string(text_of("contrib/easel.service"))
    service = unit["Service"]
    assert parser().parse_args(service["ExecStart"].split(" -m bot ")[1].split()).command == "run"
    given = dict(pair.split("=", 1) for pair in service["Environment"].split())
    assert set(given) <= set(NAMES)
    try:
        parse_settings(given)
    except ConfigError as error:
        pytest.fail(str(error))
    assert service["RestartPreventExitStatus"] == "78"


# --- files that are named --------------------------------------------------------------------------------------------

NAMED_PATH = re.compile(r"`([a-z_]+(?:/[\w.-]+)*/(?:[\w-]+\.(?:py|md|toml|yaml|json|service))?)`")
FOLDERS = ("", "bot/")
"""Where a path may begin: at the top, or for brevity in the bot."""


def named_files(text: str) -> set[str]:
    return {path for path in NAMED_PATH.findall(text) if "/" in path.strip("/") or path.endswith((".py", ".md", "/"))}


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions", "sandbox/README.md"])
def test_every_file_that_a_page_for_maintainers_names_exists(page: str) -> None:
    pages = sorted((ROOT / page).glob("*.md")) if (ROOT / page).is_dir() else [ROOT / page]
    missing = [
        f"{one.name}: {path}"
        for one in pages
        for path in sorted(named_files(one.read_text(encoding="utf-8")))
        if not any((ROOT / folder / path).exists() for folder in (*FOLDERS, f"{one.parent.relative_to(ROOT)}/"))
    ]
    assert missing == []


def test_a_file_that_does_not_exist_is_found_out() -> None:
    assert named_files("see `bot/nowhere.py` and `core/jobs/`") == {"bot/nowhere.py", "core/jobs/"}
