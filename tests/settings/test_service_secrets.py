"""The keys of services: named in IMAGE_MODELS, held by settings and files, and kept out of every log."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.parts import account_of, catalogue_of
from bot.ports import CannotStart
from bot.settings.model import Settings
from bot.settings.sources import parse_settings, read_settings

SERVICE = """
[services.local]
base_url = "http://localhost:8080/v1"
key = "{key}"
headers = {{ x-team = "art", x-gateway-key = "env GATEWAY_KEY" }}
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(SERVICE.format(key="env LOCAL_KEY"), "utf-8")
    return path


def read(models: Path, **more: str) -> Settings:
    return parse_settings({"IMAGE_MODELS": str(models), **more})


def test_a_key_and_a_header_come_from_settings_and_count_as_secrets(models: Path) -> None:
    settings = read(models, LOCAL_KEY="local-key-0123", GATEWAY_KEY="gateway-key-0123")
    account = account_of(settings, catalogue_of(settings).services["local"])
    assert account.api_key == "local-key-0123"
    assert account.headers == {"x-team": "art", "x-gateway-key": "gateway-key-0123"}
    assert set(settings.secrets()) == {"local-key-0123", "gateway-key-0123"}
    assert "key-0123" not in repr((settings, account, catalogue_of(settings).services))


@pytest.mark.parametrize(
    "prices",
    ["provenance = true\nprovenance_price = 0.002", 'chat_model = "w"\nchat_prices = { input = 0.15, output = 0.6 }'],
)
def test_a_service_with_prices_keeps_its_key(models: Path, prices: str) -> None:
    models.write_text(models.read_text("utf-8").replace("[services.local]\n", f"[services.local]\n{prices}\n"), "utf-8")
    settings = read(models, LOCAL_KEY="local-key-0123", GATEWAY_KEY="gateway-key-0123")
    assert account_of(settings, catalogue_of(settings).services["local"]).api_key == "local-key-0123"


def test_a_key_may_lie_in_a_file_or_come_as_any_setting_may(models: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" from-a-file \n", "utf-8")
    (tmp_path / ".env").write_text("GATEWAY_KEY=from-dot-env\n", "utf-8")
    models.write_text(SERVICE.format(key=f"file {tmp_path / 'key'}"), "utf-8")
    settings = read_settings({"IMAGE_MODELS": str(models)}, tmp_path, tmp_path / "none").settings
    account = account_of(settings, catalogue_of(settings).services["local"])
    assert (account.api_key, account.headers["x-gateway-key"]) == ("from-a-file", "from-dot-env")

    models.write_text(SERVICE.format(key="env LOCAL_KEY"), "utf-8")
    environ = {"IMAGE_MODELS": str(models), "LOCAL_KEY_FILE": str(tmp_path / "key")}
    settings = read_settings(environ, tmp_path, tmp_path / "none").settings
    assert account_of(settings, catalogue_of(settings).services["local"]).api_key == "from-a-file"


def test_a_setting_that_a_service_names_is_not_taken_for_a_slip(models: Path, tmp_path: Path) -> None:
    models.write_text(SERVICE.format(key="env OPENAI_API_KEY2"), "utf-8")
    (tmp_path / ".env").write_text("OPENAI_API_KEY2=a-second-key\nOPENAI_API_KEYS=b\n", "utf-8")
    reading = read_settings({"IMAGE_MODELS": str(models)}, tmp_path, tmp_path / "none")
    assert [warning.split()[1] for warning in reading.warnings] == ["OPENAI_API_KEYS"]


@pytest.mark.parametrize(
    ("key", "given", "told"),
    [
        ("env LOCAL_KEY", {}, "services.local.key: the setting LOCAL_KEY is not set"),
        ("file /no/such/key", {}, "services.local.key: the file /no/such/key cannot be read, or is empty"),
        ("env LOCAL_KEY", {"LOCAL_KEY": "a\nb"}, "what the setting LOCAL_KEY holds fits in no header"),
        ("env LOCAL_KEY", {"LOCAL_KEY": "schlüssel"}, "what the setting LOCAL_KEY holds fits in no header"),
    ],
)
def test_a_key_that_is_not_there_is_one_sentence_at_start(models: Path, key: str, given: dict, told: str) -> None:
    models.write_text(SERVICE.format(key=key), "utf-8")
    settings = read(models, GATEWAY_KEY="gateway-key-0123", **given)
    with pytest.raises(CannotStart) as caught:
        catalogue_of(settings)
    assert str(caught.value).startswith("IMAGE_MODELS: services.local.key")
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("prices", ["0.15/0.60", "free"])
def test_prices_of_words_without_a_model_of_words_are_a_fault(prices: str) -> None:
    with pytest.raises(CannotStart, match="CHAT_MODEL is missing"):
        catalogue_of(parse_settings({"CHAT_PRICES": prices}))
