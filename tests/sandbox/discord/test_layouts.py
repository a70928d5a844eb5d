"""Components v2: what Discord refuses in them, as tables, and what becomes of them over the wire."""

import io

import pytest

from bot.operator.sandbox import cli
from sandbox.discord.model import Flags, Interaction
from sandbox.discord.rules.messages import Standing, check_message, is_empty
from sandbox.discord.server import Server

discord = pytest.importorskip("discord")

V2 = Flags.COMPONENTS_V2
TEXT = {"type": 10, "content": "hello"}
BUTTON = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
ROW = {"type": 1, "components": [BUTTON]}
PICTURE = {"media": {"url": "attachment://a.png"}, "description": "a red fox"}
THUMB = {"type": 11, **PICTURE}
PEOPLE = {"type": 5, "custom_id": "who", "max_values": 2}


def section(accessory: object = THUMB, *texts: dict) -> dict:
    return {"type": 9, "components": list(texts or (TEXT,)), "accessory": accessory}


def box(*components: dict, **more: object) -> dict:
    return {"type": 17, "components": list(components), **more}


def people(*defaults: dict, **more: object) -> dict:
    return {"type": 1, "components": [{**PEOPLE, "default_values": list(defaults), **more}]}


MIA, ROLE = {"id": "1", "type": "user"}, {"id": "2", "type": "role"}

GOOD = {
    "texts": [TEXT, {**TEXT, "content": "x" * 3995}],
    "everything in a container": [
        box(
            TEXT,
            section(THUMB, TEXT, TEXT, TEXT),
            section(BUTTON),
            {"type": 12, "items": [PICTURE] * 10},
            {"type": 13, "file": {"url": "attachment://a.txt"}, "spoiler": True},
            {"type": 14, "spacing": 2, "divider": False},
            {"type": 1, "components": [{"type": 8, "custom_id": "where", "channel_types": [0]}]},
            accent_color=0xFFFFFF,
            spoiler=False,
        )
    ],
    "a gallery from elsewhere": [{"type": 12, "items": [{"media": {"url": "https://a.b/c.png"}}]}],
    "forty": [TEXT] * 40,
    "people chosen from the start": [people(MIA)],
    "people and roles chosen": [people(MIA, ROLE, type=7)],
}
BAD = {
    "none of them": ([{"type": 99}], "components.0", "UNION_TYPE_CHOICES"),
    "no object": (["x"], "components.0", "MODEL_TYPE_CONVERT"),
    "a button of its own": ([BUTTON], "components.0", "UNION_TYPE_CHOICES"),
    "4001 characters": (
        [box({**TEXT, "content": "x" * 2001}), section(THUMB, {**TEXT, "content": "x" * 2000})],
        "components",
        "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    "41": ([box(section(), *[TEXT] * 37)], "components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"),
    "empty text": ([{"type": 10, "content": " "}], "components.0.content", "BASE_TYPE_REQUIRED"),
    "container in a container": ([box(box(TEXT))], "components.0.components.0", "UNION_TYPE_CHOICES"),
    "thumbnail of its own": ([THUMB], "components.0", "UNION_TYPE_CHOICES"),
    "empty container": ([box()], "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    "a colour too bright": ([box(TEXT, accent_color=1 << 24)], "components.0.accent_color", "NUMBER_TYPE_MAX"),
    "a section of four": ([section(THUMB, *[TEXT] * 4)], "components.0.components", "BASE_TYPE_BAD_LENGTH"),
    "a section of buttons": ([section(THUMB, BUTTON)], "components.0.components.0", "UNION_TYPE_CHOICES"),
    "a section without accessory": ([section(None)], "components.0.accessory", "BASE_TYPE_REQUIRED"),
    "a menu as accessory": ([section(PEOPLE)], "components.0.accessory", "UNION_TYPE_CHOICES"),
    "a bad accessory": (
        [section({**BUTTON, "label": ""})],
        "components.0.accessory",
        "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
    ),
    "eleven pictures": ([{"type": 12, "items": [PICTURE] * 11}], "components.0.items", "BASE_TYPE_BAD_LENGTH"),
    "no picture": ([{"type": 12, "items": []}], "components.0.items", "BASE_TYPE_BAD_LENGTH"),
    "a picture without link": ([{"type": 12, "items": [{}]}], "components.0.items.0.media.url", "BASE_TYPE_REQUIRED"),
    "no such file": (
        [section({"type": 11, "media": {"url": "attachment://b.png"}})],
        "components.0.accessory.media.url",
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    "alt text too long": (
        [{"type": 12, "items": [{**PICTURE, "description": "x" * 1025}]}],
        "components.0.items.0.description",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "a file from elsewhere": (
        [{"type": 13, "file": {"url": "https://a.b/c.txt"}}],
        "components.0.file.url",
        "URL_TYPE_INVALID_SCHEME",
    ),
    "an odd gap": ([{"type": 14, "spacing": 3}], "components.0.spacing", "BASE_TYPE_CHOICES"),
    "the same custom_id": (
        [ROW, section(BUTTON)],
        "components.1.accessory.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    "the same id": ([{**TEXT, "id": 7}, {**TEXT, "id": 7}], "components.1.id", "COMPONENT_ID_DUPLICATED"),
    "too many chosen": (
        [people(MIA, {"id": "3", "type": "user"}, max_values=1)],
        "components.0.components.0.default_values",
        "SELECT_COMPONENT_INVALID_DEFAULT_VALUES",
    ),
    "a role among people": (
        [people(ROLE)],
        "components.0.components.0.default_values.0.type",
        "BASE_TYPE_CHOICES",
    ),
    "somebody twice": (
        [people(MIA, MIA)],
        "components.0.components.0.default_values",
        "SET_TYPE_ALREADY_CONTAINS_VALUE",
    ),
}
FILES = {0: "a.png", 1: "a.txt"}


def told(body: dict, before: Standing | None = None) -> list[tuple[str, str]]:
    problems = check_message(body, "webhook edit" if before else "create", files=FILES, before=before or Standing())
    return [(".".join(map(str, one.path)), one.code) for one in problems]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_layout_passes(name: str) -> None:
    assert told({"flags": V2, "components": GOOD[name]}) == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_layout_is_refused_at_its_place(name: str) -> None:
    components, where, code = BAD[name]
    assert (where, code) in told({"flags": V2, "components": components})


def test_without_its_flag_a_message_has_rows_alone() -> None:
    assert told({"components": [ROW]}) == []
    assert told({"components": [TEXT]}) == [("components.0", "UNION_TYPE_CHOICES")]


@pytest.mark.parametrize(
    "field", [{"content": "x"}, {"embeds": [{"title": "x"}]}, {"sticker_ids": ["1"]}, {"poll": {"question": {}}}]
)
def test_no_older_field_stands_beside_a_layout(field: dict) -> None:
    [key] = field
    assert told({"flags": V2, "components": [TEXT], **field}) == [
        (key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
    ]


def test_a_layout_without_components_is_empty_whatever_files_it_has() -> None:
    assert is_empty({"flags": V2}, FILES)
    assert not is_empty({"flags": V2, "components": [TEXT]}, {})


def test_what_becomes_a_layout_must_lose_its_text() -> None:
    before = Standing(legacy=frozenset({"content"}))
    layout = {"flags": V2, "components": [TEXT]}
    assert told(layout, before) == [("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")]
    assert told({**layout, "content": None}, before) == []


def test_a_file_that_an_edit_drops_cannot_be_shown_by_it() -> None:
    before = Standing({"7": "old.png"}, v2=True)
    layout = {"components": [{"type": 12, "items": [{"media": {"url": "attachment://old.png"}}]}]}
    assert told(layout, before) == []
    assert told({**layout, "attachments": [{"id": "7"}]}, before) == []
    assert [code for _, code in told({**layout, "attachments": []}, before)] == [
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
    ]


# --- over the wire ---


async def deferred(server: Server, rest) -> tuple[Interaction, str]:
    world, town = server.world, server.world.town
    interaction = await world.slash(town.member, town.general, "/imagine", prompt="fox")
    status, _, _ = await rest("POST", f"/interactions/{interaction.id}/{interaction.token}/callback", {"type": 5})
    assert status == 204
    return interaction, f"/webhooks/{world.application_id}/{interaction.token}/messages/@original"


async def test_a_deferred_answer_becomes_a_layout_and_keeps_its_files_and_its_flag(
    server: Server, rest, commands: None, picture
) -> None:
    interaction, path = await deferred(server, rest)
    gallery = {"type": 12, "items": [PICTURE]}
    body = {"flags": V2, "components": [box(TEXT, gallery, accent_color=1)]}
    status, data, _ = await rest("PATCH", path, body, files={"a.png": picture()})
    assert status == 200
    assert data["flags"] & V2
    [shown] = data["components"][0]["components"][1]["items"]
    assert (shown["description"], shown["media"]["width"]) == ("a red fox", 8)
    assert shown["media"]["attachment_id"] == str(interaction.answer.attachments[0].id)

    status, data, _ = await rest("PATCH", path, {"flags": 0, "components": [gallery, ROW]})
    assert (status, data["flags"] & V2) == (200, V2)
    assert [a.filename for a in interaction.answer.attachments] == ["a.png"]

    status, data, _ = await rest("PATCH", path, {"content": "back to words"})
    assert (status, data["code"]) == (400, 50035)
    assert data["errors"] == {
        "content": {
            "_errors": [
                {
                    "code": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    "message": "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                }
            ]
        }
    }
    status, data, _ = await rest("PATCH", path, {"components": []})
    assert (status, data["code"]) == (400, 50006)
    assert {b.side for b in server.breaches} == {"rule"}


async def test_a_text_display_mentions_whom_it_may(server: Server, rest, commands: None) -> None:
    town = server.world.town
    text = {"type": 10, "content": f"<@{town.painter.id}> and <@{town.member.id}>"}
    _, path = await deferred(server, rest)
    allowed = {"parse": [], "users": [str(town.painter.id)]}
    status, data, _ = await rest("PATCH", path, {"flags": V2, "components": [text], "allowed_mentions": allowed})
    assert (status, [one["id"] for one in data["mentions"]]) == (200, [str(town.painter.id)])
    server.assert_clean()


async def test_what_the_description_objects_to_is_told_at_its_place(server: Server, rest, commands: None) -> None:
    if not server.specs.present:
        pytest.skip("the official description is not here (EASEL_SPECS)")
    _, path = await deferred(server, rest)
    status, data, _ = await rest("PATCH", path, {"flags": V2, "components": [{"type": 14, "spacing": "wide"}]})
    assert (status, data["code"]) == (400, 50035)
    assert list(data["errors"]) == ["components"]


async def test_a_layout_of_discord_py_is_taken_pressed_and_printed(server: Server, bot, tmp_path, picture) -> None:
    async def work(interaction, prompt: str) -> None:
        button = discord.ui.Button(label="Again", custom_id="again:fox")
        inside = discord.ui.Container(
            discord.ui.TextDisplay(f"**{prompt}**"),
            discord.ui.Section("flare · low", accessory=button),
            discord.ui.Separator(),
            discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://a.png", description="a red fox")),
            discord.ui.ActionRow(
                discord.ui.Select(
                    custom_id="s",
                    max_values=2,
                    options=[discord.SelectOption(label=n, default=n == "b") for n in ("a", "b")],
                )
            ),
            accent_color=0xFF8800,
        )
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(inside)
        await interaction.response.defer()
        await interaction.edit_original_response(view=view, attachments=[discord.File(io.BytesIO(picture()), "a.png")])

    bot.draw_with = work
    said: list[str] = []
    code = await cli.run_one("/draw prompt:x", server, out=tmp_path, write=said.append, drawing={"draw"})
    assert code == 0
    lines = ["**x**", "flare · low", "[Again]", "─" * 24, "[picture: a red fox]", "[choose: a | b ✓]", "saved "]
    printed = "".join(said)
    assert [printed.index(line) for line in lines] == sorted(printed.index(line) for line in lines)

    world, town = server.world, server.world.town
    [answer] = [m for m in world.history(town.general) if m.is_v2]
    pressed = await world.click(answer, "Again", town.member)
    assert (await pressed.wait_answer()).content == "again: fox"
    server.assert_clean()
