"""What the sandbox's bot is told: nothing that this machine says about the real one."""

from __future__ import annotations

from pathlib import Path

from bot.operator.sandbox.environment import environment
from bot.settings.sources import read_settings

REAL = {
    "DISCORD_TOKEN": "a.b.c",
    "DISCORD_GUILD_ID": "123456789012345678",
    "DATABASE_URL": "postgresql+asyncpg://easel@host/easel",
    "PICTURES_URL": "s3://easel/prod",
    "PICTURES_ENDPOINT": "https://store.example",
    "PICTURES_REGION": "here",
    "PICTURES_KEY_ID": "id",
    "PICTURES_KEY": "key",
}


def test_the_sandbox_keeps_everything_in_its_own_folder_whatever_this_machine_says(tmp_path: Path) -> None:
    told = {**REAL, **environment(tmp_path, token="x.y.z", discord="http://127.0.0.1:1/api")}
    reading = read_settings(told, tmp_path, tmp_path / "no-secrets")

    assert reading.faults == ()
    settings = reading.settings
    assert (settings.pictures_url, settings.pictures_key, settings.discord_guild_id) == (None, None, None)
    assert settings.data_dir == tmp_path
    assert settings.sqlite_path == tmp_path / "easel.db"
