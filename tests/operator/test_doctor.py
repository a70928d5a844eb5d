"""The doctor against planted misconfigurations: each is found, named, and comes with what to do."""

from __future__ import annotations

import argparse
import json
import re
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.database import migrate_store
from bot.adapters.status.http import NotReady, StatusServer
from bot.operator.doctor.context import LedgerLook, LedgerState
from bot.operator.doctor.doctor import examine
from bot.operator.doctor.findings import Finding, Verdict, as_json, as_text, exit_code, failed, passed, warned
from bot.parts import files_of, secrets_of, setup_of
from bot.ports import Setup
from bot.rules.redaction import LogRedactor
from bot.rules.servers.invitation import ADMINISTRATOR, PERMISSION_BITS, install_link
from bot.settings.model import Settings
from bot.settings.sources import missing_to_run

Plant = Callable[[Any], object]
FOXES = "123456789012345678"
KEY = "sk-canary-0123456789abcdef"


def only(findings: list[Finding], check: str, verdict: Verdict) -> str:
    """What the findings of one check and verdict say, remedies included."""
    return "\n".join(f"{f.says} {f.fix}" for f in findings if f.check == check and f.verdict is verdict)


async def test_where_all_is_well_nothing_fails_and_nothing_warns_without_reason(clinic: Any) -> None:
    findings = await clinic.findings()
    assert [f for f in findings if f.verdict is Verdict.FAIL] == []
    warned = {f.check for f in findings if f.verdict is Verdict.WARN}
    assert warned <= {"models"}, findings  # the small service lists one model only
    assert exit_code(findings) == 0


def server(permissions: int) -> list[dict[str, str]]:
    return [{"id": FOXES, "name": "Foxes", "permissions": str(permissions)}]


def put(**variables: str) -> Plant:
    return lambda clinic: clinic.environ.update(variables)


def take(*variables: str) -> Plant:
    return lambda clinic: [clinic.environ.pop(name) for name in variables]


def at_discord(**fields: Any) -> Plant:
    return lambda clinic: [setattr(clinic.discord, name, value) for name, value in fields.items()]


def at_images(**fields: Any) -> Plant:
    return lambda clinic: [setattr(clinic.images, name, value) for name, value in fields.items()]


def write(name: str, data: bytes, mode: int = 0o600) -> Plant:
    def plant(clinic: Any) -> None:
        file = clinic.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(mode)

    return plant


def both(*plants: Plant) -> Plant:
    return lambda clinic: [plant(clinic) for plant in plants]


def models_file(text: str) -> Plant:
    def plant(clinic: Any) -> None:
        file = clinic.folder / "models.toml"
        file.write_text(text)
        clinic.environ["IMAGE_MODELS"] = str(file)

    return plant


FAIL, WARN = Verdict.FAIL, Verdict.WARN

LOCAL = """
[services.local]
base_url = "http://{at}/v1"
key_in = "none"
free = true
[models."gpt-image-2.5-flare@local"]
[models."gone@local"]
like = "dall-e-2"
"""

PLANTED: list[tuple[str, Plant, str, Verdict, str]] = [
    ("a setting is not a number", put(HTTP_PORT="http"), "settings", FAIL, "HTTP_PORT: must be a whole number"),
    ("a secret key is none", put(SECRET_KEY="hunter2"), "settings", FAIL, "SECRET_KEY: is no Fernet key"),
    ("a misspelt name in .env", write(".env", b"DISCORD_TOKKEN=x\n"), "settings", WARN, "Is DISCORD_TOKEN meant?"),
    ("everybody can read .env", write(".env", b"TZ=UTC\n", 0o644), ".env", WARN, "chmod 600"),
    ("no token", take("DISCORD_TOKEN"), "DISCORD_TOKEN", Verdict.NEED, "Reset Token"),
    ("a wrong token", put(DISCORD_TOKEN=KEY), "token", FAIL, "does not look like a bot token"),
    ("an old token", put(DISCORD_TOKEN="MTIzNDU2Nzg5MDEyMzQ1Njc4.Gxxxxx.abcdefghijklmnopqrstuvwxyz0"), "token", FAIL,
     "Reset Token"),
    ("a person's token", at_discord(me={"id": "1", "username": "me", "bot": False}), "token", FAIL, "person's token"),
    ("a base that is a web site", at_discord(html=True), "token", FAIL, "DISCORD_API_BASE"),
    ("nobody at the base", put(DISCORD_API_BASE="http://127.0.0.1:9/api"), "token", FAIL, "did not answer"),
    ("banned for a while", at_discord(status=429), "token", FAIL, "Wait an hour"),
    ("a clock that is ahead", at_discord(late=timedelta(seconds=30)), "clock", FAIL, "30 s ahead of"),
    ("a clock that is a little behind", at_discord(late=timedelta(seconds=-3)), "clock", WARN, "timedatectl"),
    ("interactions go to an address", at_discord(application={"id": "7", "interactions_endpoint_url": "https://x"}),
     "application", FAIL, "Clear it"),
    ("no starts left", at_discord(limit={"total": 1000, "remaining": 0, "reset_after": 7_200_000}), "identify budget",
     FAIL, "Wait 2.0 h"),
    ("few starts left", at_discord(limit={"total": 1000, "remaining": 20, "reset_after": 1}), "identify budget", WARN,
     "restarts the bot"),
    ("too few shards", both(at_discord(shards=16), put(SHARD_COUNT="4")), "shards", WARN, "16 or more"),
    ("a gateway that is none", at_discord(hello="{}"), "gateway", FAIL, "did not greet"),
    ("a gateway out of reach", at_discord(gateway="ws://127.0.0.1:9/"), "gateway", FAIL, "firewall"),
    ("no commands yet", at_discord(commands=[]), "commands", WARN, "Start the bot once"),
    ("old commands", at_discord(commands=["imagine", "dalle"]), "commands", WARN, "not of this version: dalle"),
    ("a command is missing", lambda clinic: clinic.discord.commands.remove("vary"), "commands", WARN, "missing: vary"),
    ("no /describe although there is a model of words", put(CHAT_MODEL="words", CHAT_PRICES="free"), "commands", WARN,
     "missing: describe"),
    ("a command too many", lambda clinic: clinic.discord.commands.append("dalle"), "commands", WARN,
     "not of this version: dalle"),
    ("commands twice", at_discord(commands_of_a_server=["imagine"]), "commands", WARN, "then without it"),
    ("commands twice in the development server",
     both(put(DISCORD_GUILD_ID="123456789012345678"),
          lambda clinic: setattr(clinic.discord, "commands_of_a_server", list(clinic.discord.commands))),
     "commands", WARN, "Take DISCORD_GUILD_ID away"),
    ("in no server", at_discord(servers=[]), "servers", WARN, "permissions=274878024704"),
    ("may not attach files", at_discord(servers=server(PERMISSION_BITS & ~(1 << 15))), "servers", FAIL, "Attach Files"),
    ("an administrator", at_discord(servers=server(ADMINISTRATOR)), "servers", WARN, "Take Administrator"),
    ("not in the development server", put(DISCORD_GUILD_ID="999999999999999999"), "servers", FAIL, "DISCORD_GUILD_ID"),
    ("no key for OpenAI", take("OPENAI_API_KEY", "OPENAI_BASE_URL"), "image key", FAIL, "api-keys"),
    ("a key that is refused", at_images(status=401, code="invalid_api_key"), "image key", FAIL, "OPENAI_API_KEY"),
    ("no image server there", put(OPENAI_BASE_URL="http://127.0.0.1:9/v1"), "image key", FAIL, "OPENAI_BASE_URL"),
    ("the image server is a web site", at_images(html=True), "image key", WARN, "usually ends in /v1"),
    ("a default model nobody knows", put(DEFAULT_MODEL="gpt-image-2.5-flair"), "DEFAULT_MODEL", FAIL,
     "gpt-image-2.5-flare"),
    ("a default model the key lacks", put(DEFAULT_MODEL="gpt-image-2"), "DEFAULT_MODEL", WARN, "--spend settles it"),
    ("no model at all", at_images(models=[{"id": "llama"}]), "models", WARN, "IMAGE_MODELS"),
    ("a service that is not there", models_file(LOCAL.replace("{at}", "127.0.0.1:9")), "image key local", FAIL,
     "services.local.base_url"),
    ("a service whose key is not set", models_file(LOCAL.replace('key_in = "none"', 'key = "env LOCAL_KEY"')), "models",
     FAIL, "services.local.key: the setting LOCAL_KEY is not set"),
    ("a key that may not draw overnight", models_file("[services.default]\novernight = true\n"), "overnight", WARN,
     "files and batches"),
    ("a broken list of models", models_file("[models.x\n"), "models", FAIL, "IMAGE_MODELS"),
    ("a list of models that is not there", put(IMAGE_MODELS="/not/there.toml"), "settings", FAIL, "IMAGE_MODELS"),
    ("a model that ends soon", at_images(models=[{"id": "gpt-image-2.5-flare", "shutdown_date": "2026-12-01"}]),
     "model ends", WARN, "2026-12-01"),
    ("nothing limits spending", both(take("OPERATOR_BUDGET_USD"), put(DEFAULT_BUDGET_USD="none")), "budget", WARN,
     "OPERATOR_BUDGET_USD"),
    ("a database that is damaged", write("data/easel.db", b"SQLite format 3\0" + b"x" * 5000), "database", FAIL,
     "restore"),
    ("a database that is empty", write("data/easel.db", b""), "database", FAIL, "restore"),
    ("nobody at the database", put(DATABASE_URL="postgresql+asyncpg://u:canary@127.0.0.1:9/d"), "database", FAIL,
     "DATABASE_URL"),
    ("several processes on SQLite", put(SHARD_COUNT="4", SHARD_IDS="0-1"), "database", FAIL, "postgresql+asyncpg://"),
    ("a data folder that is a file", write("data", b""), "data folder", FAIL, "DATA_DIR"),
    ("a full disk", lambda clinic: setattr(clinic, "free", 1000), "disk", FAIL, "Make room"),
    ("a disk that fills up", lambda clinic: setattr(clinic, "free", 1024**3), "disk", WARN, "Make room"),
    ("several machines with disks of their own", put(DATABASE_URL="postgresql+asyncpg://u@127.0.0.1:9/d",
     SHARD_COUNT="2", SHARD_IDS="0"), "pictures", WARN, "PICTURES_URL"),
    ("no object store there", put(PICTURES_URL="s3://easel/x", PICTURES_ENDPOINT="http://127.0.0.1:9",
     PICTURES_KEY_ID="i", PICTURES_KEY="canary-key"), "pictures", FAIL,
     "check PICTURES_ENDPOINT (name, port, http or https?) and the network Until it answers, pictures are kept on"),
    ("no key to Azure", put(PICTURES_URL="az://easel/x"), "pictures", FAIL, "check PICTURES_KEY_ID (the storage"),
    ("half a key to Azure", put(PICTURES_URL="az://easel/x", PICTURES_KEY_ID="easel", PICTURES_KEY="half-a-key"),
     "pictures", FAIL, "PICTURES_KEY (its access key, whole)"),
    ("no secret key", take("SECRET_KEY"), "SECRET_KEY", WARN, "Fernet.generate_key"),
    ("no secret key, several machines", both(take("SECRET_KEY"), put(
        DATABASE_URL="postgresql+asyncpg://u@127.0.0.1:9/d", SHARD_COUNT="2", SHARD_IDS="0")), "SECRET_KEY", FAIL,
     "every process"),
    ("the page is open to the world", put(HTTP_HOST="0.0.0.0"), "status page", WARN, "HTTP_HOST=127.0.0.1"),
    ("the page is off", put(HTTP_PORT="0"), "status page", WARN, "HTTP_PORT"),
    ("a host of another machine", put(HTTP_HOST="192.0.2.1"), "status page", FAIL, "no address of this machine"),
    ("secrets travel in clear", put(OPENAI_BASE_URL="http://images.invalid/v1"), "TLS", WARN, "unencrypted"),
    ("secrets travel in clear to another service", models_file(LOCAL.replace("127.0.0.1", "images.invalid").replace(
        "{at}", "images.invalid")), "TLS", WARN, "services.local.base_url in IMAGE_MODELS is http://"),
    ("no privacy policy", take("PRIVACY_URL"), "PRIVACY_URL", WARN, "PRIVACY.md"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "check", "verdict", "words"), [row[1:] for row in PLANTED], ids=[r[0] for r in PLANTED]
)
async def test_it_finds_and_says_what_to_do_without_a_secret(
    clinic: Any, plant: Plant, check: str, verdict: Verdict, words: str
) -> None:
    plant(clinic)
    findings = await clinic.findings()
    assert words in only(findings, check, verdict), as_text(findings, LogRedactor())
    assert exit_code(findings) == (1 if any(f.verdict is FAIL for f in findings) else 0)
    assert [f for f in findings if f.verdict is not Verdict.PASS and not f.fix] == []
    assert not any("the check itself broke" in f.says for f in findings)
    redactor = LogRedactor(clinic.here().settings.secrets())
    for text in (as_text(findings, redactor), as_json(findings, redactor)):
        secrets = (clinic.environ.get("DISCORD_TOKEN", KEY), KEY, "MDEyMzQ1", ":canary@", "canary-key")
        assert [s for s in secrets if s in text] == []


async def test_a_database_of_this_version_passes(clinic: Any) -> None:
    await migrate_store(clinic.environ["DATABASE_URL"], data_dir=clinic.folder / "data")
    assert "revision" in only(await clinic.findings(), "database", Verdict.PASS)


async def test_a_database_of_a_newer_version_fails(clinic: Any) -> None:
    await migrate_store(clinic.environ["DATABASE_URL"], data_dir=clinic.folder / "data")
    with sqlite3.connect(clinic.folder / "data" / "easel.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer Easel" in only(await clinic.findings(), "database", FAIL)


async def test_a_database_that_was_half_migrated_fails(clinic: Any) -> None:
    await migrate_store(clinic.environ["DATABASE_URL"], data_dir=clinic.folder / "data")
    with sqlite3.connect(clinic.folder / "data" / "easel.db") as connection:
        connection.execute("DROP TABLE audit")
    connection.close()
    assert "half migrated" in only(await clinic.findings(), "database", FAIL)


async def test_a_taken_port_fails_with_the_variable(clinic: Any) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        clinic.environ["HTTP_PORT"] = str(other.getsockname()[1])
        assert "HTTP_PORT" in only(await clinic.findings(), "status page", FAIL)


@pytest.mark.parametrize(
    ("replaced", "check", "verdict", "words"),
    [
        (False, "status page", Verdict.PASS, "runs here and is ready"),
        (True, "running Easel", FAIL, "database: moved, deleted"),
    ],
)
async def test_it_asks_the_easel_that_runs_here_whether_its_ledger_was_replaced(
    clinic: Any, replaced: bool, check: str, verdict: Verdict, words: str
) -> None:
    async def database() -> None:
        if replaced:
            raise NotReady("moved, deleted or replaced while the bot ran")

    server = StatusServer("127.0.0.1", 0, {"database": database}, lambda: b"")
    await server.start()
    clinic.environ["HTTP_PORT"] = str(server.address[1])

    assert words in only(await clinic.findings(), check, verdict)
    await server.aclose()


async def test_an_untrusted_certificate_is_told_from_no_connection(clinic: Any, tmp_path: Any) -> None:
    import asyncio
    import ssl

    certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    clinic.environ["OPENAI_BASE_URL"] = f"https://localhost:{port}/v1"
    said = only(await clinic.findings(), "TLS", FAIL)
    server.close()
    await server.wait_closed()
    assert "not trusted" in said
    assert "ca-certificates" in said


def certificate(folder: Any) -> None:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


async def test_servers_beyond_the_first_page_are_looked_at_too(clinic: Any) -> None:
    clinic.discord.servers = [
        {"id": str(10**17 + n), "name": f"s{n}", "permissions": str(PERMISSION_BITS)} for n in range(450)
    ]
    clinic.discord.servers[-1]["permissions"] = "0"
    assert "in s449 the bot lacks" in only(await clinic.findings(), "servers", FAIL)


async def test_no_picture_is_made_unless_asked_for(clinic: Any) -> None:
    await clinic.findings()
    assert clinic.images.asked == []


async def test_the_picture_asked_for_is_the_smallest_and_cheapest(clinic: Any) -> None:
    clinic.spend = True
    findings = await clinic.findings()
    (asked,) = clinic.images.asked
    assert asked["model"] == "gpt-image-2.5-flare"
    assert asked["quality"] == "low"
    assert asked.get("n", 1) == 1
    assert "made 1x1 png" in only(findings, "picture", Verdict.PASS)


async def test_a_check_that_breaks_is_a_finding_and_the_others_still_run(clinic: Any) -> None:
    async def check_odd(_here: Any) -> list[Finding]:
        raise KeyError("x")

    async def check_fine(_here: Any) -> list[Finding]:
        return [passed("fine", "yes")]

    findings = await examine(clinic.here(), {"One": [check_odd], "Two": [check_fine]})
    assert [f.verdict for f in findings] == [FAIL, Verdict.PASS]
    assert [(f.group, f.check) for f in findings] == [("One", "odd"), ("Two", "fine")]


def test_json_says_whether_all_is_well() -> None:
    data = json.loads(as_json([passed("a", "fine"), failed("b", f"key {KEY}", "do that")], LogRedactor()))
    assert data["ok"] is False
    row = {"group": "", "check": "b", "verdict": "fail", "says": "key [redacted]", "fix": "do that"}
    assert data["findings"][1] == row


async def test_without_a_token_nothing_is_wrong_and_it_says_what_real_discord_needs(clinic: Any) -> None:
    for name in ("DISCORD_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        clinic.environ.pop(name, None)
    findings = await clinic.findings()
    lines = as_text(findings, LogRedactor()).splitlines()
    assert lines[0] == "Sandbox: ready. For real Discord you still need: DISCORD_TOKEN, OPENAI_API_KEY."
    assert lines[-1].startswith("Next: DISCORD_TOKEN: https://discord.com/developers")
    assert exit_code(findings) == 0


def test_it_names_what_is_wrong_first_and_the_one_next_step() -> None:
    findings = [warned("a", "odd", "look"), failed("b", "broken", "mend it"), failed("c", "broken", "and this")]
    lines = as_text(findings, LogRedactor()).splitlines()
    assert lines[0] == "2 things keep Easel from working as configured."
    assert lines[-2:] == ["0 passed, 1 warning, 2 failed", "Next: b: mend it"]


def test_colours_are_for_terminals_and_never_alone() -> None:
    findings = [replace(passed("a", "fine"), group="One"), failed("b", "broken", "mend it")]
    plain, coloured = (as_text(findings, LogRedactor(), colour=colour) for colour in (False, True))
    assert "\x1b[31mfail\x1b[0m  b: broken" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_a_servers_name_cannot_forge_a_line() -> None:
    text = as_text([failed("servers", "in x\npass  token: fine\x1b[2J", "y")], LogRedactor())
    assert "\npass  token" not in text
    assert "\x1b" not in text


def test_the_link_asks_for_the_least() -> None:
    assert install_link(7) == (
        "https://discord.com/oauth2/authorize?client_id=7&scope=bot+applications.commands&permissions=274878024704"
    )


def test_what_it_expects_of_the_command_line_is_what_it_gets() -> None:
    from bot.__main__ import parser

    arguments = parser().parse_args(["doctor", "--json", "--spend"])
    assert isinstance(arguments, argparse.Namespace)
    assert arguments.json
    assert arguments.spend


@pytest.fixture
async def several(clinic: Any) -> Setup:
    """A ledger that processes may share, without a server for it: what this machine would say of itself."""

    async def whole(_settings: Settings) -> LedgerLook:
        return LedgerLook(LedgerState.CURRENT)

    clinic.ledger = whole
    clinic.environ.update(DATABASE_URL="postgresql+asyncpg://u@127.0.0.1:9/d", SHARD_COUNT="4")
    settings = clinic.here().settings
    return setup_of(settings, secrets_of(settings), files_of(settings).places[0])


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({}, Verdict.PASS, "2 run on this ledger and agree"),
        ({"seal": "another"}, Verdict.FAIL, "SECRET_KEY"),
        ({"shards": 8}, Verdict.FAIL, "(4, 8)"),
        ({"pictures": "another"}, Verdict.WARN, "PICTURES_URL"),
        ({"ahead_s": 5.0}, Verdict.PASS, "2 run on this ledger and agree"),
        ({"ahead_s": 95.0}, Verdict.FAIL, "95 s ahead of the database's"),
        ({"ahead_s": -95.0}, Verdict.FAIL, "95 s behind the database's"),
    ],
)
async def test_it_compares_what_the_processes_on_one_ledger_must_agree_on(
    clinic: Any, several: Setup, change: dict[str, Any], verdict: Verdict, words: str
) -> None:
    clinic.others = [several, replace(several, **change)]
    assert words in only(await clinic.findings(), "processes", verdict)


async def test_alone_on_a_ledger_there_is_nothing_to_compare(clinic: Any, several: Setup) -> None:
    assert [f for f in await clinic.findings() if f.check == "processes"] == []


async def test_a_faulty_place_for_pictures_is_said_once_and_not_looked_at(clinic: Any) -> None:
    clinic.environ |= {"PICTURES_URL": "s3://easel/x", "PICTURES_KEY": "canary-key"}
    findings = await clinic.findings()
    assert "PICTURES_KEY_ID" in only(findings, "settings", FAIL)
    assert [f for f in findings if f.check == "pictures"] == []


async def test_each_service_is_looked_at_by_itself(clinic: Any) -> None:
    models_file(LOCAL.replace("http://{at}/v1", clinic.images.base))(clinic)
    findings = await clinic.findings()
    assert "lists 1 models" in only(findings, "image key local", Verdict.PASS)
    assert "this key cannot use gone@local" in only(findings, "models local", WARN)
    assert "gpt-image-2.5-flare@local" in only(findings, "models", Verdict.PASS)


async def test_without_a_model_at_the_default_service_nobody_asks_it_and_no_key_is_missed(clinic: Any) -> None:
    models_file('hide = "all"\n' + LOCAL.replace("http://{at}/v1", clinic.images.base))(clinic)
    clinic.environ.update(DEFAULT_MODEL="gpt-image-2.5-flare@local", OPENAI_BASE_URL="https://api.openai.com/v1")
    del clinic.environ["OPENAI_API_KEY"]
    findings = await clinic.findings()
    assert [one for one in findings if one.verdict is FAIL and one.check != "TLS"] == []  # no network here
    assert not [finding for finding in findings if finding.check == "image key"]
    assert missing_to_run(clinic.here().settings) == ()


@pytest.mark.parametrize(
    ("listed", "verdict", "words"),
    [
        (["words"], Verdict.PASS, "/describe and Improve with words"),
        (["gpt-image-2"], WARN, "does not list words"),
    ],
)
async def test_the_model_of_words_is_looked_for(clinic: Any, listed: list[str], verdict: Verdict, words: str) -> None:
    at_images(models=[{"id": name} for name in listed])(clinic)
    put(CHAT_MODEL="words", CHAT_PRICES="0.15/0.60")(clinic)
    (found,) = [one for one in await clinic.findings() if one.check == "words"]
    assert (found.verdict, words in found.says) == (verdict, True)


async def test_who_draws_overnight_is_named(clinic: Any) -> None:
    models_file("[services.default]\novernight = true\n")(clinic)
    clinic.images.batches = True
    (found,) = [one for one in await clinic.findings() if one.check == "overnight"]
    assert found.verdict is Verdict.PASS
    assert "gpt-image-2.5-flare" in found.says
