"""Settings: where they come from, what they become, and that every fault is told at once without a secret in it."""

import os
from pathlib import Path

import pytest

from bot.rules.limits.limit import Cooldown, Measure, Period, Quota, Scope, most_of
from bot.settings.model import NAMES, ConfigError, Settings, default_limits
from bot.settings.sources import missing_to_run, parse_settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def read(environ: dict[str, str] | None = None, folder: Path = Path("/nowhere"), secrets: Path = Path("/nowhere")):
    return read_settings(environ or {}, folder, secrets)


def test_without_any_setting_there_is_a_whole_configuration() -> None:
    reading = read()
    assert reading.faults == reading.warnings == ()
    settings = reading.settings
    assert settings.discord_token is None
    assert settings.default_model == "gpt-image-2.5-flare"
    assert settings.database_url == "sqlite+aiosqlite:///data/easel.db"
    assert settings.sqlite_path == Path("data/easel.db")
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)
    assert settings.is_official_service


def test_an_empty_value_counts_as_not_set() -> None:
    assert parse_settings({"DISCORD_TOKEN": "", "HTTP_PORT": "  "}) == parse_settings({})


LEGAL = [
    ("SHARD_IDS", "0-3", "shard_ids", (0, 1, 2, 3)),
    ("SHARD_IDS", "0,2", "shard_ids", (0, 2)),
    ("SHARD_IDS", "5, 0-2", "shard_ids", (0, 1, 2, 5)),
    ("OPERATOR_BUDGET_USD", "12.50", "operator_budget_micro_usd", 12_500_000),
    ("OPERATOR_BUDGET_USD", "0.000001", "operator_budget_micro_usd", 1),
    ("DEFAULT_BUDGET_USD", "none", "default_budget_micro_usd", None),
    ("DEFAULT_COOLDOWN_S", "0", "default_cooldown_s", 0),
    ("DEFAULT_COOLDOWN_S", "None", "default_cooldown_s", None),
    ("DEFAULT_IMAGES_PER_DAY", "none", "default_images_per_day", None),
    ("PROMPTS_KEPT_DAYS", "90", "prompts_kept_days", 90),
    ("IMAGES_PER_MINUTE", "0.5", "images_per_minute", 0.5),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("LOG_FORMAT", "JSON", "log_format", "json"),
    ("OPENAI_BASE_URL", "http://localhost:8081/v1/", "openai_base_url", "http://localhost:8081/v1"),
    ("DATABASE_URL", "postgresql+asyncpg://a:b@h:5432/e", "database_url", "postgresql+asyncpg://a:b@h:5432/e"),
    ("DATABASE_URL", "sqlite+aiosqlite:////app/e.db", "sqlite_path", Path("/app/e.db")),
    ("PICTURES_URL", "s3://easel-pictures/one/two/", "pictures_url", "s3://easel-pictures/one/two"),
    ("PICTURES_URL", "S3://easel/x", "pictures_url", "s3://easel/x"),
    ("DISCORD_GUILD_ID", "123456789012345678", "discord_guild_id", 123456789012345678),
    ("JOB_TIMEOUT_S", "120", "job_timeout_s", 120),
    ("AI_NOTICE", " AI-generated, school of design ", "ai_notice", "AI-generated, school of design"),
    ("AI_NOTICE", "", "ai_notice", None),
    ("AI_NOTICE", "None", "ai_notice", ""),
]


@pytest.mark.parametrize(("name", "text", "attribute", "value"), LEGAL)
def test_a_legal_value_becomes_its_type(name: str, text: str, attribute: str, value: object) -> None:
    settings = parse_settings({name: text, "SHARD_COUNT": "8"})
    assert getattr(settings, attribute) == value


ILLEGAL = [
    ("DISCORD_TOKEN", "Bot abc", "without"),
    ("DISCORD_TOKEN", "abc def", "Copy it again"),
    ("DISCORD_API_BASE", "discord.com", "https://"),
    ("DISCORD_API_BASE", "https://host:notaport/", "https://"),
    ("DISCORD_GUILD_ID", "my server", "17 to 20 digits"),
    ("DISCORD_GUILD_ID", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧", "17 to 20 digits"),
    ("OPENAI_API_KEY", '"sk-quoted"', "Copy it again"),
    ("OPENAI_BASE_URL", "https://me:pass@host/v1", "no password"),
    ("OPENAI_BASE_URL", "https://r.openai.azure.com/openai?api-version=2025-04-01-preview", "openai/v1"),
    ("IMAGE_MODELS", "/not/there.toml", "not there"),
    ("IMAGES_PER_MINUTE", "0", "above 0"),
    ("IMAGES_PER_MINUTE", "nan", "above 0"),
    ("MAX_CONCURRENT_JOBS", "1e3", "1 to 1000"),
    ("JOB_TIMEOUT_S", "0", "5 to 3600"),
    ("DATABASE_URL", "sqlite:///data/easel.db", "sqlite+aiosqlite:///"),
    ("DATABASE_URL", "sqlite+aiosqlite:////x.db?mode=ro", "question mark"),
    ("DATABASE_URL", "postgres://u:p@h/d", "postgresql+asyncpg://"),
    ("DATABASE_URL", "mysql://u:p@h/d", "sqlite+aiosqlite:///data/easel.db"),
    ("PICTURES_URL", "https://bucket.s3.amazonaws.com", "s3://bucket/prefix"),
    ("PICTURES_URL", "s3://bucket/../other", "s3://bucket/prefix"),
    ("PICTURES_URL", "s3://key:secret@bucket/x", "s3://bucket/prefix"),
    ("PICTURES_URL", "s3:/bucket", "s3://bucket/prefix"),
    ("PICTURES_ENDPOINT", "minio:9000", "https://"),
    ("PICTURES_ENDPOINT", "http://169.254.169.254", "this one never is"),
    ("PICTURES_ENDPOINT", "http://[fe80::1]:9000", "this one never is"),
    ("HTTP_PORT", "99999", "0 to 65535"),
    ("HTTP_PORT", "-1", "0 to 65535"),
    ("SHARD_COUNT", "0", "1 to 10000"),
    ("SHARD_IDS", "3-0", "0-3 or 0,2"),
    ("SHARD_IDS", "a", "0-3 or 0,2"),
    ("SHARD_IDS", "9", "0 to 7"),
    ("SECRET_KEY", "hunter2hunter2", "Fernet"),
    ("SECRET_KEY", f"{KEY},zzz", "key 2 of 2"),
    ("OPERATOR_BUDGET_USD", "ten", "US dollars"),
    ("CHAT_PRICES", "0/0.0", "free"),
    ("CHAT_PRICES", "0.15", "0.15/0.60"),
    ("OPERATOR_BUDGET_USD", "-1", "US dollars"),
    ("DEFAULT_BUDGET_USD", "1e400", "US dollars"),
    ("DEFAULT_BUDGET_USD", "0.0000001", "US dollars"),
    ("DEFAULT_IMAGES_PER_DAY", "many", "none for no limit"),
    ("DEFAULT_COOLDOWN_S", "1.5", "none for no limit"),
    ("PRIVACY_URL", "javascript:alert(1)", "https://"),
    ("LOG_LEVEL", "loud", "DEBUG, INFO"),
    ("LOG_FORMAT", "xml", "console, json"),
    ("DEFAULT_MODEL", "two words", "one word"),
    ("AI_NOTICE", "x" * 101, "at most 100 characters"),
    ("AI_NOTICE", "two\nlines", "one line"),
]


@pytest.mark.parametrize(("name", "text", "words"), ILLEGAL)
def test_an_illegal_value_is_named_and_explained(name: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings({name: text, **({} if name == "SHARD_COUNT" else {"SHARD_COUNT": "8"})})
    (fault,) = caught.value.faults
    assert fault.startswith(f"{name}: ")
    assert words in fault


def test_all_faults_are_told_at_once() -> None:
    wrong = {"HTTP_PORT": "x", "LOG_LEVEL": "x", "SHARD_IDS": "0", "OPERATOR_BUDGET_USD": "x", "DATABASE_URL": "x"}
    with pytest.raises(ConfigError) as caught:
        parse_settings(wrong)
    assert {fault.split(":")[0] for fault in caught.value.faults} == set(wrong)


SECRETS = {
    "DISCORD_TOKEN": "Bot MTIzNDU2Nzg5.canary-token",
    "OPENAI_API_KEY": "sk-canary with blanks",
    "SECRET_KEY": "canary-fernet-key",
    "DATABASE_URL": "mysql://user:canary-password@host/db",
}


def test_no_secret_stands_in_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(SECRETS)
    assert len(caught.value.faults) == 4
    assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__context__}"


def test_no_secret_stands_in_the_repr() -> None:
    settings = parse_settings(
        {
            "DISCORD_TOKEN": "canary.aaaaaa.token",
            "OPENAI_API_KEY": "sk-canary-key",
            "SECRET_KEY": KEY,
            "DATABASE_URL": "postgresql+asyncpg://user:canary@host/db",
        }
    )
    assert "canary" not in f"{settings!r} {settings}"
    assert KEY not in f"{settings!r} {settings}"
    assert set(settings.secrets()) == {"canary.aaaaaa.token", "sk-canary-key", KEY, "canary"}


def test_the_environment_comes_before_files_and_these_before_dotenv_and_secrets(tmp_path: Path) -> None:
    for name, text in (("a", "from-file-1"), ("b", "from-file-2")):
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / ".env").write_text(
        "DEFAULT_MODEL=from-dotenv\nOPENAI_ORG_ID=from-dotenv\nOPENAI_PROJECT_ID=from-dotenv\n"
    )
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("default_model", "openai_org_id", "openai_project_id", "openai_api_key"):
        (secrets / name).write_text("from-secret")
    environ = {
        "DEFAULT_MODEL": "from-environment",
        "DEFAULT_MODEL_FILE": str(tmp_path / "a"),
        "OPENAI_ORG_ID_FILE": str(tmp_path / "b"),
    }
    settings = read(environ, tmp_path, secrets).settings
    assert settings.default_model == "from-environment"
    assert settings.openai_org_id == "from-file-2"
    assert settings.openai_project_id == "from-dotenv"
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "from-secret"


def test_a_file_of_a_secret_may_be_named_in_dotenv(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("﻿abc.defghi.jkl\r\n", encoding="utf-8")
    (tmp_path / ".env").write_text(f"DISCORD_TOKEN_FILE={tmp_path / 'token'}\n")
    token = read({}, tmp_path).settings.discord_token
    assert token is not None
    assert token.get_secret_value() == "abc.defghi.jkl"


def test_a_dotenv_from_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b'\xef\xbb\xbfDEFAULT_MODEL=gpt-image-2\r\nOPENAI_ORG_ID="org"\r\n')
    settings = read({}, tmp_path).settings
    assert (settings.default_model, settings.openai_org_id) == ("gpt-image-2", "org")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * 70_000])
def test_a_secret_file_that_cannot_be_used_is_a_fault(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    reading = read({"OPENAI_API_KEY_FILE": str(file)})
    (fault,) = reading.faults
    assert fault.startswith("OPENAI_API_KEY_FILE: ")


def test_a_misspelt_name_in_dotenv_is_warned_of_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKKEN=x\nOPENAI_APIKEY=x\nTZ=UTC\nPOSTGRES_PASSWORD=x\n")
    reading = read({}, tmp_path)
    assert reading.faults == ()
    assert [warning.split(" ")[1] for warning in reading.warnings] == ["DISCORD_TOKKEN", "OPENAI_APIKEY"]
    assert "DISCORD_TOKEN" in reading.warnings[0]


def test_dotenv_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("DEFAULT_MODEL=x".encode("utf-16"))
    assert read({}, tmp_path).faults[0].startswith(".env: ")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("OPERATOR_BUDGET_USD='5", "OPERATOR_BUDGET_USD"),
        ('export OPENAI_API_KEY="sk-canary', "OPENAI_API_KEY"),
        ("OPENAI_API_KEY_FILE='key", "OPENAI_API_KEY_FILE"),
        ("OPERATOR_BUDGET_USD 5", "OPERATOR_BUDGET_USD"),
        ("DEFAULT_IMAGES_PER_DAY='5' pictures", "DEFAULT_IMAGES_PER_DAY"),
        ("just a canary", ".env"),
        ("POSTGRES_PASSWORD='canary", ".env"),
    ],
)
def test_a_line_of_dotenv_that_cannot_be_read_is_a_fault_and_the_others_hold(
    tmp_path: Path, text: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".env").write_text(f"# ours\n{text}\nHTTP_PORT=9090\n")
    reading = read({}, tmp_path)
    (fault,) = reading.faults
    assert fault.startswith(f"{name}: line 2 of .env cannot be read")
    assert "canary" not in fault
    assert caplog.text == ""
    assert reading.settings.http_port == 9090


def test_a_faulty_variable_leaves_its_default_for_the_doctor() -> None:
    reading = read({"HTTP_PORT": "x", "DEFAULT_MODEL": "dall-e-2"})
    assert reading.settings.http_port == 8080
    assert reading.settings.default_model == "dall-e-2"


def test_running_needs_a_token_and_a_key_where_openai_serves() -> None:
    assert [line.split(":")[0] for line in missing_to_run(parse_settings({}))] == ["DISCORD_TOKEN", "OPENAI_API_KEY"]
    local = parse_settings({"DISCORD_TOKEN": "a.b.c", "OPENAI_BASE_URL": "http://localhost:1/v1"})
    assert missing_to_run(local) == ()


def test_a_faulty_key_is_not_called_missing_too() -> None:
    reading = read({"DISCORD_TOKEN": "a.b.c", "OPENAI_API_KEY": "two words"})
    assert missing_to_run(reading.settings, reading.faults) == ()


@pytest.mark.parametrize(
    ("address", "official"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("http://localhost:8080/v1", False),
    ],
)
def test_only_openais_own_hosts_are_official(address: str, official: bool) -> None:
    assert parse_settings({"OPENAI_BASE_URL": address}).is_official_service is official


def test_the_defaults_become_limits() -> None:
    settings = parse_settings({"OPERATOR_BUDGET_USD": "100", "DEFAULT_COOLDOWN_S": "20"})
    assert default_limits(settings) == (
        Cooldown(Scope.EVERYONE, 20),
        Quota(Scope.EVERYONE, Measure.IMAGES, Period.DAY, 50),
        Quota(Scope.SERVER, Measure.DOLLARS, Period.MONTH, 10_000_000),
        Quota(Scope.OPERATOR, Measure.DOLLARS, Period.MONTH, 100_000_000),
    )


@pytest.mark.parametrize("cooldown", ["0", "none"])
def test_no_limit_is_no_limit(cooldown: str) -> None:
    settings = parse_settings(
        {"DEFAULT_COOLDOWN_S": cooldown, "DEFAULT_IMAGES_PER_DAY": "none", "DEFAULT_BUDGET_USD": "none"}
    )
    assert default_limits(settings) == ()


def test_a_budget_of_nothing_is_a_budget() -> None:
    amounts = {most_of(limit) for limit in default_limits(parse_settings({"OPERATOR_BUDGET_USD": "0"}))}
    assert 0 in amounts


def test_settings_cannot_be_changed() -> None:
    settings = parse_settings({})
    with pytest.raises(Exception, match="frozen"):
        settings.http_port = 1  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("document", [".env.example", "docs/settings.md"])
def test_every_setting_is_documented(document: str) -> None:
    text = (ROOT / document).read_text()
    assert [name for name in NAMES if name not in text] == []


def test_the_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    reading = read({}, tmp_path)
    assert reading.faults == reading.warnings == ()
    assert reading.settings == Settings()


def test_nothing_is_read_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "4242")
    assert Settings().http_port == 8080
    assert read_settings(os.environ, Path("/nowhere")).settings.http_port == 4242


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PICTURES_KEY": "k"}, "PICTURES_KEY: means nothing without PICTURES_URL"),
        ({"PICTURES_URL": "s3://bucket/x", "PICTURES_KEY": "k"}, "goes together with PICTURES_KEY_ID"),
        ({"PICTURES_URL": "gs://bucket/x", "PICTURES_KEY_ID": "i", "PICTURES_KEY": "k"}, "GOOGLE_APPLICATION"),
    ],
)
def test_the_settings_of_an_object_store_belong_together(given: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_settings(given)


def test_one_slip_in_the_address_of_an_object_store_is_one_fault() -> None:
    keys = {"PICTURES_ENDPOINT": "http://127.0.0.1:9000", "PICTURES_KEY_ID": "i", "PICTURES_KEY": "k"}
    with pytest.raises(ConfigError) as told:
        parse_settings({"PICTURES_URL": "s4://easel/x", **keys})
    assert [fault.partition(":")[0] for fault in told.value.faults] == ["PICTURES_URL"]
