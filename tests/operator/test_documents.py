"""What the documents show works: every command line is accepted, every example is read, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bot.__main__ import COMMANDS, parser
from bot.adapters.files.disk import FLOOR_BYTES
from bot.rules.catalogue.load import builtin_catalogue, load_catalogue
from bot.settings.model import NAMES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"(?:python3? -m bot|python3 run\.py|py run\.py)((?: +(?:\"[^\"]*\"|[\w./=:-]+))*)")


def shown_commands() -> list[tuple[str, str]]:
    texts = [*DOCUMENTS, ROOT / ".env.example", ROOT / "contrib/easel.service", ROOT / "contrib/kubernetes.yaml"]
    return sorted({(path.name, match[1].strip()) for path in texts for match in COMMAND.finditer(path.read_text())})


@pytest.mark.parametrize(("document", "words"), shown_commands())
def test_every_command_shown_is_one(document: str, words: str) -> None:
    parts = shlex.split(words)
    if not parts or parts[0] in ("test", "bench", "sandbox"):
        return
    while (
        parts
        and parts[-1] not in COMMANDS
        and not parts[-1].startswith("-")
        and len(parts) > 1
        and parts[0] != "restore"
    ):
        if parts[-2].startswith("--"):
            break
        parts.pop()  # the sentence went on
    assert parser().parse_args(parts).command == parts[0], document


@pytest.mark.parametrize("document", ["settings.md", "image-servers.md"])
def test_the_examples_of_model_files_can_be_used(document: str) -> None:
    text = (ROOT / "docs" / document).read_text()
    blocks = re.findall(r"```toml[^\n]*\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        catalogue = load_catalogue(builtin_catalogue(), block)
        for name in re.findall(r'\[models\."(.+?)"\]', block):
            assert (catalogue.get(name) is None) is (
                "hidden = true" in block.split(f'"{name}"]')[1].split("[models")[0]
            )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        other = (path.parent / file) if file else path
        assert other.exists(), target
        if anchor and other.suffix == ".md":
            headings = re.findall(r"^#+ +(.+)$", other.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


def test_the_floor_of_the_disk_is_the_one_that_holds() -> None:
    assert f"no new picture is started below {FLOOR_BYTES >> 20} MiB" in (ROOT / "docs/operating.md").read_text()


def test_variables_in_the_documents_exist() -> None:
    ours = re.compile(
        r"`((?:DISCORD|OPENAI|IMAGE|DEFAULT|DATABASE|DATA|HTTP|SHARD|OPERATOR|LOG|PRIVACY|SUPPORT|SECRET|JOB|MAX)_[A-Z_]+)`"
    )
    unknown = {
        (path.name, name)
        for path in DOCUMENTS
        for name in ours.findall(path.read_text())
        if name.removesuffix("_FILE") not in NAMES
    }
    assert unknown == set()
