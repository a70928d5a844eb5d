"""The sandbox's one-command mode, with the small bot behind it."""

import asyncio
import io
from pathlib import Path

import pytest

from bot.operator.sandbox import cli
from sandbox.discord.server import Server

discord = pytest.importorskip("discord")


async def run(server: Server, line: str, out: Path, **more: object) -> tuple[int, str]:
    said: list[str] = []
    code = await cli.run_one(line, server, out=out, write=said.append, timeout_s=5, drawing={"draw"}, **more)  # type: ignore[arg-type]
    return code, "".join(said)


async def test_a_picture_is_printed_and_saved(server: Server, bot, tmp_path: Path, picture) -> None:
    code, text = await run(server, "/draw prompt:a red fox, at 12:30 size:320x320 hidden:true", tmp_path)

    assert code == 0
    assert "Here is a red fox, at 12:30\n  Picture" in text
    assert "[Again]" in text
    assert (tmp_path / "picture.png").read_bytes() == picture()
    await run(server, "/draw prompt:again", tmp_path)
    assert (tmp_path / "picture-2.png").exists()
    server.assert_clean()


async def test_options_may_stand_in_any_order_and_be_quoted(server: Server, bot, tmp_path: Path) -> None:
    seen: list[str] = []

    async def work(interaction, prompt: str) -> None:
        seen.append(prompt)
        await interaction.response.send_message("ok", file=discord.File(io.BytesIO(b"x"), "x.txt"))

    bot.draw_with = work
    code, _ = await run(server, '/draw count:2 prompt:"a sign saying size:XL" hidden:false', tmp_path)
    assert code == 0
    assert seen == ["a sign saying size:XL"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("draw prompt:x", "A command starts with a slash"),
        ("/darw prompt:x", "Did you mean /draw?"),
        ("/draw prompt:x sise:10x10", "Did you mean `size:`?"),
        ("/draw a red fox", "belongs to no option"),
        ("/draw prompt:x prompt:y", "stands there twice"),
        ("/draw size:10x10", "`prompt` is required"),
        ("/draw prompt:", "`prompt` is empty"),
        ('/draw size:10x10 prompt:""', "`prompt` is empty"),
        ("/draw prompt:x count:9", "at most 4"),
        ("/draw prompt:x hidden:perhaps", "must be True or False"),
        ("/draw prompt:x image:/no/such/file.png", "must be a file on this machine"),
        ("/level set to:High who:nobody", "nothing here is called nobody"),
        ("/level", "there are: /level set"),
        ("/", "A command starts with a slash"),
    ],
)
async def test_a_line_that_cannot_be_sent_gets_help(server: Server, bot, tmp_path: Path, line: str, words: str) -> None:
    code, text = await run(server, line, tmp_path)
    assert code == 2
    assert words in text
    assert server.world.interactions == {}


async def test_files_people_and_subcommands_work(server: Server, bot, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"12345")
    code, text = await run(server, f"/draw image:{tmp_path}/photo.png prompt:x", tmp_path)
    assert "photo.png has 5 bytes" in text
    assert code == 1  # it makes pictures, and none came
    code, text = await run(server, "/level set to:High who:@pablo", tmp_path)
    assert (code, "only you can see this" in text) == (0, True)


async def test_progress_is_not_the_answer(server: Server, bot, tmp_path: Path) -> None:
    async def work(interaction, prompt: str) -> None:
        await interaction.response.defer()
        for step in ("Queued, 3rd, about 40 s", "Drawing"):
            await interaction.edit_original_response(content=step)
        file = discord.File(io.BytesIO(b"x"), "done.png")
        await interaction.edit_original_response(content="Done", attachments=[file])

    bot.draw_with = work
    code, text = await run(server, "/draw prompt:x", tmp_path)
    assert code == 0
    assert "Queued" not in text
    assert "Done" in text


async def test_it_waits_as_long_as_the_bot_has_work_left(server: Server, bot, tmp_path: Path) -> None:
    asked, done = asyncio.Event(), asyncio.Event()

    async def is_busy(interaction_id: int) -> bool:
        asked.set()
        return not done.is_set()

    async def work(interaction, prompt: str) -> None:
        await interaction.response.send_message("The brushes are being washed")
        await asked.wait()
        file = discord.File(io.BytesIO(b"x"), "done.png")
        await interaction.edit_original_response(content="Done", attachments=[file])
        done.set()

    bot.draw_with = work
    code, text = await run(server, "/draw prompt:x", tmp_path, is_busy=is_busy)
    assert code == 0
    assert "brushes" not in text
    assert "Done" in text


async def test_a_form_is_told_and_what_comes_by_channel_is_shown(server: Server, bot, tmp_path: Path) -> None:
    code, text = await run(server, "/form", tmp_path)
    assert (code, "the form “Edit a picture”" in text) == (1, True)

    async def work(interaction, prompt: str) -> None:
        file = discord.File(io.BytesIO(b"x"), "later.png")
        await interaction.channel.send("by channel", file=file)
        await interaction.response.send_message("here", file=discord.File(io.BytesIO(b"x"), "now.png"))

    bot.draw_with = work
    code, text = await run(server, "/draw prompt:x", tmp_path)
    assert (code, sorted(p.name for p in tmp_path.iterdir())) == (0, ["later.png", "now.png"])
    assert "by channel" in text
    server.assert_clean()


async def test_a_private_refusal_fails(server: Server, bot, tmp_path: Path) -> None:
    async def work(interaction, prompt: str) -> None:
        await interaction.response.send_message("You are over your limit.", ephemeral=True)

    bot.draw_with = work
    code, text = await run(server, "/draw prompt:x", tmp_path)
    assert code == 1
    assert "only you can see this" in text
    assert "over your limit" in text


async def test_no_answer_is_said(server: Server, bot, clock, tmp_path: Path) -> None:
    async def work(interaction, prompt: str) -> None:
        clock.advance(4)

    bot.draw_with = work
    assert await run(server, "/draw prompt:x", tmp_path) == (
        1,
        "Mia in #general: /draw prompt:x\nThe application did not respond.\n",
    )


async def test_a_command_for_others_names_somebody_who_may(server: Server, bot, tmp_path: Path) -> None:
    code, text = await run(server, "/admin-only", tmp_path)
    assert (code, text) == (2, "/admin-only is not for Mia here. Type it as somebody else: --as ada\n")

    code, text = await run(server, "/admin-only", tmp_path, user=cli.people_of(server.world)["ada"])
    assert code == 0
    assert text.startswith("Ada in #general")
