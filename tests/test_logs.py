"""What leaves the process as a log line: held against the very lines discord.py, aiohttp and others write."""

import asyncio
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import aiohttp
import discord
import pytest
import structlog
from discord.http import HTTPClient, Route
from discord.webhook.async_ import AsyncWebhookAdapter

from bot.logs import QUIET, configure_logging
from bot.rules.redaction import REDACTED, LogRedactor

BOT_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.GqL3aF.7bL9xK2mQ4wE8rT6yU1iO3pA5sD7fG9hJ0kL2z"
INTERACTION = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OkFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFla"
API_KEY = "sk-proj-abcDEF0123456789_xyz-ABCDEFGHIJ"
FERNET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PASSWORD = "pa55-w0rd"
CANARIES = (BOT_TOKEN, INTERACTION, API_KEY, FERNET, PASSWORD)

Log = Callable[..., io.StringIO]


@pytest.fixture
def log() -> Iterator[Log]:
    """Configures logging into a string, and puts everything back afterwards."""
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    levels = {name: logging.getLogger(name).level for name in QUIET}

    def configure(level: str = "DEBUG", style: str = "console", secrets: tuple[str, ...] = ()) -> io.StringIO:
        stream = io.StringIO()
        configure_logging(level, style, secrets, stream)
        return stream

    yield configure
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook = hook
    logging.captureWarnings(False)
    structlog.reset_defaults()
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


# (logger, format, arguments) exactly as in discord.py 2.7.1 and aiohttp.
LINES: list[tuple[str, str, tuple[object, ...]]] = [
    (  # webhook/async_.py: every answer, edit and follow-up
        "discord.webhook.async_",
        "Webhook ID %s with %s %s has returned status code %s",
        (123456789012345678, "PATCH",
         f"https://discord.com/api/v10/webhooks/123456789012345678/{INTERACTION}/messages/@original", 200),
    ),
    (
        "discord.webhook.async_",
        "Webhook ID %s with %s %s has returned status code %s",
        (None, "POST",
         f"https://discord.com/api/v10/interactions/123456789012345678/{INTERACTION}/callback?with_response=1", 200),
    ),
    (  # a stand-in's token has no shape of its own: the address gives it away
        "discord.webhook.async_",
        "Webhook ID %s with %s %s has returned status code %s",
        (None, "POST", f"http://127.0.0.1:8090/api/v10/interactions/123456789012345678/{PASSWORD}/callback", 200),
    ),
    (
        "discord.webhook.async_",
        "Webhook ID %s with %s %s has returned status code %s",
        (123456789012345678, "POST", f"http://127.0.0.1:1/api/v10/webhooks/123456789012345678/{PASSWORD}?wait=1", 500),
    ),
    (  # gateway.py: the whole event, as a dict
        "discord.gateway",
        "For Shard ID %s: WebSocket Event: %s",
        (0, {"t": "INTERACTION_CREATE", "op": 0, "d": {"id": "1", "token": PASSWORD, "type": 2}}),
    ),
    (
        "discord.gateway",
        "For Shard ID %s: WebSocket Event: %s",
        (0, {"op": 2, "d": {"token": BOT_TOKEN, "intents": 1}}),
    ),
    ("discord.http", "%s %s with %s has returned %s", ("PUT", "https://discord.com", f'{{"token":"{PASSWORD}"}}', 200)),
    ("discord.http", "%s %s has received %s", ("GET", "https://discord.com/x", {"webhook": {"token": PASSWORD}})),
    ("aiohttp.client", "Request headers: %s", ({"Authorization": f"Bot {BOT_TOKEN}"},)),
    ("aiohttp.client", "headers %r", (f"Authorization: Bearer {API_KEY}\r\nHost: x",)),
    ("httpx2", "%s", (f"Incorrect API key provided: {API_KEY}. You can find your API key at …",)),
    ("httpx2", "headers=%s", ([(b"authorization", f"Bearer {PASSWORD}".encode())],)),
    ("asyncpg", "cannot connect to %s", (f"postgresql+asyncpg://easel:{PASSWORD}@db.example:5432/easel",)),
    ("bot.adapters.secrets", "SECRET_KEY=%s", (FERNET,)),
    ("bot", "key %s", (FERNET,)),
    ("bot", "url %s", (f"https://host/path?access_token={PASSWORD}&x=1",)),
    ("bot", '{"api_key": "%s"}', (PASSWORD,)),
    ("bot", "%s", (json.dumps(json.dumps({"token": PASSWORD})),)),
]  # fmt: skip


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize(("name", "form", "arguments"), LINES)
def test_no_secret_leaves_through_a_line_others_write(
    log: Log, style: str, name: str, form: str, arguments: tuple[object, ...]
) -> None:
    stream = log(style=style)
    logging.getLogger(name).warning(form, *arguments)
    said = stream.getvalue()
    assert said
    assert REDACTED in said
    assert [secret for secret in CANARIES if secret in said] == []
    if style == "json":
        json.loads(said)


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_secret_leaves_through_an_exception_and_its_causes(log: Log, style: str) -> None:
    stream = log(style=style)
    try:
        try:
            raise OSError(f"Cannot connect to postgresql+asyncpg://u:{PASSWORD}@h/d")
        except OSError as error:
            url = f"http://x/api/v10/webhooks/123456789012345678/{INTERACTION}/messages/@original"
            raise RuntimeError(f"PATCH {url} with {BOT_TOKEN}") from error
    except RuntimeError:
        logging.getLogger("bot").exception("delivery failed with key %s", API_KEY)
    said = stream.getvalue()
    assert "RuntimeError" in said
    assert "OSError" in said
    assert [secret for secret in CANARIES if secret in said] == []


def test_no_secret_leaves_through_structlog_values(log: Log) -> None:
    stream = log(style="json")
    structlog.get_logger("bot").warning(
        "x", token=PASSWORD, nested={"api_key": PASSWORD, "list": [API_KEY]}, odd=ValueError(API_KEY), n=3
    )
    event = json.loads(stream.getvalue())
    assert event["token"] == REDACTED
    assert event["nested"] == {"api_key": REDACTED, "list": [REDACTED]}
    assert event["n"] == 3
    assert API_KEY not in stream.getvalue()


def test_a_known_secret_without_any_shape_is_found(log: Log) -> None:
    stream = log(secrets=("correct horse battery staple",))
    logging.getLogger("x").info("it was correct horse battery staple all along")
    assert "battery" not in stream.getvalue()


def test_what_is_no_secret_stays_readable() -> None:
    lines = (
        "GET /api/v10/gateway/bot 200",
        "job 01JD0000000000000000 of gpt-image-2.5-flare took 12.5 s and 4160 tokens",
        "https://cdn.example/attachments/123456789012345678/123456789012345679/fox.png",
        "the bot token was refused",
        "Bot starting on shard 0",
        "sqlite+aiosqlite:///data/easel.db",
        "http://127.0.0.1:8080/healthz",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "asked for tokens: 120",
    )
    assert [line for line in lines if LogRedactor().clean(line) != line] == []


def test_a_prompt_cannot_forge_a_line_or_move_the_cursor(log: Log) -> None:
    stream = log()
    logging.getLogger("bot").info(
        "prompt %s", "fox\n2026-01-01 [critical] hacked \x1b[2J\x1b]0;x\x07 \u202egnp.exe \x9b31m"
    )
    said = stream.getvalue()
    assert said.count("\n") == 1
    assert not any(c in said for c in "\x1b\x07\u202e\x9b")
    assert "\\n2026" in said


def test_an_exception_keeps_its_lines_but_no_control_characters(log: Log) -> None:
    stream = log()
    try:
        raise ValueError("bad \x1b[31m\rname")
    except ValueError:
        logging.getLogger("bot").exception("x")
    said = stream.getvalue()
    assert "Traceback" in said
    assert said.count("\n") > 3
    assert not any(c in said for c in "\x1b\r")


def test_json_is_one_object_a_line(log: Log) -> None:
    stream = log("INFO", "json")
    logging.getLogger("discord.client").info("connected as %s", "Easel")
    structlog.get_logger("bot.core.jobs.jobs").info("settled", job="01JD", micro_usd=41_000)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"]) == ("connected as Easel", "info", "discord.client")
    assert second["micro_usd"] == 41_000
    assert second["timestamp"].endswith("Z")


def test_the_level_holds_and_configuring_again_does_not_double_lines(log: Log) -> None:
    log("INFO")
    stream = log("INFO")
    logging.getLogger("bot").debug("not this")
    logging.getLogger("bot").info("this")
    assert stream.getvalue().count("this") == 1


def test_libraries_that_log_prompts_are_kept_quiet_at_debug(log: Log) -> None:
    stream = log("DEBUG")
    logging.getLogger("openai._base_client").debug("Request options: %s", {"json_data": {"prompt": "a private fox"}})
    logging.getLogger("aiosqlite").debug("executing insert … ('a private fox')")
    assert stream.getvalue() == ""


def test_a_crash_is_logged_without_secrets(log: Log) -> None:
    stream = log(style="json")
    error = RuntimeError(f"token {BOT_TOKEN}")
    sys.excepthook(RuntimeError, error, None)
    assert json.loads(stream.getvalue())["event"] == "crashed"
    assert BOT_TOKEN not in stream.getvalue()


def test_a_warning_of_python_becomes_a_line(log: Log) -> None:
    stream = log()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("something is old", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "something is old" in stream.getvalue()


async def test_discords_own_client_at_debug_level_says_no_token_and_no_whole_request(log: Log) -> None:
    """The real code paths of discord.py, against a server that answers like Discord."""
    from aiohttp import web

    async def answer(_request: web.Request) -> web.Response:
        headers = {"Content-Type": "application/json"}
        return web.Response(body=b'{"id": "1", "token": "%s"}' % PASSWORD.encode(), headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    stream = log("DEBUG")
    old, Route.BASE = Route.BASE, f"http://127.0.0.1:{port}/api/v10"
    client = HTTPClient(asyncio.get_running_loop())
    try:
        await client.static_login(BOT_TOKEN)
        async with aiohttp.ClientSession() as session:
            await AsyncWebhookAdapter().edit_webhook_message(
                123456789012345678, INTERACTION, 5, session=session, payload={"content": "x"}
            )
    finally:
        Route.BASE = old
        await client.close()
        await runner.cleanup()
    said = stream.getvalue()
    assert "[redacted]?with_components=0" in said  # the server's own line: the address alone
    assert "Webhook ID" not in said
    assert "has received" not in said
    assert [secret for secret in CANARIES if secret in said] == []
    assert discord.__version__.startswith("2.")
