"""What the sandbox refuses by itself, as tables; and that good bodies pass."""

import pytest

from sandbox.discord.rules.commands import check_command, check_commands, is_name
from sandbox.discord.rules.forms import check_choices, check_modal
from sandbox.discord.rules.messages import Standing, check_defer, check_message, could_ping, is_empty

BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
ROW = {"type": 1, "components": [BUTTON]}
SELECT = {"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}]}


def row(*components: dict) -> dict:
    return {"type": 1, "components": list(components)}


def buttons(count: int, start: int = 0) -> list[dict]:
    return [{**BUTTON, "custom_id": f"b{start + n}"} for n in range(count)]


EMOJIS = ("🎨", "👩‍🎨", "🇩🇪", "1️⃣", "✖️")
GOOD_MESSAGES = {
    "text": {"content": "x" * 2000},
    "embed at the limit": {"embeds": [{"title": "t" * 256, "description": "d" * 4096}]},
    "five rows": {"components": [row(*buttons(5, 5 * n)) for n in range(5)]},
    "select": {"components": [row(SELECT)]},
    "empty fields": {"embeds": [{"fields": [{"name": "", "value": ""}]}]},
    "a time": {"embeds": [{"title": "x", "timestamp": "2026-11-28T12:00:00.000Z"}]},
    "links": {
        "components": [
            row({"type": 2, "style": 5, "label": "x", "url": url}) for url in ("https://a.b", "discord://-/x")
        ]
    },
    "emojis": {"components": [row(*({**b, "emoji": {"name": e}} for b, e in zip(buttons(5), EMOJIS, strict=True)))]},
    "two chosen of two": {
        "components": [
            row({**SELECT, "max_values": 2, "options": [{"label": n, "value": n, "default": True} for n in ("a", "b")]})
        ]
    },
    "file in an embed": {"embeds": [{"image": {"url": "attachment://a.png"}}], "attachments": [{"id": 0}]},
}
BAD_MESSAGES = {
    "text too long": ({"content": "x" * 2001}, "content"),
    "description too long": ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
    "title too long": ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
    "empty embed": ({"embeds": [{"color": 1}]}, "embeds.0"),
    "eleven embeds": ({"embeds": [{"title": "x"}] * 11}, "embeds"),
    "26 fields": ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds.0.fields"),
    "missing field value": ({"embeds": [{"fields": [{"name": "n"}]}]}, "embeds.0.fields.0.value"),
    "missing field name": ({"embeds": [{"fields": [{"value": "v"}]}]}, "embeds.0.fields.0.name"),
    "6001 characters over all embeds": (
        {"embeds": [{"description": "x" * 3000}, {"description": "x" * 3001}]},
        "embeds",
    ),
    "missing file": ({"embeds": [{"image": {"url": "attachment://b.png"}}]}, "embeds.0.image.url"),
    "file that is no picture": ({"embeds": [{"image": {"url": "attachment://a.txt"}}]}, "embeds.0.image.url"),
    "odd scheme": ({"embeds": [{"title": "x", "url": "file:///etc"}]}, "embeds.0.url"),
    "link without a host": ({"embeds": [{"title": "x", "url": "https://"}]}, "embeds.0.url"),
    "link with a blank": ({"embeds": [{"image": {"url": "https://a.b/c d"}}]}, "embeds.0.image.url"),
    "link to nowhere": ({"embeds": [{"image": {"url": "https://nowhere"}}]}, "embeds.0.image.url"),
    "broken address": ({"embeds": [{"title": "x", "url": "https://[::1"}]}, "embeds.0.url"),
    "nonsense for a time": ({"embeds": [{"title": "x", "timestamp": "yesterday"}]}, "embeds.0.timestamp"),
    "number for a time": ({"embeds": [{"title": "x", "timestamp": 5}]}, "embeds.0.timestamp"),
    "unknown key": ({"content": "x", "embed": {}}, "embed"),
    "unknown key of an embed": ({"embeds": [{"title": "x", "colour": 1}]}, "embeds.0.colour"),
    "six rows": ({"components": [row(*buttons(1, n)) for n in range(6)]}, "components"),
    "six buttons": ({"components": [row(*buttons(6))]}, "components.0.components"),
    "menu beside a button": ({"components": [row(SELECT, BUTTON)]}, "components.0.components"),
    "empty row": ({"components": [row()]}, "components.0.components"),
    "same custom_id": ({"components": [row(BUTTON, BUTTON)]}, "components.0.components.1.custom_id"),
    "no custom_id": (
        {"components": [row({"type": 2, "style": 1, "label": "x"})]},
        "components.0.components.0.custom_id",
    ),
    "custom_id too long": (
        {"components": [row({**BUTTON, "custom_id": "x" * 101})]},
        "components.0.components.0.custom_id",
    ),
    "label too long": ({"components": [row({**BUTTON, "label": "x" * 81})]}, "components.0.components.0.label"),
    "no label": ({"components": [row({"type": 2, "style": 1, "custom_id": "x"})]}, "components.0.components.0"),
    "blank label": ({"components": [row({**BUTTON, "label": "  "})]}, "components.0.components.0"),
    "words for an emoji": (
        {"components": [row({**BUTTON, "emoji": {"name": ":art:"}})]},
        "components.0.components.0.emoji.name",
    ),
    "a sign that is no emoji": (
        {"components": [row({**BUTTON, "emoji": {"name": "✕", "id": None}})]},
        "components.0.components.0.emoji.name",
    ),
    "two emojis": (
        {"components": [row({**BUTTON, "emoji": {"name": "🎨🎨"}})]},
        "components.0.components.0.emoji.name",
    ),
    "an emoji of nobody": (
        {"components": [row({**BUTTON, "emoji": {"name": "fox", "id": "123456789012345678"}})]},
        "components.0.components.0.emoji.id",
    ),
    "link button to ftp": (
        {"components": [row({"type": 2, "style": 5, "label": "x", "url": "ftp://a.b"})]},
        "components.0.components.0.url",
    ),
    "link button without a link": (
        {"components": [row({"type": 2, "style": 5, "label": "x", "url": "https:"})]},
        "components.0.components.0.url",
    ),
    "two chosen of one": (
        {"components": [row({**SELECT, "options": [{"label": n, "value": n, "default": True} for n in ("a", "b")]})]},
        "components.0.components.0.options",
    ),
    "blank label of an option": (
        {"components": [row({**SELECT, "options": [{"label": " ", "value": "a"}]})]},
        "components.0.components.0.options.0.label",
    ),
    "link with custom_id": (
        {"components": [row({**BUTTON, "style": 5, "url": "https://a.b"})]},
        "components.0.components.0",
    ),
    "26 options": (
        {"components": [row({**SELECT, "options": [{"label": str(n), "value": str(n)} for n in range(26)]})]},
        "components.0.components.0.options",
    ),
    "same option twice": (
        {"components": [row({**SELECT, "options": SELECT["options"] * 2})]},
        "components.0.components.0.options",
    ),
    "more values than options": (
        {"components": [row({**SELECT, "max_values": 2})]},
        "components.0.components.0.max_values",
    ),
    "attachment without its file": ({"attachments": [{"id": 7}]}, "attachments.0.id"),
    "alt text too long": ({"attachments": [{"id": 0, "description": "x" * 1025}]}, "attachments.0.description"),
    "parse and list": ({"allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "allowed_mentions"),
    "flag that cannot be set": ({"content": "x", "flags": 128}, "flags"),
    "nonce too long": ({"content": "x", "nonce": "x" * 26}, "nonce"),
}


@pytest.mark.parametrize("name", GOOD_MESSAGES)
def test_a_good_message_passes(name: str) -> None:
    assert check_message(GOOD_MESSAGES[name], "create", files={0: "a.png"}) == []


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_refused_at_the_right_place(name: str) -> None:
    body, where = BAD_MESSAGES[name]
    problems = check_message(body, "create", files={0: "a.png", 1: "a.txt"})
    assert any(".".join(map(str, p.path)).startswith(where) for p in problems), problems


def test_a_kept_file_may_be_shown_in_an_edit() -> None:
    body = {"embeds": [{"image": {"url": "attachment://old.png"}}]}
    assert check_message(body, "webhook edit", files={}, before=Standing({"7": "old.png"})) == []


@pytest.mark.parametrize("kind", ["edit", "webhook edit"])
def test_an_edit_may_repeat_the_flags_that_a_message_has(kind: str) -> None:
    assert check_message({"content": "x", "flags": 64 | 128 | 4096}, kind, files={}) == []  # type: ignore[arg-type]


def test_a_deferred_answer_has_only_the_private_flag() -> None:
    assert check_defer({"flags": 64}) == []
    assert check_defer(None) == []
    assert check_defer({"flags": 32768})
    assert check_defer({"content": "x"})


@pytest.mark.parametrize(
    ("body", "empty"),
    [({}, True), ({"content": ""}, True), ({"embeds": []}, True), ({"content": "x"}, False), ({"embeds": [1]}, False)],
)
def test_emptiness(body: dict, empty: bool) -> None:
    assert is_empty(body, {}) is empty
    assert is_empty(body, {0: "a.png"}) is False


@pytest.mark.parametrize(
    ("body", "mention"),
    [
        ({"content": "@everyone"}, "@everyone"),
        ({"content": "hi <@123>"}, "<@123>"),
        ({"embeds": [{"description": "<@&5>"}]}, "<@&5>"),
        ({"content": "@here", "allowed_mentions": {"parse": ["users"]}}, "@here"),
        ({"content": "@here", "allowed_mentions": {"parse": []}}, None),
        ({"content": "<@1>", "allowed_mentions": {"parse": [], "users": ["1"]}}, None),
        ({"content": "mail@example.org"}, None),
    ],
)
def test_a_possible_ping_is_seen(body: dict, mention: str | None) -> None:
    assert could_ping(body) == mention


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("imagine", True),
        ("größe", True),
        ("a-b_c1", True),
        ("ภาพ", True),
        ("चित्र", True),
        ("Imagine", False),
        ("two words", False),
        ("", False),
        ("x" * 33, False),
        ("a!", False),
    ],
)
def test_names_of_commands(name: str, legal: bool) -> None:
    assert is_name(name) is legal


OPTION = {"type": 3, "name": "prompt", "description": "What"}


def command(**changes: object) -> dict:
    return {"name": "imagine", "description": "Makes", "options": [OPTION], **changes}


BAD_COMMANDS = {
    "upper case": command(name="Imagine"),
    "no description": command(description=""),
    "description too long": command(description="x" * 101),
    "26 options": command(options=[{**OPTION, "name": f"o{n}"} for n in range(26)]),
    "required after optional": command(options=[OPTION, {**OPTION, "name": "b", "required": True}]),
    "same option twice": command(options=[OPTION, OPTION]),
    "choices and completion": command(
        options=[{**OPTION, "autocomplete": True, "choices": [{"name": "a", "value": "a"}]}]
    ),
    "26 choices": command(options=[{**OPTION, "choices": [{"name": str(n), "value": str(n)} for n in range(26)]}]),
    "choice too long": command(options=[{**OPTION, "choices": [{"name": "a", "value": "x" * 101}]}]),
    "unknown locale": command(name_localizations={"xx": "name"}),
    "unknown key": command(descripton="x"),
    "unknown key of an option": command(options=[{**OPTION, "require": True}]),
    "bounds on the wrong type": command(options=[{**OPTION, "min_value": 1}]),
    "length over 6000": command(options=[{**OPTION, "max_length": 6001}]),
    "subcommand beside an option": command(options=[{"type": 1, "name": "s", "description": "d"}, OPTION]),
    "group in a group": command(
        options=[
            {"type": 2, "name": "g", "description": "d", "options": [{"type": 2, "name": "h", "description": "d"}]}
        ]
    ),
    "menu with a description": {"type": 3, "name": "Look", "description": "x"},
    "over 8000 characters": command(
        options=[
            {**OPTION, "name": f"o{n}", "choices": [{"name": "n" * 100, "value": f"{m:0100}"} for m in range(25)]}
            for n in range(2)
        ]
    ),
}


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_a_bad_command_is_refused(name: str) -> None:
    assert check_command(BAD_COMMANDS[name])


def test_good_commands_pass() -> None:
    menu = {"type": 3, "name": "Edit image"}
    group = {
        "name": "settings",
        "description": "Limits",
        "options": [{"type": 1, "name": "show", "description": "d"}],
    }
    assert check_commands([command(), menu, group]) == []


def test_a_set_of_commands_has_its_own_limits() -> None:
    assert check_commands([command(), command()])
    assert check_commands([command(name=f"c{n}") for n in range(101)])
    assert check_commands([{"type": 3, "name": f"Menu {n}"} for n in range(16)])
    assert check_command(command(contexts=[0]), is_global=False)


FIELD = {"type": 4, "custom_id": "t", "style": 1}
LABEL = {"type": 18, "label": "Text", "component": FIELD}


def label(number: int) -> dict:
    return {**LABEL, "component": {**FIELD, "custom_id": f"t{number}"}}


BAD_FORMS = {
    "title too long": {"title": "x" * 46, "custom_id": "f", "components": [LABEL]},
    "no title": {"custom_id": "f", "components": [LABEL]},
    "no fields": {"title": "x", "custom_id": "f", "components": []},
    "six fields": {"title": "x", "custom_id": "f", "components": [label(n) for n in range(6)]},
    "same custom_id": {"title": "x", "custom_id": "f", "components": [LABEL, LABEL]},
    "label too long": {"title": "x", "custom_id": "f", "components": [{**LABEL, "label": "x" * 46}]},
    "button in a label": {"title": "x", "custom_id": "f", "components": [{**LABEL, "component": BUTTON}]},
    "value over its own limit": {
        "title": "x",
        "custom_id": "f",
        "components": [{**LABEL, "component": {**FIELD, "value": "long", "max_length": 3}}],
    },
    "eleven files": {
        "title": "x",
        "custom_id": "f",
        "components": [{**LABEL, "component": {"type": 19, "custom_id": "u", "max_values": 11}}],
    },
}


@pytest.mark.parametrize("name", BAD_FORMS)
def test_a_bad_form_is_refused(name: str) -> None:
    assert check_modal(BAD_FORMS[name])


def test_a_good_form_passes() -> None:
    file_field = {"type": 18, "label": "Mask", "component": {"type": 19, "custom_id": "u", "min_values": 0}}
    assert check_modal({"title": "x", "custom_id": "f", "components": [*map(label, range(4)), file_field]}) == []


def test_completions_have_limits() -> None:
    assert check_choices([{"name": "a", "value": "a"}], 3) == []
    assert check_choices([{"name": str(n), "value": str(n)} for n in range(26)], 3)
    assert check_choices([{"name": "x" * 101, "value": "a"}], 3)
    assert check_choices([{"name": "a", "value": "x" * 101}], 3)
    assert check_choices([{"name": "a", "value": "1"}], 4)
    assert check_choices(None, 3)
